#include "rows.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

struct uuid rows_producer(int number)
{
	struct uuid uuid = {{0}};
	uuid.bytes[0] = 0xee;
	uuid.bytes[15] = (uint8_t)number;
	return uuid;
}

static struct row_text text(const char *bytes)
{
	return (struct row_text){.bytes = bytes, .length = strlen(bytes)};
}

static struct row_int number(int64_t value)
{
	return (struct row_int){.is_present = true, .value = value};
}

static struct row_time time_at(wall_us value)
{
	return (struct row_time){.is_present = true, .value = value};
}

static struct row_bool truth(bool value)
{
	return (struct row_bool){.is_present = true, .value = value};
}

struct report_row rows_make(const char *site, struct uuid producer_id, int64_t seq,
			    wall_us started_at, enum outcome outcome)
{
	return (struct report_row){
		.v = number(1),
		.producer_id.value = producer_id,
		.seq = number(seq),
		.kind = text("http"),
		.site = text(site),
		.url = text("http://127.0.0.1/"),
		.host = text("probe-1"),
		.location = text("eu-1"),
		.interval_us = number(60000000),
		.timeout_us = number(10000000),
		.scheduled_at = time_at(started_at - 150),
		.started_at = time_at(started_at),
		.late_us = number(150),
		.outcome.value = outcome,
		.reason = text(outcome == OUTCOME_UP ? "ok" : "timeout"),
		.http_status_code = number(200),
		.total_us = number(1234),
	};
}

struct report_row rows_make_full(int64_t seq, wall_us started_at)
{
	struct report_row row = rows_make("Ünïcode \xf0\x9f\x92\xa1 'quoted\" \\ <b>",
					  rows_producer(99), seq, started_at, OUTCOME_DEGRADED);
	row.labels = text("{\"team\":\"a\\\"b\",\"ключ\":\"\\u00e9\"}");
	row.interval_us = number(INT64_MAX);
	row.timeout_us = number(INT64_MIN);
	row.late_us = number(-1);
	row.suspect = truth(true);
	row.missed = number(0);
	row.message = text("");
	row.failures = text("[\"slow\",\"cert_expiring\"]");
	row.http_status_code = number(999);
	row.http_version = text("1.1");
	row.ip = text("2001:db8::1");
	row.dns_us = number(0);
	row.connect_us = number(1);
	row.tls_us = number(INT64_MAX);
	row.wait_us = number(INT64_MIN);
	row.transfer_us = number(5);
	row.total_us = number(6);
	row.body_bytes = number(7);
	row.decoded_bytes = number(INT64_C(1) << 53);
	row.redirects = text("[{\"url\":\"http://a/\",\"http_status_code\":301,\"total_us\":12}]");
	row.attempts = text("[]");
	row.pattern = text("id=\"([^\"]+)\"");
	row.pattern_matched = truth(false);
	row.pattern_capture = text("{}, \\N \t\n\\.");
	row.tls_version = text("1.3");
	row.cert_not_after = time_at(ROWS_NOON + 1);
	row.chain_not_after =
		time_at(INT64_C(253402300799999999)); /* the last microsecond of 9999 */
	row.cert_issuer = text("CN=R3,O=Let's Encrypt,C=US");
	row.keepalive = truth(true);
	row.evidence = text("{\"body\":\"<html>\",\"n\":-1.5e-3,\"deep\":[[[null,true]]]}");
	row.truncated = truth(false);
	row.round = text("{\"address\":\"2001:db8::1\",\"outcome\":\"degraded\"}");
	row.is_speaker = true;
	row.round_outcome.value = OUTCOME_DEGRADED;
	row.round_message = text("1 of 2 addresses fails");
	return row;
}

struct report_row rows_make_round(const char *site, int64_t seq, wall_us started_at,
				  const char *round, enum outcome outcome)
{
	struct report_row row = rows_make(site, rows_producer(1), seq, started_at, OUTCOME_UP);
	row.round = text(round);
	row.is_speaker = strstr(round, "outcome") != NULL;
	row.round_outcome.value = outcome;
	if (row.is_speaker) {
		row.round_reason = text("connect_refused");
		row.round_message = text("1 of 2 addresses fails: 192.0.2.1 connect_refused");
	}
	return row;
}

void rows_add(struct rows *rows, struct report_row row)
{
	if (rows->count == rows->capacity) {
		rows->capacity = rows->capacity * 2 + 16;
		rows->rows = xreallocarray(rows->rows, rows->capacity, sizeof(*rows->rows));
		rows->origins =
			xreallocarray(rows->origins, rows->capacity, sizeof(*rows->origins));
		rows->messages =
			xreallocarray(rows->messages, rows->capacity, sizeof(*rows->messages));
	}
	rows->rows[rows->count] = row;
	rows->origins[rows->count] = (struct store_origin){
		.topic = "sitecheck",
		.partition = 3,
		.offset = (int64_t)rows->count,
	};
	rows->messages[rows->count] =
		(struct store_message){.bytes = "{\"the\":\"message\"}", .length = 17};
	rows->count++;
}

struct store_batch rows_batch(const struct rows *rows)
{
	return (struct store_batch){
		.rows = rows->rows,
		.origins = rows->origins,
		.messages = rows->messages,
		.row_count = rows->count,
	};
}

void rows_finish(struct rows *rows)
{
	free(rows->rows);
	free(rows->origins);
	free(rows->messages);
	*rows = (struct rows){0};
}
