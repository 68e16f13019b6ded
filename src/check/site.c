#include "check/site.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/memory.h"
#include "check/address_policy.h"
#include "check/limits.h"
#include "check/request.h"

void site_init(struct site *site)
{
	*site = (struct site){
		.method = xstrdup("GET"),
		.interval_us = INT64_C(60) * CLOCK_US_PER_S,
		.timeout_us = INT64_C(10) * CLOCK_US_PER_S,
		.follow_redirects = true,
		.max_redirects = SITE_REDIRECTS_DEFAULT,
		.retry_after_us = CLOCK_US_PER_S,
		.evidence_bytes = SITE_EVIDENCE_DEFAULT,
		.match_bytes = SITE_MATCH_BYTES_DEFAULT,
		.max_body_bytes = SITE_BODY_MAX,
	};
}

void site_finish(struct site *site)
{
	free(site->name);
	free(site->url);
	free(site->redacted_url);
	free(site->method);
	free(site->body);
	for (size_t i = 0; i < site->header_count; i++) {
		free(site->headers[i].name);
		free(site->headers[i].value);
	}
	free(site->headers);
	for (size_t i = 0; i < site->label_count; i++) {
		free(site->labels[i].name);
		free(site->labels[i].value);
	}
	free(site->labels);
	free(site->ca_file);
	request_destroy(site->request);
	address_policy_release(site->address_policy);
	free(site->pattern_text);
	for (size_t i = 0; i < site->rule_count; i++)
		rule_finish(&site->rules[i]);
	free(site->rules);
	limits_destroy(site->limits);
	free(site->valid_status_codes);
	*site = (struct site){0};
}

void site_list_init(struct site_list *list, void (*pattern_free)(struct pattern *))
{
	*list = (struct site_list){.pattern_free = pattern_free};
}

void site_list_finish(struct site_list *list)
{
	for (size_t i = 0; i < list->count; i++) {
		struct site *site = &list->sites[i];
		if (list->pattern_free != NULL) {
			list->pattern_free(site->pattern);
			for (size_t j = 0; j < site->rule_count; j++)
				list->pattern_free(site->rules[j].pattern);
		}
		site_finish(site);
	}
	free(list->sites);
	site_list_init(list, list->pattern_free);
}

struct site *site_list_add(struct site_list *list, const struct site *taken)
{
	if (list->count == list->capacity) {
		list->capacity = list->capacity == 0 ? 16 : list->capacity * 2;
		list->sites = xreallocarray(list->sites, list->capacity, sizeof(*list->sites));
	}
	list->sites[list->count] = *taken;
	return &list->sites[list->count++];
}

bool site_accepts_status(const struct site *site, int status)
{
	if (site->valid_status_code_count == 0)
		return status >= 200 && status <= 299;
	for (size_t i = 0; i < site->valid_status_code_count; i++) {
		const struct status_range *range = &site->valid_status_codes[i];
		if (status >= range->first && status <= range->last)
			return true;
	}
	return false;
}
