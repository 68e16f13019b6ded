"""Bad inputs: each gets its one line with the place, exit code 2 within 5 s, and leaves nothing behind. Where a server
is merely away, a daemon goes on trying with one line, and --once ends with 1."""
import os
import re
import socket
import threading
import time
from dataclasses import dataclass, field

import pytest
from support.certs import Authority
from support.postgres import Database
from support.processes import wait_until
from support.sites import Answer

PRODUCER = "producer --url http://127.0.0.1:1/ --kafka-servers 127.0.0.1:1"
CONSUMER = "consumer --kafka-servers 127.0.0.1:1 --database-dsn postgresql://127.0.0.1:1/none"
RUN = "run --listen off --url http://127.0.0.1:1/"
SITES = "run --listen off --sites {dir}/sites.yaml"


@dataclass(frozen=True)
class Case:
    """words: a command line, split at blanks before {names} are filled in; place: how the line begins after its level;
    says: what else it must hold; lines: how many mistakes there are."""
    name: str
    words: str
    place: str
    says: str = ""
    env: dict = field(default_factory=dict)
    files: dict = field(default_factory=dict)
    lines: int = 1


def sites(name, text, place, says="", lines=1):
    """A sites file; place is line:column in it."""
    return Case(f"sites file: {name}", SITES, f"{{dir}}/sites.yaml{place and ':' + place}", says, {},
                {"sites.yaml": text}, lines)


def kafka_file(name, text, place, says=""):
    return Case(f"properties file: {name}", f"{PRODUCER} --kafka-config {{dir}}/kafka.conf", place, says, {},
                {"kafka.conf": text})


ONE = "sites:\n  - url: http://a.example/\n"
ALIASES = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{new}: &{new} [*{old},*{old},*{old},*{old},*{old},*{old},*{old},*{old},*{old}]\n"
    for old, new in zip("abcdefgh", "bcdefghi", strict=True)) + "sites: [{url: 'http://a.example/', labels: *i}]\n"

CASES = [
    # the command
    Case("misspelt command", "rnu http://a.example/", "command", "found 'rnu', did you mean `run`?"),
    Case("a URL for a command", "http://a.example/", "command", "`websentry run http://a.example/`"),
    Case("only flags", "--url=http://a.example/", "command", "found none, expected one of producer"),
    Case("unknown mode", "--mode=produce", "--mode", "found 'produce', expected producer, consumer or init"),
    Case("mode beside a command", "run --mode=consumer --url http://a.example/", "--mode", "consumer"),
    Case("two modes", f"--mode=producer {CONSUMER[9:]} --mode=consumer", "--mode", "found 'producer' and 'consumer'"),
    Case("shell unknown", "completion tcsh", "completion", "found 'tcsh', expected one of bash, zsh, fish"),
    Case("argument for the consumer", f"{CONSUMER} http://a.example/", "arguments", "expected none for `consumer`"),
    # flags
    Case("misspelt flag", f"{RUN} --intervall 3s", "--intervall", "unknown option, did you mean --interval?"),
    Case("unknown flag", f"{RUN} --zzzzzz", "--zzzzzz", "unknown option"),
    Case("unknown short flag", f"{RUN} -x", "-x", "unknown option"),
    Case("flag without its value", f"{RUN} --interval", "--interval", "found no value"),
    Case("flag of another command", f"{RUN} --kafka-group mine", "--kafka-group",
         "not an option of `run`, only of `?consumer"),
    Case("not a truth value", f"{RUN} --once=maybe", "--once", "found 'maybe'"),
    Case("negated flag with a value", f"{RUN} --no-once=1", "--no-once", "found a value"),
    Case("flag twice, different", f"{RUN} --interval 1s --interval 2s", "--interval", "found '1s' and '2s'"),
    Case("interval without meaning", f"{RUN} --interval soon", "--interval", "found 'soon', expected"),
    Case("interval of an unknown unit", f"{RUN} --interval 30x", "--interval", "found '30x', expected"),
    Case("interval too short", f"{RUN} --interval 1ms", "--interval",
         "found '1ms', expected a time .*from 100ms to 366d"),
    Case("interval below zero", f"{RUN} --interval=-5", "--interval", "found '-5', expected"),
    Case("interval too long", f"{RUN} --interval 400d", "--interval",
         "found '400d', expected a time .*from 100ms to 366d"),
    Case("interval that overflows", f"{RUN} --interval 99999999999999999999s", "--interval", "expected"),
    Case("seconds of the older service", "--mode=producer --url=http://a.example/ --kafka-servers=a --seconds=x",
         "--seconds",
         "found 'x'"),
    Case("timeout longer than its interval", f"{RUN} --interval 2s --timeout 5s", "--timeout", "5s.*2s"),
    Case("threads: none", f"{RUN} --threads 0", "--threads", "found '0', expected a whole number from 1 to 256"),
    Case("threads: a word", f"{RUN} --threads two", "--threads", "found 'two', expected"),
    Case("threads: a fraction", f"{RUN} --threads 1.5", "--threads", "found '1.5', expected"),
    Case("log level unknown", f"{RUN} --log-level loud", "--log-level",
         "found 'loud', expected one of error, warn, info"),
    Case("log format unknown", f"{RUN} --log-format xml", "--log-format", "found 'xml', expected"),
    Case("durability unknown", f"{RUN} --durability disk", "--durability", "found 'disk', expected"),
    Case("location with a control character", f"{RUN} --location eu\x01", "--location", "expected"),
    Case("location with an invisible character", f"{RUN} --location eu\u2066", "--location",
         "found the invisible character U.2066"),
    Case("location empty", f"{RUN} --location=", "--location", "found nothing"),
    Case("wait without meaning", f"{RUN} --once --once-wait soon", "--once-wait", "found 'soon'"),
    Case("outbox of no rows", f"{PRODUCER} --outbox-max 0", "--outbox-max",
         "found '0', expected a whole number from 1 to"),
    # addresses
    Case("listen without a port", "run --url http://a.example/ --listen 127.0.0.1", "--listen",
         "expected an address such as"),
    Case("listen on a port beyond", "run --url http://a.example/ --listen 127.0.0.1:65536", "--listen",
         "expected an address"),
    Case("listen off for web", "web --listen off", "--listen", "found 'off'"),
    Case("listen on a port in use", "run --url http://127.0.0.1:1/ --listen 127.0.0.1:{busy}", "--listen",
         "127.0.0.1:{busy}.*in use"),
    Case("listen on an address that is not ours", "run --url http://127.0.0.1:1/ --listen 203.0.113.7:0", "--listen",
         "203.0.113.7:0.*[Cc]annot assign"),
    Case("listen on a port in use, web", "web --database-dsn postgresql://127.0.0.1:1/none --listen 127.0.0.1:{busy}",
         "--listen", "127.0.0.1:{busy}.*in use"),
    # sites by hand
    Case("no site at all", "run --listen off", "sites", "found none, expected URLs, --sites FILE"),
    Case("site without a scheme", "run --listen off a.example", "arguments",
         "expected a URL such as https://a.example"),
    Case("sites file not there", "run --listen off nowhere.yaml", "nowhere.yaml", "does not exist"),
    Case("sites file not there, by flag", "run --listen off --sites {dir}/nowhere.yaml", "{dir}/nowhere.yaml",
         "^: does not exist"),
    Case("scheme unknown", "run --listen off ftp://a.example/", "argument",
         "found 'ftp://a.example/': a URL that does not begin with http:// or https://"),
    Case("URL without a host", "run --listen off --url http:///path", "--url", "found 'http:///path'"),
    Case("URL with a port beyond", "run --listen off --url http://a.example:99999/", "--url", "99999"),
    Case("URL with a broken address", "run --listen off --url http://[::1/", "--url", "Bad IPv6 address"),
    Case("pattern without its end", f"{RUN} --pattern (", "--pattern", r"missing.*parenthesis.*offset 1"),
    Case("password of a bad URL is not shown", "run --listen off --url http://me:hidden@a.example:x/", "--url",
         "a.example"),
    # the environment
    Case("interval in the environment", "producer --url http://a.example/ --kafka-servers a", "WEBSENTRY_INTERVAL",
         "found 'soon'",
         {"WEBSENTRY_INTERVAL": "soon"}),
    Case("threads in the environment", RUN, "WEBSENTRY_THREADS", "found 'x'", {"WEBSENTRY_THREADS": "x"}),
    Case("two names of one setting that differ", "consumer --database-dsn postgresql://h/d", "KAFKA_BOOTSTRAP_SERVERS",
         "found 'b:1', but WEBSENTRY_KAFKA_HOSTS says 'a:1'",
         {"WEBSENTRY_KAFKA_HOSTS": "a:1", "KAFKA_BOOTSTRAP_SERVERS": "b:1"}),
    Case("log levels that differ", RUN, "LOGURU_LEVEL", "WEBSENTRY_LOG_LEVEL",
         {"WEBSENTRY_LOG_LEVEL": "debug", "LOGURU_LEVEL": "INFO"}),
    Case("one topic beside the pair", PRODUCER, "WEBSENTRY_KAFKA_TOPIC", "KAFKA_TOPIC_SUCCESS",
         {"WEBSENTRY_KAFKA_TOPIC": "a", "KAFKA_TOPIC_SUCCESS": "b"}),
    Case("daemon or not", CONSUMER, "WEBSENTRY_CONSUMER_ENABLE_DAEMON",
         "found 'maybe', expected 1 (daemon) or 0 (once)",
         {"WEBSENTRY_CONSUMER_ENABLE_DAEMON": "maybe"}),
    Case("a bad URL among others", "run --listen off", "WEBSENTRY_SITES", "found 'ttp://b.example/'",
         {"WEBSENTRY_SITES": "http://a.example/,ttp://b.example/"}),
    Case("pattern in the environment", RUN, "WEBSENTRY_REGEXP", r"found '\[a': missing terminating",
         {"WEBSENTRY_REGEXP": "[a"}),
    Case("misspelt name's file missing", PRODUCER, "KAFKA_KEYILE", "/nowhere does not exist",
         {"KAFKA_KEYILE": "/nowhere", "KAFKA_CERTFILE": "{cert}"}),
    Case("both spellings, different", PRODUCER, "KAFKA_KEYILE", "KAFKA_KEYFILE",
         {"KAFKA_KEYILE": "{key}", "KAFKA_KEYFILE": "{other_key}", "KAFKA_CERTFILE": "{cert}"}),
    Case("secret's file missing", "consumer --kafka-servers a", "POSTGRES_DSN_FILE", "/nowhere/dsn does not exist",
         {"POSTGRES_DSN_FILE": "/nowhere/dsn"}),
    Case("secret's file empty", "consumer --kafka-servers a", "POSTGRES_DSN_FILE", "expected one line",
         {"POSTGRES_DSN_FILE": "{dir}/dsn"}, {"dsn": ""}),
    Case("nothing to keep data in", f"{RUN}", "--data-dir", "missing.*HOME is not set",
         {"HOME": "", "XDG_STATE_HOME": ""}),
    # the database
    Case("no database", "consumer --kafka-servers a", "--database-dsn", "missing, `consumer` needs a database"),
    Case("DSN that is none", "consumer --kafka-servers a --database-dsn nonsense", "--database-dsn", "missing \"=\""),
    Case("DSN with an unknown word", "db migrate --database-dsn host=a{_}nonsense=1", "--database-dsn", "nonsense"),
    Case("DSN with a port beyond", "consumer --kafka-servers a --database-dsn postgresql://h:70000/d", "--database-dsn",
         "70000"),
    Case("DSN with a bad sslmode", "db migrate --database-dsn postgresql://h/d?sslmode=maybe", "--database-dsn",
         "sslmode is 'maybe', expected disable"),
    Case("DSN whose authority is missing", "db migrate --database-dsn postgresql://h/d?sslrootcert=/nowhere",
         "--database-dsn",
         "sslrootcert: /nowhere does not exist"),
    Case("DSN whose address is a name", "db migrate --database-dsn hostaddr=nonsense", "--database-dsn",
         "hostaddr is 'nonsense', expected numeric addresses"),
    Case("DSN of a service that nobody defines", "db migrate --database-dsn service=nope", "--database-dsn",
         "service is 'nope', expected one of .* not found"),
    Case("libpq's service that nobody defines, alone", "db migrate", "PGSERVICE",
         "service is 'nope', expected one of .* not found", {"PGSERVICE": "nope"}),
    Case("libpq's service that nobody defines", "db migrate --database-dsn host=h", "PGSERVICE",
         "service is 'nope', expected one of .* not found", {"PGSERVICE": "nope"}),
    Case("DSN's password is not shown", "db migrate --database-dsn postgresql://me:hidden@h:x/d", "--database-dsn", ""),
    Case("port of the database", "db migrate", "WEBSENTRY_DATABASE_PORT",
         "found 'x', expected a whole number from 1 to 65535",
         {"WEBSENTRY_DATABASE_HOST": "h", "WEBSENTRY_DATABASE_PORT": "x"}),
    Case("name and DSN that differ", "db migrate", "WEBSENTRY_DATABASE_NAME", "found 'b', but POSTGRES_DSN says 'a'",
         {"POSTGRES_DSN": "postgresql://h/a", "WEBSENTRY_DATABASE_NAME": "b"}),
    # Kafka
    Case("no broker", "producer --url http://a.example/", "--kafka-servers",
         "missing, `producer` needs Kafka's address"),
    Case("broker with two ports", "producer --url http://a.example/ --kafka-servers a:1:2", "--kafka-servers",
         "found 'a:1:2'"),
    Case("broker among commas", "producer --url http://a.example/ --kafka-servers a:1,,b:1", "--kafka-servers",
         "expected brokers"),
    Case("topic that can't be", f"{PRODUCER} --kafka-topic a/b", "--kafka-topic",
         "found 'a/b', expected a topic's name"),
    Case("property without a value", f"{PRODUCER} --kafka-property linger.ms", "--kafka-property",
         "expected key=value"),
    Case("property unknown", f"{PRODUCER} --kafka-property no.such.thing=1", "--kafka-property", "no.such.thing"),
    Case("property with a bad value", f"{PRODUCER} --kafka-property linger.ms=soon", "--kafka-property", "linger.ms"),
    Case("property that the promise rests on", f"{PRODUCER} --kafka-property enable.idempotence=false",
         "--kafka-property",
         "enable.idempotence"),
    Case("acks", f"{PRODUCER} --kafka-property acks=1", "--kafka-property", "acks"),
    Case("offsets", f"{CONSUMER} --kafka-property enable.auto.commit=true", "--kafka-property", "enable.auto.commit"),
    Case("group by property", f"{CONSUMER} --kafka-property group.id=mine", "--kafka-property",
         "found `group.id`, but `kafka-group` is 'websentry' .default., expected --kafka-group alone"),
    Case("servers by flag and property", f"{PRODUCER} --kafka-property bootstrap.servers=b", "--kafka-property",
         "expected --kafka-servers alone"),
    Case("topics by accident", f"{CONSUMER} --kafka-property allow.auto.create.topics=true", "--kafka-property",
         "--kafka-create-topics"),
    Case("properties not there", f"{PRODUCER} --kafka-config /nowhere.conf", "--kafka-config",
         "/nowhere.conf does not exist"),
    kafka_file("line without a value", "# mine\n\nsasl.password\n", "{dir}/kafka.conf:3", "expected key=value"),
    kafka_file("unknown", "linger.ms=5\nno.such.thing=1\n", "{dir}/kafka.conf:2", "no.such.thing"),
    kafka_file("twice", "linger.ms=5\nlinger.ms=6\n", "{dir}/kafka.conf:2",
               "given twice (first at {dir}/kafka.conf:1)"),
    kafka_file("not text", "linger.ms=\udcff\n", "{dir}/kafka.conf", "UTF-8"),
    Case("authorities not there", f"{PRODUCER} --kafka-ca-file /nowhere.pem", "--kafka-ca-file",
         "/nowhere.pem does not exist"),
    Case("authorities that are a folder", f"{PRODUCER} --kafka-ca-file {{dir}}", "--kafka-ca-file", "{dir}"),
    Case("authorities that are none", f"{PRODUCER} --kafka-ca-file {{dir}}/ca.pem", "--kafka-ca-file", "{dir}/ca.pem",
         {},
         {"ca.pem": "nothing\n"}),
    Case("certificate that is none", f"{PRODUCER} --kafka-cert-file {{dir}}/a.pem --kafka-key-file {{key}}",
         "--kafka-cert-file",
         "{dir}/a.pem", {}, {"a.pem": "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"}),
    Case("key that is none", f"{PRODUCER} --kafka-cert-file {{cert}} --kafka-key-file {{dir}}/a.key",
         "--kafka-key-file",
         "{dir}/a.key", {}, {"a.key": "nothing\n"}),
    Case("key of another certificate", f"{PRODUCER} --kafka-cert-file {{cert}} --kafka-key-file {{other_key}}",
         "--kafka-key-file", "{other_key}"),
    Case("certificate without its key", f"{PRODUCER} --kafka-cert-file {{cert}}", "--kafka-cert-file",
         "expected --kafka-key-file too"),
    # the settings file
    Case("settings not there", f"{RUN} --config /nowhere.yaml", "/nowhere.yaml", "^: does not exist"),
    Case("settings: unknown key", f"{RUN} --config {{dir}}/c.yaml", "{dir}/c.yaml:2:1", "did you mean `threads`?", {},
         {"c.yaml": "timeout: 3s\nthread: 2\n"}),
    Case("settings: bad value", f"{RUN} --config {{dir}}/c.yaml", "{dir}/c.yaml:1:10", "found 'soon'", {},
         {"c.yaml": "timeout: soon\n"}),
    Case("settings: a list", f"{RUN} --config {{dir}}/c.yaml", "{dir}/c.yaml:1:1", "expected", {},
         {"c.yaml": "- timeout\n"}),
    # the data folder
    Case("data folder in a file", f"{RUN} --data-dir {{dir}}/taken/data", "--data-dir", "{dir}/taken", {},
         {"taken": ""}),
    Case("data folder that is a file", f"{RUN} --data-dir {{dir}}/taken", "--data-dir", "{dir}/taken", {},
         {"taken": ""}),
    Case("data folder nobody can write", f"{RUN} --data-dir /proc/websentry", "data folder /proc/websentry",
         "can't make"),
    Case("data folder of another process", f"{RUN} --data-dir {{held}}", "data folder {held}",
         "in use by process {holder}"),
    Case("page of no data folder", "web --listen 127.0.0.1:0 --data-dir {dir}/nowhere", "data folder {dir}/nowhere",
         "not found, expected that of a `run`"),
    Case("outbox in a file", "outbox show --data-dir {dir}/taken", "--data-dir", "{dir}/taken is no folder", {},
         {"taken": ""}),
    # keys of a site by hand
    Case("nothing to set", "check --set", "--set", "found no value, expected one"),
    Case("a URL to set", "check --set http://127.0.0.1:1/", "--set", "expected KEY=VALUE such as method=POST"),
    # the sites file
    sites("syntax", "sites:\n  - url: http://a.example/\n\tname: x\n", "3:1", ""),
    sites("empty", "", "", "expected"),
    sites("an empty list", "sites: []\n", "1:8", "expected at least one site"),
    sites("a word", "hello\n", "1:1", "expected"),
    sites("not text", "sites:\n  - url: http://a.example/\udcff\n", "2", "UTF-8"),
    sites("NUL byte", ONE + "    name: a\0b\n", "3", ""),
    sites("unknown key", ONE + "    intervall: 3s\n", "3:5", "unknown key `intervall`, did you mean `interval`?"),
    sites("unknown key at the top", "default: {}\n" + ONE, "1:1", "did you mean `defaults`?"),
    sites("key twice", ONE + "    name: a\n    name: b\n", "4:5", "name"),
    sites("no URL", "sites:\n  - name: a\n", "2:5", "expected one"),
    sites("bad URL", "sites:\n  - url: http:/a.example\n", "2:10", "found 'http:/a.example'"),
    sites("bad scheme", "sites:\n  - url: gopher://a.example/\n", "2:10",
          "a URL that does not begin with http:// or https://"),
    sites("name twice", ONE + "    name: a\n  - {url: 'http://b.example/', name: a}\n", "4:5",
          "found the name 'a' again .first at {dir}/sites.yaml:2:5"),
    sites("bad pattern", ONE + "    pattern: 'a(b'\n", "3:14", "missing.*parenthesis.*offset 3"),
    sites("bad pattern to fail by", ONE + "    fail_if_body_matches_regexp: [fine, '*']\n", "3:41", "offset 0"),
    sites("interval too short", ONE + "    interval: 1ms\n", "3:15", "found '?1ms'?, expected 100ms to 366d"),
    sites("interval of unknown parts", ONE + "    interval: {fortnights: 1}\n", "3:16", "fortnights"),
    sites("interval of no parts", ONE + "    interval: {minutes: soon}\n", "3:25", "soon"),
    sites("timeout longer than its interval", ONE + "    interval: 2s\n    timeout: 5s\n", "4:14", "5s.*2s"),
    sites("older timeout longer than its interval", ONE + "    interval: 2s\n    request_kwargs: {timeout: 5}\n",
          "4:31", "5s.*2s"),
    sites("older unknown key", ONE + "    request_kwargs: {proxy: 'http://p/'}\n", "3:22",
          "unknown key `proxy` in request_kwargs"),
    sites("older keys that are no mapping", ONE + "    request_kwargs: 5\n", "3:21", "expected a mapping"),
    sites("method that is none", ONE + "    method: GET /\n", "3:13", "expected a method such as GET"),
    sites("status beyond", ONE + "    valid_status_codes: [700]\n", "3:26", "700"),
    sites("status range backwards", ONE + "    valid_status_codes: [299-200]\n", "3:26", "299-200"),
    sites("header with a line break", ONE + "    headers: {X-A: \"b\\r\\nX-C: d\"}\n", "3:20", ""),
    sites("header without a name", ONE + "    headers: {'': b}\n", "3:15", ""),
    sites("authorities of a site not there", "sites: [{url: 'https://a.example/', ca_file: /nowhere.pem}]\n", "1:46",
          "/nowhere.pem does not exist"),
    sites("a list for a text", ONE + "    name: [a]\n", "3:11", "expected"),
    sites("aliases that explode", ALIASES, "", "alias"),
    sites("alias to nothing", "sites: *gone\n", "1:", "gone|alias|anchor"),
    sites("more names than fit", ONE + "    resolve: {" + ", ".join(f"n{i}: 192.0.2.1" for i in range(65)) + "}\n",
          "3:14", "found 65 keys in `resolve`, expected at most 64"),
    sites("two documents", ONE + "---\n" + ONE, "3", "document"),
    sites("three mistakes at once", ONE + "    interval: soon\n    methd: GET\n  - url: nowhere\n", "3:15", "",
          lines=3),
    Case("a folder without sites", "run --listen off --sites {dir}/empty", "{dir}/empty", "found no .*yaml file", {},
         {"empty/readme": ""}),
    Case("a mistake in a folder of sites", "run --listen off --sites {dir}/all", "{dir}/all/b.yaml:2:10", "", {},
         {"all/a.yaml": ONE, "all/b.yaml": "sites:\n  - url: x\n"}),
]


@pytest.fixture(scope="module")
def ground(session):
    """What the cases need beside them: certificates, a port in use, a data folder in use."""
    folder = session.new_folder("bad-inputs")
    authority = Authority(folder)
    one, other = authority.issue("one"), authority.issue("other")
    busy = socket.socket()
    busy.bind(("127.0.0.1", 0))
    busy.listen()
    yield {"cert": one.cert_file, "key": one.key_file, "other_key": other.key_file, "busy": busy.getsockname()[1]}
    busy.close()


def fill(text, names):
    for name, value in names.items():
        text = text.replace("{" + name + "}", str(value))
    return text


def prepare(websentry, case, ground):
    names = {**ground, "_": " ", "dir": websentry.folder / "input"}
    (websentry.folder / "input").mkdir()
    for name, text in case.files.items():
        path = websentry.folder / "input" / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(fill(text, names).encode(errors="surrogateescape"))
    if "{held}" in case.words:
        holder = websentry.start("run", "--listen", "off", "--url", "http://127.0.0.1:1/", "--data-dir",
                                 websentry.data_dir("held"))
        holder.wait_ready()
        names |= {"held": websentry.data_dir("held"), "holder": holder.pid}
    return names


def tree(folder):
    return sorted((str(path), path.stat().st_size) for path in folder.rglob("*"))


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_a_mistake_is_one_line_with_its_place(websentry, ground, case):
    names = prepare(websentry, case, ground)
    before = tree(websentry.folder / "input")
    words = [fill(word, names) for word in case.words.split(" ")]
    done = websentry.run(*words, env={key: fill(value, names) for key, value in case.env.items()}, code=2)
    complaints = done.complaints()
    assert len(complaints) == case.lines, done.stderr()
    assert done.stdout() == ""
    first = complaints[0]
    assert first.level == "error" and len(first.line) < 1000
    said = first.line.partition(" error ")[2]
    place = fill(case.place, names)
    assert said.startswith(place), said
    rest = said[len(place):]
    assert not place or re.match(r"[:. ]", rest) or place.endswith(":"), f"{said!r}: more place than {place!r}"
    says = fill(case.says, names)
    assert says in rest or re.search(says, rest), f"{rest!r} does not say {says!r}"
    assert "hidden" not in done.stderr()
    assert tree(websentry.folder / "input") == before
    assert list(websentry.state.iterdir()) == [], "a half-made file"


def test_there_are_enough_of_them():
    assert len(CASES) >= 60 and len({case.name for case in CASES}) == len(CASES)


# Root may read and write everything; without these two it is a user like others.
LIKE_A_USER = ("setpriv", "--bounding-set=-dac_override,-dac_read_search",
               "--inh-caps=-dac_override,-dac_read_search", "--")

# name: words, the file or folder that may not be used, how the line begins
FORBIDDEN = {
    "sites file": (SITES, "sites.yaml", "{dir}/sites.yaml"),
    "settings file": (f"{RUN} --config {{dir}}/c.yaml", "c.yaml", "{dir}/c.yaml"),
    "key": (f"{PRODUCER} --kafka-cert-file {{cert}} --kafka-key-file {{dir}}/a.key", "a.key", "--kafka-key-file"),
    "properties": (f"{PRODUCER} --kafka-config {{dir}}/kafka.conf", "kafka.conf", "--kafka-config"),
    "data folder": (f"{RUN} --data-dir {{dir}}/data", "data/", "--data-dir"),
    "data folder to be made": (f"{RUN} --data-dir {{dir}}/data/new", "data/", "--data-dir"),
}


@pytest.mark.parametrize("name", FORBIDDEN)
def test_what_may_not_be_used_is_said_with_the_user(websentry, ground, name):
    """A container's user is a number: the line names it."""
    words, forbidden, place = FORBIDDEN[name]
    names = prepare(websentry, Case(name, "", "", "", {}, {"sites.yaml": ONE, "c.yaml": "timeout: 1s\n", "a.key": "x",
                                                           "kafka.conf": "", "data/x": ""}), ground)
    path = websentry.folder / "input" / forbidden
    path.chmod(0o500 if path.is_dir() else 0)
    done = websentry.run(*(fill(word, names) for word in words.split(" ")), code=2,
                         prefix=LIKE_A_USER if os.getuid() == 0 else ())
    assert len(done.complaints()) == 1, done.stderr()
    said = done.complaints()[0].line.partition(" error ")[2]
    assert said.startswith(fill(place, names)) and str(path).rstrip("/") in said, said
    assert f"uid {os.getuid()}" in said, said


@pytest.mark.parametrize("command", [RUN, PRODUCER])
def test_a_data_folder_that_is_read_only_is_one_line(websentry, command):
    """As a volume that was mounted so."""
    data = websentry.data_dir()
    mounted = ("unshare", "--mount", "--map-root-user", "--", "/bin/sh", "-c",
               'mount --bind "$0" "$0" && mount -o remount,ro,bind "$0" && exec "$@"', data)
    done = websentry.run(*command.split(), "--data-dir", data, prefix=mounted, code=2)
    assert len(done.complaints()) == 1 and str(data) in done.stderr(), done.stderr()
    assert list(data.iterdir()) == []


# --- servers that are merely away


class HangsUp:
    """A server that accepts connections, counts them, and closes each at once."""

    def __init__(self):
        self.attempts = 0
        self.listening = socket.create_server(("127.0.0.1", 0))
        self.port = self.listening.getsockname()[1]
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()

    def serve(self):
        while True:
            try:
                self.listening.accept()[0].close()
            except OSError:
                return
            self.attempts += 1

    def close(self):
        self.listening.shutdown(socket.SHUT_RDWR)
        self.thread.join(5)
        self.listening.close()


@pytest.fixture
def hangs_up():
    """One in Kafka's place, one in PostgreSQL's."""
    made = HangsUp(), HangsUp()
    yield made
    for one in made:
        one.close()


def away(kafka, authority, postgres, database, folder, hangs_up):
    """{name: (words, what the line must hold)} without what tells daemon from --once."""
    stranger = Authority(folder, "Somebody else")
    theirs, ours = stranger.issue("client", ()), authority.issue("client", ())
    missing = Database(postgres, "no_such_database").dsn
    wrong = database.dsn.replace("database%20secret", "not-the-password")
    producer = ("producer", "--url", "http://127.0.0.1:1/", "--interval", "1s", "--kafka-topic", "none",
                "--kafka-servers")
    consumer = ("consumer", "--kafka-topic", "none")
    run = ("run", "--url", "http://127.0.0.1:1/", "--interval", "1s", "--listen", "off", "--database-dsn")
    refused = "postgresql://me@127.0.0.1:1/none"
    return {
        "producer, Kafka refuses": ((*producer, "127.0.0.1:1"), "127.0.0.1:1"),
        "producer, Kafka's name unknown": ((*producer, "kafka.invalid:9092"), "kafka.invalid"),
        "producer, another authority": ((*producer, kafka.tls_servers, "--kafka-ca-file", stranger.ca_file),
                                        "certificate"),
        "producer, another's certificate": ((*producer, kafka.tls_servers, "--kafka-ca-file", authority.ca_file,
                                             "--kafka-cert-file", theirs.cert_file, "--kafka-key-file",
                                             theirs.key_file), ""),
        "producer, TLS to a plain port": ((*producer, kafka.servers, "--kafka-ca-file", authority.ca_file,
                                           "--kafka-cert-file",
                                           ours.cert_file, "--kafka-key-file", ours.key_file), ""),
        "consumer, Kafka refuses": ((*consumer, "--kafka-servers", "127.0.0.1:1", "--database-dsn", database.dsn),
                                    "127.0.0.1:1"),
        "consumer, database refuses": ((*consumer, "--kafka-servers", kafka.servers, "--database-dsn", refused),
                                       "127.0.0.1"),
        "consumer, database missing": ((*consumer, "--kafka-servers", kafka.servers, "--database-dsn", missing),
                                       "no_such_database"),
        "consumer, wrong password": ((*consumer, "--kafka-servers", kafka.servers, "--database-dsn", wrong),
                                     "password"),
        "run, database refuses": ((*run, refused), "127.0.0.1"),
        "run, database missing": ((*run, missing), "no_such_database"),
        "producer, Kafka hangs up": ((*producer, f"127.0.0.1:{hangs_up[0].port}"), f"127.0.0.1:{hangs_up[0].port}"),
        "run, database hangs up": ((*run, f"postgresql://me@127.0.0.1:{hangs_up[1].port}/none"), "127.0.0.1"),
    }


def test_a_server_that_is_away_is_waited_for(websentry, kafka, authority, postgres, database, folder, hangs_up):
    """All at once. A daemon says it in one line and goes on trying; --once ends with 1 after --once-wait."""
    daemons, once = {}, {}
    cases = away(kafka, authority, postgres, database, folder, hangs_up)
    for number, (name, (words, says)) in enumerate(cases.items()):
        kept = () if words[0] == "consumer" else ("--data-dir", websentry.data_dir(f"daemon-{number}"))
        daemons[name] = websentry.start(*words, *kept), says
        kept = () if words[0] == "consumer" else ("--data-dir", websentry.data_dir(f"once-{number}"))
        once[name] = websentry.start(*words, *kept, "--once", "--once-wait", "1s")
    started = time.monotonic()
    for name, one in once.items():
        assert one.wait(60) == 1, f"{name}:\n{one.stderr()}"
        assert "not-the-password" not in one.stderr()
    for name, (one, _) in daemons.items():
        wait_until(one.complaints, f"{name}: a line")
    tried = [one.attempts for one in hangs_up]
    wait_until(lambda: all(one.attempts >= before + 2 for one, before in zip(hangs_up, tried, strict=True)),
               "two more attempts at either server", 40)
    # Of the others that nothing more is said can only be seen by waiting: several times the pace of the attempts.
    time.sleep(max(0.0, 5 - (time.monotonic() - started)))
    for name, (one, says) in daemons.items():
        assert one.is_running(), f"{name}:\n{one.stderr()}"
        assert len(one.complaints()) == 1 and says in one.complaints()[0].line, f"{name}:\n{one.stderr()}"
        assert "not-the-password" not in one.stderr()
        one.send_signal(15)
    for name, (one, _) in daemons.items():
        assert one.wait() == 0, f"{name}:\n{one.stderr()}"


def test_no_ldap_server_is_asked_by_a_check(websentry):
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.setblocking(False)
        port = server.getsockname()[1]
        services = websentry.write("services", f"[far]\nldap://127.0.0.1:{port}/o=a?b?sub?(c=d)\n")
        for words, env in ((("--database-dsn", "service=far"), {}),
                           (("--database-dsn", "host=h"), {"PGSERVICE": "far"})):
            checked = websentry.run("config", "check", "consumer", "--kafka-servers", "127.0.0.1:9", *words,
                                    env={"PGSERVICEFILE": services, **env})
            [line] = checked.complaints()
            assert line.level == "warn" and "is defined by an LDAP server, which was not asked" in line.event
            with pytest.raises(BlockingIOError):
                server.accept()


def test_work_begins_when_the_server_comes(websentry, sites, kafka, topic, postgres):
    """The daemons that waited need no restart: the database is made, the broker is started, the checks arrive."""
    site = sites.site("/a", Answer(body="{nonce}"))
    name = f"later_{topic.rpartition('-')[2]}"
    dsn = Database(postgres, name).dsn
    kafka.kill()
    producer = websentry.start("producer", "--url", site.url, "--interval", "500ms", "--pattern", "n[0-9]+",
                               "--kafka-servers",
                               kafka.servers, "--kafka-topic", topic, "--data-dir", websentry.data_dir())
    consumer = websentry.start("consumer", "--kafka-servers", kafka.servers, "--kafka-topic", topic, "--database-dsn",
                               dsn)
    site.wait_for_requests(3)
    wait_until(consumer.complaints, "the consumer's line")
    database = postgres.create_database(name)
    try:
        kafka.start()
        wait_until(lambda: database.has("report_view") and database.one("SELECT count(*) FROM report_view") > 3, "rows",
                   40)
        producer.stop()
        made = kafka.count(topic)
        wait_until(lambda: database.one("SELECT count(*) FROM report_view") == made, "all rows")
        consumer.stop()
        # On a busy machine a check may be too late for its answer, and its request may never be read.
        late = database.one("SELECT count(*) FROM report_view WHERE pattern_capture IS NULL AND reason IN "
                            "('timeout', 'connect_timeout', 'prober_overloaded')")
        captured = [row[0] for row in database.query("SELECT pattern_capture FROM report_view "
                                                     "WHERE pattern_capture IS NOT NULL")]
        assert len(set(captured)) == len(captured) == made - late
        nonces = {request.nonce for request in site.requests}
        assert set(captured) <= nonces and len(nonces) - len(captured) <= late
    finally:
        postgres.drop_database(name)
