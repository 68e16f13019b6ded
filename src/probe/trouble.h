/*
 * What libcurl says went wrong, as a reason of ours and in words for people. Pure.
 */
#ifndef WEBSENTRY_PROBE_TROUBLE_H
#define WEBSENTRY_PROBE_TROUBLE_H

#include <curl/curl.h>
#include <stdbool.h>
#include <stdint.h>

#include "check/observation.h"
#include "check/outcome.h"
#include "probe/phases.h"
#include "probe/stop.h"

enum { TROUBLE_HOST_MAX = 128 }; /* of a host's name, in a message */

struct trouble {
	enum reason reason;
	char message[OBSERVATION_MESSAGE_MAX]; /* not yet safe: may quote what the site sent */
};

struct trouble_facts {
	CURLcode code;
	const char *curl_text; /* curl's error buffer; "" for none */
	const char *peer;      /* "127.0.0.1:80" */
	const char *
		unpack_trouble; /* what is wrong with a packed body; NULL: nothing is known of that */
	enum stop stopped_for; /* our own callbacks' reason */
	const char *forbidden; /* what the address policy says, where that is the reason */
	int64_t body_max;      /* the site's cap, where that is the reason */
	int os_errno;          /* of connect() and the like; 0 not known */
	int socket_errno;      /* why no socket could be made; 0 otherwise */
	const char
		*unusable_source; /* the address that could not be connected from; NULL for none */
	int proxy_status;         /* what the proxy said when it was asked to connect; 0: nothing */
	CURLproxycode socks_error; /* why one by SOCKS did not let us through */
	int verify_error;          /* X509_V_ERR_… */
	int verify_depth;          /* of which certificate: 0 is the site's, others are above it */
	int tls_alert;             /* that the server ended TLS with; 0: none */
	bool is_identity_wanted;   /* the server asked for a client's certificate */
	bool has_identity;         /* the site names one, which was shown then */
	bool has_response;         /* some of it came */
	bool is_connected;         /* TCP was established, and libcurl saw it */
	bool is_https;             /* what was asked for */
	bool is_proxied;           /* through a proxy, which is what was connected to */
	bool is_http2;             /* was agreed on within TLS */
	bool is_tunnelling; /* it was established to a proxy that had not let us through yet */
};

/* The trouble of a transfer that ended with a code other than CURLE_OK. */
void trouble_of_transfer(const struct trouble_facts *facts, struct trouble *ret_trouble);

/* Of a proxy that answers with this status, of 300 or more, instead of asking for us: because of us, or because it could not itself. */
void trouble_of_refusing_proxy(int status, struct trouble *ret_trouble);

/* For what a proxy that was connected to took too long. */
enum slow_proxy {
	SLOW_PROXY_TLS,    /* to shake hands with us */
	SLOW_PROXY_SILENT, /* to say anything: it may wait for the site */
	SLOW_PROXY_ANSWER, /* to say all of what it had begun with */
	SLOW_PROXY_SOCKS,  /* to greet us by SOCKS, or to say all of its answer */
};

/* The trouble of a check whose proxy let us through to nobody. */
void trouble_of_slow_proxy(enum slow_proxy slow, const char *peer, int64_t timeout_us,
			   struct trouble *ret_trouble);

/* The trouble of a check that its timeout ended (not in PHASE_DNS: only the resolver knows what that means). */
void trouble_of_timeout(enum phase phase, const char *peer, int64_t timeout_us,
			struct trouble *ret_trouble);

/* Into the observation: trouble of a site's names its host (NULL: not known), for of several hops people want to know which. */
void trouble_note(const struct trouble *trouble, const char *host, struct observation *observation);

/* Whether another address of the same name may do better. */
bool trouble_is_of_address(enum reason reason);

#endif
