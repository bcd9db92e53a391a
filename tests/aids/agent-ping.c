// SPDX-License-Identifier: GPL-2.0
/*
 * What it takes to ask an agent nothing: N questions over one connection that change nothing. Prints the shortest time,
 * the median and the 99th of a hundred, in us, as a JSON object.
 *
 *   agent-ping CID PORT N
 */
#include <stdio.h>
#include <stdlib.h>

#include "agent_msg.h"
#include "err.h"
#include "links.h"
#include "now.h"

#define MAX 10000

static double now_us(void)
{
	return (double)ks_now_ns() / 1e3;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

int main(int argc, char **argv)
{
	static struct ks_links links;
	static double us[MAX];
	struct ks_agent_answer answer;
	struct ks_agent_ask ask;
	struct ks_err err = { "use: agent-ping CID PORT N" };
	int n = argc == 4 ? atoi(argv[3]) : 0, i, ret = n < 1 || n > MAX;

	for (i = -1; i < n && !ret; i++) {
		double begun = now_us();

		ks_agent_ask_init(&ask, KS_AGENT_STATE, (uint64_t)i + 2);
		ret = ks_links_ask(&links, (uint32_t)atoi(argv[1]), (uint32_t)atoi(argv[2]), &ask,
				   &answer, 20000, &err);
		if (i >= 0) /* the first one connects */
			us[i] = now_us() - begun;
	}
	ks_links_close(&links);
	if (ret) {
		fprintf(stderr, "%s\n", err.msg);
		return 1;
	}
	qsort(us, (size_t)n, sizeof(us[0]), compare);
	printf("{\"n\":%d,\"min_us\":%.0f,\"p50_us\":%.0f,\"p99_us\":%.0f}\n", n, us[0], us[n / 2],
	       us[n * 99 / 100]);
	return 0;
}
