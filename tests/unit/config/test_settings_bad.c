/* Wrong flags, variables and files: each gets its one line, with the place, what was found and what was expected. */
#include "fixture.h"

#include <stdlib.h>
#include <string.h>

#define SITE "--url=http://a/"
#define BROKER "--kafka-servers=k"
#define DSN "--database-dsn=host=h"
#define COMMANDS                                                                                   \
	"producer, consumer, run, check, sites, config check, config print, db migrate, audit, "   \
	"quarantine list, quarantine show, quarantine retry, outbox show, outbox salvage, web"

struct bad_case {
	const char *name;
	struct fixture_input input;
	const char *lines; /* all of them */
};

static const struct bad_case flag_cases[] = {
	{"unknown command",
	 {.args = {"prodcer"}},
	 "command: found 'prodcer', did you mean `producer`?\n"},
	{"unlike any command",
	 {.args = {"frobnicate"}},
	 "command: found 'frobnicate', expected one of " COMMANDS "\n"},
	{"a URL as the command",
	 {.args = {"https://a/"}},
	 "command: found 'https://a/', did you mean `websentry run https://a/`?\n"},
	{"half a command",
	 {.args = {"config"}},
	 "command: found 'config', did you mean `config check`?\n"},
	{"the other half",
	 {.args = {"migrate"}},
	 "command: found 'migrate', did you mean `db migrate`?\n"},
	{"flags and no command",
	 {.args = {"--interval=5s"}},
	 "command: found none, expected one of " COMMANDS "\n"},
	{"unknown mode",
	 {.args = {"--mode=watch"}},
	 "--mode: found 'watch', expected producer, consumer or init\n"},
	{"mode without a value", {.args = {"--mode"}}, "--mode: found no value, expected one\n"},
	{"mode against command",
	 {.args = {"run", SITE, "--mode=producer", BROKER}},
	 "--mode: found 'producer' beside the command `run`, expected one of them\n"
	 "warning --kafka-servers: does nothing for `run`, only for `producer`, `consumer`\n"},
	{"unknown flag",
	 {.args = {"run", SITE, "--intervall", "5s"}},
	 "--intervall: unknown option, did you mean --interval?\n"},
	{"unknown flag and no value",
	 {.args = {"run", SITE, "--jason"}},
	 "--jason: unknown option, did you mean --json?\n"},
	{"unlike any flag",
	 {.args = {"run", SITE, "--frobnicate"}},
	 "--frobnicate: unknown option, see --help\n"},
	{"unknown short flag", {.args = {"run", SITE, "-x"}}, "-x: unknown option, see --help\n"},
	{"unknown short flag and no site",
	 {.args = {"run", "-x"}},
	 "-x: unknown option, see --help\n"},
	{"unknown short flag with its value",
	 {.args = {"run", "-psesame"}},
	 "-p: unknown option, see --help\n"},
	{"unknown short flag, its value behind it",
	 {.args = {"run", "-p", "sesame"}},
	 "-p: unknown option, see --help\n"},
	{"an id below zero",
	 {.args = {"quarantine", "show", "-1"}},
	 "-1: unknown option, see --help\n"},
	{"an empty argument",
	 {.args = {"run", ""}},
	 "arguments: found '', expected a URL such as https://example.com or a sites file\n"},
	{"a subject without settings",
	 {.args = {"config", "check", "completion"}},
	 "arguments: found `completion`, which has no settings, expected another command\n"},
	{"a subject that is config itself",
	 {.args = {"config", "print", "config", "check"}},
	 "arguments: found `config check`, which has no settings, expected another command\n"},
	{"a part of the database by flag",
	 {.args = {"web", "--database-password=x"}},
	 "--database-password: unknown option, see --help\n"},
	{"a URL without its scheme",
	 {.args = {"check", "me:sesame@a.test/?token=open"}},
	 "arguments: found 'a.test/?token=***', expected a URL such as https://a.test/?token=*** "
	 "or a sites file\n"},
	{"a URL for a command that takes none",
	 {.args = {"audit", "postgres://me:sesame@a/x"}},
	 "arguments: found 'postgres://a/x', expected none for `audit`\n"},
	{"a URL in place of the command",
	 {.args = {"https://me:sesame@a/"}},
	 "command: found 'https://a/', did you mean `websentry run https://a/`?\n"},
	{"a broker with a password",
	 {.args = {"producer", SITE, "--kafka-servers=me:sesame@a:9092"}},
	 "--kafka-servers: found 'a:9092', expected brokers such as kafka:9092 or "
	 "a:9092,b:9092\n"},
	{"a word that is a URL",
	 {.args = {"completion", "https://me:sesame@a/"}},
	 "completion: found 'https://***@a/', expected one of bash, zsh, fish\n"},
	{"a flag of another command",
	 {.args = {"check", SITE, "--threads=2"}},
	 "--threads: not an option of `check`, only of `producer`, `run`\n"},
	{"check: two forms",
	 {.args = {"check", SITE, "--nagios", "--json"}},
	 "--nagios: found beside --json, expected one of them: each is a form of its own\n"},
	{"check: a status of many checks",
	 {.args = {"check", SITE, "--nagios", "--repeat=2"}},
	 "--nagios: found beside --repeat, expected one of them: a status line is of one check\n"},
	{"check: an explained status",
	 {.args = {"check", SITE, "--explain", "--nagios"}},
	 "--explain: found beside --nagios, expected one of them: a status is one line\n"},
	{"check: explained JSON",
	 {.args = {"check", SITE, "--json", "--explain"}},
	 "--explain: found beside --json, expected one of them: the report has its failures, an "
	 "explanation is for people\n"},
	{"check: an interval between nothing",
	 {.args = {"check", SITE, "--interval=5s"}},
	 "--interval: does nothing without --repeat\n"},
	{"check: an interval of nothing",
	 {.args = {"check", SITE, "--repeat=3", "--interval=0"}},
	 "--interval: found '0', expected a time such as 30s or 1m30s, from 100ms to 366d\n"},
	{"check: no times at all",
	 {.args = {"check", SITE, "--repeat=0"}},
	 "--repeat: found '0', expected a whole number from 1 to 1000000\n"},
	{"a flag without its value",
	 {.args = {"run", SITE, "--interval"}},
	 "--interval: found no value, expected one\n"},
	{"a host with an empty label",
	 {.args = {"run", "http://a..example/"}},
	 "argument: found 'http://a..example/': a URL whose host has an empty label\n"},
	{"a flag in place of a value",
	 {.args = {"run", SITE, "--interval", "--once"}},
	 "--interval: found no value, expected one\n"},
	{"an empty value",
	 {.args = {"run", SITE, "--pattern="}},
	 "--pattern: found nothing, expected a value\n"},
	{"a scalar twice",
	 {.args = {"run", SITE, "--interval=5s", "--interval=6s"}},
	 "--interval: found '5s' and '6s', expected it once\n"},
	{"a secret twice",
	 {.args = {"run", SITE, "--database-dsn=postgres://me:sesame@a/x",
		   "--database-dsn=postgres://me:open@a/x"}},
	 "--database-dsn: found two values, expected it once\n"},
	{"a scalar by two names",
	 {.args = {"run", SITE, "--interval=5s", "--seconds=6"}},
	 "--seconds: found '6', but --interval says '5s', expected one of the two\n"},
	{"--no- before what is no switch",
	 {.args = {"run", SITE, "--no-interval"}},
	 "--no-interval: unknown option, did you mean --interval?\n"},
	{"a value for --no-",
	 {.args = {"producer", SITE, BROKER, "--no-once=yes"}},
	 "--no-once: found a value, expected none\n"},
	{"a switch that is neither",
	 {.args = {"producer", SITE, BROKER, "--once=maybe"}},
	 "--once: found 'maybe', expected true or false\n"},
	{"an interval that is none",
	 {.args = {"run", SITE, "--interval=soon"}},
	 "--interval: found 'soon', expected a time such as 30s or 1m30s, from 100ms to 366d\n"},
	{"an interval below its bound",
	 {.args = {"run", SITE, "--interval=99ms"}},
	 "--interval: found '99ms', expected a time such as 30s or 1m30s, from 100ms to 366d\n"},
	{"an interval above its bound",
	 {.args = {"run", SITE, "--interval=367d"}},
	 "--interval: found '367d', expected a time such as 30s or 1m30s, from 100ms to 366d\n"},
	{"an interval below zero",
	 {.args = {"run", SITE, "--seconds", "-5"}},
	 "--seconds: found '-5', expected a time such as 30s or 1m30s, from 100ms to 366d\n"},
	{"a timeout above its bound",
	 {.args = {"run", SITE, "--timeout=2h"}},
	 "--timeout: found '2h', expected a time such as 30s or 1m30s, from 1ms to 1h\n"},
	{"a timeout above the interval",
	 {.args = {"run", SITE, "http://b/", "--interval=5s", "--timeout=6s"}},
	 "--timeout: found 6s, expected at most the interval, 5s\n"},
	{"a pattern that is none",
	 {.args = {"run", SITE, "--pattern=(a"}},
	 "--pattern: found '(a': missing closing parenthesis at offset 2\n"},
	{"a number that is none",
	 {.args = {"run", SITE, "--threads=many"}},
	 "--threads: found 'many', expected a whole number from 1 to 256\n"},
	{"a number above its bound",
	 {.args = {"run", SITE, "--threads=257"}},
	 "--threads: found '257', expected a whole number from 1 to 256\n"},
	{"a word that is none",
	 {.args = {"run", SITE, "--log-format=xml"}},
	 "--log-format: found 'xml', expected one of text, json\n"},
	{"a level that is none",
	 {.args = {"run", SITE, "--log-level=loud"}},
	 "--log-level: found 'loud', expected one of error, warn, info, debug, trace\n"},
	{"an address that is none",
	 {.args = {"run", SITE, "--listen=8080"}},
	 "--listen: found '8080', expected an address such as 127.0.0.1:8080, [::1]:8080, :8080, "
	 "or off\n"},
	{"a port that is none",
	 {.args = {"run", SITE, "--listen=:65536"}},
	 "--listen: found ':65536', expected an address such as 127.0.0.1:8080, [::1]:8080, :8080, "
	 "or off\n"},
	{"no page for web",
	 {.args = {"web", "--listen=off"}},
	 "--listen: found 'off', expected an address for `web`\n"},
	{"brokers that are none",
	 {.args = {"producer", SITE, "--kafka-servers=a:1,,b"}},
	 "--kafka-servers: found 'a:1,,b', expected brokers such as kafka:9092 or a:9092,b:9092\n"},
	{"a broker's port that is none",
	 {.args = {"producer", SITE, "--kafka-servers=a:0"}},
	 "--kafka-servers: found 'a:0', expected brokers such as kafka:9092 or a:9092,b:9092\n"},
	{"a topic that is none",
	 {.args = {"producer", SITE, BROKER, "--kafka-topic=a b"}},
	 "--kafka-topic: found 'a b', expected a topic's name: 1 to 249 letters, digits, '.', '_' "
	 "or '-'\n"},
	{"one topic beside the pair",
	 {.args = {"producer", SITE, BROKER, "--kafka-topic=t", "--kafka-topic-failure=f"}},
	 "--kafka-topic: given beside --kafka-topic-failure, expected one topic or the pair\n"},
	{"a Kafka property with a blank for its '='",
	 {.args = {"producer", SITE, BROKER, "--kafka-property=sasl.password sesame"}},
	 "--kafka-property: found 'sasl.password…', expected key=value with a key such as "
	 "linger.ms\n"},
	{"a Kafka property with a line break in its password",
	 {.args = {"producer", SITE, BROKER, "--kafka-property=sasl.password=sesame\nx"}},
	 "--kafka-property: found 'sasl.password=…', expected a value without control "
	 "characters\n"},
	{"a property that is none",
	 {.args = {"producer", SITE, BROKER, "--kafka-property=linger"}},
	 "--kafka-property: found 'linger', expected key=value with a key such as linger.ms\n"},
	{"a group by property",
	 {.args = {"consumer", BROKER, DSN, "--kafka-property=group.id=mine"}},
	 "--kafka-property: found `group.id`, but `kafka-group` is 'websentry' (default), expected "
	 "--kafka-group alone\n"},
	{"a group by variable and property",
	 {.args = {"consumer", BROKER, DSN, "--kafka-property=group.id=mine"},
	  .environment = {"WEBSENTRY_CONSUMER_GROUP=ours"}},
	 "--kafka-property: found `group.id`, but `kafka-group` is 'ours' "
	 "(WEBSENTRY_CONSUMER_GROUP), expected --kafka-group alone\n"},
	{"servers by setting and properties file",
	 {.args = {"producer", SITE, BROKER},
	  .environment = {"WEBSENTRY_KAFKA_CONFIG=k.conf"},
	  .files = {{"k.conf", "linger.ms=5\nbootstrap.servers=other:1\n"}}},
	 "k.conf:2: found `bootstrap.servers`, but `kafka-servers` is 'k' (--kafka-servers), "
	 "expected --kafka-servers alone\n"},
	{"an authority by setting and property",
	 {.args = {"producer", SITE, BROKER, "--kafka-ca-file=ca",
		   "--kafka-property=ssl.ca.location=other"},
	  .files = {{"ca", "x"}}},
	 "--kafka-property: found `ssl.ca.location`, but `kafka-ca-file` is 'ca' "
	 "(--kafka-ca-file), expected --kafka-ca-file alone\n"},
	{"a TLS file that is missing",
	 {.args = {"producer", SITE, BROKER, "--kafka-ca-file=none.pem"}},
	 "--kafka-ca-file: none.pem does not exist\n"},
	{"a folder as a TLS file",
	 {.args = {"producer", SITE, BROKER, "--kafka-ca-file=/tmp"}},
	 "--kafka-ca-file: /tmp is a folder, expected a file\n"},
	{"a certificate without its key",
	 {.args = {"producer", SITE, BROKER, "--kafka-cert-file=c"}, .files = {{"c", "x"}}},
	 "--kafka-cert-file: found a certificate without its key, expected --kafka-key-file too\n"},
	{"a key without its certificate",
	 {.args = {"producer", SITE, BROKER, "--kafka-key-file=c"}, .files = {{"c", "x"}}},
	 "--kafka-key-file: found a key without its certificate, expected --kafka-cert-file too\n"},
	{"a file where the data folder is",
	 {.args = {"run", SITE, "--data-dir=f"}, .files = {{"f", "x"}}},
	 "--data-dir: FOLDER/f is no folder, expected a folder that can be written to\n"},
	{"a data folder below a file",
	 {.args = {"run", SITE, "--data-dir=f/d"}, .files = {{"f", "x"}}},
	 "--data-dir: FOLDER/f/d: Not a directory, expected a folder that can be written to\n"},
	{"a location with a newline",
	 {.args = {"run", SITE, "--location=a\nb"}},
	 "--location: found 'a b', expected a name of at most 255 bytes\n"},
	{"an argument that is neither URL nor file",
	 {.args = {"check", "example.com"}},
	 "arguments: found 'example.com', expected a URL such as https://example.com or a sites "
	 "file\n"},
	{"an argument for a command without any",
	 {.args = {"web", "http://a/"}},
	 "arguments: found 'http://a/', expected none for `web`\n"},
	{"a URL with another scheme",
	 {.args = {"run", "ftp://a/"}},
	 "argument: found 'ftp://a/': a URL that does not begin with http:// or https://\n"},
	{"a URL without a host",
	 {.args = {"run", "--url=http://"}},
	 "--url: found 'http://': a URL without a host\n"},
	{"an argument for a command without settings",
	 {.args = {"version", "https://me:sesame@a/"}},
	 "arguments: found 'https://***@a/', expected none for `version`\n"},
	{"help for two commands",
	 {.args = {"help", "outbox", "show", "run"}},
	 "arguments: found 'run', expected none for `help`\n"},
	{"a shell that is none",
	 {.args = {"completion", "tcsh"}},
	 "completion: found 'tcsh', expected one of bash, zsh, fish\n"},
	{"help for no command",
	 {.args = {"help", "prodcer"}},
	 "command: found 'prodcer', did you mean `producer`?\n"},
	{"two mistakes, two lines",
	 {.args = {"run", SITE, "--interval=x", "--threads=0"}},
	 "--interval: found 'x', expected a time such as 30s or 1m30s, from 100ms to 366d\n"
	 "--threads: found '0', expected a whole number from 1 to 256\n"},
};

static const struct bad_case environment_cases[] = {
	{"a level in the environment",
	 {.args = {"run", SITE}, .environment = {"LOGURU_LEVEL=LOUD"}},
	 "LOGURU_LEVEL: found 'LOUD', expected one of error, warn, info, debug, trace\n"},
	{"an interval in the environment",
	 {.args = {"producer", SITE, BROKER}, .environment = {"WEBSENTRY_INTERVAL=soon"}},
	 "WEBSENTRY_INTERVAL: found 'soon', expected a time such as 30s or 1m30s, from 100ms to "
	 "366d\n"},
	{"a switch in the environment",
	 {.args = {"consumer", BROKER, DSN}, .environment = {"WEBSENTRY_CONSUMER_ENABLE_DAEMON=2"}},
	 "WEBSENTRY_CONSUMER_ENABLE_DAEMON: found '2', expected 1 (daemon) or 0 (once)\n"},
	{"sites in the environment",
	 {.args = {"run"}, .environment = {"WEBSENTRY_SITES=example.com"}},
	 "WEBSENTRY_SITES: found 'example.com': a URL that does not begin with http:// or "
	 "https://\n"},
	{"servers by two names",
	 {.args = {"producer", SITE},
	  .environment = {"WEBSENTRY_KAFKA_HOSTS=a:1", "KAFKA_BOOTSTRAP_SERVERS=b:1"}},
	 "KAFKA_BOOTSTRAP_SERVERS: found 'b:1', but WEBSENTRY_KAFKA_HOSTS says 'a:1', expected one "
	 "of the two\n"},
	{"groups by two names",
	 {.args = {"consumer", BROKER, DSN},
	  .environment = {"WEBSENTRY_CONSUMER_GROUP=a", "KAFKA_CONSUMER_GROUP=b"}},
	 "KAFKA_CONSUMER_GROUP: found 'b', but WEBSENTRY_CONSUMER_GROUP says 'a', expected one of "
	 "the two\n"},
	{"keys by both spellings",
	 {.args = {"producer", SITE, BROKER, "--kafka-cert-file=a"},
	  .environment = {"KAFKA_KEYFILE=a", "KAFKA_KEYILE=b"},
	  .files = {{"a", "x"}, {"b", "x"}}},
	 "KAFKA_KEYILE: found 'b', but KAFKA_KEYFILE says 'a', expected one of the two\n"},
	{"levels by two names",
	 {.args = {"run", SITE}, .environment = {"LOGURU_LEVEL=INFO", "WEBSENTRY_LOG_LEVEL=debug"}},
	 "LOGURU_LEVEL: found 'INFO', but WEBSENTRY_LOG_LEVEL says 'debug', expected one of the "
	 "two\n"},
	{"data folders by two names",
	 {.args = {"run", SITE},
	  .environment = {"STATE_DIRECTORY=/tmp", "WEBSENTRY_DATA_DIR=/tmp/"}},
	 "STATE_DIRECTORY: found '/tmp', but WEBSENTRY_DATA_DIR says '/tmp/', expected one of the "
	 "two\n"},
	{"one topic beside the pair",
	 {.args = {"producer", SITE, BROKER},
	  .environment = {"WEBSENTRY_KAFKA_TOPIC=t", "KAFKA_TOPIC_SUCCESS=s"}},
	 "WEBSENTRY_KAFKA_TOPIC: given beside KAFKA_TOPIC_SUCCESS, expected one topic or the "
	 "pair\n"},
	{"the misspelt key that is missing",
	 {.args = {"consumer", BROKER, DSN},
	  .environment = {"KAFKA_CERTFILE=c", "KAFKA_KEYILE=/nowhere/key"},
	  .files = {{"c", "x"}}},
	 "KAFKA_KEYILE: /nowhere/key does not exist\n"},
	{"a misspelt name",
	 {.args = {"run", SITE}, .environment = {"WEBSENTRY_INTERVALL=5"}},
	 "warning WEBSENTRY_INTERVALL: unknown variable, did you mean WEBSENTRY_INTERVAL?\n"},
	{"a name that is nobody's",
	 {.args = {"run", SITE}, .environment = {"WEBSENTRY_SERVICE_PORT_HTTP=80"}},
	 ""},
	{"once for run, in the way of the producer",
	 {.args = {"check", SITE}, .environment = {"WEBSENTRY_INTERVAL=0"}},
	 ""},
	{"a folder for a secret",
	 {.args = {"consumer", BROKER}, .environment = {"POSTGRES_DSN_FILE=/tmp"}},
	 "POSTGRES_DSN_FILE: /tmp is a folder, expected a file\n"},
	{"a secret's file that is missing",
	 {.args = {"consumer", BROKER, DSN},
	  .environment = {"WEBSENTRY_DATABASE_PASSWORD_FILE=none"}},
	 "WEBSENTRY_DATABASE_PASSWORD_FILE: none does not exist\n"},
	{"a credential that points nowhere",
	 {.args = {"consumer", BROKER, DSN},
	  .environment = {"CREDENTIALS_DIRECTORY=."},
	  .links = {{"database-password", "nowhere"}}},
	 "./database-password: ./database-password does not exist\n"},
	{"a credentials folder that can't be looked into",
	 {.args = {"consumer", BROKER, DSN},
	  .environment = {"CREDENTIALS_DIRECTORY=loop"},
	  .links = {{"loop", "loop"}}},
	 "CREDENTIALS_DIRECTORY: can't look into loop: Too many levels of symbolic links\n"},
	{"a secret's file that is empty",
	 {.args = {"consumer", BROKER, DSN},
	  .environment = {"WEBSENTRY_DATABASE_PASSWORD_FILE=e"},
	  .files = {{"e", "\n"}}},
	 "WEBSENTRY_DATABASE_PASSWORD_FILE: e is empty, expected one line of text\n"},
	{"a secret's file with a NUL",
	 {.args = {"consumer", BROKER, DSN},
	  .environment = {"WEBSENTRY_DATABASE_PASSWORD_FILE=e"},
	  .files = {{"e", "a\0b"}},
	  .length = 3},
	 "WEBSENTRY_DATABASE_PASSWORD_FILE: e holds a NUL byte, expected one line of text\n"},
	{"a secret by two names",
	 {.args = {"consumer", BROKER, DSN},
	  .environment = {"WEBSENTRY_DATABASE_PASSWORD=sesame",
			  "WEBSENTRY_DATABASE_PASSWORD_FILE=e"},
	  .files = {{"e", "b"}}},
	 "WEBSENTRY_DATABASE_PASSWORD_FILE: differs from WEBSENTRY_DATABASE_PASSWORD, expected one "
	 "of the two\n"},
	{"the host of DSN and part",
	 {.args = {"consumer", BROKER},
	  .environment = {"POSTGRES_DSN=host=a", "WEBSENTRY_DATABASE_HOST=b"}},
	 "WEBSENTRY_DATABASE_HOST: found 'b', but POSTGRES_DSN says 'a', expected one of the "
	 "two\n"},
	{"the password of DSN and part",
	 {.args = {"consumer", BROKER},
	  .environment = {"POSTGRES_DSN=password=sesame", "WEBSENTRY_DATABASE_PASSWORD=b"}},
	 "WEBSENTRY_DATABASE_PASSWORD: differs from the password in POSTGRES_DSN, expected one of "
	 "the two\n"},
	{"a database's port",
	 {.args = {"consumer", BROKER}, .environment = {"WEBSENTRY_DATABASE_PORT=54321x"}},
	 "WEBSENTRY_DATABASE_PORT: found '54321x', expected a whole number from 1 to 65535\n"},
	{"a tag in the place of what must be there",
	 {.args = {"producer", SITE, "--config=c.yaml"},
	  .files = {{"c.yaml", "kafka-servers: !foo a:1\ninterval: !foo x"}}},
	 "c.yaml:1:16: found an unknown tag, expected none or one of !!str, !!int, !!float, "
	 "!!bool, "
	 "!!null, !!seq and !!map that fits it; text that begins with '!' is to be put in quotes\n"
	 "c.yaml:2:11: found an unknown tag, expected none or one of !!str, !!int, !!float, "
	 "!!bool, "
	 "!!null, !!seq and !!map that fits it; text that begins with '!' is to be put in "
	 "quotes\n"},
	{"a tag before the only site",
	 {.args = {"run", "--config=c.yaml"}, .files = {{"c.yaml", "url: !foo http://a/"}}},
	 "c.yaml:1:6: found an unknown tag, expected none or one of !!str, !!int, !!float, !!bool, "
	 "!!null, !!seq and !!map that fits it; text that begins with '!' is to be put in "
	 "quotes\n"},
	{"no home for the data",
	 {.args = {"run", SITE}, .environment = {"HOME=relative"}},
	 "--data-dir: missing, `run` needs a folder, and HOME is not set: expected --data-dir or "
	 "WEBSENTRY_DATA_DIR or "
	 "STATE_DIRECTORY\n"},
};

static const struct bad_case dsn_cases[] = {
#include "settings_bad_dsn.inc"
};

static const struct bad_case file_cases[] = {
	{"no --config file",
	 {.args = {"run", "--config=none.yaml"}},
	 "none.yaml: does not exist\n"},
	{"an unknown key",
	 {.args = {"run", SITE, "--config=c.yaml"},
	  .files = {{"c.yaml", "interval: 5s\nthread: 2\n"}}},
	 "c.yaml:2:1: unknown key `thread`, did you mean `threads`?\n"},
	{"an unknown key that holds its value",
	 {.args = {"run", SITE, "--config=c.yaml"},
	  .files = {{"c.yaml", "{database-password:sesame}\n"}}},
	 "c.yaml:1:2: unknown key `database-password:…`, did you mean `database-password`?\n"},
	{"a wrong value",
	 {.args = {"run", SITE, "--config=c.yaml"}, .files = {{"c.yaml", "\n\nthreads: 0\n"}}},
	 "c.yaml:3:10: found '0', expected a whole number from 1 to 256\n"},
	{"a list for one value",
	 {.args = {"run", SITE, "--config=c.yaml"}, .files = {{"c.yaml", "threads: [1]\n"}}},
	 "c.yaml:1:10: found a list, expected one value for `threads`\n"},
	{"a NUL byte in one value of several",
	 {.args = {"producer", SITE, BROKER, "--config=c.yaml"},
	  .files = {{"c.yaml", "kafka-property: {sasl.password: \"ses\\0ame\"}\n"}}},
	 "c.yaml:1:33: found a NUL byte, expected one value for `kafka-property`\n"},
	{"no mapping",
	 {.args = {"run", SITE, "--config=c.yaml"}, .files = {{"c.yaml", "- threads\n"}}},
	 "c.yaml:1:1: found no mapping, expected settings such as `interval: 30s`\n"},
	{"config within config",
	 {.args = {"run", SITE, "--config=c.yaml"}, .files = {{"c.yaml", "config: d.yaml\n"}}},
	 "c.yaml:1:1: found `config` within the file itself, expected it as a flag\n"},
	{"no Kafka file",
	 {.args = {"producer", SITE, "--kafka-config=none.conf"}},
	 "--kafka-config: none.conf does not exist\n"},
	{"a Kafka line without '='",
	 {.args = {"producer", SITE, BROKER, "--kafka-config=k"},
	  .files = {{"k", "a=b\nsesame\n"}}},
	 "k:2: found no '=', expected key=value\n"},
	{"a Kafka key that is none",
	 {.args = {"producer", SITE, BROKER, "--kafka-config=k"}, .files = {{"k", "a b=sesame\n"}}},
	 "k:1: expected key=value with a key such as linger.ms\n"},
	{"a Kafka key twice",
	 {.args = {"producer", SITE, BROKER, "--kafka-config=k"},
	  .files = {{"k", "a=b\n#\na=c\n"}}},
	 "k:3: `a` is given twice (first at k:1), expected it once\n"},
	{"a Kafka file that is no text",
	 {.args = {"producer", SITE, BROKER, "--kafka-config=k"}, .files = {{"k", "a=\xff\n"}}},
	 "k: expected lines of UTF-8 without NUL bytes\n"},
};

static const struct bad_case missing_cases[] = {
	{"a producer without Kafka",
	 {.args = {"producer", SITE}},
	 "--kafka-servers: missing, `producer` needs Kafka's address: expected --kafka-servers or "
	 "WEBSENTRY_KAFKA_HOSTS or KAFKA_BOOTSTRAP_SERVERS\n"},
	{"a producer without sites",
	 {.args = {"producer", BROKER}},
	 "sites: found none, expected URLs, --sites FILE, WEBSENTRY_TARGETS_FILE or "
	 "WEBSENTRY_SITES\n"},
	{"a check without URL",
	 {.args = {"check"}},
	 "arguments: found no URL, expected one: websentry check https://example.com\n"},
	{"a consumer without a database",
	 {.args = {"consumer", BROKER}},
	 "--database-dsn: missing, `consumer` needs a database (WEBSENTRY_DATABASE_NAME and its "
	 "like will do): "
	 "expected --database-dsn or POSTGRES_DSN\n"},
	{"outbox salvage without a file",
	 {.args = {"outbox", "salvage", "--data-dir=/tmp"}},
	 "arguments: found none, expected the file to salvage\n"},
	{"outbox salvage with two files",
	 {.args = {"outbox", "salvage", "--data-dir=/tmp", "a.db", "b.db"}},
	 "arguments: found 'b.db', expected one file\n"},
	{"outbox show with a file",
	 {.args = {"outbox", "show", "--data-dir=/tmp", "a.db"}},
	 "arguments: found 'a.db', expected none for `outbox show`\n"},
	{"outbox alone",
	 {.args = {"outbox"}},
	 "command: found 'outbox', did you mean `outbox show`?\n"},
	{"db migrate without a database",
	 {.args = {"db", "migrate"}},
	 "--database-dsn: missing, `db migrate` needs a database (WEBSENTRY_DATABASE_NAME and its "
	 "like will do): "
	 "expected --database-dsn or POSTGRES_DSN\n"},
};

/* The test's folder and our uid are not known beforehand. */
static char *generalise(const char *lines)
{
	char *out = strdup(lines);
	const char *folder = fixture_folder();
	for (char *at = strstr(out, folder); at != NULL; at = strstr(at, folder)) {
		memmove(at + 6, at + strlen(folder), strlen(at + strlen(folder)) + 1);
		memcpy(at, "FOLDER", 6);
	}
	return out;
}

static void check_bad(void **state)
{
	const struct bad_case *row = *state;
	struct fixture fixture;
	fixture_read(&fixture, &row->input);
	char *lines = generalise(fixture.lines);
	assert_string_equal(lines, row->lines);
	assert_null(strstr(lines, "sesame"));
	assert_null(strstr(fixture.effective, "sesame")); /* config print shows them all the same */
	free(lines);
	fixture_finish(&fixture);
}

int main(void)
{
	FIXTURE_ADD_TABLE(flag_cases, check_bad);
	FIXTURE_ADD_TABLE(environment_cases, check_bad);
	FIXTURE_ADD_TABLE(dsn_cases, check_bad);
	FIXTURE_ADD_TABLE(file_cases, check_bad);
	FIXTURE_ADD_TABLE(missing_cases, check_bad);
	return fixture_run("settings_bad");
}
