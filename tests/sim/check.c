// SPDX-License-Identifier: GPL-2.0
#include "check.h"
int check_run(const struct params *p, const struct check_opts *o){(void)p;(void)o;return 0;}
void check_header(void){}
