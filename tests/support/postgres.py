"""A real PostgreSQL of the tests' own: a cluster in a temporary folder, TCP on a free port, a fresh database a test."""
import itertools
import os
import signal
from pathlib import Path

import psycopg

from support.processes import Process, Timeout, clean_environment, free_port, run, wait_until

PASSWORD = "database secret"


def binaries():
    """Debian keeps each major version in a folder of its own; the newest that is here."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=lambda path: int(path.parts[-3]))
    if not found:
        raise AssertionError("PostgreSQL is not installed; scripts/setup test does it")
    return found[-1].parent


class Database:
    """One database; the DSNs hold its password, as a user's would."""

    def __init__(self, server, name):
        self.server = server
        self.name = name

    @property
    def dsn(self):
        return f"postgresql://postgres:{PASSWORD.replace(' ', '%20')}@127.0.0.1:{self.server.port}/{self.name}"

    @property
    def words(self):
        """The same in pieces, for settings that take them one by one."""
        return {"host": "127.0.0.1", "port": self.server.port, "user": "postgres", "password": PASSWORD,
                "dbname": self.name}

    def connect(self, **options):
        return psycopg.connect(self.dsn, autocommit=True, connect_timeout=30, **options)

    def query(self, sql, *parameters):
        """All rows, or [] for a statement without any."""
        with self.connect() as connection:
            cursor = connection.execute(sql, parameters or None)
            return cursor.fetchall() if cursor.description else []

    def one(self, sql, *parameters):
        """The first column of the first row."""
        return self.query(sql, *parameters)[0][0]

    def has(self, relation):
        return self.one("SELECT to_regclass(%s) IS NOT NULL", relation)

    def psql(self, script, check=True):
        """What a person sees who types this into psql."""
        env = clean_environment(self.server.session, self.server.folder)
        return run([binaries() / "psql", "-X", "-v", "ON_ERROR_STOP=1", self.dsn], env=env, input_text=script,
                   check=check, cwd="/")


class Postgres:
    """The server. Runs as `postgres` where the tests run as root, because it refuses root."""

    def __init__(self, session, **settings):
        self.session = session
        self.folder = session.new_folder("postgres")
        self.user = "postgres" if os.getuid() == 0 else None
        self.process = None
        self.port = None
        self._numbers = itertools.count(1)
        self._settings = {
            "listen_addresses": "127.0.0.1", "unix_socket_directories": "", "max_connections": "60",
            # A killed server loses nothing by this; only a killed machine would.
            "fsync": "off", "full_page_writes": "off",
            "shared_buffers": "64MB", "log_min_messages": "warning", "logging_collector": "off",
            "timezone": "America/St_Johns", "log_line_prefix": "%m [%p] %d ",
            **settings,
        }
        self._initialise()
        self.start()

    def _as_owner(self, argv):
        owner = ["setpriv", f"--reuid={self.user}", f"--regid={self.user}", "--clear-groups"] if self.user else []
        return [*owner, *argv]

    def _environment(self):
        return clean_environment(self.session, self.folder)

    def _initialise(self):
        password_file = self.folder / "password"
        password_file.write_text(PASSWORD)
        if self.user:
            for path in (self.folder, password_file):
                run(["chown", f"{self.user}:", path])
        run(self._as_owner([binaries() / "initdb", "-D", self.folder / "data", "-U", "postgres", "-E", "UTF8",
                            "--locale=C.UTF-8", "--auth=scram-sha-256", f"--pwfile={password_file}", "--no-sync"]),
            env=self._environment(), cwd="/")

    def start(self):
        """On the port that it had, or, the first time, on a free one; tries again where somebody took it."""
        is_first = self.port is None
        for attempt in range(10):
            if is_first:
                self.port = free_port()
            self.launch()
            try:
                wait_until(self._is_ready, "PostgreSQL ready")
                return
            except Timeout:
                self.process.kill()
                if "Address already in use" not in self.process.output() or attempt == 9:
                    raise Timeout(f"PostgreSQL did not start:\n{self.process.output()[-3000:]}") from None

    def launch(self):
        """Start it on its port, and wait for nothing."""
        options = [word for name, value in self._settings.items() for word in ("-c", f"{name}={value}")]
        self.process = Process([binaries() / "postgres", "-D", self.folder / "data", "-p", self.port, *options],
                               env=self._environment(), cwd="/", log=self.folder / "log", user=self.user)

    def _is_ready(self):
        if not self.process.is_running():
            raise Timeout("PostgreSQL ended")
        try:
            with psycopg.connect(Database(self, "postgres").dsn, connect_timeout=10):
                return True
        except psycopg.OperationalError:
            return False

    def stop(self, number=signal.SIGINT):
        """SIGINT is its fast shutdown: connections are cut, everything is written."""
        self.process.stop(number)

    def kill(self):
        """kill -9 of the postmaster; its children end by themselves."""
        os.kill(self.process.pid, signal.SIGKILL)
        self.process.wait()
        wait_until(lambda: not self._has_children(), "end of PostgreSQL's processes")

    def _has_children(self):
        """Backends of this cluster: they run in its data folder."""
        data = str(self.folder / "data")
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit():
                try:
                    if os.readlink(entry / "cwd") == data:
                        return True
                except OSError:
                    continue
        return False

    def restart(self):
        self.stop()
        self.start()

    def freeze(self):
        """SIGSTOP for the postmaster and its backends: connections hang, nothing is refused."""
        self._signal_all(signal.SIGSTOP)

    def thaw(self):
        self._signal_all(signal.SIGCONT)

    def _signal_all(self, number):
        data = str(self.folder / "data")
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit():
                try:
                    if os.readlink(entry / "cwd") == data:
                        os.kill(int(entry.name), number)
                except OSError:
                    continue

    def create_database(self, name=None, **options):
        """A fresh one. options: encoding, template, owner … as CREATE DATABASE has them."""
        name = name or f"test_{next(self._numbers)}"
        words = "".join(f" {key.upper()} '{value}'" for key, value in options.items())
        Database(self, "postgres").query(f'CREATE DATABASE "{name}" TEMPLATE template0{words}')
        return Database(self, name)

    def drop_database(self, name):
        Database(self, "postgres").query(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
