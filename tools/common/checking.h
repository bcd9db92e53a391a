/* SPDX-License-Identifier: GPL-2.0 */
/* `check` of both tools: what this machine can do, a line each. */
#ifndef KVMSCHED_CHECKING_H
#define KVMSCHED_CHECKING_H

#include "feature.h"

int checking_main(int argc, char **argv, enum ks_feature_for side, const char *doc);

#endif /* KVMSCHED_CHECKING_H */
