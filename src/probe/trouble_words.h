/*
 * What libcurl, OpenSSL and nghttp2 say, in words for somebody who knows none of them. Pure.
 */
#ifndef WEBSENTRY_PROBE_TROUBLE_WORDS_H
#define WEBSENTRY_PROBE_TROUBLE_WORDS_H

#include <stdbool.h>
#include <stddef.h>

enum { TROUBLE_WORDS_MAX = 256 };

/* Of a response that is none: text is curl's error buffer, which may be empty. Returns words, or what is left of the text. */
const char *trouble_words_of_response(const char *text, char room[static TROUBLE_WORDS_MAX]);

/* Of a proxy's answer to CONNECT that is none. */
const char *trouble_words_of_proxy(const char *text);

/* Of TLS that failed: why, as the end of a sentence. */
const char *trouble_words_of_tls(const char *text, char room[static TROUBLE_WORDS_MAX]);

/* Of TLS that the server ended with an alert: why, as the end of a sentence. */
const char *trouble_words_of_alert(int alert, bool is_identity_wanted, bool has_identity,
				   char room[static TROUBLE_WORDS_MAX]);

/* Of a certificate that was refused, where OpenSSL itself had nothing against it. */
const char *trouble_words_of_certificate(const char *text, char room[static TROUBLE_WORDS_MAX]);

#endif
