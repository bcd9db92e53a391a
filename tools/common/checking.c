// SPDX-License-Identifier: GPL-2.0
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <json-c/json.h>

#include "checking.h"
#include "cli.h"
#include "options.h"

enum { OPT_JSON = 0x100 };

static const struct argp_option options[] = {
	CLI_JSON(OPT_JSON),
	{ 0 },
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	bool *json = state->input;

	(void)arg;
	if (key != OPT_JSON)
		return ARGP_ERR_UNKNOWN;
	*json = true;
	return 0;
}

static void print_json(const struct ks_feature *f)
{
	struct json_object *j = json_object_new_object();

	json_object_object_add(j, "schema", json_object_new_int(1));
	json_object_object_add(j, "name", json_object_new_string(f->name));
	json_object_object_add(j, "status", json_object_new_string(ks_status_name(f->status)));
	json_object_object_add(j, "reason", json_object_new_string(f->reason));
	puts(json_object_to_json_string_ext(j, JSON_C_TO_STRING_PLAIN));
	json_object_put(j);
}

int checking_main(int argc, char **argv, enum ks_feature_for side, const char *doc)
{
	const struct argp argp = { options, parse, NULL, doc, NULL, NULL, NULL };
	struct ks_feature *f;
	const struct ks_feature *why;
	struct ks_err err = { "looking at this machine failed" };
	bool json = false;
	size_t n, i;
	int ret = cli_parse(&argp, argc, argv, &json);

	if (ret)
		return ret;
	ret = ks_features(NULL, side, &f, &n);
	if (ret)
		return cli_fail(ret, &err);
	for (i = 0; i < n; i++) {
		if (json)
			print_json(&f[i]);
		else
			printf("%-9s %-18s %s\n", ks_status_name(f[i].status), f[i].name,
			       f[i].reason);
	}
	ret = ks_features_usable(f, n, &why) ? CLI_EXIT_LACKING : CLI_EXIT_OK;
	free(f);
	return cli_end(ret);
}
