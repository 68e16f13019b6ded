"""Secrets never leave: a canary in every slot that takes one, and a search through all that the program and its
servers write."""
import base64
import gzip
import http.server
import json
import os
import shutil
import signal
import ssl
import subprocess
import tempfile
import threading
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

import pytest
import yaml
from support.kafka import SCRAM_PASSWORD
from support.postgres import PASSWORD, binaries
from support.processes import clean_environment, run, wait_until
from support.websentry import PROGRAM

SLOTS = ("userinfo", "query", "path", "header", "headers-auth", "token", "cookie", "basic", "basic-file", "bearer",
         "bearer-file", "authorization", "form", "json", "proxy", "location", "set-cookie", "passphrase", "passfile",
         "environment", "proxy-header", "proxy-key", "socks")
CANARIES = {slot: f"c4nary-{slot}-{number:02}z" for number, slot in enumerate(SLOTS)}
HIDDEN = {**CANARIES, "sasl": SCRAM_PASSWORD, "database": PASSWORD}
SITES = 18


def spellings(secret):
    """As it stands, in a URL, and as credentials of HTTP."""
    yield secret.encode()
    yield urllib.parse.quote(secret, safe="").encode()
    for user in ("me", "he"):
        yield base64.b64encode(f"{user}:{secret}".encode())


def find(texts):
    """["where: slot"] of every canary in {where: bytes}."""
    return [f"{where}: {slot}" for where, text in texts.items() for slot, secret in HIDDEN.items()
            for spelling in spellings(secret) if spelling in text]


class Mirror(http.server.BaseHTTPRequestHandler):
    """Shows whoever asks all that it was told, as pages for debugging do, and in a header and a redirect."""

    protocol_version = "HTTP/1.1"
    seen = []

    def _answer(self):
        length = int(self.headers.get("Content-Length", 0))
        body = self.rfile.read(length).decode()
        self.seen.append((self.requestline, str(self.headers), body))
        cookie = f"id={CANARIES['set-cookie']}"
        page = "\n".join([self.requestline, str(self.headers), body, f"Set-Cookie: {cookie}"]).encode()
        is_redirect = "/moved" not in self.path and "moves" in self.path
        packed = gzip.compress(page) if "gzip" in self.headers.get("Accept-Encoding", "") else page
        self.send_response(302 if is_redirect else 500)
        self.send_header("Set-Cookie", cookie)
        self.send_header("X-You-Sent", str(self.headers.get("Authorization")))
        if is_redirect:
            self.send_header("Location", f"/moved?access_token={CANARIES['location']}&x=1#{CANARIES['location']}")
        if packed is not page:
            self.send_header("Content-Encoding", "gzip")
        self.send_header("Content-Length", str(len(packed)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(packed)

    do_GET = do_POST = do_PUT = do_HEAD = _answer

    def handle(self):
        try:
            super().handle()
        except OSError:  # who asked has gone
            pass

    def log_message(self, *words):
        pass


@pytest.fixture
def mirror():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Mirror)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    Mirror.seen = []
    yield f"127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


class Client:
    """A certificate and its key: of a site's client here, and of Kafka's with the key behind a passphrase."""

    def __init__(self, authority):
        self.authority = authority
        self.files = authority.issue("client", ())
        # The middle of its PEM holds a part of what only the owner may know.
        HIDDEN["client-key"] = self.files.key_file.read_text().splitlines()[2]

    def locked_key(self, websentry):
        path = websentry.folder / "locked.key"
        run(["openssl", "pkcs8", "-topk8", "-in", self.files.key_file, "-out", path, "-passout",
             f"pass:{CANARIES['passphrase']}"], env=clean_environment(websentry.session, websentry.home))
        return path


@pytest.fixture(scope="module")
def client(authority):
    return Client(authority)


@pytest.fixture(autouse=True)
def vault(client):
    """The same mirror over TLS, for those alone who have the client's key."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Mirror)
    own = client.authority.issue()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(own.cert_file, own.key_file)
    context.load_verify_locations(client.authority.ca_file)
    context.verify_mode = ssl.CERT_REQUIRED
    server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    client.address = f"127.0.0.1:{server.server_port}"
    yield
    server.shutdown()
    server.server_close()


def sites_file(websentry, mirror, client):
    c = CANARIES
    password = websentry.write("password.txt", c["basic-file"] + "\n")
    token = websentry.write("token.txt", c["bearer-file"] + "\n")
    own = f"http://{mirror}"
    entries = [
        {"url": f"http://me:{c['userinfo']}@{mirror}/userinfo?moves=1"},
        {"url": f"{own}/query?a=1&access_token={c['query']}&moves=1"},
        {"url": f"{own}/path;password={c['path']}/end"},
        {"url": f"{own}/verify/eyJhbGciOiJIUzI1NiJ9.{c['token']}.c2ln/end"},
        {"url": f"{own}/header", "headers": {"X-Api-Key": c["header"], "Authorization": f"Bearer {c['headers-auth']}"}},
        {"url": f"{own}/cookie", "cookies": {"session": c["cookie"]}},
        {"url": f"{own}/basic", "basic_auth": {"username": "me", "password": c["basic"]}},
        {"url": f"{own}/basic-file", "basic_auth": {"username": "he", "password_file": str(password)}},
        {"url": f"{own}/bearer", "bearer_token": c["bearer"]},
        {"url": f"{own}/bearer-file", "bearer_token_file": str(token)},
        {"url": f"{own}/authorization", "authorization": {"type": "Token", "credentials": c["authorization"]}},
        {"url": f"{own}/form", "form": {"user": "me", "password": c["form"]}},
        {"url": f"{own}/json", "method": "POST", "body": json.dumps({"client_secret": c["json"]})},
        {"url": "http://proxied.test/", "proxy": f"http://me:{c['proxy']}@{mirror}"},
        {"url": "https://tunnelled.test/tunnelled", "proxy": f"http://{mirror}",
         "proxy_headers": {"Proxy-Authorization": f"Bearer {c['proxy-header']}", "X-Api-Key": c["proxy-key"]}},
        {"url": "http://socks.test/socks", "proxy": f"socks5h://me:{c['socks']}@{mirror}"},
        {"url": f"https://{client.address}/client",
         "tls_config": {"ca_file": str(client.authority.ca_file), "cert_file": str(client.files.cert_file),
                        "key_file": str(client.files.key_file)}},
    ]
    expectations = {"pattern": r"(?s)(.*)", "fail_if_body_contains": ["c4nary-"], "valid_status_codes": [200],
                    "fail_if_body_matches_regexp": ["c4nary-[a-z-]+[0-9]+z"],
                    "fail_if_header_matches": [{"header": "X-You-Sent", "regexp": "c4nary"}],
                    "fail_if_final_url_matches": ["c4nary"], "evidence": "16KiB", "retries": 1, "retry_after": "0s",
                    "interval": "2s", "timeout": "900ms"}
    for entry in entries:
        entry["name"] = urllib.parse.urlsplit(entry["url"]).path.split(";")[0].split("/eyJ")[0] or "/"
    # its name is made of its URL
    entries.append({"url": f"http://me:{c['userinfo']}@{mirror}/named/eyJhbGciOiJIUzI1NiJ9.{c['token']}.c2ln"
                           f"?token={c['query']}"})
    return websentry.write("sites.yaml", yaml.safe_dump({"defaults": expectations, "sites": entries}))


def everything_below(folder, but=()):
    return {str(path): path.read_bytes() for path in Path(folder).rglob("*") if path.is_file() and path not in but}


def of_processes(running):
    """Command lines and environments; the secrets were given in neither."""
    return {f"{what} of {one.words[0]}": Path(f"/proc/{one.pid}/{what}").read_bytes()
            for one in running for what in ("cmdline", "environ")}


def pages_of(running):
    base = f"http://127.0.0.1:{running.port()}"
    texts = {}
    for path in ("/", "/api/v1/sites", "/metrics", "/readyz", "/healthz", f"/?token={CANARIES['query']}"):
        try:
            with urllib.request.urlopen(base + path, timeout=20) as answer:
                texts[path.partition("?")[0] + " of the page"] = answer.read()
        except urllib.error.HTTPError as answer:
            texts[path] = answer.read()
    return texts


def outputs_of(running):
    return {f"{name} of {one.words[0]}": text().encode() for one in running
            for name, text in (("stdout", one.stdout), ("stderr", one.stderr))}


def count_of_reports(running):
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{running.port()}/api/v1/sites", timeout=20) as answer:
            return len([site for site in json.load(answer) if site.get("outcome")])
    except urllib.error.HTTPError:  # the page is not made yet
        return 0


@pytest.mark.parametrize("log_format", ("text", "json"))
def test_run_keeps_its_secrets(websentry, mirror, client, log_format):
    file = sites_file(websentry, mirror, client)
    data = websentry.data_dir()
    running = websentry.start("run", file, "--data-dir", data, "--listen", "127.0.0.1:0", "--log-level", "trace",
                              "--log-format", log_format)
    wait_until(lambda: running.port() and count_of_reports(running) == SITES, "a report of each site", 60)
    # On a busy machine the first checks may end before they were heard.
    sent = (*(CANARIES[slot] for slot in ("query", "header", "cookie", "bearer", "form", "json")), "GET /client ")
    wait_until(lambda: all(one in "".join(map(str, Mirror.seen)) for one in sent), "each to be sent, with the key used")
    texts = {**of_processes([running]), **pages_of(running)}
    running.stop()
    texts |= {**outputs_of([running]), **everything_below(data)}
    assert any(b"***" in text for where, text in texts.items() if where.endswith(".db")), "and hidden"
    assert find(texts) == []


def password_file(websentry, database):
    """A DSN without its password, and the file of libpq that has it, beside another server's."""
    words = database.words
    path = websentry.write("pgpass", f"other.test:5432:*:me:{CANARIES['passfile']}\n"
                                     f"{words['host']}:{words['port']}:*:{words['user']}:{words['password']}\n")
    path.chmod(0o600)
    return (f"host={words['host']} port={words['port']} user={words['user']} dbname={words['dbname']}", path)


def test_the_pipeline_keeps_its_secrets(websentry, mirror, client, kafka, database, postgres):
    file = sites_file(websentry, mirror, client)
    data = websentry.data_dir()
    topic = kafka.create_topic("canaries", **{"compression.type": "uncompressed"})
    properties = {**kafka.scram_properties("PLAIN"), "ssl.key.password": CANARIES["passphrase"], "debug": "all",
                  "ssl.certificate.location": client.files.cert_file, "ssl.key.location": client.locked_key(websentry)}
    secrets = websentry.write("kafka.properties", "".join(f"{key}={value}\n" for key, value in properties.items()))
    dsn = websentry.write("dsn.txt", database.dsn + "\n")
    of_libpq, passfile = password_file(websentry, database)
    words = ["--kafka-servers", kafka.sasl_servers, "--kafka-topic", topic, "--kafka-config", secrets, "--log-level",
             "trace", "--listen", "127.0.0.1:0"]
    env = {"POSTGRES_DSN_FILE": dsn}
    consumer = websentry.start("consumer", *words, "--kafka-group", topic, env=env)
    page = websentry.start("web", "--database-dsn", of_libpq, "--listen", "127.0.0.1:0", "--log-level", "trace",
                           env={"PGPASSFILE": passfile})
    producer = websentry.start("producer", *words, "--sites", file, "--data-dir", data)
    consumer.wait_ready(60)
    wait_until(lambda: database.has("report_view") and
               database.one("SELECT count(DISTINCT site) FROM report_view") == SITES, "a report of each site", 60)
    wait_until(lambda: count_of_reports(page) == SITES, "the page with the password of a file", 60)
    texts = {**of_processes([producer, consumer, page]), **pages_of(consumer), **pages_of(page),
             **everything_below(data)}
    with urllib.request.urlopen(f"http://127.0.0.1:{producer.port()}/metrics", timeout=20) as answer:
        texts["/metrics of the producer"] = answer.read()
    printed = [websentry.run("config", "print", command, *words[:-2], env=env) for command in ("producer", "consumer")]
    printed.append(websentry.run("audit", env=env, code=None))
    printed += [websentry.run(*command, "--database-dsn", of_libpq, env={"PGPASSFILE": passfile}, code=None)
                for command in (("audit",), ("config", "print", "web"), ("db", "migrate", "--log-level", "trace"))]
    assert [one.process.returncode for one in printed[-2:]] == [0, 0], "the password came from the file"
    producer.kill()  # what was not sent yet lies in the outbox
    texts |= {f"{where} after kill -9": text for where, text in everything_below(data).items()}
    consumer.stop()
    page.stop()
    dump = subprocess.run([Path(binaries()) / "pg_dump", "--dbname", database.dsn], capture_output=True, check=True,
                          timeout=60)
    texts |= {**outputs_of([producer, consumer, page, *printed]), "pg_dump": dump.stdout,
              "Kafka's messages": str(kafka.messages(topic)).encode()}
    for broker in kafka.brokers:
        # what the test itself gave the broker stands in its configuration
        texts |= everything_below(broker.folder, but=(broker.folder / "server.properties",))
    assert b"***" in dump.stdout and len(dump.stdout) > 10_000
    found = find(texts)
    assert [hit for hit in found if "kafka" not in hit or "__cluster_metadata" not in hit] == []


def test_the_command_line_shows_no_secret(websentry, mirror):
    """What was given there is used, also for a reload, and not to be seen in /proc."""
    c = CANARIES
    running = websentry.start("producer", f"http://me:{c['userinfo']}@{mirror}/?token={c['query']}",
                              f"--url=http://{mirror}/;password={c['path']}", "--kafka-servers", "127.0.0.1:1",
                              "--kafka-property", f"ssl.key.password={c['passphrase']}", "--interval", "1s",
                              "--data-dir", websentry.data_dir(), "--log-level", "debug")

    def is_asked():
        told = "".join(map(str, Mirror.seen))
        return c["query"] in told and c["path"] in told

    wait_until(is_asked, "a check of each site", 60)
    shown = of_processes([running])
    running.send_signal(signal.SIGHUP)
    running.wait_for("reloaded")
    Mirror.seen.clear()
    wait_until(is_asked, "a check of each site after the reload", 60)
    shown |= {f"{where} after the reload": text for where, text in of_processes([running]).items()}
    running.stop()
    assert all(b"producer" in text for where, text in shown.items() if "cmdline" in where)
    assert find({**shown, **outputs_of([running])}) == []


def test_the_environment_is_out_of_sight():
    """A secret given there is not to be seen in /proc by others, and not even by processes of the same user."""
    folder = Path(tempfile.mkdtemp(prefix="websentry-environ-"))
    try:
        folder.chmod(0o755)
        program = shutil.copy(PROGRAM, folder)
        user = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"] if os.getuid() == 0 else []
        secret = {"PGPASSWORD": CANARIES["environment"], "PATH": os.environ["PATH"]}
        with subprocess.Popen([*user, program, "check", "--repeat", "1000", "--interval", "1s", "http://127.0.0.1:1/"],
                              env=secret, cwd="/", stdout=subprocess.PIPE) as running:
            assert running.stdout.readline(), "it has begun its checks"
            look = subprocess.run([*user, "cat", f"/proc/{running.pid}/environ"], capture_output=True, check=False)
            running.kill()
        assert look.returncode != 0 and b"denied" in look.stderr and CANARIES["environment"].encode() not in look.stdout
    finally:
        shutil.rmtree(folder)


@pytest.mark.parametrize("words", (("--json",), ("--explain",), (), ("-v",), ("--nagios",)))
def test_check_keeps_its_secrets(websentry, mirror, client, words):
    file = sites_file(websentry, mirror, client)
    if "--nagios" in words:  # of one site at a time
        described = yaml.safe_load(Path(file).read_text())
        described["sites"] = [entry for entry in described["sites"] if entry.get("name") == "/cookie"]
        file = websentry.write("sites.yaml", yaml.safe_dump(described))
    done = websentry.run("check", "--sites", file, *words, "--log-level", "trace", code=None)
    if "unknown option" in done.stderr() or "not an option" in done.stderr():
        pytest.skip("this command has no such option")
    assert "/cookie" in done.stdout()
    assert find(outputs_of([done])) == []


def test_config_keeps_its_secrets(websentry, mirror, client):
    file = sites_file(websentry, mirror, client)
    done = [websentry.run("config", "check", "--sites", file),
            websentry.run("config", "print", "run", f"http://me:{CANARIES['userinfo']}@{mirror}/?token={CANARIES['query']}")]
    bad = yaml.safe_load(Path(file).read_text())
    for entry in bad["sites"]:
        for key in ("headers", "cookies", "basic_auth", "bearer_token", "authorization", "form", "proxy",
                    "proxy_headers", "url"):
            if key not in entry:
                continue
            broken = {**entry, "name": "x", key: [entry[key]]}
            file = websentry.write("bad.yaml", yaml.safe_dump({"sites": [broken]}))
            done.append(websentry.run("config", "check", "--sites", file, code=None))
            text = json.dumps(entry[key]) if isinstance(entry[key], dict) else entry[key] + "\x01"
            broken = {**entry, "name": "x", key: text}
            file = websentry.write("bad.yaml", json.dumps({"sites": [broken]}))
            done.append(websentry.run("config", "check", "--sites", file, code=2))
    assert find({f"{number}: {one.stderr()}": (one.stdout() + one.stderr()).encode()
                 for number, one in enumerate(done)}) == []


@pytest.mark.parametrize("number", (signal.SIGABRT, signal.SIGSEGV, signal.SIGBUS))
def test_a_crash_leaves_no_core_with_secrets(websentry, mirror, client, number):
    """The kernel writes none, whatever it is allowed to."""
    file = sites_file(websentry, mirror, client)
    folder, others = websentry.folder / "cores", websentry.folder / "others"
    folder.mkdir()
    others.mkdir()
    if Path("/proc/sys/kernel/core_pattern").read_text()[0] in "|/":
        pytest.skip("this machine's cores do not lie where the process runs")
    prefix = ["/bin/sh", "-c", 'ulimit -c unlimited && exec "$@"', "sh"]
    other = subprocess.Popen([*prefix, "/bin/sleep", "60"], cwd=others)
    running = websentry.start("run", file, "--data-dir", websentry.data_dir(), "--listen", "127.0.0.1:0", prefix=prefix,
                              cwd=folder)
    wait_until(lambda: running.port() and count_of_reports(running) == SITES, "a report of each site", 60)
    other.send_signal(number)
    other.wait()
    running.send_signal(number)
    running.wait()
    assert list(others.iterdir()), "the test's own process leaves a core"
    assert list(folder.iterdir()) == [], "and ours does not"
