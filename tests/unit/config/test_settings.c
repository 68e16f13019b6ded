/* Every name of every setting, who wins over whom, and what follows from what. */
#include "fixture.h"

#include <stdlib.h>
#include <string.h>

#define SITE "--url", "https://a.example/"
#define BROKER "--kafka-servers", "k:9092"
#define DATABASE "--database-dsn", "host=d"

struct good_case {
	const char *name;
	struct fixture_input input;
	const char *lines[4]; /* of config print, exactly */
};

/* Each name of the design's table once, with the commands that it counts for. */
static const struct good_case alias_cases[] = {
	{"sites: --sites",
	 {.args = {"run", "--sites", "s.yaml"}, .files = {{"s.yaml", "[https://a/]"}}},
	 {"sites = s.yaml  (flag --sites)"}},
	{"sites: --targets-file",
	 {.args = {"run", "--targets-file=s.yaml"}, .files = {{"s.yaml", "[https://a/]"}}},
	 {"sites = s.yaml  (flag --targets-file)"}},
	{"sites: WEBSENTRY_TARGETS_FILE",
	 {.args = {"run"},
	  .environment = {"WEBSENTRY_TARGETS_FILE=s.yaml"},
	  .files = {{"s.yaml", "[https://a/]"}}},
	 {"sites = s.yaml  (env WEBSENTRY_TARGETS_FILE)"}},
	{"sites: an argument",
	 {.args = {"run", "s.yaml"}, .files = {{"s.yaml", "[https://a/]"}}},
	 {"sites = s.yaml  (argument)"}},
	{"url: --url twice",
	 {.args = {"run", "--url", "https://a/", "--url=https://b/"}},
	 {"url = https://a/  (flag --url)", "url = https://b/  (flag --url)"}},
	{"url: an argument", {.args = {"run", "https://a/"}}, {"url = https://a/  (argument)"}},
	{"url: WEBSENTRY_SITES",
	 {.args = {"run"}, .environment = {"WEBSENTRY_SITES=https://a/,http://b/"}},
	 {"url = https://a/  (env WEBSENTRY_SITES)", "url = http://b/  (env WEBSENTRY_SITES)"}},
	{"url: commas within a URL stay",
	 {.args = {"run"}, .environment = {"WEBSENTRY_SITES= https://a/?x=1,2 , http://b/c,d,"}},
	 {"url = https://a/?x=1,2  (env WEBSENTRY_SITES)",
	  "url = http://b/c,d  (env WEBSENTRY_SITES)"}},
	{"url: userinfo is not shown",
	 {.args = {"run", "https://u:sesame@a/"}},
	 {"url = https://a/  (argument)"}},
	{"interval: --interval",
	 {.args = {"run", SITE, "--interval", "30s"}},
	 {"interval = 30s  (flag --interval)"}},
	{"interval: --seconds",
	 {.args = {"run", SITE, "--seconds=30"}},
	 {"interval = 30s  (flag --seconds)"}},
	{"interval: WEBSENTRY_INTERVAL",
	 {.args = {"run", SITE}, .environment = {"WEBSENTRY_INTERVAL=30"}},
	 {"interval = 30s  (env WEBSENTRY_INTERVAL)"}},
	{"interval: default", {.args = {"run", SITE}}, {"interval = 60s  (default)"}},
	{"interval: check has its own",
	 {.args = {"check", SITE}, .environment = {"WEBSENTRY_INTERVAL=30"}},
	 {"interval = 1s  (default)"}},
	{"interval: check --repeat",
	 {.args = {"check", SITE, "--repeat=3", "--interval=5s"}},
	 {"interval = 5s  (flag --interval)", "repeat = 3  (flag --repeat)"}},
	{"timeout: --timeout",
	 {.args = {"run", SITE, "--timeout", "2s"}},
	 {"timeout = 2s  (flag --timeout)"}},
	{"timeout: WEBSENTRY_TIMEOUT",
	 {.args = {"check", SITE}, .environment = {"WEBSENTRY_TIMEOUT=1500ms"}},
	 {"timeout = 1500ms  (env WEBSENTRY_TIMEOUT)"}},
	{"pattern: --pattern",
	 {.args = {"run", SITE, "--pattern=Yes"}},
	 {"pattern = Yes  (flag --pattern)"}},
	{"pattern: WEBSENTRY_REGEXP",
	 {.args = {"run", SITE}, .environment = {"WEBSENTRY_REGEXP=(?:id=\")([^\"]+)"}},
	 {"pattern = (?:id=\")([^\"]+)  (env WEBSENTRY_REGEXP)"}},
	{"once: --once",
	 {.args = {"producer", SITE, BROKER, "--once"}},
	 {"once = true  (flag --once)"}},
	{"once: --once=no",
	 {.args = {"producer", SITE, BROKER, "--once=no"}},
	 {"once = false  (flag --once)"}},
	{"once: --no-once",
	 {.args = {"producer", SITE, BROKER, "--no-once"}},
	 {"once = false  (flag --no-once)"}},
	{"once: WEBSENTRY_INTERVAL=0",
	 {.args = {"producer", SITE, BROKER}, .environment = {"WEBSENTRY_INTERVAL=0"}},
	 {"once = true  (env WEBSENTRY_INTERVAL)", "interval = 60s  (default)"}},
	{"once: WEBSENTRY_INTERVAL=-1",
	 {.args = {"producer", SITE, BROKER}, .environment = {"WEBSENTRY_INTERVAL=-1"}},
	 {"once = true  (env WEBSENTRY_INTERVAL)"}},
	{"once: not with --interval beside WEBSENTRY_INTERVAL=0",
	 {.args = {"producer", SITE, BROKER, "--interval=9s"},
	  .environment = {"WEBSENTRY_INTERVAL=0"}},
	 {"once = false  (default)", "interval = 9s  (flag --interval)"}},
	{"once: the consumer reads nothing in WEBSENTRY_INTERVAL",
	 {.args = {"consumer", BROKER, DATABASE}, .environment = {"WEBSENTRY_INTERVAL=0"}},
	 {"once = false  (default)"}},
	{"once: WEBSENTRY_CONSUMER_ENABLE_DAEMON=0",
	 {.args = {"consumer", BROKER, DATABASE},
	  .environment = {"WEBSENTRY_CONSUMER_ENABLE_DAEMON=0"}},
	 {"once = true  (env WEBSENTRY_CONSUMER_ENABLE_DAEMON)"}},
	{"once: WEBSENTRY_CONSUMER_ENABLE_DAEMON=1",
	 {.args = {"consumer", BROKER, DATABASE},
	  .environment = {"WEBSENTRY_CONSUMER_ENABLE_DAEMON=1"}},
	 {"once = false  (env WEBSENTRY_CONSUMER_ENABLE_DAEMON)"}},
	{"once: the producer reads nothing in _ENABLE_DAEMON",
	 {.args = {"producer", SITE, BROKER},
	  .environment = {"WEBSENTRY_CONSUMER_ENABLE_DAEMON=0"}},
	 {"once = false  (default)"}},
	{"once-wait",
	 {.args = {"producer", SITE, BROKER, "--once-wait=5"}},
	 {"once-wait = 5s  (flag --once-wait)"}},
	{"kafka-servers: --kafka-servers",
	 {.args = {"producer", SITE, "--kafka-servers", "a:1,b:2"}},
	 {"kafka-servers = a:1,b:2  (flag --kafka-servers)"}},
	{"kafka-servers: WEBSENTRY_KAFKA_HOSTS",
	 {.args = {"producer", SITE}, .environment = {"WEBSENTRY_KAFKA_HOSTS=k"}},
	 {"kafka-servers = k  (env WEBSENTRY_KAFKA_HOSTS)"}},
	{"kafka-servers: KAFKA_BOOTSTRAP_SERVERS",
	 {.args = {"producer", SITE}, .environment = {"KAFKA_BOOTSTRAP_SERVERS=SSL://[::1]:9093"}},
	 {"kafka-servers = SSL://[::1]:9093  (env KAFKA_BOOTSTRAP_SERVERS)"}},
	{"kafka-servers: a property",
	 {.args = {"producer", SITE, "--kafka-property=bootstrap.servers=p:1"}},
	 {"kafka-servers = p:1  (flag --kafka-property)"}},
	{"kafka-servers: the last property of either name",
	 {.args = {"producer", SITE, "--kafka-property=metadata.broker.list=f:1",
		   "--kafka-config=k.conf"},
	  .files = {{"k.conf", "bootstrap.servers=p:1\n"}}},
	 {"kafka-servers = f:1  (flag --kafka-property)"}},
	{"kafka-servers: a property that says the same",
	 {.args = {"producer", SITE, "--kafka-servers=p:1",
		   "--kafka-property=bootstrap.servers=p:1"}},
	 {"kafka-servers = p:1  (flag --kafka-servers)"}},
	{"kafka-group: a property that says the same",
	 {.args = {"consumer", BROKER, DATABASE, "--kafka-property=group.id=websentry"}},
	 {"kafka-group = websentry  (default)"}},
	{"a consumer's group in a file of both",
	 {.args = {"producer", SITE, BROKER, "--kafka-property=group.id=mine"}},
	 {"kafka-property = group.id=mine  (flag --kafka-property)"}},
	{"kafka-property: blanks around key and value are none of theirs",
	 {.args = {"producer", SITE, BROKER, "--kafka-property", " linger.ms\t= 1 ",
		   "--kafka-property= client.id = a b "}},
	 {"kafka-property = linger.ms=1  (flag --kafka-property)",
	  "kafka-property = client.id=a b  (flag --kafka-property)"}},
	{"topics: default",
	 {.args = {"producer", SITE, BROKER}},
	 {"kafka-topic = sitecheck  (default)", "kafka-topic-success = sitecheck  (default)",
	  "kafka-topic-failure = sitecheck  (default)"}},
	{"topics: --kafka-topic",
	 {.args = {"consumer", BROKER, DATABASE, "--kafka-topic", "t"}},
	 {"kafka-topic-success = t  (flag --kafka-topic)",
	  "kafka-topic-failure = t  (flag --kafka-topic)"}},
	{"topics: WEBSENTRY_KAFKA_TOPIC",
	 {.args = {"producer", SITE, BROKER}, .environment = {"WEBSENTRY_KAFKA_TOPIC=t"}},
	 {"kafka-topic-success = t  (env WEBSENTRY_KAFKA_TOPIC)",
	  "kafka-topic-failure = t  (env WEBSENTRY_KAFKA_TOPIC)"}},
	{"topics: the pair",
	 {.args = {"producer", SITE, BROKER},
	  .environment = {"KAFKA_TOPIC_SUCCESS=s", "KAFKA_TOPIC_FAILURE=f"}},
	 {"kafka-topic =   (default)", "kafka-topic-success = s  (env KAFKA_TOPIC_SUCCESS)",
	  "kafka-topic-failure = f  (env KAFKA_TOPIC_FAILURE)"}},
	{"topics: success alone",
	 {.args = {"producer", SITE, BROKER, "--kafka-topic-success=s"}},
	 {"kafka-topic-success = s  (flag --kafka-topic-success)",
	  "kafka-topic-failure = checks-failure  (default)"}},
	{"topics: failure alone",
	 {.args = {"producer", SITE, BROKER}, .environment = {"KAFKA_TOPIC_FAILURE=f"}},
	 {"kafka-topic-success = checks-success  (default)",
	  "kafka-topic-failure = f  (env KAFKA_TOPIC_FAILURE)"}},
	{"topics: a flag wins over the pair",
	 {.args = {"producer", SITE, BROKER, "--kafka-topic=t"},
	  .environment = {"KAFKA_TOPIC_SUCCESS=s", "KAFKA_TOPIC_FAILURE=f"}},
	 {"kafka-topic-success = t  (flag --kafka-topic)",
	  "kafka-topic-failure = t  (flag --kafka-topic)"}},
	{"topics: a flag of the pair wins over one topic",
	 {.args = {"producer", SITE, BROKER, "--kafka-topic-failure=f"},
	  .environment = {"WEBSENTRY_KAFKA_TOPIC=t"}},
	 {"kafka-topic-success = checks-success  (default)",
	  "kafka-topic-failure = f  (flag --kafka-topic-failure)"}},
	{"TLS: flags",
	 {.args = {"producer", SITE, BROKER, "--kafka-ca-file=ca", "--kafka-cert-file=cert",
		   "--kafka-key-file=key"},
	  .files = {{"ca", "x"}, {"cert", "x"}, {"key", "x"}}},
	 {"kafka-ca-file = ca  (flag --kafka-ca-file)",
	  "kafka-cert-file = cert  (flag --kafka-cert-file)",
	  "kafka-key-file = key  (flag --kafka-key-file)"}},
	{"TLS: WEBSENTRY_KAFKA_*",
	 {.args = {"producer", SITE, BROKER},
	  .environment = {"WEBSENTRY_KAFKA_CAFILE=ca", "WEBSENTRY_KAFKA_CERTFILE=cert",
			  "WEBSENTRY_KAFKA_KEY=key"},
	  .files = {{"ca", "x"}, {"cert", "x"}, {"key", "x"}}},
	 {"kafka-ca-file = ca  (env WEBSENTRY_KAFKA_CAFILE)",
	  "kafka-cert-file = cert  (env WEBSENTRY_KAFKA_CERTFILE)",
	  "kafka-key-file = key  (env WEBSENTRY_KAFKA_KEY)"}},
	{"TLS: KAFKA_* and the misspelt key",
	 {.args = {"consumer", BROKER, DATABASE},
	  .environment = {"KAFKA_CAFILE=ca", "KAFKA_CERTFILE=cert", "KAFKA_KEYILE=key"},
	  .files = {{"ca", "x"}, {"cert", "x"}, {"key", "x"}}},
	 {"kafka-ca-file = ca  (env KAFKA_CAFILE)", "kafka-cert-file = cert  (env KAFKA_CERTFILE)",
	  "kafka-key-file = key  (env KAFKA_KEYILE)"}},
	{"TLS: KAFKA_KEYFILE, and the same in both spellings",
	 {.args = {"producer", SITE, BROKER},
	  .environment = {"KAFKA_CERTFILE=cert", "KAFKA_KEYILE=key", "KAFKA_KEYFILE=key"},
	  .files = {{"cert", "x"}, {"key", "x"}}},
	 {"kafka-key-file = key  (env KAFKA_KEYFILE)"}},
	{"properties: file, then flags",
	 {.args = {"producer", SITE, BROKER, "--kafka-config=k.conf", "--kafka-property",
		   "linger.ms=1", "--kafka-property=sasl.password=sesame"},
	  .files = {{"k.conf", "# ours\n\n linger.ms = 5 \r\nssl.key.password=sesame\n"}}},
	 {"kafka-property = linger.ms=5  (file k.conf:3)",
	  "kafka-property = ssl.key.password=***  (file k.conf:4)",
	  "kafka-property = linger.ms=1  (flag --kafka-property)",
	  "kafka-property = sasl.password=***  (flag --kafka-property)"}},
	{"properties: a password under a name that is none",
	 {.args = {"producer", SITE, BROKER, "--kafka-property=Sasl.Password=sesame",
		   "--kafka-property=sasl.pasword=sesame"}},
	 {"kafka-property = Sasl.Password=***  (flag --kafka-property)",
	  "kafka-property = sasl.pasword=***  (flag --kafka-property)"}},
	{"properties: WEBSENTRY_KAFKA_CONFIG",
	 {.args = {"consumer", BROKER, DATABASE},
	  .environment = {"WEBSENTRY_KAFKA_CONFIG=k.conf"},
	  .files = {{"k.conf", "a=b=c"}}},
	 {"kafka-config = k.conf  (env WEBSENTRY_KAFKA_CONFIG)",
	  "kafka-property = a=b=c  (file k.conf:1)"}},
	{"create topics",
	 {.args = {"producer", SITE, BROKER, "--kafka-create-topics"}},
	 {"kafka-create-topics = true  (flag --kafka-create-topics)"}},
	{"group: --kafka-group",
	 {.args = {"consumer", BROKER, DATABASE, "--kafka-group=g"}},
	 {"kafka-group = g  (flag --kafka-group)"}},
	{"group: WEBSENTRY_CONSUMER_GROUP",
	 {.args = {"consumer", BROKER, DATABASE}, .environment = {"WEBSENTRY_CONSUMER_GROUP=g"}},
	 {"kafka-group = g  (env WEBSENTRY_CONSUMER_GROUP)"}},
	{"group: KAFKA_CONSUMER_GROUP",
	 {.args = {"consumer", BROKER, DATABASE}, .environment = {"KAFKA_CONSUMER_GROUP=g"}},
	 {"kafka-group = g  (env KAFKA_CONSUMER_GROUP)"}},
	{"group: default",
	 {.args = {"consumer", BROKER, DATABASE}},
	 {"kafka-group = websentry  (default)"}},
	{"data-dir: --data-dir",
	 {.args = {"run", SITE, "--data-dir=/tmp"}},
	 {"data-dir = /tmp  (flag --data-dir)"}},
	{"data-dir: WEBSENTRY_DATA_DIR",
	 {.args = {"run", SITE}, .environment = {"WEBSENTRY_DATA_DIR=/tmp"}},
	 {"data-dir = /tmp  (env WEBSENTRY_DATA_DIR)"}},
	{"data-dir: STATE_DIRECTORY, the first of several",
	 {.args = {"run", SITE}, .environment = {"STATE_DIRECTORY=/tmp:/var"}},
	 {"data-dir = /tmp  (env STATE_DIRECTORY)"}},
	{"data-dir: XDG_STATE_HOME",
	 {.args = {"run", SITE}, .environment = {"XDG_STATE_HOME=/tmp/websentry-no-such"}},
	 {"data-dir = /tmp/websentry-no-such/websentry  (default)"}},
	{"data-dir: HOME, as a relative XDG_STATE_HOME is none",
	 {.args = {"run", SITE},
	  .environment = {"XDG_STATE_HOME=x", "HOME=/tmp/websentry-no-such"}},
	 {"data-dir = /tmp/websentry-no-such/.local/state/websentry  (default)"}},
	{"location: --location",
	 {.args = {"run", SITE, "--location=eu-1"}},
	 {"location = eu-1  (flag --location)"}},
	{"location: WEBSENTRY_LOCATION",
	 {.args = {"run", SITE}, .environment = {"WEBSENTRY_LOCATION=eu-1"}},
	 {"location = eu-1  (env WEBSENTRY_LOCATION)"}},
	{"host", {.args = {"check", SITE, "--host", "h"}}, {"host = h  (flag --host)"}},
	{"listen: default of run", {.args = {"run", SITE}}, {"listen = 127.0.0.1:8080  (default)"}},
	{"listen: default of web", {.args = {"web"}}, {"listen = 127.0.0.1:8080  (default)"}},
	{"listen: default of others",
	 {.args = {"consumer", BROKER, DATABASE}},
	 {"listen =   (default)"}},
	{"listen: --listen",
	 {.args = {"run", SITE, "--listen=[::1]:0"}},
	 {"listen = [::1]:0  (flag --listen)"}},
	{"listen: WEBSENTRY_LISTEN",
	 {.args = {"producer", SITE, BROKER}, .environment = {"WEBSENTRY_LISTEN=:9"}},
	 {"listen = :9  (env WEBSENTRY_LISTEN)"}},
	{"threads: --threads",
	 {.args = {"run", SITE, "--threads", "4"}},
	 {"threads = 4  (flag --threads)"}},
	{"threads: WEBSENTRY_THREADS",
	 {.args = {"run", SITE}, .environment = {"WEBSENTRY_THREADS=4"}},
	 {"threads = 4  (env WEBSENTRY_THREADS)"}},
	{"durability",
	 {.args = {"run", SITE, "--durability=POWER"}},
	 {"durability = power  (flag --durability)"}},
	{"outbox-max",
	 {.args = {"producer", SITE, BROKER, "--outbox-max=5"}},
	 {"outbox-max = 5  (flag --outbox-max)"}},
	{"log-level: --log-level",
	 {.args = {"run", SITE, "--log-level", "debug"}},
	 {"log-level = debug  (flag --log-level)"}},
	{"log-level: WEBSENTRY_LOG_LEVEL",
	 {.args = {"run", SITE}, .environment = {"WEBSENTRY_LOG_LEVEL=Error"}},
	 {"log-level = error  (env WEBSENTRY_LOG_LEVEL)"}},
	{"log-level: loguru's TRACE",
	 {.args = {"run", SITE}, .environment = {"LOGURU_LEVEL=TRACE"}},
	 {"log-level = trace  (env LOGURU_LEVEL)"}},
	{"log-level: loguru's SUCCESS",
	 {.args = {"run", SITE}, .environment = {"LOGURU_LEVEL=SUCCESS"}},
	 {"log-level = info  (env LOGURU_LEVEL)"}},
	{"log-level: Python's WARNING",
	 {.args = {"producer", SITE, BROKER}, .environment = {"WEBSENTRY_LOGLEVEL=WARNING"}},
	 {"log-level = warn  (env WEBSENTRY_LOGLEVEL)"}},
	{"log-level: Python's CRITICAL",
	 {.args = {"consumer", BROKER, DATABASE},
	  .environment = {"WEBSENTRY_CONSUMER_LOGLEVEL=critical"}},
	 {"log-level = error  (env WEBSENTRY_CONSUMER_LOGLEVEL)"}},
	{"log-level: both of the older service, consumer",
	 {.args = {"consumer", BROKER, DATABASE},
	  .environment = {"WEBSENTRY_LOGLEVEL=DEBUG", "WEBSENTRY_CONSUMER_LOGLEVEL=ERROR"}},
	 {"log-level = error  (env WEBSENTRY_CONSUMER_LOGLEVEL)"}},
	{"log-level: both of the older service, producer",
	 {.args = {"producer", SITE, BROKER},
	  .environment = {"WEBSENTRY_LOGLEVEL=DEBUG", "WEBSENTRY_CONSUMER_LOGLEVEL=ERROR"}},
	 {"log-level = debug  (env WEBSENTRY_LOGLEVEL)"}},
	{"log-level: the producer's name alone, consumer",
	 {.args = {"consumer", BROKER, DATABASE}, .environment = {"WEBSENTRY_LOGLEVEL=DEBUG"}},
	 {"log-level = debug  (env WEBSENTRY_LOGLEVEL)"}},
	{"log-format: --log-format",
	 {.args = {"run", SITE, "--log-format=json"}},
	 {"log-format = json  (flag --log-format)"}},
	{"log-format: WEBSENTRY_LOG_FORMAT",
	 {.args = {"run", SITE}, .environment = {"WEBSENTRY_LOG_FORMAT=json"}},
	 {"log-format = json  (env WEBSENTRY_LOG_FORMAT)"}},
	{"json", {.args = {"check", SITE, "--json"}}, {"json = true  (flag --json)"}},
	{"migrate: --no-migrate",
	 {.args = {"consumer", BROKER, DATABASE, "--no-migrate"}},
	 {"migrate = false  (flag --no-migrate)"}},
	{"print", {.args = {"db", "migrate", "--print"}}, {"print = true  (flag --print)"}},
};

static const struct good_case database_cases[] = {
	{"a DSN by flag",
	 {.args = {"consumer", BROKER, "--database-dsn", "postgresql://u:sesame@h:5/n"}},
	 {"database-dsn = user=u password=*** dbname=n host=h port=5  (flag --database-dsn)"}},
	{"POSTGRES_DSN",
	 {.args = {"consumer", BROKER}, .environment = {"POSTGRES_DSN=host=h password='a b'"}},
	 {"database-dsn = password=*** host=h  (env POSTGRES_DSN)"}},
	{"parts alone",
	 {.args = {"consumer", BROKER},
	  .environment = {"WEBSENTRY_DATABASE_NAME=n", "WEBSENTRY_DATABASE_HOST=h",
			  "WEBSENTRY_DATABASE_PORT=77", "WEBSENTRY_DATABASE_USER=u",
			  "WEBSENTRY_DATABASE_PASSWORD=p w"}},
	 {"database-dsn = user=u password=*** dbname=n host=h port=77  (env "
	  "WEBSENTRY_DATABASE_HOST)",
	  "database-password = ***  (env WEBSENTRY_DATABASE_PASSWORD)",
	  "database-name = n  (env WEBSENTRY_DATABASE_NAME)",
	  "database-port = 77  (env WEBSENTRY_DATABASE_PORT)"}},
	{"a name with a '=' is one",
	 {.args = {"consumer", BROKER}, .environment = {"WEBSENTRY_DATABASE_NAME=sales=2024"}},
	 {"database-name = sales=2024  (env WEBSENTRY_DATABASE_NAME)"}},
	{"parts fill what a DSN leaves out",
	 {.args = {"consumer", BROKER, "--database-dsn=host=h"},
	  .environment = {"WEBSENTRY_DATABASE_HOST=other", "WEBSENTRY_DATABASE_PASSWORD=sesame"}},
	 {"database-dsn = password=*** host=h  (flag --database-dsn)"}},
	{"parts that agree with a DSN",
	 {.args = {"consumer", BROKER},
	  .environment = {"POSTGRES_DSN=postgres://u@h/n", "WEBSENTRY_DATABASE_HOST=h",
			  "WEBSENTRY_DATABASE_NAME=n"}},
	 {"database-dsn = user=u dbname=n host=h  (env POSTGRES_DSN)"}},
	{"variables win over the file's DSN",
	 {.args = {"consumer", BROKER, "--config=c.yaml"},
	  .environment = {"WEBSENTRY_DATABASE_HOST=v"},
	  .files = {{"c.yaml", "database-dsn: host=f dbname=n\n"}}},
	 {"database-dsn = dbname=n host=v  (file c.yaml:1)"}},
	{"the container's user and password are not ours",
	 {.args = {"consumer", BROKER},
	  .environment = {"POSTGRES_DSN=postgres://a:b@h/n", "POSTGRES_USER=x",
			  "POSTGRES_PASSWORD=y"}},
	 {"database-dsn = user=a password=*** dbname=n host=h  (env POSTGRES_DSN)"}},
	{"libpq's variables are enough for a consumer",
	 {.args = {"consumer", BROKER},
	  .environment = {"PGHOST=h", "PGDATABASE=n", "PGPASSWORD=sesame"}},
	 {"database-dsn = dbname=n host=h  (env PG*)"}},
	{"PGSERVICE is enough for db migrate",
	 {.args = {"db", "migrate"},
	  .environment = {"PGSERVICE=s"},
	  .files = {{"services", "[s]\nhost=h\n"}}},
	 {"database-dsn = service=s  (env PG*)"}},
	{"libpq's variables do not make run use PostgreSQL",
	 {.args = {"run", SITE}, .environment = {"PGHOST=h", "PGDATABASE=n"}},
	 {"database-dsn =   (default)"}},
	{"libpq's variables do not make web use PostgreSQL",
	 {.args = {"web"}, .environment = {"PGHOST=h"}},
	 {"database-dsn =   (default)"}},
	{"libpq's variables never conflict",
	 {.args = {"consumer", BROKER}, .environment = {"POSTGRES_DSN=host=h", "PGHOST=other"}},
	 {"database-dsn = host=h  (env POSTGRES_DSN)"}},
	{"run with a DSN",
	 {.args = {"run", SITE}, .environment = {"POSTGRES_DSN=host=h"}},
	 {"database-dsn = host=h  (env POSTGRES_DSN)"}},
	{"a DSN from a file",
	 {.args = {"consumer", BROKER},
	  .environment = {"POSTGRES_DSN_FILE=dsn"},
	  .files = {{"dsn", "postgres://u:sesame@h/n\n"}}},
	 {"database-dsn = user=u password=*** dbname=n host=h  (env POSTGRES_DSN_FILE)"}},
	{"a password from a file",
	 {.args = {"consumer", BROKER, DATABASE},
	  .environment = {"WEBSENTRY_DATABASE_PASSWORD_FILE=pw"},
	  .files = {{"pw", "sesame\r\n"}}},
	 {"database-password = ***  (env WEBSENTRY_DATABASE_PASSWORD_FILE)"}},
	{"a DSN from systemd's credentials",
	 {.args = {"consumer", BROKER},
	  .environment = {"CREDENTIALS_DIRECTORY=."},
	  .files = {{"database-dsn", "host=h"}}},
	 {"database-dsn = host=h  (env ./database-dsn)"}},
	{"a Kafka file from systemd's credentials",
	 {.args = {"consumer", BROKER, DATABASE},
	  .environment = {"CREDENTIALS_DIRECTORY=."},
	  .files = {{"kafka-config", "a=b"}}},
	 {"kafka-config = ./kafka-config  (env ./kafka-config)",
	  "kafka-property = a=b  (file ./kafka-config:1)"}},
	{"the same secret twice is one",
	 {.args = {"consumer", BROKER},
	  .environment = {"POSTGRES_DSN=host=h", "POSTGRES_DSN_FILE=dsn"},
	  .files = {{"dsn", "host=h\n"}}},
	 {"database-dsn = host=h  (env POSTGRES_DSN)"}},
};

static const struct good_case precedence_cases[] = {
	{"flag over environment",
	 {.args = {"run", SITE, "--interval=1s"}, .environment = {"WEBSENTRY_INTERVAL=2"}},
	 {"interval = 1s  (flag --interval)"}},
	{"environment over file",
	 {.args = {"run", SITE, "--config", "c.yaml"},
	  .environment = {"WEBSENTRY_INTERVAL=2"},
	  .files = {{"c.yaml", "interval: 3s\n"}}},
	 {"interval = 2s  (env WEBSENTRY_INTERVAL)"}},
	{"file over default",
	 {.args = {"run", SITE, "--config", "c.yaml"}, .files = {{"c.yaml", "\ninterval: 3s\n"}}},
	 {"interval = 3s  (file c.yaml:2)"}},
	{"all kinds of values in a file",
	 {.args = {"producer", SITE, "--config=c.yaml"},
	  .files =
		  {{"c.yaml",
		    "kafka-servers: k:1\nonce: yes\nkafka-property: {linger.ms: 5}\noutbox-max: 7\n"
		    "kafka-group: for the consumer\nx-note: nothing\ntimeout:\n"}}},
	 {"kafka-servers = k:1  (file c.yaml:1)", "once = true  (file c.yaml:2)",
	  "kafka-property = linger.ms=5  (file c.yaml:3)", "timeout = 10s  (default)"}},
	{"a list in a file",
	 {.args = {"run", "--config=c.yaml"},
	  .files = {{"c.yaml", "url:\n- https://a/\n- https://b/\n"}}},
	 {"url = https://a/  (file c.yaml:3)"}},
	{"an empty variable is an unset one",
	 {.args = {"run", SITE}, .environment = {"WEBSENTRY_INTERVAL=", "WEBSENTRY_LOG_LEVEL="}},
	 {"interval = 60s  (default)", "log-level = info  (default)"}},
	{"two names that agree",
	 {.args = {"run", SITE},
	  .environment = {"LOGURU_LEVEL=WARNING", "WEBSENTRY_LOG_LEVEL=warn"}},
	 {"log-level = warn  (env WEBSENTRY_LOG_LEVEL)"}},
	{"a flag twice with one value",
	 {.args = {"run", SITE, "--interval=60", "--interval=1m"}},
	 {"interval = 1m  (flag --interval)"}},
	{"a flag over variables that contradict each other",
	 {.args = {"run", SITE, "--log-level=info"},
	  .environment = {"LOGURU_LEVEL=DEBUG", "WEBSENTRY_LOG_LEVEL=warn"}},
	 {"log-level = info  (flag --log-level)"}},
	{"variables of other commands do not count",
	 {.args = {"producer", SITE, BROKER},
	  .environment = {"POSTGRES_DSN=garbage", "WEBSENTRY_DATABASE_PORT=x"}},
	 {"interval = 60s  (default)"}},
	{"sites typed today are not joined by those of the environment",
	 {.args = {"run", "https://a/"},
	  .environment = {"WEBSENTRY_SITES=https://b/", "WEBSENTRY_TARGETS_FILE=nowhere"}},
	 {"url = https://a/  (argument)", "sites =   (default)"}},
	{"check reads no sites from the environment",
	 {.args = {"check", "https://a/"}, .environment = {"WEBSENTRY_SITES=nonsense"}},
	 {"url = https://a/  (argument)"}},
	{"another subject of config print",
	 {.args = {"config", "print", "producer", SITE, BROKER}},
	 {"kafka-servers = k:9092  (flag --kafka-servers)"}},
};

static void check_good(void **state)
{
	const struct good_case *row = *state;
	struct fixture fixture;
	fixture_read(&fixture, &row->input);
	assert_string_equal(fixture.lines, "");
	for (size_t i = 0; i < 4 && row->lines[i] != NULL; i++)
		fixture_expect_line(fixture.effective, row->lines[i]);
	assert_null(strstr(fixture.effective, "sesame"));
	fixture_finish(&fixture);
}

static void fields_are_filled(void **state)
{
	(void)state;
	const struct fixture_input input = {
		.args = {"producer", SITE, BROKER, "--interval=90s", "--timeout=2s", "--once",
			 "--once-wait=3s", "--durability=power", "--log-level=trace",
			 "--log-format=json", "--threads=3", "--outbox-max=9",
			 "--kafka-create-topics", "--location=l", "--listen=off"}};
	struct fixture fixture;
	fixture_read(&fixture, &input);
	const struct settings *settings = &fixture.settings;
	assert_string_equal(fixture.lines, "");
	assert_int_equal(settings->command, COMMAND_PRODUCER);
	assert_int_equal(settings->interval_us, 90000000);
	assert_int_equal(settings->timeout_us, 2000000);
	assert_true(settings->is_once);
	assert_int_equal(settings->once_wait_us, 3000000);
	assert_true(settings->is_power_durable);
	assert_int_equal(settings->log_level, 4);
	assert_int_equal(settings->log_format, 1);
	assert_int_equal(settings->threads, 3);
	assert_int_equal(settings->outbox_max_rows, 9);
	assert_true(settings->kafka_create_topics);
	assert_false(settings->no_migrate);
	assert_null(settings->listen);
	assert_null(settings->database_dsn);
	assert_string_equal(settings->location, "l");
	assert_non_null(settings->host);
	assert_true(settings_is_given(settings, "interval"));
	assert_false(settings_is_given(settings, "pattern"));
	fixture_finish(&fixture);
}

/* How often `check` repeats says nothing of how often a site is checked, nor of its timeout. */
static void repeats_have_an_interval_of_their_own(void **state)
{
	(void)state;
	const struct fixture_input input = {
		.args = {"check", SITE, "--repeat=7", "--interval=200ms"}};
	struct fixture fixture;
	fixture_read(&fixture, &input);
	assert_string_equal(fixture.lines, "");
	assert_int_equal(fixture.settings.repeat, 7);
	assert_int_equal(fixture.settings.repeat_every_us, 200000);
	assert_int_equal(fixture.settings.interval_us, 60000000);
	assert_int_equal(fixture.settings.timeout_us, 10000000);
	fixture_finish(&fixture);
}

static void relative_data_dir_becomes_absolute(void **state)
{
	(void)state;
	const struct fixture_input input = {.args = {"run", SITE, "--data-dir=here"}};
	struct fixture fixture;
	fixture_read(&fixture, &input);
	assert_string_equal(fixture.lines, "");
	assert_true(fixture.settings.data_dir[0] == '/');
	assert_non_null(strstr(fixture.settings.data_dir, "/here"));
	fixture_finish(&fixture);
}

static void defaults_hold_where_nothing_can_be_read(void **state)
{
	(void)state;
	const struct fixture_input input = {.args = {"--nonsense"}};
	struct fixture fixture;
	fixture_read(&fixture, &input);
	assert_int_equal(fixture.problems.error_count, 1);
	assert_int_equal(fixture.settings.log_level, 2);
	assert_int_equal(fixture.settings.log_format, 0);
	fixture_finish(&fixture);
}

int main(void)
{
	(void)setenv("PGSERVICEFILE", "services", 1); /* libpq reads it from our own environment */
	FIXTURE_ADD_TABLE(alias_cases, check_good);
	FIXTURE_ADD_TABLE(database_cases, check_good);
	FIXTURE_ADD_TABLE(precedence_cases, check_good);
	FIXTURE_ADD(fields_are_filled);
	FIXTURE_ADD(repeats_have_an_interval_of_their_own);
	FIXTURE_ADD(relative_data_dir_becomes_absolute);
	FIXTURE_ADD(defaults_hold_where_nothing_can_be_read);
	return fixture_run("settings");
}
