// SPDX-License-Identifier: GPL-2.0
/*
 * CRC-32 as zlib's (IEEE 802.3, reflected), by carry-less multiplication where the processor has
 * it: every record that is read passes through here, and zlib alone would take a tenth of the whole
 * analysis.
 *
 * After V. Gopal et al., "Fast CRC Computation for Generic Polynomials Using PCLMULQDQ
 * Instruction", Intel, 2009: a block of 128 bits is moved d bits further on in the message by
 * multiplying its halves with x^(d + 32) and x^(d - 32) modulo P, which leaves the remainder of the
 * whole unchanged. What is left in the end, 16 bytes and the tail, is zlib's.
 */
#include <emmintrin.h>
#include <wmmintrin.h>
#include <zlib.h>

#include "format.h"

/* x^n modulo P, bits reflected and shifted by one: so the product of reflected halves needs it. */
#define X_544 0x154442bd4ll
#define X_480 0x1c6e41596ll
#define X_160 0x1751997d0ll
#define X_96 0x0ccaa009ell

#define BLOCK sizeof(__m128i)

static inline __m128i load(const uint8_t *p)
{
	return _mm_loadu_si128((const __m128i *)p);
}

__attribute__((target("pclmul"))) static inline __m128i fold(__m128i x, __m128i by, __m128i next)
{
	__m128i low = _mm_clmulepi64_si128(x, by, 0x00);
	__m128i high = _mm_clmulepi64_si128(x, by, 0x11);

	return _mm_xor_si128(_mm_xor_si128(low, high), next);
}

/* len: at least four blocks. Four run side by side, since a multiplication takes its time. */
__attribute__((target("pclmul"))) static uint32_t crc_folded(uint32_t crc, const uint8_t *p,
							     size_t len)
{
	const __m128i by4 = _mm_set_epi64x(X_480, X_544), by1 = _mm_set_epi64x(X_96, X_160);
	__m128i a = _mm_xor_si128(load(p), _mm_cvtsi32_si128((int)~crc));
	__m128i b = load(p + BLOCK), c = load(p + 2 * BLOCK), d = load(p + 3 * BLOCK);
	uint8_t rest[BLOCK];

	for (p += 4 * BLOCK, len -= 4 * BLOCK; len >= 4 * BLOCK; p += 4 * BLOCK, len -= 4 * BLOCK) {
		a = fold(a, by4, load(p));
		b = fold(b, by4, load(p + BLOCK));
		c = fold(c, by4, load(p + 2 * BLOCK));
		d = fold(d, by4, load(p + 3 * BLOCK));
	}
	a = fold(fold(fold(a, by1, b), by1, c), by1, d);
	for (; len >= BLOCK; p += BLOCK, len -= BLOCK)
		a = fold(a, by1, load(p));
	_mm_storeu_si128((__m128i *)rest, a);
	crc = (uint32_t)crc32_z(~0u, rest, sizeof(rest)); /* ~0: zlib's way to say, begin with 0 */
	return (uint32_t)crc32_z(crc, p, len);
}

uint32_t ks_crc(uint32_t crc, const void *data, size_t len)
{
	if (len >= 4 * BLOCK && __builtin_cpu_supports("pclmul"))
		return crc_folded(crc, data, len);
	return (uint32_t)crc32_z(crc, data, len);
}
