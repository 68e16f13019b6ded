#include "check/observation.h"

#include <stdlib.h>
#include <strings.h>

#include "check/heads.h"

void hop_init(struct hop *hop)
{
	*hop = (struct hop){
		.dns_us = DURATION_UNKNOWN,
		.connect_us = DURATION_UNKNOWN,
		.tls_us = DURATION_UNKNOWN,
		.wait_us = DURATION_UNKNOWN,
		.transfer_us = DURATION_UNKNOWN,
		.total_us = DURATION_UNKNOWN,
	};
}

void hop_finish(struct hop *hop)
{
	free(hop->url);
	heads_destroy(hop->heads);
	hop_init(hop);
}

void observation_init(struct observation *observation)
{
	*observation = (struct observation){
		.scheduled_at = TIME_UNKNOWN,
		.started_at = TIME_UNKNOWN,
		.attempt_started_at = TIME_UNKNOWN,
		.trouble = REASON_PROBER_ERROR,
		.total_us = DURATION_UNKNOWN,
		.body_bytes = -1,
		.decoded_bytes = -1,
		.cert_not_after = TIME_UNKNOWN,
		.chain_not_after = TIME_UNKNOWN,
		.document_age_us = DURATION_UNKNOWN,
	};
	hop_init(&observation->final);
}

void observation_finish(struct observation *observation)
{
	free(observation->message);
	hop_finish(&observation->final);
	for (size_t i = 0; i < observation->redirect_count; i++)
		hop_finish(&observation->redirects[i]);
	free(observation->redirects);
	free(observation->pattern.capture);
	if (observation->rules != NULL) {
		for (size_t i = 0; i < observation->rule_count; i++)
			free(observation->rules[i].capture);
		free(observation->rules);
	}
	free(observation->cert_issuer);
	observation_init(observation);
}

const char *observation_first_ip(const struct observation *observation)
{
	return observation->redirect_count > 0 ? observation->redirects[0].ip
					       : observation->final.ip;
}

bool observation_is_tls(const struct observation *observation)
{
	static const char scheme[] = "https:";
	const char *url = observation->final.url;
	return url != NULL && strncasecmp(url, scheme, sizeof(scheme) - 1) == 0;
}

bool observation_lacks_certificate(const struct observation *observation)
{
	return observation_is_tls(observation) && observation->cert_not_after == TIME_UNKNOWN;
}

const char *http_version_name(enum http_version version)
{
	switch (version) {
	case HTTP_VERSION_UNKNOWN:
		return NULL;
	case HTTP_VERSION_1_0:
		return "1.0";
	case HTTP_VERSION_1_1:
		return "1.1";
	case HTTP_VERSION_2:
		return "2";
	}
	return NULL;
}
