#include "sim_oracle.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "sim_trace.h"

struct incarnation {
	struct uuid producer_id;
	int prev_nonce;
	int nonces[SIM_NONCES]; /* in the order of seq */
	int count;
	int durable;
};

static struct sim_report reports[SIM_NONCES];
static int report_count;
static struct incarnation incarnations[SIM_INCARNATIONS];
static int incarnation_count;
static char failure[160];

void sim_oracle_reset(void)
{
	report_count = 0;
	incarnation_count = 0;
	failure[0] = '\0';
}

void sim_oracle_fail(const char *what, int64_t a, int64_t b)
{
	sim_trace("BROKEN PROMISE, see below (#, #)", a, b, 0);
	if (failure[0] == '\0')
		(void)snprintf(failure, sizeof(failure), "%s (%lld, %lld)", what, (long long)a,
			       (long long)b);
}

const char *sim_oracle_failure(void)
{
	return failure[0] == '\0' ? NULL : failure;
}

int sim_oracle_begin(const struct uuid *producer_id, int prev_nonce)
{
	assert(incarnation_count < SIM_INCARNATIONS);
	struct incarnation *incarnation = &incarnations[incarnation_count];
	for (int i = 0; i < incarnation_count; i++)
		if (uuid_equal(&incarnations[i].producer_id, producer_id))
			sim_oracle_fail("a producer_id comes again: processes", i,
					incarnation_count);
	incarnation->producer_id = *producer_id;
	incarnation->prev_nonce = prev_nonce;
	incarnation->count = 0;
	incarnation->durable = 0;
	return incarnation_count++;
}

int sim_oracle_append(int index, enum sim_size size)
{
	struct incarnation *incarnation = &incarnations[index];
	if (report_count == SIM_NONCES)
		return -1;
	int nonce = report_count++;
	reports[nonce] =
		(struct sim_report){.incarnation = index, .seq = incarnation->count, .size = size};
	incarnation->nonces[incarnation->count++] = nonce;
	return nonce;
}

void sim_oracle_append_refused(int nonce)
{
	struct incarnation *incarnation = &incarnations[reports[nonce].incarnation];
	assert(incarnation->nonces[incarnation->count - 1] == nonce);
	incarnation->count--;
	reports[nonce].seq = -1;
}

void sim_oracle_durable(int index, size_t rows)
{
	struct incarnation *incarnation = &incarnations[index];
	for (size_t i = 0; i < rows; i++) {
		int next = incarnation->durable++;
		if (next >= incarnation->count) {
			sim_oracle_fail("more rows durable than were appended", index, next);
			return;
		}
		if (!reports[incarnation->nonces[next]].is_durable)
			sim_oracle_fail("said to be durable before it was committed: nonce",
					incarnation->nonces[next], 0);
	}
}

struct sim_report *sim_oracle_report(int nonce)
{
	assert(nonce >= 0 && nonce < SIM_NONCES);
	return &reports[nonce];
}

int sim_oracle_nonce(const struct identity *identity)
{
	for (int i = 0; i < incarnation_count; i++)
		if (uuid_equal(&incarnations[i].producer_id, &identity->producer_id) &&
		    identity->seq < incarnations[i].count)
			return incarnations[i].nonces[identity->seq];
	return -1;
}

int sim_oracle_report_count(void)
{
	return report_count;
}

int sim_oracle_durable_count(void)
{
	int count = 0;
	for (int i = 0; i < report_count; i++)
		count += reports[i].is_durable ? 1 : 0;
	return count;
}

/* Seq 0 names the report that its folder committed last before. */
static void check_prev(const struct sim_message *message, const struct incarnation *incarnation)
{
	bool is_expected = message->identity.seq == 0 && incarnation->prev_nonce >= 0;
	if (message->identity.seq == 0 && incarnation->prev_nonce == SIM_PREV_ANY)
		return;
	if (message->has_prev != is_expected) {
		sim_oracle_fail("prev where there is none, or none where there is one",
				message->nonce, incarnation->prev_nonce);
		return;
	}
	if (!is_expected)
		return;
	const struct sim_report *before = &reports[incarnation->prev_nonce];
	const struct incarnation *earlier = &incarnations[before->incarnation];
	if (message->prev.seq != before->seq ||
	    !uuid_equal(&message->prev.producer_id, &earlier->producer_id))
		sim_oracle_fail("prev is not the report before", message->nonce,
				incarnation->prev_nonce);
}

void sim_oracle_check_message(const struct sim_message *message, const char *bytes, size_t length)
{
	char body[SIM_BODY_MAX];
	char shrunk[SIM_BODY_MAX];
	const struct sim_report *report = &reports[message->nonce];
	if (message->nonce >= report_count) {
		sim_oracle_fail("a report that nobody made", message->nonce, 0);
		return;
	}
	const struct incarnation *incarnation = &incarnations[report->incarnation];
	if (!uuid_equal(&message->identity.producer_id, &incarnation->producer_id) ||
	    message->identity.seq != report->seq) {
		sim_oracle_fail("another identity than the report's own: nonce, seq",
				message->nonce, message->identity.seq);
		return;
	}
	check_prev(message, incarnation);
	size_t rest = length - (size_t)(message->rest - bytes);
	size_t body_length = sim_message_body(body, message->nonce, report->size);
	if (rest == body_length - 1 && memcmp(message->rest, body + 1, rest) == 0)
		return;
	body_length = sim_message_shrink(shrunk, body, body_length);
	if (rest != body_length - 1 || memcmp(message->rest, shrunk + 1, rest) != 0)
		sim_oracle_fail("an altered report: nonce", message->nonce, 0);
}

static bool is_accounted(const struct sim_report *report)
{
	return report->is_stored || report->is_put_aside || report->is_excused;
}

/* Up to the last report that exists there is no hole. */
static void check_holes(int index)
{
	const struct incarnation *incarnation = &incarnations[index];
	int last = incarnation->count - 1;
	while (last >= 0 && !reports[incarnation->nonces[last]].is_stored)
		last--;
	for (int i = 0; i < last; i++)
		if (!is_accounted(&reports[incarnation->nonces[i]]))
			sim_oracle_fail("a hole in seq: producer, seq", index, i);
}

void sim_oracle_check_end(void)
{
	for (int i = 0; i < report_count; i++)
		if (reports[i].is_durable && !is_accounted(&reports[i]))
			sim_oracle_fail("a durable report is not in the store: nonce, in Kafka", i,
					reports[i].is_in_log ? 1 : 0);
	for (int i = 0; i < incarnation_count; i++)
		check_holes(i);
}
