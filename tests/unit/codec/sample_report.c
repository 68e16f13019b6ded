#include "sample_report.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "codec/report_encode.h"

const char sample_smallest[] =
	"{\"v\":1,\"producer_id\":\"0f0e0d0c-0b0a-4908-8706-050403020100\",\"seq\":7,\"kind\":"
	"\"http\","
	"\"site\":\"s\",\"url\":\"http://a/"
	"\",\"host\":\"h\",\"location\":\"l\",\"interval_us\":60000000,"
	"\"timeout_us\":10000000,\"scheduled_at\":\"2026-11-21T20:33:45.123456Z\","
	"\"started_at\":\"2026-11-21T20:33:45.123499Z\",\"late_us\":43,\"outcome\":\"up\","
	"\"reason\":\"ok\"}";

static void fill_hop(struct hop *hop, const char *url, int status)
{
	hop_init(hop);
	hop->url = xstrdup(url);
	memcpy(hop->ip, "192.0.2.7", 10);
	hop->http_status_code = status;
	hop->http_version = HTTP_VERSION_1_1;
	hop->dns_us = 1203;
	hop->connect_us = 20345;
	hop->tls_us = 31456;
	hop->wait_us = 45678;
	hop->transfer_us = 1234;
	hop->total_us = 99916;
}

void sample_init(struct sample *sample)
{
	*sample = (struct sample){0};
	struct site *site = &sample->site;
	site_init(site);
	site->name = xstrdup("Example");
	site->url = xstrdup("https://user:password@example.com/");
	site->redacted_url = xstrdup("https://example.com/");
	site->interval_us = 60000000;
	site->timeout_us = 10000000;
	site->pattern_text = xstrdup("(?:id=\")([^\"]+)");
	struct observation *seen = &sample->observation;
	observation_init(seen);
	seen->scheduled_at = INT64_C(1795293225123456);
	seen->started_at = seen->scheduled_at + 43;
	seen->late_us = 43;
	seen->trouble = REASON_OK;
	fill_hop(&seen->final, "https://example.com/", 200);
	seen->total_us = 99916;
	seen->body_bytes = 648;
	seen->decoded_bytes = 1256;
	seen->pattern.state = MATCH_FOUND;
	seen->pattern.capture = xstrdup("main");
	memcpy(seen->tls_version, "1.3", 4);
	seen->cert_not_after = INT64_C(1802000000000000);
	seen->chain_not_after = INT64_C(1801000000000000);
	seen->cert_issuer = xstrdup("CN=Example CA, O=Example");
	verdict_decide(site, seen, &sample->verdict);
	sample->report = (struct report){
		.site = site,
		.observation = seen,
		.verdict = &sample->verdict,
		.host = "prober-1.example.net",
		.location = "eu-1",
	};
}

void sample_init_full(struct sample *sample)
{
	sample_init(sample);
	struct site *site = &sample->site;
	site->labels = xcalloc(2, sizeof(*site->labels));
	site->label_count = 2;
	site->labels[0] = (struct site_label){xstrdup("owner"), xstrdup("web \"team\"")};
	site->labels[1] = (struct site_label){xstrdup("tier \xC3\xA4"), xstrdup("1\n2")};
	struct observation *seen = &sample->observation;
	seen->redirects = xcalloc(2, sizeof(*seen->redirects));
	seen->redirect_count = 2;
	fill_hop(&seen->redirects[0], "http://example.com/", 301);
	seen->redirects[0].tls_us = DURATION_UNKNOWN;
	fill_hop(&seen->redirects[1], "https://www.example.com/", 302);
	seen->final.http_status_code = 500;
	seen->missed = 3;
	seen->is_suspect = true;
	seen->is_keepalive = true;
	site->max_response_time_us = 1000;
	verdict_finish(&sample->verdict);
	verdict_decide(site, seen, &sample->verdict);
}

void sample_finish(struct sample *sample)
{
	verdict_finish(&sample->verdict);
	observation_finish(&sample->observation);
	site_finish(&sample->site);
}

char *sample_message(const struct sample *sample, int64_t seq)
{
	struct buffer body;
	struct buffer message;
	buffer_init(&body, REPORT_MESSAGE_MAX);
	buffer_init(&message, REPORT_MESSAGE_MAX);
	report_encode(&body, &sample->report);
	struct identity identity = {.seq = seq};
	struct identity prev = {.seq = 41};
	memset(identity.producer_id.bytes, 0xA1, sizeof(identity.producer_id.bytes));
	memset(prev.producer_id.bytes, 0xB2, sizeof(prev.producer_id.bytes));
	(void)identity_append_message(&message, &identity, seq == 0 ? &prev : NULL, body.data,
				      body.length);
	buffer_finish(&body);
	return buffer_take(&message);
}
