/*
 * How much libcurl may read at a time. Of HTTP/2 it reads frames that hold nothing of the response, and of a proxy's answer single bytes,
 * for as long as there are any, without coming back: a server that is quick enough would keep the loop from every other check, and
 * from this one's timeout. So this program's recv() stands before the C library's, and tells libcurl, while it is bounded, that nothing
 * more has come yet. Whoever else calls recv(), in whatever thread, notices nothing. (What OpenSSL skips within TLS without coming back is
 * bounded by transfer_watch_tls().)
 */
#ifndef WEBSENTRY_PROBE_CURL_READS_H
#define WEBSENTRY_PROBE_CURL_READS_H

/* Around a call of libcurl's, on its thread: so much of each socket and no more. What is left makes the socket ready again. */
void curl_reads_bound(void);
void curl_reads_unbound(void);

#endif
