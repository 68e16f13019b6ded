"""Fixtures of the end-to-end tests. Servers start when a test first asks for them and live as long as the session."""
import contextlib
import datetime
import time

import pytest
from support import reaper
from support.browser import Browser
from support.certs import Authority
from support.kafka import Kafka
from support.postgres import Postgres
from support.processes import Session
from support.sites import SiteServer
from support.store_tool import StoreTool
from support.websentry import Websentry

DAYS_END_S = 80


@pytest.fixture
def one_day():
    """For tests that count days: today is the same day (of UTC) from their beginning to their end."""
    now = datetime.datetime.now(datetime.UTC)
    left_s = 86400 - (now - now.replace(hour=0, minute=0, second=0, microsecond=0)).total_seconds()
    if left_s < DAYS_END_S:
        time.sleep(left_s + 0.1)


@pytest.fixture(scope="session")
def session():
    made = Session()
    yield made
    made.close()


@pytest.fixture(scope="session")
def authority(session):
    return Authority(session.new_folder("authority"))


@pytest.fixture(scope="session")
def _kafka(session, authority):
    server = Kafka(session, authority)
    yield server
    server.kill()


@pytest.fixture
def kafka(_kafka):
    """The session's broker, running, whatever the test before did to it."""
    for broker in _kafka.brokers:
        broker.thaw()
    if not all(broker.process.is_running() for broker in _kafka.brokers):
        _kafka.start()
    return _kafka


@pytest.fixture(scope="session")
def _postgres(session):
    server = Postgres(session)
    yield server
    server.thaw()
    server.stop()


@pytest.fixture
def postgres(_postgres):
    """The session's PostgreSQL, running."""
    _postgres.thaw()
    if not _postgres.process.is_running():
        _postgres.start()
    return _postgres


@pytest.fixture
def database(postgres):
    """An empty database of this test's own."""
    made = postgres.create_database()
    yield made
    postgres.thaw()
    if not postgres.process.is_running():
        postgres.start()
    with contextlib.suppress(Exception):
        postgres.drop_database(made.name)


@pytest.fixture
def topic(kafka, request):
    """A topic of this test's own, with three partitions."""
    name = "t-" + "".join(c if c.isalnum() else "-" for c in request.node.name)[:100]
    return kafka.create_topic(f"{name}-{len(kafka.topics())}")


@pytest.fixture(scope="session")
def _sites(authority):
    server = SiteServer(authority.issue("localhost"))
    yield server
    server.close()


@pytest.fixture
def sites(_sites):
    """The tests' web sites, none made yet."""
    _sites.forget()
    return _sites


@pytest.fixture
def folder(session, request):
    return session.new_folder("".join(c if c.isalnum() else "-" for c in request.node.name)[:60])


@pytest.hookimpl(tryfirst=True, hookwrapper=True)
def pytest_runtest_makereport(item, call):
    outcome = yield
    setattr(item, f"report_{call.when}", outcome.get_result())


@pytest.fixture
def websentry(session, folder, request):
    """Starts the program. What is still running at the end gets SIGTERM and must answer it with exit code 0; a file in
    its home, working or temporary folder, and a process of its own that is left, fail the test."""
    made = Websentry(session, folder)
    yield made
    report = getattr(request.node, "report_call", None)
    is_failed = report is None or report.failed
    if is_failed:
        for started in made.running:
            print(f"--- {started.words} (exit code {started.process.returncode})\n{started.stderr()[-6000:]}")
    problems = [] if is_failed else made.finish()
    made.kill_all()
    left = reaper.kill_marked(f"HOME={made.home}\0")
    if not is_failed:
        problems += [f"process left behind: {line}" for line in left]
        assert not problems, "\n".join(problems)


@pytest.fixture
def open_store(session, folder):
    """Opens stores by hand: open_store("postgres", dsn), open_store("sqlite", path)."""
    opened = []

    def open_one(driver, where, mode=None):
        opened.append(StoreTool(session, folder, driver, where, mode))
        return opened[-1]

    yield open_one
    for one in opened:
        one.kill()


@pytest.fixture
def store(open_store, database):
    """A migrated store in this test's database."""
    made = open_store("postgres", database.dsn)
    made.ask("migrate")
    return made


@pytest.fixture
def browser(session):
    """A Chromium; browser(has_javascript=False) gives one without scripts."""
    opened = []

    def open_browser(**options):
        opened.append(Browser(session, **options))
        return opened[-1]

    yield open_browser
    for one in opened:
        one.close()
