// SPDX-License-Identifier: GPL-2.0
/* A trace file as a hostile guest would write it. */
#include "drink.h"
#include "mutate.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char path[64];
	int fd = memory_file(data, size, path);

	drink_file(path, size);
	close(fd);
	return 0;
}
