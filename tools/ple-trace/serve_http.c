// SPDX-License-Identifier: GPL-2.0
/*
 * HTTP by libmicrohttpd, driven by the caller's loop: no thread of its own. One request per
 * connection, GET or HEAD, no body; whoever is slow or many is sent away.
 */
#include <errno.h>
#include <microhttpd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "now.h"
#include "serve.h"

#define CONNECTIONS 16		 /* per address */
#define IDLE_SECONDS 10u	 /* without a byte */
#define WHOLE_SECONDS 30	 /* from connect to the last byte */
#define CONNECTION_MEMORY 16384u /* of a request's head and an answer's */
#define PAGE_NS 100000000	 /* a page is given out again for so long */

struct page {
	struct MHD_Response *response; /* NULL = none yet */
	uint64_t made;
};

struct guest {
	struct MHD_Connection *connection; /* NULL = free */
	uint64_t since;
};

struct serve_http {
	serve_page_fn make;
	void *ctx;
	const struct serve_listen *listen;
	struct MHD_Daemon *daemon[SERVE_LISTEN_MAX];
	int epoll_fd[SERVE_LISTEN_MAX];
	unsigned int n;
	struct guest guest[SERVE_LISTEN_MAX * CONNECTIONS];
	struct page page[2]; /* by format */
};

static const char front[] =
	"<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>ple-trace "
	"serve</title></head>\n<body><h1>ple-trace serve</h1>\n<p>kvmsched " KVMSCHED_VERSION
	": how the vCPUs of this host's VMs spin, halt and wait for a pCPU.</p>\n"
	"<p><a href=\"/metrics\">Metrics</a> for Prometheus (OpenMetrics 1.0 or text "
	"0.0.4)</p></body></html>\n";

/* ---- answers ---- */

static void add_headers(struct MHD_Response *r, const char *type)
{
	MHD_add_response_header(r, MHD_HTTP_HEADER_CONTENT_TYPE, type);
	MHD_add_response_header(r, MHD_HTTP_HEADER_CONNECTION, "close");
	MHD_add_response_header(r, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
	MHD_add_response_header(r, "X-Content-Type-Options", "nosniff");
}

static enum MHD_Result send_text(struct MHD_Connection *c, unsigned int status, const char *type,
				 const char *text)
{
	/* The library takes a pointer to what it does not change. */
	struct MHD_Response *r = MHD_create_response_from_buffer(strlen(text), (void *)text,
								 MHD_RESPMEM_PERSISTENT);
	enum MHD_Result ret;

	if (!r)
		return MHD_NO;
	add_headers(r, type);
	if (status == MHD_HTTP_METHOD_NOT_ALLOWED)
		MHD_add_response_header(r, MHD_HTTP_HEADER_ALLOW, "GET, HEAD");
	ret = MHD_queue_response(c, status, r);
	MHD_destroy_response(r);
	return ret;
}

static enum MHD_Result refuse(struct MHD_Connection *c, unsigned int status, const char *why)
{
	return send_text(c, status, "text/plain; charset=utf-8", why);
}

/* The page of a format, made anew unless it was made a moment ago; NULL: out of memory. */
static struct MHD_Response *metrics_page(struct serve_http *h, enum ks_metrics_format format)
{
	struct page *p = &h->page[format];
	uint64_t now = ks_now_ns();
	const char *text;
	size_t len;

	if (p->response && now < p->made + PAGE_NS)
		return p->response;
	if (p->response)
		MHD_destroy_response(p->response);
	p->response = NULL;
	if (h->make(h->ctx, format, &text, &len))
		return NULL;
	p->response = MHD_create_response_from_buffer(len, (void *)text, MHD_RESPMEM_MUST_COPY);
	if (!p->response)
		return NULL;
	p->made = now;
	add_headers(p->response, ks_metrics_content_type(format));
	MHD_add_response_header(p->response, MHD_HTTP_HEADER_VARY, MHD_HTTP_HEADER_ACCEPT);
	return p->response;
}

static enum MHD_Result send_metrics(struct serve_http *h, struct MHD_Connection *c)
{
	const char *accept = MHD_lookup_connection_value(c, MHD_HEADER_KIND,
							 MHD_HTTP_HEADER_ACCEPT);
	struct MHD_Response *r = metrics_page(h, ks_metrics_negotiate(accept));

	if (!r)
		return refuse(c, MHD_HTTP_INTERNAL_SERVER_ERROR, "out of memory\n");
	return MHD_queue_response(c, MHD_HTTP_OK, r);
}

static bool has_body(struct MHD_Connection *c)
{
	const char *len = MHD_lookup_connection_value(c, MHD_HEADER_KIND,
						      MHD_HTTP_HEADER_CONTENT_LENGTH);

	return (len && strcmp(len, "0")) ||
	       MHD_lookup_connection_value(c, MHD_HEADER_KIND, MHD_HTTP_HEADER_TRANSFER_ENCODING);
}

static bool is_meant(const struct serve_http *h, struct MHD_Connection *c)
{
	return serve_listen_is_meant(h->listen, MHD_lookup_connection_value(c, MHD_HEADER_KIND,
									    MHD_HTTP_HEADER_HOST));
}

/* Called when the head of a request is there; answered at once, so there is no second call. */
static enum MHD_Result answer(void *ctx, struct MHD_Connection *c, const char *url,
			      const char *method, const char *version, const char *data,
			      size_t *size, void **state)
{
	(void)version, (void)data, (void)size, (void)state;
	if (strcmp(method, MHD_HTTP_METHOD_GET) && strcmp(method, MHD_HTTP_METHOD_HEAD))
		return refuse(c, MHD_HTTP_METHOD_NOT_ALLOWED, "only GET and HEAD\n");
	if (!is_meant(ctx, c))
		return refuse(
			c, MHD_HTTP_MISDIRECTED_REQUEST,
			"this listens for its own machine alone: ask for localhost, or by the "
			"address\n");
	if (has_body(c))
		return refuse(c, MHD_HTTP_BAD_REQUEST, "no request body, please\n");
	if (!strcmp(url, "/metrics"))
		return send_metrics(ctx, c);
	if (!strcmp(url, "/"))
		return send_text(c, MHD_HTTP_OK, "text/html; charset=utf-8", front);
	return refuse(c, MHD_HTTP_NOT_FOUND, "there is / and /metrics\n");
}

/* ---- connections ---- */

static void note_connection(void *ctx, struct MHD_Connection *c, void **state,
			    enum MHD_ConnectionNotificationCode code)
{
	struct serve_http *h = ctx;
	struct guest *g, *end = h->guest + sizeof(h->guest) / sizeof(h->guest[0]);
	bool begins = code == MHD_CONNECTION_NOTIFY_STARTED;

	(void)state;
	for (g = h->guest; g < end && g->connection != (begins ? NULL : c); g++)
		;
	if (g < end)
		*g = (struct guest){ .connection = begins ? c : NULL, .since = ks_now_ns() };
}

/* Who sends a byte now and then is never idle: the library's own time limit does not see him. */
static void end_slow(struct serve_http *h)
{
	uint64_t now = ks_now_ns();
	unsigned int i;

	for (i = 0; i < sizeof(h->guest) / sizeof(h->guest[0]); i++) {
		const union MHD_ConnectionInfo *info;

		if (!h->guest[i].connection ||
		    now < h->guest[i].since + WHOLE_SECONDS * 1000000000ull)
			continue;
		info = MHD_get_connection_info(h->guest[i].connection,
					       MHD_CONNECTION_INFO_CONNECTION_FD);
		if (info)
			shutdown(info->connect_fd, SHUT_RDWR);
	}
}

/* ---- the daemons, one per address ---- */

static int start(struct serve_http *h, int *fd)
{
	const union MHD_DaemonInfo *info;
	struct MHD_Daemon *d;

	d = MHD_start_daemon(MHD_USE_EPOLL, 0, NULL, NULL, answer, h, MHD_OPTION_LISTEN_SOCKET, *fd,
			     MHD_OPTION_CONNECTION_LIMIT, (unsigned int)CONNECTIONS,
			     MHD_OPTION_CONNECTION_TIMEOUT, IDLE_SECONDS,
			     MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_MEMORY,
			     MHD_OPTION_NOTIFY_CONNECTION, note_connection, h, MHD_OPTION_END);
	if (!d)
		return -EIO;
	*fd = -1; /* it is the daemon's now */
	h->daemon[h->n] = d;
	info = MHD_get_daemon_info(d, MHD_DAEMON_INFO_EPOLL_FD);
	h->epoll_fd[h->n++] = info ? info->epoll_fd : -1;
	return info ? 0 : -EIO;
}

int serve_http_open(struct serve_http **out, struct serve_listen *l, serve_page_fn page, void *ctx,
		    struct ks_err *err)
{
	struct serve_http *h = calloc(1, sizeof(*h));
	int ret = h ? 0 : -ENOMEM;
	unsigned int i;

	if (h) {
		h->make = page;
		h->ctx = ctx;
		h->listen = l;
	}
	for (i = 0; !ret && i < l->n; i++)
		ret = start(h, &l->fd[i]);
	if (ret) {
		snprintf(err->msg, sizeof(err->msg), "starting HTTP: %s", strerror(-ret));
		serve_http_close(h);
		return ret;
	}
	*out = h;
	return 0;
}

void serve_http_close(struct serve_http *h)
{
	unsigned int i;

	if (!h)
		return;
	for (i = 0; i < h->n; i++)
		MHD_stop_daemon(h->daemon[i]);
	for (i = 0; i < 2; i++)
		if (h->page[i].response)
			MHD_destroy_response(h->page[i].response);
	free(h);
}

unsigned int serve_http_polled(const struct serve_http *h, struct pollfd *p)
{
	unsigned int i;

	for (i = 0; i < h->n; i++)
		p[i] = (struct pollfd){ .fd = h->epoll_fd[i], .events = POLLIN };
	return h->n;
}

void serve_http_run(struct serve_http *h)
{
	unsigned int i;

	end_slow(h);
	for (i = 0; i < h->n; i++)
		MHD_run(h->daemon[i]);
}
