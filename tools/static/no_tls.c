// SPDX-License-Identifier: GPL-2.0
/*
 * Stands for all of GnuTLS in static binaries. Debian's libmicrohttpd.a refers to it, and there is
 * no static GnuTLS that is whole. Only its set-up is ever called, and not asked how it went: no
 * TLS is used here.
 */
int ks_no_tls(void);

int ks_no_tls(void)
{
	return -1;
}
