/* SPDX-License-Identifier: GPL-2.0 */
#ifndef KVMSCHED_FILES_H
#define KVMSCHED_FILES_H

/* This process may have as many files open as it can be allowed; the usual limit is 1024. */
void ks_allow_files(void);

#endif /* KVMSCHED_FILES_H */
