// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "err.h"
#include "outfile.h"

#define BUFFER (1u << 20)

static void forget(struct ks_outfile *o)
{
	free(o->path);
	free(o->partial);
	memset(o, 0, sizeof(*o));
}

static int open_partial(struct ks_outfile *o)
{
	if (asprintf(&o->partial, "%s.partial", o->path) < 0) {
		o->partial = NULL;
		return -ENOMEM;
	}
	o->f = fopen(o->partial, "w+e");
	return o->f ? 0 : -errno;
}

/* To give a name to a file must not replace a device or a pipe. */
static bool is_special(const char *path)
{
	struct stat st;

	return !stat(path, &st) && !S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode);
}

static int open_stream(struct ks_outfile *o)
{
	o->f = strcmp(o->path, "-") ? fopen(o->path, "we") : stdout;
	return o->f ? 0 : -errno;
}

int ks_outfile_open(struct ks_outfile *o, const char *path, struct ks_err *err)
{
	int ret = 0;

	*o = (struct ks_outfile){ .path = strdup(path),
				  .pipe = !strcmp(path, "-") || is_special(path) };
	if (!o->path)
		ret = -ENOMEM;
	else
		ret = o->pipe ? open_stream(o) : open_partial(o);
	if (ret) {
		ks_fail(err, ret, "%.150s: %s", path, strerror(-ret));
		forget(o);
		return ret;
	}
	setvbuf(o->f, NULL, _IOFBF, BUFFER);
	return 0;
}

int ks_outfile_commit(struct ks_outfile *o, struct ks_err *err)
{
	int ret = fflush(o->f) || ferror(o->f) ? -(errno ? errno : EIO) : 0;

	if (!ret && !o->pipe && fsync(fileno(o->f)))
		ret = -errno;
	if (o->f != stdout && fclose(o->f) && !ret)
		ret = -errno;
	o->f = NULL;
	if (!ret && !o->pipe)
		ret = rename(o->partial, o->path) ? -errno : 0;
	if (ret) {
		ks_fail(err, ret, "%.150s: %s", o->path, strerror(-ret));
		ks_outfile_discard(o);
		return ret;
	}
	forget(o);
	return 0;
}

void ks_outfile_discard(struct ks_outfile *o)
{
	if (o->f && o->f != stdout)
		fclose(o->f);
	if (o->partial)
		unlink(o->partial);
	forget(o);
}
