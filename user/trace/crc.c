// SPDX-License-Identifier: GPL-2.0
/* CRC-32 as zlib's (IEEE 802.3, reflected). */
#include <stddef.h>
#include <zlib.h>

#include "format.h"

uint32_t ks_crc(uint32_t crc, const void *data, size_t len)
{
	return (uint32_t)crc32_z(crc, data, len);
}
