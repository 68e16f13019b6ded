"""A database where somebody has something by one of our names: one line, exit code 2, and nothing there changes."""
import pytest
from support.postgres import binaries
from support.processes import clean_environment, run

# What lies there, by the relation that it makes; each is somebody's, with a row or a meaning of its own.
THEIRS = {
    "site": "CREATE TABLE site (id serial PRIMARY KEY, domain text); INSERT INTO site (domain) VALUES ('theirs')",
    "report": "CREATE TABLE report (id int PRIMARY KEY, body text); INSERT INTO report VALUES (1, 'annual')",
    "location": "CREATE VIEW location AS SELECT 'Paris' AS city",
    "producer": "CREATE MATERIALIZED VIEW producer AS SELECT 1 AS film",
    "quarantine": "CREATE SEQUENCE quarantine",
    "site_state": "CREATE TYPE site_state AS (name text)",
    "report_view": "CREATE TABLE report_view (n int)",
    "uptime_view": "CREATE VIEW uptime_view AS SELECT now() AS since",
    "kafka_offset": "CREATE TABLE kafka_offset (topic text); COMMENT ON TABLE kafka_offset IS 'of another consumer'",
}


def dump(database, session, folder):
    """All that is in it, as SQL. The server's version of a session's start stands in comments: left out."""
    done = run([binaries() / "pg_dump", "--no-comments", "--dbname", database.dsn], env=clean_environment(session,
                                                                                                          folder),
               cwd="/")
    return [line for line in done.stdout.splitlines() if not line.startswith(("--", "\\"))]


@pytest.mark.parametrize("name", THEIRS)
def test_theirs_is_left_alone(websentry, database, sites, session, folder, name):
    database.query(THEIRS[name])
    before = dump(database, session, folder)
    site = sites.site("/a")
    tried = [websentry.start(*words, "--database-dsn", database.dsn) for words in (
        ("db", "migrate"),
        ("consumer", "--kafka-servers", "127.0.0.1:1"),
        ("run", "--url", site.url, "--listen", "off", "--data-dir", websentry.data_dir()),
    )]
    for one in tried:
        assert one.wait() == 2, one.stderr()
        assert len(one.complaints()) == 1, one.stderr()
        assert f'"{name}"' in one.stderr() or f"'{name}'" in one.stderr() or f" {name} " in one.stderr(), one.stderr()
    assert dump(database, session, folder) == before
    assert site.requests == [], "nothing is started"


def test_theirs_in_another_schema_is_no_matter(websentry, database, session, folder):
    database.query("CREATE SCHEMA theirs; CREATE TABLE theirs.site (domain text); "
                   "CREATE VIEW theirs.report_view AS SELECT 1 AS n")
    websentry.run("db", "migrate", "--database-dsn", database.dsn)
    assert database.has("public.report_view")
    assert database.query("SELECT * FROM theirs.report_view") == [(1,)]


def test_ours_of_an_earlier_start_is_known_again(websentry, database, session, folder):
    websentry.run("db", "migrate", "--database-dsn", database.dsn)
    before = dump(database, session, folder)
    websentry.run("db", "migrate", "--database-dsn", database.dsn)
    assert dump(database, session, folder) == before


def test_where_it_may_not_create_it_says_what_to_grant(websentry, database):
    """--no-migrate, and a role that may not create: one line that a database's owner can act on."""
    role = f"reader_{database.name}"
    database.query(f"CREATE ROLE {role} LOGIN PASSWORD 'x'; REVOKE CREATE ON SCHEMA public FROM PUBLIC")
    dsn = f"postgresql://{role}:x@127.0.0.1:{database.server.port}/{database.name}"
    try:
        refused = websentry.run("db", "migrate", "--database-dsn", dsn, code=None)
        assert refused.wait() != 0
        assert len(refused.complaints()) == 1 and "GRANT" in refused.stderr().upper(), refused.stderr()
        missing = websentry.run("run", "--url", "http://127.0.0.1:1/", "--listen", "off", "--no-migrate", "--data-dir",
                                websentry.data_dir(), "--database-dsn", dsn, code=None)
        assert missing.wait() != 0 and len(missing.complaints()) == 1, missing.stderr()
        assert not database.has("site")
    finally:
        database.query(f"DROP OWNED BY {role}; DROP ROLE {role}")
