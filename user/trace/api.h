/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Between KS_API_BEGIN and KS_API_END of a header stands what libkvmsched gives to other programs:
 * C linkage, also for C++, and visible outside the shared library, as nothing else is.
 */
#ifndef KVMSCHED_API_H
#define KVMSCHED_API_H

#ifdef __cplusplus
#define KS_API_BEGIN                                                                               \
	extern "C" {                                                                               \
	_Pragma("GCC visibility push(default)")
#define KS_API_END                                                                                 \
	_Pragma("GCC visibility pop")                                                              \
	}
#else
#define KS_API_BEGIN _Pragma("GCC visibility push(default)")
#define KS_API_END _Pragma("GCC visibility pop")
#endif

#endif /* KVMSCHED_API_H */
