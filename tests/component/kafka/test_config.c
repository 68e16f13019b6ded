/* What kafka_config_check() lets through, what it refuses, and in which words. No network. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "kafka/kafka_config.h"

enum kind { PRODUCER, CONSUMER, BOTH };

static const struct config_case {
	const char *label;
	enum kind kind;
	const char *name;
	const char *value;
	const char *complaint; /* part of it; NULL: accepted */
} cases[] = {
	{"a plain property", BOTH, "client.rack", "eu", NULL},
	{"an unknown property", BOTH, "no.such.thing", "1", "no.such.thing"},
	{"a value of the wrong kind", BOTH, "socket.timeout.ms", "soon", "socket.timeout.ms"},
	{"a value out of bounds", BOTH, "socket.timeout.ms", "-5", "socket.timeout.ms"},
	{"a number with a unit", BOTH, "socket.timeout.ms", "50s",
	 "kafka.conf:3: found '50s' for socket.timeout.ms, expected a plain number: it would be "
	 "read as 50"},
	{"a number with a zero in front", BOTH, "socket.timeout.ms", "0100", "be read as 64"},
	{"a number in hexadecimal", BOTH, "socket.timeout.ms", "0x64", "be read as 100"},
	{"a number with blanks", BOTH, "socket.timeout.ms", " 100", "be read as 100"},
	{"a number with a sign", BOTH, "socket.timeout.ms", "+100", "be read as 100"},
	{"a number that is too long", BOTH, "socket.timeout.ms", "4294967396", "be read as 100"},
	{"a power of ten", BOTH, "fetch.wait.max.ms", "1e3", "be read as 1"},
	{"a fraction of a whole number", BOTH, "fetch.wait.max.ms", "1.9", "be read as 1"},
	{"a fraction", PRODUCER, "linger.ms", "0.50", NULL},
	{"a fraction of more digits than librdkafka shows", PRODUCER, "linger.ms", "1234.567",
	 NULL},
	{"a fraction with a unit", PRODUCER, "linger.ms", "0.5s", "be read as 0.5"},
	{"a topic's number with a unit", PRODUCER, "request.timeout.ms", "50s", "be read as 50"},
	{"a number below zero", BOTH, "reconnect.backoff.jitter.ms", "-0", "be read as 0"},
	{"a number that is none", BOTH, "client.rack", "010", NULL},
	{"a password of digits", BOTH, "sasl.password", "010s", NULL},
	{"a long password of digits", BOTH, "sasl.password",
	 "01234567890123456789012345678901234567890123456789012345678901234567890123456789", NULL},
	{"idempotence off", PRODUCER, "enable.idempotence", "false", "doubles"},
	{"idempotence on", PRODUCER, "enable.idempotence", "true", NULL},
	{"fewer acks", PRODUCER, "acks", "1", "all replicas"},
	{"fewer acks by the other name", PRODUCER, "request.required.acks", "0", "all replicas"},
	{"all acks", PRODUCER, "acks", "all", NULL},
	{"all acks as a number", PRODUCER, "acks", "-1", NULL},
	{"a message time-out", PRODUCER, "message.timeout.ms", "5000", "outbox"},
	{"a delivery time-out", PRODUCER, "delivery.timeout.ms", "5000", "outbox"},
	{"few retries", PRODUCER, "retries", "3", "until it is delivered"},
	{"a transaction", PRODUCER, "transactional.id", "x", "transactions"},
	{"several in flight", PRODUCER, "max.in.flight", "5", "a request before it"},
	{"several in flight, the long name", PRODUCER, "max.in.flight.requests.per.connection", "2",
	 "a request before it"},
	{"one in flight", PRODUCER, "max.in.flight", "1", NULL},
	{"another linger", PRODUCER, "linger.ms", "100", NULL},
	{"another compression", PRODUCER, "compression.codec", "zstd", NULL},
	{"a consumer's promise in a producer's file", PRODUCER, "auto.offset.reset", "latest",
	 NULL},
	{"only bad news", PRODUCER, "delivery.report.only.error", "true", "leaves the outbox"},
	{"brokers of its own", BOTH, "test.mock.num.brokers", "3", "real ones"},
	{"offsets in a file", CONSUMER, "offset.store.method", "file", "in the store"},
	{"what was taken back", CONSUMER, "isolation.level", "read_uncommitted", "took back"},
	{"only what was committed", CONSUMER, "isolation.level", "read_committed", NULL},
	{"no checksums", CONSUMER, "check.crcs", "false", "altered"},
	{"topics by accident", CONSUMER, "allow.auto.create.topics", "true",
	 "--kafka-create-topics"},
	{"the group protocol that is not eager", CONSUMER, "group.protocol", "consumer", "eagerly"},
	{"commits by themselves", CONSUMER, "enable.auto.commit", "true", "stored"},
	{"no commits by themselves", CONSUMER, "enable.auto.commit", "false", NULL},
	{"offsets stored by themselves", CONSUMER, "enable.auto.offset.store", "true", "stored"},
	{"a start at the end", CONSUMER, "auto.offset.reset", "latest", "leave reports out"},
	{"a start at the beginning", CONSUMER, "auto.offset.reset", "smallest", NULL},
	{"cooperative assignment", CONSUMER, "partition.assignment.strategy", "cooperative-sticky",
	 "eagerly"},
	{"another eager assignment", CONSUMER, "partition.assignment.strategy", "roundrobin", NULL},
	{"no ends of partitions", CONSUMER, "enable.partition.eof", "false", "end"},
	{"another fetch size", CONSUMER, "fetch.message.max.bytes", "100000", NULL},
	{"a producer's promise in a consumer's file", CONSUMER, "acks", "1", NULL},
	{"a key file that is not there", BOTH, "ssl.key.location", "/nonexistent/key.pem",
	 "/nonexistent/key.pem"},
};

static void check(const struct config_case *one, bool is_producer)
{
	struct error err = {0};
	struct kafka_property property = {
		.name = one->name, .value = one->value, .origin = "kafka.conf:3"};
	struct kafka_config config = {.servers = "127.0.0.1:1",
				      .client_id = "test",
				      .properties = &property,
				      .property_count = 1};
	int result = kafka_config_check(&config, is_producer, &err);
	if (one->complaint == NULL && result != 0)
		fail_msg("%s: refused: %s", one->label, err.message);
	if (one->complaint == NULL)
		return;
	if (result == 0)
		fail_msg("%s: accepted", one->label);
	if (strstr(err.message, one->complaint) == NULL)
		fail_msg("%s: says: %s", one->label, err.message);
	assert_int_equal(err.kind, ERROR_REJECT);
}

static void properties_are_checked(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		if (cases[i].kind != CONSUMER)
			check(&cases[i], true);
		if (cases[i].kind != PRODUCER)
			check(&cases[i], false);
	}
}

static void a_refused_property_names_its_place(void **state)
{
	(void)state;
	struct error err = {0};
	struct kafka_property property = {.name = "acks", .value = "1", .origin = "kafka.conf:7"};
	struct kafka_config config = {
		.servers = "a:1", .properties = &property, .property_count = 1};
	assert_int_equal(kafka_config_check(&config, true, &err), -1);
	assert_non_null(strstr(err.message, "kafka.conf:7"));
}

static void a_secret_is_never_repeated(void **state)
{
	(void)state;
	static const char *const names[] = {"ssl.key.password", "sasl.password", "ssl.key.pem",
					    "sasl.oauthbearer.client.secret",
					    "ssl.certificate.pem"};
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct error err = {0};
		struct kafka_property properties[] = {{names[i], "hunter2-secret", "file:1"},
						      {"security.protocol", "ssl", "file:2"}};
		struct kafka_config config = {
			.servers = "a:1", .properties = properties, .property_count = 2};
		(void)kafka_config_check(&config, true, &err);
		assert_null(strstr(err.message, "hunter2-secret"));
	}
}

static void servers_are_needed(void **state)
{
	(void)state;
	struct error err = {0};
	struct kafka_config config = {.client_id = "test"};
	assert_int_equal(kafka_config_check(&config, true, &err), -1);
	assert_int_equal(err.kind, ERROR_REJECT);
	struct kafka_property property = {"bootstrap.servers", "127.0.0.1:1", "x"};
	config.properties = &property;
	config.property_count = 1;
	assert_int_equal(kafka_config_check(&config, true, &err), 0);
}

static void tls_files_are_looked_at(void **state)
{
	(void)state;
	struct error err = {0};
	struct kafka_config config = {.servers = "a:1", .ca_file = "/nonexistent/ca.pem"};
	assert_int_equal(kafka_config_check(&config, false, &err), -1);
	assert_non_null(strstr(err.message, "/nonexistent/ca.pem"));
	config.ca_file = "/"; /* a folder */
	assert_int_equal(kafka_config_check(&config, false, &err), -1);
	assert_non_null(strstr(err.message, "folder"));
	char path[] = "/tmp/websentry-ca-XXXXXX";
	int fd = mkstemp(path);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, "no certificate\n", 15), 15);
	(void)close(fd);
	config.ca_file = path;
	assert_int_equal(kafka_config_check(&config, false, &err), -1);
	assert_int_equal(err.kind, ERROR_REJECT);
	(void)unlink(path);
}

static void tls_files_and_plaintext_contradict(void **state)
{
	(void)state;
	struct error err = {0};
	struct kafka_property property = {"security.protocol", "plaintext", "--kafka-property"};
	struct kafka_config config = {.servers = "a:1",
				      .ca_file = "/etc/hostname",
				      .properties = &property,
				      .property_count = 1};
	assert_int_equal(kafka_config_check(&config, true, &err), -1);
	assert_non_null(strstr(err.message, "contradicts"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(properties_are_checked),
		cmocka_unit_test(a_refused_property_names_its_place),
		cmocka_unit_test(a_secret_is_never_repeated),
		cmocka_unit_test(servers_are_needed),
		cmocka_unit_test(tls_files_are_looked_at),
		cmocka_unit_test(tls_files_and_plaintext_contradict),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
