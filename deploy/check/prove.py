"""Prove what docs/deploy.md promises, on the engine that `docker` reaches: prove.py [image|local|test|prod|systemd]...

Started by deploy/check.sh, which makes the images named by PROGRAM_IMAGE, TESTS_IMAGE and, on a private engine,
SYSTEMD_IMAGE (a systemd in a container wants more of the machine than a proof should take from anybody's). Works on a
copy of the tree, so neither .env nor certificates/ of the project are touched, and under project names of its own.
Stops at the first promise that does not hold, with what was seen, and removes whatever it started.
"""
import contextlib
import ipaddress
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PROGRAM_IMAGE = os.environ["PROGRAM_IMAGE"]
TESTS_IMAGE = os.environ["TESTS_IMAGE"]
PREFIX = f"websentry-check-{os.getpid()}"
UID = "10001"
# Fast, and without the internet: the sites are the deploy's own page, and a port where nobody listens.
SITES = """
defaults: {interval: 1s, timeout: 1s}
sites:
  - {url: "http://consumer:8080/healthz", name: page}
  - {url: "http://127.0.0.1:9/", name: refused}
"""


class Broken(Exception):
    """A promise does not hold."""


def expect(fact, seen):
    if not fact:
        raise Broken(str(seen)[-6000:])


def run(*command, env=None, check=True, stdin=None, timeout=300):
    """Run from a folder that has nothing to do with the project."""
    done = subprocess.run([str(word) for word in command], cwd="/", env={**os.environ, **(env or {})}, input=stdin,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=timeout, check=False)
    expect(not check or done.returncode == 0, f"{command} ended with {done.returncode}:\n{done.stdout}")
    return done


def wait_for(what, condition, patience_s=60):
    until = time.monotonic() + patience_s
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > until:
            raise Broken(f"no {what} within {patience_s} s")
        time.sleep(0.3)


@contextlib.contextmanager
def promise(text):
    started = time.monotonic()
    try:
        yield
    except (Broken, OSError, ValueError, subprocess.SubprocessError) as problem:
        print(f"FAILED  {text}\n{problem}", flush=True)
        for deploy in Deploy.made:
            print(deploy.compose("logs", "--no-color", "--tail", "15", check=False).stdout, flush=True)
        for machine in Machine.made:
            print(machine.run("journalctl", "--no-pager", "--lines=40", check=False).stdout, flush=True)
        raise Broken(text) from None
    print(f"ok  {text} ({time.monotonic() - started:.1f} s)", flush=True)


def copy_tree(target):
    """What a fresh clone would hold, uncommitted changes included."""
    listed = subprocess.run(["git", "-C", ROOT, "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
                            check=True, capture_output=True).stdout
    for name in filter(None, listed.decode().split("\0")):
        source = ROOT / name
        if source.exists():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, target / name, follow_symlinks=False)
    (target / "configs/sites.yaml").write_text(SITES)


class Deploy:
    """One of local, test and prod in a tree, under a project name of its own."""

    made = []

    def __init__(self, tree, kind, name=None):
        self.made.append(self)
        self.folder = tree / "deploy" / kind
        self.project = f"{PREFIX}-{name or kind}"
        self.env = {"COMPOSE_PROJECT_NAME": self.project}

    def script(self, name, *arguments, check=True):
        return run(self.folder / name, *arguments, env=self.env, check=check)

    def compose(self, *arguments, check=True):
        return run("docker", "compose", "--file", self.folder / "compose.yaml", *arguments, env=self.env, check=check)

    def sql(self, query):
        """Rows of the composed database, each a string."""
        done = self.compose("exec", "-T", "postgres", "psql", "-U", "monitoring", "-Atc", query, check=False)
        return done.stdout.splitlines()

    def leftovers(self):
        label = f"label=com.docker.compose.project={self.project}"
        left = []
        for kind in ("container", "volume", "network", "image"):
            options = ["--all"] if kind == "container" else []
            left += run("docker", kind, "ls", "--quiet", *options, "--filter", label).stdout.split()
        left += run("docker", "image", "ls", "--quiet", f"{self.project}-*").stdout.split()
        return left


def get(url):
    with urllib.request.urlopen(url, timeout=10) as response:
        return response.read().decode()


def page_address(output):
    for line in output.splitlines():
        if line.startswith("page:"):
            return line.split()[1].rstrip("/")
    raise Broken(f"no page address in:\n{output}")


def audit(network, producers):
    """The figures of check/audit.py, run inside a network, once every finished check of that many is stored once."""
    def look():
        done = run("docker", "run", "--rm", "--interactive", "--network", network, TESTS_IMAGE, "python3", "-",
                   stdin=(ROOT / "deploy/check/audit.py").read_text())
        seen.append(done.stdout.splitlines()[-1])
        figures = json.loads(seen[-1])
        return figures if figures["producers"] >= producers and not figures["wrong"] else None

    seen = []
    try:
        figures = wait_for("audit without a gap", look)
    except Broken as problem:
        raise Broken(f"{problem}\n{seen[-1:]}") from None
    print(f"    {figures['reports']} reports of {figures['producers']} producer processes", flush=True)


def prove_image(_tree):
    hardened = ["docker", "run", "--rm", "--read-only", "--network=none", "--cap-drop=ALL",
                "--security-opt=no-new-privileges"]
    with promise("the image runs as non-root with a read-only root file system and no capability"):
        user = run("docker", "image", "inspect", "--format", "{{.Config.User}}", PROGRAM_IMAGE).stdout
        expect(user.startswith(UID + ":"), user)
        run(*hardened, PROGRAM_IMAGE, "--version")
    with promise("the image holds no shell, no compiler and no other program"):
        container = run("docker", "create", PROGRAM_IMAGE).stdout.strip()
        try:
            names = run("sh", "-c", f"docker export {container} | tar -t").stdout.split()
        finally:
            run("docker", "rm", container)
        programs = [name for name in names if "bin/" in name and not name.endswith("/")]
        expect(programs == ["usr/bin/websentry"], programs)
        size = int(run("docker", "image", "inspect", "--format", "{{.Size}}", PROGRAM_IMAGE).stdout)
        print(f"    {size / 1e6:.1f} MB, {len(names)} files", flush=True)
    with promise("configs/sites.yaml, as it is in the project, passes `config check`"):
        run(*hardened, "--volume", f"{ROOT}/configs:/var/configs:ro", "--volume", "/var/lib/websentry", PROGRAM_IMAGE,
            "config", "check", "producer", "--sites", "/var/configs/sites.yaml", "--kafka-servers", "kafka:9092")


def prove_local(tree):
    local = Deploy(tree, "local")
    with contextlib.ExitStack() as cleanup:
        cleanup.callback(local.script, "cleanup.sh", check=False)
        with promise("deploy/local/run.sh starts all four services, from any folder"):
            page = page_address(local.script("run.sh").stdout)
        with promise("rows are in the composed PostgreSQL"):
            wait_for("rows", lambda: local.sql("SELECT count(DISTINCT site) FROM report_view") == ["2"])
        with promise("the page, /api/v1/sites and /healthz answer on the host"):
            get(page + "/healthz")
            text = get(page + "/")
            expect("refused" in text, text)
            names = {site["name"] for site in json.loads(get(page + "/api/v1/sites"))}
            expect(names == {"page", "refused"}, names)
        with promise("producer and consumer run as non-root with a read-only root file system"):
            for service in ("producer", "consumer"):
                container = local.compose("ps", "--quiet", service).stdout.strip()
                seen = run("docker", "inspect", "--format", "{{.HostConfig.ReadonlyRootfs}} {{.Config.User}}",
                           container).stdout.strip()
                expect(seen == f"true {UID}:{UID}", seen)
                users = run("docker", "top", container, "-o", "uid,pid").stdout.split()[2::2]
                expect(users and set(users) == {UID}, users)
        with promise("a second deploy stands beside it by COMPOSE_PROJECT_NAME alone"):
            second = Deploy(tree, "local", "second")
            cleanup.callback(second.script, "cleanup.sh", check=False)
            other = page_address(second.script("run.sh").stdout)
            expect(other != page, other)
            get(other + "/healthz")
            second.script("cleanup.sh")
            expect(not second.leftovers(), second.leftovers())
            get(page + "/healthz")
        with promise("down and up again loses no finished check: broker away, producer killed, all of it down"):
            local.compose("stop", "kafka")
            time.sleep(4)  # what is checked now can only be in the outbox
            local.compose("kill", "--signal", "KILL", "producer")
            local.compose("down")
            local.script("run.sh")
            audit(f"{local.project}_default", producers=2)
        with promise("deploy/local/cleanup.sh leaves nothing"):
            local.script("cleanup.sh")
            expect(not local.leftovers(), local.leftovers())


def prove_test(tree):
    test = Deploy(tree, "test")
    failing = tree / "deploy/test/tests/test_made_to_fail.py"
    try:
        with promise("deploy/test/run.sh passes, and leaves nothing"):
            print("    " + test.script("run.sh").stdout.strip().splitlines()[-1], flush=True)
            expect(not test.leftovers(), test.leftovers())
        with promise("it fails when a test is made to fail, and leaves nothing"):
            failing.write_text("def test_made_to_fail():\n    assert False\n")
            done = test.script("run.sh", "-k", "made_to_fail or healthy", check=False)
            expect(done.returncode == 1 and "1 failed, 1 passed" in done.stdout, done.stdout)
            expect(not test.leftovers(), test.leftovers())
        with promise("it leaves nothing when it is interrupted"):
            running = subprocess.Popen([test.folder / "run.sh"], cwd="/", env={**os.environ, **test.env},
                                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
            wait_for("container", lambda: test.compose("ps", "--quiet").stdout)
            os.killpg(running.pid, signal.SIGTERM)
            expect(running.wait(timeout=60) != 0, "exit code 0")
            expect(not test.leftovers(), test.leftovers())
    finally:
        test.script("cleanup.sh", check=False)


def free_port(address):
    with socket.socket() as server:
        server.bind((address, 0))
        return server.getsockname()[1]


def make_certificates(folder, broker, address):
    """An authority, the broker's certificate for its address, and the client's, as PEM files."""
    def openssl(*arguments):
        run("openssl", *arguments)

    folder.mkdir(parents=True)
    broker.mkdir()
    openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=check authority", "-days", "2",
            "-keyout", broker / "ca.key", "-out", folder / "ca.pem")
    for name, key, extension in ((broker / "broker.crt", broker / "broker.key", f"subjectAltName=IP:{address}"),
                                 (folder / "service.cert", folder / "service.key", "extendedKeyUsage=clientAuth")):
        (broker / "extension").write_text(extension)
        openssl("req", "-newkey", "rsa:2048", "-nodes", "-subj", f"/CN={name.stem}", "-keyout", key,
                "-out", broker / "request")
        openssl("x509", "-req", "-in", broker / "request", "-CA", folder / "ca.pem", "-CAkey", broker / "ca.key",
                "-CAcreateserial", "-days", "2", "-extfile", broker / "extension", "-out", name)
    (broker / "broker.pem").write_text((broker / "broker.key").read_text() + (broker / "broker.crt").read_text())
    (broker / "broker.pem").chmod(0o644)
    shutil.copy(folder / "ca.pem", broker / "ca.pem")


class Servers:
    """The broker with client certificates and the database that prod is given."""

    def __init__(self, tree):
        subnet = run("docker", "network", "inspect", "bridge", "--format", "{{(index .IPAM.Config 0).Subnet}}").stdout
        self.address = str(next(ipaddress.ip_network(subnet.strip()).hosts()))  # the host's own, as Docker does it
        self.kafka_port = free_port(self.address)
        self.postgres_port = free_port(self.address)
        make_certificates(tree / "certificates/kafka", tree / "broker", self.address)
        self.command = ["docker", "compose", "--project-name", f"{PREFIX}-servers", "--file",
                        ROOT / "deploy/check/servers.yaml"]
        self.env = {"ADDRESS": self.address, "KAFKA_PORT": str(self.kafka_port),
                    "POSTGRES_PORT": str(self.postgres_port), "SECRETS": str(tree / "broker")}
        self.network = f"{PREFIX}-servers_default"
        self.dsn = f"postgres://monitoring:secret@{self.address}:{self.postgres_port}/monitoring"

    def compose(self, *arguments, check=True):
        return run(*self.command, *arguments, env=self.env, check=check)

    def topics(self, *arguments):
        return self.compose("exec", "-T", "kafka", "/opt/kafka/bin/kafka-topics.sh", "--bootstrap-server",
                            "localhost:9092", *arguments).stdout.split()

    def sql(self, query):
        return self.compose("exec", "-T", "postgres", "psql", "-U", "monitoring", "-Atc", query,
                            check=False).stdout.splitlines()


def fill_in(path, values):
    lines = [next((f"{name}={value}" for name, value in values.items() if line.startswith(name + "=")), line)
             for line in path.read_text().splitlines()]
    path.write_text("\n".join(lines) + "\n")


def prove_prod(tree):
    prod = Deploy(tree, "prod")
    servers = Servers(tree)
    certificates = tree / "certificates/kafka"
    with contextlib.ExitStack() as cleanup:
        cleanup.callback(servers.compose, "down", "--volumes", check=False)
        cleanup.callback(prod.script, "cleanup.sh", "--volumes", check=False)
        with promise("deploy/prod/run.sh says in one line which server is not filled in"):
            done = prod.script("run.sh", check=False)
            expect(done.returncode == 1 and done.stdout.count("\n") == 1, done.stdout)
            expect("KAFKA_BOOTSTRAP_SERVERS" in done.stdout, done.stdout)
        with promise("(a broker that wants client certificates, and a database, started beside it)"):
            servers.compose("up", "--detach", "--wait")
            fill_in(prod.folder / ".env", {"POSTGRES_DSN": servers.dsn,
                                           "KAFKA_BOOTSTRAP_SERVERS": f"{servers.address}:{servers.kafka_port}"})
        with promise("a key that the container's user can't read gets one line with the uid"):
            (certificates / "service.key").chmod(0o600)
            os.chown(certificates / "service.key", 0, 0)
            done = prod.script("run.sh", check=False)
            said = [line for line in done.stdout.splitlines() if "service.key" in line and UID in line]
            expect(done.returncode == 1 and said, done.stdout)
            print("    " + said[0], flush=True)
            os.chown(certificates / "service.key", int(UID), int(UID))
        with promise("deploy/prod/run.sh says which topics are missing, and does not make them"):
            prod.env["READY_SECONDS"] = "10"
            done = prod.script("run.sh", check=False)
            said = [line for line in done.stdout.splitlines() if "checks-success" in line]
            expect(done.returncode == 1 and said, done.stdout)
            print("    " + said[0], flush=True)
            del prod.env["READY_SECONDS"]
            expect(not [name for name in servers.topics("--list") if name.startswith("checks-")], "topics were made")
        with promise("once the topics exist, what was held is delivered, over TLS with client certificates"):
            for topic in ("checks-success", "checks-failure"):
                servers.topics("--create", "--topic", topic, "--partitions", "2")
            wait_for("rows", lambda: servers.sql("SELECT count(DISTINCT site) FROM report_view") == ["2"], 90)
            done = prod.script("run.sh")
            get(page_address(done.stdout) + "/healthz")
        with promise("cleanup.sh and run.sh again lose no finished check, with the broker away meanwhile"):
            servers.compose("stop", "kafka")
            time.sleep(4)
            prod.script("cleanup.sh")
            expect(f"{prod.project}_outbox" in run("docker", "volume", "ls", "--quiet").stdout, "the outbox is gone")
            servers.compose("up", "--detach", "--wait", "kafka")
            prod.script("run.sh")
            audit(servers.network, producers=2)
        with promise("deploy/prod/cleanup.sh --volumes removes the outbox too, and leaves nothing"):
            prod.script("cleanup.sh", "--volumes")
            expect(not prod.leftovers(), prod.leftovers())


# What a machine's own systemd may do as well.
SYSTEMD_OPTIONS = ["--cap-add=SYS_ADMIN", "--cap-add=SYS_PTRACE", "--security-opt=seccomp=unconfined",
                   "--security-opt=apparmor=unconfined", "--cgroupns=host", "--volume=/sys/fs/cgroup:/sys/fs/cgroup:rw",
                   "--tmpfs=/run", "--tmpfs=/run/lock", "--env=container=docker"]


class Machine:
    """A container whose first process is systemd, with the program and its units installed."""

    made = []

    def __init__(self, network, tree):
        self.made.append(self)
        self.container = run("docker", "run", "--detach", *SYSTEMD_OPTIONS, "--network", network,
                             os.environ["SYSTEMD_IMAGE"]).stdout.strip()
        settings = ("KAFKA_BOOTSTRAP_SERVERS=kafka:9092\nKAFKA_TOPIC_SUCCESS=checks-success\n"
                    "KAFKA_TOPIC_FAILURE=checks-failure\n")
        self.write("/etc/websentry/producer.env", settings)
        self.write("/etc/websentry/consumer.env",
                   settings + "POSTGRES_DSN=postgres://monitoring:secret@postgres:5432/monitoring\n")
        self.run("sh", "-c", "chmod 600 /etc/websentry/*.env")
        self.write("/etc/websentry/sites.yaml", SITES.replace("consumer", "127.0.0.1"))
        for unit in sorted((tree / "deploy/systemd").glob("websentry-*")):
            self.write(f"/etc/systemd/system/{unit.name}", unit.read_text())
        wait_for("systemd", lambda: self.run("systemctl", "is-system-running", check=False).stdout == "running\n")

    def run(self, *command, check=True, stdin=None):
        return run("docker", "exec", "--interactive", self.container, *command, check=check, stdin=stdin)

    def write(self, path, text):
        self.run("sh", "-c", f"mkdir -p {os.path.dirname(path)} && cat >{path}", stdin=text)

    def show(self, unit, name):
        return self.run("systemctl", "show", "--property", name, "--value", unit).stdout.strip()

    def journal(self, unit):
        return self.run("journalctl", "--no-pager", "--output=cat", "--unit", unit).stdout

    def remove(self):
        run("docker", "rm", "--force", "--volumes", self.container, check=False)


def prove_systemd(tree):
    servers = Servers(tree)
    with contextlib.ExitStack() as cleanup:
        cleanup.callback(servers.compose, "down", "--volumes", check=False)
        with promise("(servers, and a machine with a real systemd, started)"):
            servers.compose("up", "--detach", "--wait")
            for topic in ("checks-success", "checks-failure"):
                servers.topics("--create", "--topic", topic)
            machine = Machine(servers.network, tree)
            cleanup.callback(machine.remove)
        with promise("the hardened units start, and rows arrive in PostgreSQL"):
            machine.run("systemctl", "start", "websentry-consumer", "websentry-producer")
            wait_for("rows", lambda: servers.sql("SELECT count(DISTINCT site) FROM report_view") == ["2"])
            wait_for("page", lambda: machine.run("/usr/bin/websentry", "check", "http://127.0.0.1:8080/healthz",
                                                 check=False).returncode == 0)
        with promise("a killed producer is started again, and nothing is lost"):
            machine.run("systemctl", "kill", "--signal=KILL", "websentry-producer")
            wait_for("restart", lambda: machine.show("websentry-producer", "NRestarts") == "1")
            wait_for("producer", lambda: machine.show("websentry-producer", "ActiveState") == "active")
            audit(servers.network, producers=2)
        with promise("the oneshot service checks every site once; its timer is accepted"):
            machine.run("systemctl", "start", "websentry-once.service")
            machine.run("systemctl", "start", "websentry-once.timer")
            expect(machine.show("websentry-once", "Result") == "success", machine.journal("websentry-once"))
        with promise("a wrong sites file is one line in the journal, exit code 2, and no second start"):
            machine.run("systemctl", "stop", "websentry-producer")
            machine.write("/etc/websentry/sites.yaml", "sites:\n  - {url: 'http://x/', intervall: 3s}\n")
            machine.run("systemctl", "start", "websentry-producer", check=False)
            wait_for("failure", lambda: machine.show("websentry-producer", "ActiveState") == "failed")
            expect(machine.show("websentry-producer", "ExecMainStatus") == "2", machine.journal("websentry-producer"))
            expect("sites.yaml:2" in machine.journal("websentry-producer"), machine.journal("websentry-producer"))


def main():
    parts = {"image": prove_image, "local": prove_local, "test": prove_test, "prod": prove_prod,
             "systemd": prove_systemd}
    chosen = sys.argv[1:] or [part for part in parts if part != "systemd" or "SYSTEMD_IMAGE" in os.environ]
    if set(chosen) - set(parts):
        print(__doc__, file=sys.stderr)
        return 2
    if "systemd" in chosen and "SYSTEMD_IMAGE" not in os.environ:
        print("deploy: systemd is proven on a private engine alone: ENGINE=private", file=sys.stderr)
        return 2
    started = time.monotonic()
    for name in chosen:
        with tempfile.TemporaryDirectory(prefix="websentry-check-") as folder:
            tree = Path(folder) / "tree"
            os.chmod(folder, 0o755)
            copy_tree(tree)
            try:
                parts[name](tree)
            except Broken as problem:
                print(f"deploy: not proven: {problem}", flush=True)
                return 1
    print(f"deploy: all of {', '.join(chosen)} proven in {time.monotonic() - started:.0f} s", flush=True)
    return 0


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    sys.exit(main())
