/*
 * What TLS is set up with, without making it anew. libcurl 7.88 makes an SSL_CTX for each connection, with tables of ciphers and signatures
 * that are the same every time: 90 µs, a seventh of a check over TLS. So this program's SSL_CTX_new(), SSL_CTX_free() and SSL_free() stand
 * before OpenSSL's, and what libcurl gives back is kept for its next connection, set back to what it was when it was new. One connection
 * at a time has it, and nothing of another's: no session, no key, no authority. Whoever else calls them, in whatever thread, notices
 * nothing.
 */
#ifndef WEBSENTRY_PROBE_CURL_CONTEXTS_H
#define WEBSENTRY_PROBE_CURL_CONTEXTS_H

struct curl_contexts;

struct curl_contexts *curl_contexts_create(void);
void curl_contexts_destroy(struct curl_contexts *contexts);

/* Around a call of libcurl's, on its thread: what it makes comes from here, what it gives back goes here. */
void curl_contexts_bind(struct curl_contexts *contexts);
void curl_contexts_unbind(void);

#endif
