/* Why a transfer failed: gathers what is known of it for trouble.h. One thread: the loop's. */
#ifndef WEBSENTRY_PROBE_TRANSFER_TROUBLE_H
#define WEBSENTRY_PROBE_TRANSFER_TROUBLE_H

#include <curl/curl.h>
#include <stdbool.h>

struct transfer;
struct trouble;

/* A transfer that ended with a code, or with CURLE_OK and no valid response. peer: "127.0.0.1:80". */
void transfer_explain(const struct transfer *transfer, CURLcode code, const char *peer,
		      bool is_connected, struct trouble *ret_trouble);

#endif
