// SPDX-License-Identifier: GPL-2.0
#include <sys/resource.h>

#include "files.h"

void ks_allow_files(void)
{
	struct rlimit files;

	if (getrlimit(RLIMIT_NOFILE, &files))
		return;
	files.rlim_cur = files.rlim_max;
	setrlimit(RLIMIT_NOFILE, &files);
}
