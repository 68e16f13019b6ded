/*
 * Outcomes and reasons: the words for what a check found. One table each drives code, wire, SQL, docs and page.
 * Pure; any thread.
 */
#ifndef WEBSENTRY_CHECK_OUTCOME_H
#define WEBSENTRY_CHECK_OUTCOME_H

#include <stdbool.h>
#include <stddef.h>

/*
 * In the order of severity: of two, the greater one counts. `unknown` is worse than `degraded`, because what could not be told
 * may well be `down`. The numbers stay in the process: wire, store and page have the words.
 */
enum outcome {
	OUTCOME_UP,
	OUTCOME_DEGRADED, /* works, but breaks a warn limit */
	OUTCOME_UNKNOWN,  /* we could not tell: the prober's own trouble is never `down` */
	OUTCOME_DOWN,
	OUTCOME_COUNT,
};

/* X(ENUM SUFFIX, word on the wire, outcome, one sentence for people) */
#define REASON_TABLE(X)                                                                            \
	X(OK, "ok", OUTCOME_UP, "Everything was as expected")                                      \
	X(SLOW, "slow", OUTCOME_DEGRADED, "The response took longer than it should")               \
	X(CERT_EXPIRING, "cert_expiring", OUTCOME_DEGRADED, "The certificate expires soon")        \
	X(STALE, "stale", OUTCOME_DEGRADED, "The document is older than it should be")             \
	X(ADDRESS_FAILS, "address_fails", OUTCOME_DEGRADED,                                        \
	  "An address of the name fails, and enough others work")                                  \
	X(DNS_ERROR, "dns_error", OUTCOME_DOWN, "The name does not resolve")                       \
	X(TOO_FEW_ADDRESSES, "too_few_addresses", OUTCOME_DOWN,                                    \
	  "The name has fewer addresses than are needed")                                          \
	X(CONNECT_REFUSED, "connect_refused", OUTCOME_DOWN, "The connection was refused")          \
	X(CONNECT_TIMEOUT, "connect_timeout", OUTCOME_DOWN, "No connection within the timeout")    \
	X(CONNECT_UNREACHABLE, "connect_unreachable", OUTCOME_DOWN, "No route to the address")     \
	X(TLS_ERROR, "tls_error", OUTCOME_DOWN, "The TLS handshake failed")                        \
	X(CERT_INVALID, "cert_invalid", OUTCOME_DOWN, "The certificate can't be trusted")          \
	X(TIMEOUT, "timeout", OUTCOME_DOWN,                                                        \
	  "Connected, but no complete response within the timeout")                                \
	X(CONNECTION_LOST, "connection_lost", OUTCOME_DOWN,                                        \
	  "The connection ended before the response was complete")                                 \
	X(PROTOCOL_ERROR, "protocol_error", OUTCOME_DOWN, "What came back is not valid HTTP")      \
	X(TOO_MANY_REDIRECTS, "too_many_redirects", OUTCOME_DOWN,                                  \
	  "More redirects than allowed, or a loop")                                                \
	X(REDIRECT_INVALID, "redirect_invalid", OUTCOME_DOWN,                                      \
	  "A redirect leads to no usable http or https URL")                                       \
	X(FORBIDDEN_ADDRESS, "forbidden_address", OUTCOME_DOWN,                                    \
	  "The address is forbidden by the address policy")                                        \
	X(STATUS_MISMATCH, "status_mismatch", OUTCOME_DOWN,                                        \
	  "The status code is not one of the valid ones")                                          \
	X(BODY_MISMATCH, "body_mismatch", OUTCOME_DOWN, "The body does not say what it should")    \
	X(HEADER_MISMATCH, "header_mismatch", OUTCOME_DOWN,                                        \
	  "A header does not say what it should")                                                  \
	X(JSON_MISMATCH, "json_mismatch", OUTCOME_DOWN, "The JSON does not say what it should")    \
	X(SIZE_MISMATCH, "size_mismatch", OUTCOME_DOWN,                                            \
	  "The body is smaller or larger than it may be")                                          \
	X(URL_MISMATCH, "url_mismatch", OUTCOME_DOWN,                                              \
	  "The redirects did not lead where they should")                                          \
	X(VERSION_MISMATCH, "version_mismatch", OUTCOME_DOWN,                                      \
	  "The version of HTTP is not one of the valid ones")                                      \
	X(TLS_MISMATCH, "tls_mismatch", OUTCOME_DOWN,                                              \
	  "The response came over TLS and must not, or without and must")                          \
	X(CERT_MISMATCH, "cert_mismatch", OUTCOME_DOWN,                                            \
	  "The certificate is not the one that it should be")                                      \
	X(CERT_NEARLY_EXPIRED, "cert_nearly_expired", OUTCOME_DOWN,                                \
	  "The certificate expires sooner than it may")                                            \
	X(TOO_SLOW, "too_slow", OUTCOME_DOWN, "The response took longer than it may")              \
	X(TOO_STALE, "too_stale", OUTCOME_DOWN, "The document is older than it may be")            \
	X(INVERTED, "inverted", OUTCOME_DOWN, "It is up, and must not be")                         \
	X(TOO_LARGE, "too_large", OUTCOME_DOWN,                                                    \
	  "Headers, body or trailers are larger than the cap")                                     \
	X(MATCH_TRUNCATED, "match_truncated", OUTCOME_UNKNOWN,                                     \
	  "The body is longer than the part that is searched, and the part did not decide")        \
	X(PATTERN_TOO_COSTLY, "pattern_too_costly", OUTCOME_UNKNOWN,                               \
	  "The pattern took too long on this body")                                                \
	X(PROBER_OVERLOADED, "prober_overloaded", OUTCOME_UNKNOWN,                                 \
	  "The prober was too late or too busy to tell")                                           \
	X(PROBER_OFFLINE, "prober_offline", OUTCOME_UNKNOWN,                                       \
	  "The prober has no network or no resolver")                                              \
	X(PROBER_ERROR, "prober_error", OUTCOME_UNKNOWN, "The prober itself failed")

enum reason {
#define REASON_ENUM(suffix, word, outcome, text) REASON_##suffix,
	REASON_TABLE(REASON_ENUM)
#undef REASON_ENUM
		REASON_COUNT,
};

const char *outcome_name(enum outcome outcome); /* "up", "degraded", "down", "unknown" */
const char *reason_name(enum reason reason);
const char *reason_text(enum reason reason);
enum outcome reason_outcome(enum reason reason);

/* Return 0, or -1 for a word that is none of ours. */
int outcome_parse(const char *name, size_t length, enum outcome *ret_outcome);
int reason_parse(const char *name, size_t length, enum reason *ret_reason);

#endif
