/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Strings of unknown origin (names come from guests) into XML and JSON. Whatever is not valid
 * UTF-8, a control character, a direction override or not allowed in XML becomes U+FFFD.
 */
#ifndef KVMSCHED_ESC_H
#define KVMSCHED_ESC_H

#include <stdio.h>

/* As XML character data or attribute value. */
void ks_esc_xml(FILE *out, const char *text);

/* As a JSON string with its quotes, ASCII only, and harmless inside an HTML script element. */
void ks_esc_json(FILE *out, const char *text);

#endif /* KVMSCHED_ESC_H */
