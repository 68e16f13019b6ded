#include "kafka/kafka_config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/text.h"
#include "kafka/kafka_conf.h"

struct setting {
	const char *name;
	const char *value;
};

static const struct setting common_settings[] = {
	{"socket.keepalive.enable", "true"},
	/* a connection that is cut off without a word is noticed by these */
	{"socket.timeout.ms", "20000"},
	{"socket.connection.setup.timeout.ms", "10000"},
	{"reconnect.backoff.ms", "100"},
	{"reconnect.backoff.max.ms", "5000"},
	{"log.connection.close", "false"},
};

static const struct setting producer_settings[] = {
	{"enable.idempotence", "true"},
	{"acks", "all"},
	/*
	 * With more than one, librdkafka takes an answer to a later request for a proof that an earlier one without an
	 * answer has arrived. A broker that lost its memory of the sequence (killed, frozen, partitions moved) accepts the
	 * later one all the same: librdkafka's issues 2501 and 4134, messages reported as delivered that never were.
	 */
	{"max.in.flight", "1"},
	{"message.timeout.ms", "0"}, /* the outbox is the time-out */
	{"request.timeout.ms", "15000"},
	{"compression.codec", "lz4"},
	{"partitioner", "murmur2_random"}, /* the same partition for a key as Java's clients */
	/* the queue is the outbox; here lies only what is on its way */
	{"queue.buffering.max.messages", "10000"},
	{"queue.buffering.max.kbytes", "16384"},
	/* a batch that is too large is sent again one by one: keep that small */
	{"batch.size", "262144"},
	/* nobody waits for a report, and a batch costs as much as ten messages: half of it is lz4's new frame */
	{"linger.ms", "50"},
};

static const struct setting consumer_settings[] = {
	{"partition.assignment.strategy", "range"}, /* cooperative-sticky hangs in 2.0.2 */
	{"enable.auto.commit", "false"},
	{"enable.auto.offset.store", "false"},
	{"auto.offset.reset", "earliest"},
	{"enable.partition.eof", "true"},
	{"allow.auto.create.topics", "false"},
	{"check.crcs", "true"},
	{"session.timeout.ms", "10000"}, /* how long the partitions of a killed consumer lie idle */
	/* What is fetched ahead. When that much waits librdkafka (2.0.2, rd_kafka_toppar_fetch_decide()) sleeps for up to a second,
	 * whatever is taken meanwhile: less than a second's worth of a backlog would be a brake. */
	{"queued.min.messages", "100000"},
	{"queued.max.messages.kbytes", "65536"},
	{"topic.metadata.refresh.interval.ms", "30000"},
};

/* Properties that the promise rests on: another value than these is refused. */
static const struct promised {
	const char *name;
	bool is_producers;
	const char *values; /* that are fine, separated by spaces; "" where none is */
	const char *why;
} promised_settings[] = {
	{"enable.idempotence", true, "true", "without it Kafka reorders and doubles messages"},
	{"acks", true, "all -1", "a report counts as delivered once all replicas have it"},
	{"request.required.acks", true, "all -1",
	 "a report counts as delivered once all replicas have it"},
	{"max.in.flight", true, "1", "an answer must not stand for a request before it"},
	{"max.in.flight.requests.per.connection", true, "1",
	 "an answer must not stand for a request before it"},
	{"message.timeout.ms", true, "0", "a report waits in the outbox until it is delivered"},
	{"delivery.timeout.ms", true, "0", "a report waits in the outbox until it is delivered"},
	{"retries", true, "2147483647", "a report is sent until it is delivered"},
	{"message.send.max.retries", true, "2147483647", "a report is sent until it is delivered"},
	{"transactional.id", true, "", "reports are not sent in transactions"},
	{"delivery.report.only.error", true, "false",
	 "a report leaves the outbox once it is said to be delivered"},
	{"enable.auto.commit", false, "false", "an offset is committed once its report is stored"},
	{"auto.commit.enable", false, "false", "an offset is committed once its report is stored"},
	{"enable.auto.offset.store", false, "false",
	 "an offset is committed once its report is stored"},
	{"auto.offset.reset", false, "earliest smallest beginning",
	 "another start would leave reports out"},
	{"enable.partition.eof", false, "true", "it tells that a partition was read to its end"},
	{"partition.assignment.strategy", false, "range roundrobin range,roundrobin",
	 "partitions are taken over as a whole, eagerly"},
	{"group.protocol", false, "classic", "partitions are taken over as a whole, eagerly"},
	{"offset.store.method", false, "broker", "positions are kept in Kafka and in the store"},
	{"isolation.level", false, "read_committed",
	 "what a transaction took back must not be stored"},
	{"check.crcs", false, "true", "a report that was altered on its way must not be stored"},
	{"allow.auto.create.topics", false, "false",
	 "topics are created by --kafka-create-topics alone"},
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static bool is_listed(const char *values, const char *value)
{
	size_t length = strlen(value);
	for (const char *place = values; length > 0 && *place != '\0';) {
		size_t word = strcspn(place, " ");
		if (word == length && strncasecmp(place, value, length) == 0)
			return true;
		place += word + (place[word] == ' ' ? 1 : 0);
	}
	return false;
}

static int check_promised(const struct kafka_property *property, bool is_producer,
			  struct error *err)
{
	/* Both kinds: brokers that live in this process alone would keep nothing. */
	if (strcmp(property->name, "test.mock.num.brokers") == 0 &&
	    !is_listed("0", property->value)) {
		error_set(err, ERROR_REJECT, "%s: Kafka property %s can't be changed: %s",
			  property->origin, property->name, "the brokers would not be real ones");
		return -1;
	}
	for (size_t i = 0; i < COUNT(promised_settings); i++) {
		const struct promised *promised = &promised_settings[i];
		if (promised->is_producers != is_producer ||
		    strcmp(promised->name, property->name) != 0 ||
		    is_listed(promised->values, property->value))
			continue;
		error_set(err, ERROR_REJECT, "%s: Kafka property %s can't be changed: %s",
			  property->origin, property->name, promised->why);
		return -1;
	}
	return 0;
}

/* The last one of a name counts. */
static const struct kafka_property *find_property(const struct kafka_config *config,
						  const char *name)
{
	for (size_t i = config->property_count; i-- > 0;)
		if (strcmp(config->properties[i].name, name) == 0)
			return &config->properties[i];
	return NULL;
}

static bool has_tls_files(const struct kafka_config *config)
{
	return config->ca_file != NULL || config->cert_file != NULL || config->key_file != NULL;
}

static int check_file(const char *what, const char *path, struct error *err)
{
	struct stat status;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	int reason = errno;
	if (fd >= 0 && fstat(fd, &status) == 0 && S_ISDIR(status.st_mode)) {
		(void)close(fd);
		error_set(err, ERROR_REJECT, "%s %s is a folder, expected a file", what, path);
		return -1;
	}
	if (fd >= 0) {
		(void)close(fd);
		return 0;
	}
	error_set_errno(err, ERROR_REJECT, reason, "%s %s can't be read by uid %ld", what, path,
			(long)geteuid());
	return -1;
}

static int check_files(const struct kafka_config *config, struct error *err)
{
	static const struct {
		const char *property;
		const char *what;
	} files[] = {{"ssl.key.location", "Kafka key file"},
		     {"ssl.certificate.location", "Kafka certificate file"},
		     {"ssl.keystore.location", "Kafka keystore file"},
		     {"ssl.crl.location", "Kafka revocation list"}};
	if ((config->ca_file != NULL && check_file("Kafka CA file", config->ca_file, err) != 0) ||
	    (config->cert_file != NULL &&
	     check_file("Kafka certificate file", config->cert_file, err) != 0) ||
	    (config->key_file != NULL && check_file("Kafka key file", config->key_file, err) != 0))
		return -1;
	for (size_t i = 0; i < COUNT(files); i++) {
		const struct kafka_property *property = find_property(config, files[i].property);
		if (property != NULL && check_file(files[i].what, property->value, err) != 0) {
			error_prefix(err, "%s: ", property->origin);
			return -1;
		}
	}
	return 0;
}

/* Whether it is a number as everybody writes it: digits, perhaps with a sign before and a fraction behind. */
static bool is_number(const char *text)
{
	static const char digits[] = "0123456789";
	const char *at = text + (text[0] == '-');
	size_t whole = strspn(at, digits);
	if (whole == 0 || (whole > 1 && at[0] == '0'))
		return false;
	at += whole;
	if (at[0] == '\0')
		return true;
	return at[0] == '.' && at[1] != '\0' && at[1 + strspn(at + 1, digits)] == '\0';
}

/* Of a fraction librdkafka shows six digits. */
static bool is_shown_as(const char *value, const char *shown)
{
	char text[64];
	double number = strtod(value, NULL);
	(void)snprintf(text, sizeof(text), "%g", number);
	return strcmp(text, shown) == 0 || strtod(shown, NULL) == number;
}

/*
 * librdkafka passes over what stands behind a number, takes 010 for octal, and cuts off what is too large: a number must be read as it
 * is written.
 */
static int check_number(const rd_kafka_conf_t *conf, const char *name, const char *value,
			const char *origin, struct error *err)
{
	char read[64];
	size_t size = sizeof(read);
	bool is_numeric = value[0] != '\0' && strchr("0123456789+-. \t", value[0]) != NULL;
	if (!is_numeric || rd_kafka_conf_get(conf, name, read, &size) != RD_KAFKA_CONF_OK ||
	    size > sizeof(read) || strcmp(read, value) == 0 || !is_number(read) ||
	    (value[0] != '-' && is_number(value) && is_shown_as(value, read)))
		return 0;
	error_set(err, ERROR_REJECT,
		  "%s: found '%.80s' for %s, expected a plain number: it would be read as %s",
		  origin, value, name, read);
	return -1;
}

static int set(rd_kafka_conf_t *conf, const char *name, const char *value, const char *origin,
	       struct error *err)
{
	char reason[512];
	rd_kafka_conf_res_t result = rd_kafka_conf_set(conf, name, value, reason, sizeof(reason));
	if (result == RD_KAFKA_CONF_OK)
		return check_number(conf, name, value, origin, err);
	/* librdkafka's text may repeat the value: not that of a secret */
	bool is_secret = strstr(name, "password") != NULL || strstr(name, "secret") != NULL ||
			 strstr(name, ".pem") != NULL ||
			 strcmp(name, "sasl.oauthbearer.config") == 0;
	/* An alias is complained of by its other name: the user's stands in front. */
	if (is_secret)
		error_set(err, ERROR_REJECT, "%s: value of %s is not valid", origin, name);
	else
		error_set(err, ERROR_REJECT, "%s: %s%s%s", origin,
			  strstr(reason, name) == NULL ? name : "",
			  strstr(reason, name) == NULL ? ": " : "", reason);
	return -1;
}

static int set_all(rd_kafka_conf_t *conf, const struct setting *settings, size_t count,
		   struct error *err)
{
	for (size_t i = 0; i < count; i++)
		if (set(conf, settings[i].name, settings[i].value, "default", err) != 0)
			return -1;
	return 0;
}

/* TLS files given means TLS is on; with SASL beside them, SASL over TLS. */
static int set_tls(rd_kafka_conf_t *conf, const struct kafka_config *config, struct error *err)
{
	if (!has_tls_files(config))
		return 0;
	const struct kafka_property *protocol = find_property(config, "security.protocol");
	if (protocol != NULL && strcasestr(protocol->value, "ssl") == NULL) {
		error_set(err, ERROR_REJECT,
			  "%s: security.protocol=%s contradicts the Kafka TLS files that are given",
			  protocol->origin, protocol->value);
		return -1;
	}
	bool has_sasl = find_property(config, "sasl.mechanism") != NULL ||
			find_property(config, "sasl.mechanisms") != NULL ||
			find_property(config, "sasl.username") != NULL;
	if (set(conf, "security.protocol", has_sasl ? "sasl_ssl" : "ssl", "TLS", err) != 0)
		return -1;
	if (config->ca_file != NULL &&
	    set(conf, "ssl.ca.location", config->ca_file, "Kafka CA file", err) != 0)
		return -1;
	if (config->cert_file != NULL && set(conf, "ssl.certificate.location", config->cert_file,
					     "Kafka certificate file", err) != 0)
		return -1;
	if (config->key_file != NULL &&
	    set(conf, "ssl.key.location", config->key_file, "Kafka key file", err) != 0)
		return -1;
	return 0;
}

static int set_user(rd_kafka_conf_t *conf, const struct kafka_config *config, bool is_producer,
		    struct error *err)
{
	for (size_t i = 0; i < config->property_count; i++) {
		const struct kafka_property *property = &config->properties[i];
		if (check_promised(property, is_producer, err) != 0 ||
		    set(conf, property->name, property->value, property->origin, err) != 0)
			return -1;
	}
	return 0;
}

static int fill(rd_kafka_conf_t *conf, const struct kafka_config *config, bool is_producer,
		const char *group, struct error *err)
{
	bool has_servers = !text_is_empty(config->servers);
	if (!has_servers && find_property(config, "bootstrap.servers") == NULL &&
	    find_property(config, "metadata.broker.list") == NULL) {
		error_set(err, ERROR_REJECT, "no Kafka servers are given");
		return -1;
	}
	if (set_all(conf, common_settings, COUNT(common_settings), err) != 0 ||
	    (has_servers &&
	     set(conf, "bootstrap.servers", config->servers, "Kafka servers", err) != 0) ||
	    (config->client_id != NULL &&
	     set(conf, "client.id", config->client_id, "client id", err) != 0) ||
	    (group != NULL && set(conf, "group.id", group, "consumer group", err) != 0))
		return -1;
	if (is_producer ? set_all(conf, producer_settings, COUNT(producer_settings), err) != 0
			: set_all(conf, consumer_settings, COUNT(consumer_settings), err) != 0)
		return -1;
	if (check_files(config, err) != 0 || set_tls(conf, config, err) != 0)
		return -1;
	return set_user(conf, config, is_producer, err);
}

rd_kafka_conf_t *kafka_conf_create(const struct kafka_config *config, bool is_producer,
				   const char *group, struct error *err)
{
	rd_kafka_conf_t *conf = rd_kafka_conf_new();
	if (fill(conf, config, is_producer, group, err) == 0)
		return conf;
	rd_kafka_conf_destroy(conf);
	return NULL;
}

/* One of the files that librdkafka reads when a handle is made, by the property that it names in its complaint. */
struct tls_file {
	const char *property;
	const char *path; /* of a setting of ours; NULL where there is none */
	const char *origin;
	const char *expected;
};

/*
 * librdkafka says "ssl.key.location failed: error:0A080009:SSL routines::PEM lib": say instead whose file it is, and what
 * it should hold.
 */
static void complain(const struct kafka_config *config, const char *reason, struct error *err)
{
	const struct tls_file files[] = {
		{"ssl.ca.location", config->ca_file, config->ca_origin,
		 "certificates of authorities (PEM)"},
		{"ssl.certificate.location", config->cert_file, config->cert_origin,
		 "a certificate (PEM)"},
		{"ssl.key.location", config->key_file, config->key_origin,
		 "a key (PEM), with ssl.key.password where it has one"},
	};
	bool is_mismatch = strstr(reason, "key values mismatch") != NULL;
	for (size_t i = 0; i < COUNT(files); i++) {
		size_t length = strlen(files[i].property);
		if (strncmp(reason, files[i].property, length) != 0 || reason[length] != ' ')
			continue;
		const struct kafka_property *property = find_property(config, files[i].property);
		const char *path = property != NULL ? property->value : files[i].path;
		const char *origin = property != NULL ? property->origin : files[i].origin;
		error_set(err, ERROR_REJECT, "%s: %s %s %s",
			  origin == NULL ? files[i].property : origin, path == NULL ? "it" : path,
			  is_mismatch ? "is not the key of" : "can't be used, expected",
			  is_mismatch ? "the certificate" : files[i].expected);
		return;
	}
	error_set(err, ERROR_REJECT, "Kafka settings: %s", reason);
}

static void ignore_log(const rd_kafka_t *rk, int level, const char *facility, const char *text)
{
	(void)rk;
	(void)level;
	(void)facility;
	(void)text;
}

/*
 * A handle without servers reads certificates and keys and compares properties with one another, and talks to nobody.
 */
int kafka_config_check(const struct kafka_config *config, bool is_producer, struct error *err)
{
	char reason[512];
	rd_kafka_conf_t *conf = kafka_conf_create(config, is_producer, "check", err);
	if (conf == NULL)
		return -1;
	(void)rd_kafka_conf_set(conf, "bootstrap.servers", "", NULL, 0);
	rd_kafka_conf_set_log_cb(conf, ignore_log);
	rd_kafka_t *rk = rd_kafka_new(is_producer ? RD_KAFKA_PRODUCER : RD_KAFKA_CONSUMER, conf,
				      reason, sizeof(reason));
	if (rk == NULL) {
		rd_kafka_conf_destroy(conf);
		complain(config, reason, err);
		return -1;
	}
	rd_kafka_destroy_flags(rk, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
	return 0;
}
