"""The consumer on real Kafka while its database is put back, moved, cut in COMMIT or away: nothing lost or twice."""
import json
import shutil
import signal
import socket
import threading

import psycopg
import pytest
from chaos.world import Disk
from support.processes import run, wait_until
from support.scrape import wait_figure
from support.store_tool import StoreError, at, report

SESSION_MS = 6000


def send(kafka, topic, reports):
    from confluent_kafka import Producer
    producer = Producer({"bootstrap.servers": kafka.servers, "linger.ms": 5})
    for one in reports:
        producer.produce(topic, one if isinstance(one, bytes) else json.dumps(one).encode(), key=b"k%d" % (
            0 if isinstance(one, bytes) else one["seq"] % 17))
    assert producer.flush(30) == 0


def reports(first, end, **fields):
    return [report(seq, at(seq), site=f"site {seq % 7}", **fields) for seq in range(first, end)]


def start(websentry, kafka, topic, dsn, *words):
    return websentry.start("consumer", "--kafka-servers", kafka.servers, "--kafka-topic", topic, "--database-dsn", dsn,
                           "--kafka-property", f"session.timeout.ms={SESSION_MS}", *words)


def wait_rows(database, count, timeout=30):
    def look():
        try:
            return database.one("SELECT count(*) FROM report") == count
        except psycopg.Error:
            return False

    wait_until(look, f"{count} rows", timeout)
    assert database.one("SELECT count(DISTINCT seq) FROM report") == count


def copy_of(postgres, database):
    """A backup: a database made from this one, which nobody may be using."""
    drop_connections(database)
    name = f"{database.name}_backup"
    maintenance(postgres, f'CREATE DATABASE "{name}" TEMPLATE "{database.name}"')
    return name


def maintenance(postgres, sql):
    from support.postgres import Database
    Database(postgres, "postgres").query(sql)


def drop_connections(database):
    from support.postgres import Database
    Database(database.server, "postgres").query(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s AND pid <> pg_backend_pid()",
        database.name)


def put_back(postgres, database, backup):
    maintenance(postgres, f'DROP DATABASE "{database.name}" WITH (FORCE)')
    maintenance(postgres, f'ALTER DATABASE "{backup}" RENAME TO "{database.name}"')


@pytest.mark.parametrize("is_running", [False, True], ids=["while stopped", "under a running consumer"])
def test_a_database_put_back_to_a_backup_gets_its_hour_again(websentry, kafka, topic, postgres, database, is_running):
    send(kafka, topic, reports(0, 300))
    consumer = start(websentry, kafka, topic, database.dsn)
    wait_rows(database, 300)
    consumer.stop()
    backup = copy_of(postgres, database)
    consumer = start(websentry, kafka, topic, database.dsn)
    send(kafka, topic, reports(300, 900) + [b"bad"])
    wait_rows(database, 900)
    wait_until(lambda: kafka.lag("websentry", topic) == 0, "Kafka's offsets")
    if is_running:
        put_back(postgres, database, backup)
        # Nothing new comes: the consumer finds out by itself, or with the next message.
        send(kafka, topic, reports(900, 901))
        consumer.wait_for("the store was put back to an earlier state, reading again what it lacks", 60)
        wait_rows(database, 901)
        assert len(consumer.find("the store was put back to an earlier state, reading again what it lacks")) <= 2
    else:
        consumer.stop()
        put_back(postgres, database, backup)
        assert database.one("SELECT count(*) FROM report") == 300
        consumer = start(websentry, kafka, topic, database.dsn)
        wait_rows(database, 900)
    # The bad message may come in a batch of its own, behind the rows.
    wait_until(lambda: database.one("SELECT count(*) FROM quarantine") == 1, "the bad message, once")
    wait_until(lambda: kafka.lag("websentry", topic) == 0, "Kafka's offsets again")
    assert database.one("SELECT count(*) FROM quarantine") == 1
    consumer.stop()


class Proxy:
    """A way to PostgreSQL that can swallow the answer to COMMIT and cut, hang, or refuse."""

    def __init__(self, port):
        self.target = port
        self.commits_to_swallow = 0
        self.swallowed = 0
        self.is_refusing = False
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port = self._server.getsockname()[1]
        self._pairs = []
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def connections(self):
        return len(self._pairs)

    def _accept(self):
        while True:
            try:
                client, _ = self._server.accept()
            except OSError:
                return
            if self.is_refusing:
                client.close()
                continue
            try:
                server = socket.create_connection(("127.0.0.1", self.target))
            except OSError:
                client.close()
                continue
            pair = {"client": client, "server": server, "is_doomed": False}
            self._pairs.append(pair)
            for one in ("client", "server"):
                threading.Thread(target=self._pump, args=(pair, one), daemon=True).start()

    def _pump(self, pair, source):
        sink = "server" if source == "client" else "client"
        try:
            while data := pair[source].recv(1 << 16):
                if source == "client" and b"COMMIT\0" in data and self.commits_to_swallow > 0:
                    self.commits_to_swallow -= 1
                    pair["is_doomed"] = True
                if source == "server" and pair["is_doomed"]:
                    self.swallowed += 1
                    break
                pair[sink].sendall(data)
        except OSError:
            pass
        self._end(pair)

    @staticmethod
    def _end(pair):
        for one in ("client", "server"):
            try:
                pair[one].shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            pair[one].close()

    def cut(self):
        for pair in self._pairs:
            self._end(pair)

    def close(self):
        self._server.close()
        self.cut()


@pytest.fixture
def proxy(postgres):
    made = Proxy(postgres.port)
    yield made
    made.close()


def through(database, *ports, **more):
    words = {**database.words, "host": ",".join("127.0.0.1" for _ in ports), "port": ",".join(map(str, ports)), **more}
    return " ".join(f"{key}='{value}'" for key, value in words.items())


def test_a_commit_whose_answer_is_lost_is_stored_once(websentry, kafka, topic, database, proxy):
    consumer = start(websentry, kafka, topic, through(database, proxy.port))
    consumer.wait_ready(40)
    for round_number in range(4):
        proxy.commits_to_swallow = 1 + round_number % 2
        send(kafka, topic, [*reports(round_number * 100, round_number * 100 + 100), b"bad %d" % round_number])
        wait_rows(database, (round_number + 1) * 100)
        wait_until(lambda: proxy.commits_to_swallow == 0, "a swallowed commit")
    wait_until(lambda: kafka.lag("websentry", topic) == 0, "Kafka's offsets")
    assert proxy.swallowed >= 4
    assert database.one("SELECT count(*) FROM report") == 400
    assert database.one("SELECT count(*) FROM quarantine") == 4
    consumer.stop()


def test_it_moves_to_the_address_where_the_database_went(websentry, kafka, topic, database, postgres, proxy):
    """Two hosts in the DSN: the first hangs without a word, is a standby, or refuses; the second takes over."""
    other = Proxy(postgres.port)
    hole = socket.socket()  # bound, and its queue is full: a connection attempt gets no answer
    hole.bind(("127.0.0.1", 0))
    hole.listen(0)
    filling = [socket.socket() for _ in range(3)]
    try:
        consumer = start(websentry, kafka, topic, through(database, proxy.port, other.port))
        send(kafka, topic, reports(0, 100))
        wait_rows(database, 100)
        proxy.close()
        send(kafka, topic, reports(100, 200))
        wait_rows(database, 200)
        assert len(consumer.find("store is away, trying again")) <= 1
        consumer.stop()
        for one in filling:
            one.setblocking(False)
            one.connect_ex(hole.getsockname())
        consumer = start(websentry, kafka, topic, through(database, hole.getsockname()[1], other.port))
        send(kafka, topic, reports(200, 300))
        wait_rows(database, 300)
        consumer.stop()
    finally:
        for one in (*filling, hole):
            one.close()
        other.close()


def test_a_primary_that_became_a_standby_is_left(websentry, kafka, topic, database, proxy):
    """It keeps the connection and refuses to write. The consumer says so once, and stays in its group."""
    consumer = start(websentry, kafka, topic, through(database, proxy.port))
    send(kafka, topic, reports(0, 100))
    wait_rows(database, 100)
    database.query("ALTER SYSTEM SET default_transaction_read_only = on; ")
    try:
        database.query("SELECT pg_reload_conf()")
        # A session begun behind the reload has the setting; those from before were told by then.
        wait_until(lambda: database.one("SHOW default_transaction_read_only") == "on", "the server's reload")
        send(kafka, topic, reports(100, 200))
        away = consumer.wait_for("store is away, trying again", 40)
        assert "read-only" in away.fields["cause"]
        tried = proxy.connections
        wait_until(lambda: proxy.connections >= tried + 3, "three more attempts, each on a new connection", 30)
        assert len(consumer.find("store is away, trying again")) == 1
        # what tidies up beside the batches may meet it first, and says so once
        beside = [one for one in consumer.complaints() if one.event != "store is away, trying again"]
        assert [one.event for one in beside] in ([], ["can't make strips anew, trying again later"])
    finally:
        with database.connect() as connection:
            connection.execute("SET default_transaction_read_only = off")
            connection.execute("ALTER SYSTEM RESET default_transaction_read_only")
            connection.execute("SELECT pg_reload_conf()")
    wait_rows(database, 200)
    consumer.wait_for("store is back")
    assert len(consumer.find("partitions assigned")) == 1
    consumer.stop()


def test_out_of_connections(websentry, kafka, topic, database):
    consumer = start(websentry, kafka, topic, database.dsn)
    send(kafka, topic, reports(0, 100))
    wait_rows(database, 100)
    database.query(f'ALTER DATABASE "{database.name}" CONNECTION LIMIT 0')
    database.query(f"CREATE ROLE limited_{database.name} LOGIN PASSWORD 'x'")
    consumer.stop()
    # The superuser has no limit: the consumer comes as somebody who has.
    database.query(f"GRANT ALL ON SCHEMA public TO limited_{database.name}; "
                   f"GRANT ALL ON ALL TABLES IN SCHEMA public TO limited_{database.name}")
    dsn = through(database, database.server.port, user=f"limited_{database.name}", password="x")
    consumer = start(websentry, kafka, topic, dsn, "--no-migrate")
    send(kafka, topic, reports(100, 200))
    assert "too many connections" in consumer.wait_for("store is away, trying again", 40).fields["cause"]
    database.query(f'ALTER DATABASE "{database.name}" CONNECTION LIMIT -1')
    wait_rows(database, 200)
    assert len(consumer.find("store is away, trying again")) == 1
    consumer.stop()
    database.query(f"DROP OWNED BY limited_{database.name}; DROP ROLE limited_{database.name}")


@pytest.fixture
def small_disk(session, postgres):
    """A disk of 64 MiB, and a database of its own that lies there."""
    folder = session.new_folder("small-disk") / "disk"
    name = folder.parent.name
    try:
        disk = Disk(folder, 64 << 20)
    except AssertionError as failure:
        pytest.skip(f"this machine does not let us mount: {failure}")
    shutil.chown(folder, postgres.user, postgres.user)
    maintenance(postgres, f"CREATE TABLESPACE \"{name}\" LOCATION '{folder}'")
    made = postgres.create_database(tablespace=name)
    yield disk, made
    disk.free()
    postgres.drop_database(made.name)
    maintenance(postgres, f'DROP TABLESPACE "{name}"')
    run(["umount", folder])


def test_a_full_disk_of_the_database_is_waited_for(websentry, kafka, topic, small_disk):
    disk, database = small_disk
    consumer = start(websentry, kafka, topic, database.dsn, "--listen", "127.0.0.1:0")
    send(kafka, topic, reports(0, 100))
    wait_rows(database, 100)
    disk.fill()
    send(kafka, topic, reports(100, 5000))
    away = consumer.wait_for("store is away, trying again", 40)
    assert "No space left on device" in away.fields["cause"]
    wait_figure(consumer, "store_failures_total", lambda failures: failures >= 4)
    assert len(consumer.find("store is away, trying again")) == 1 and len(consumer.complaints()) == 1
    assert database.one("SELECT count(*) FROM report") < 5000
    disk.free()
    wait_rows(database, 5000)
    consumer.wait_for("store is back")
    assert database.one("SELECT count(*) FROM quarantine") == 0
    assert len(consumer.find("partitions assigned")) == 1
    consumer.stop()


def test_a_consumer_that_slept_past_its_session_does_no_harm(websentry, kafka, topic, database):
    """SIGSTOP until the group has given its partitions away, then SIGCONT: what it still held was stored by another."""
    sleeper = start(websentry, kafka, topic, database.dsn)
    send(kafka, topic, reports(0, 200))
    wait_rows(database, 200)
    sleeper.send_signal(signal.SIGSTOP)
    try:
        other = start(websentry, kafka, topic, database.dsn)
        send(kafka, topic, reports(200, 600))
        wait_rows(database, 600, 60)
        send(kafka, topic, reports(600, 800))
        wait_rows(database, 800)
    finally:
        sleeper.send_signal(signal.SIGCONT)
    sleeper.wait_for("partitions assigned", 60, count=2)
    send(kafka, topic, reports(800, 1000))
    wait_rows(database, 1000)
    wait_until(lambda: kafka.lag("websentry", topic) == 0, "Kafka's offsets", 30)
    for one in (sleeper, other):
        assert not one.find("the store was put back to an earlier state, reading again what it lacks")
        one.stop()


def test_a_claim_that_came_late_is_claimed_over(websentry, kafka, topic, database):
    """The one before may claim our partitions after us. Kafka knows whose they are, and positions must move on."""
    def stored():
        return database.one("SELECT sum(next) FROM kafka_offset")

    consumer = start(websentry, kafka, topic, database.dsn)
    send(kafka, topic, reports(0, 100))
    wait_rows(database, 100)
    wait_until(lambda: stored() == 100, "its positions")
    for round_number in (1, 2):
        database.query("UPDATE kafka_offset SET claim = claim + 1")
        send(kafka, topic, reports(round_number * 100, round_number * 100 + 100))
        wait_rows(database, round_number * 100 + 100)
        consumer.wait_for("a claim of our partitions came late, claiming them again", count=round_number)
        wait_until(lambda end=round_number * 100 + 100: stored() == end, "its positions again")
    send(kafka, topic, reports(300, 400))
    wait_rows(database, 400)
    assert len(consumer.find("partitions assigned")) == 3 and not consumer.complaints()
    consumer.stop()


def test_strips_of_late_reports_are_made_anew(websentry, kafka, topic, database):
    """A moment after the batch, and what a stop finds undone before the end."""
    def strips():
        return database.query("SELECT DISTINCT strip, is_strip_stale FROM site_state")

    consumer = start(websentry, kafka, topic, database.dsn)
    send(kafka, topic, [report(seq, at(50), site=f"site {seq}") for seq in range(7)])
    wait_rows(database, 7)
    send(kafka, topic, [report(7 + seq, at(30), site=f"site {seq}", outcome="down") for seq in range(7)])
    wait_rows(database, 14)
    wait_until(lambda: strips() == [("DU", False)], "the strips anew")
    send(kafka, topic, [report(14 + seq, at(40), site=f"site {seq}", outcome="degraded") for seq in range(7)])
    wait_rows(database, 21)
    consumer.stop()
    assert strips() == [("DGU", False)]


def place(store, words, *reports):
    """A batch that writes this position, as `position` of the tool takes it."""
    store.tell("clear")
    store.add(*reports)
    store.tell(f"position c t 0 {words}")
    return store.write()


def next_of(database, group=""):
    return database.one("SELECT next FROM kafka_offset WHERE group_id = %s", group)


def two_of(open_store, database, *groups):
    made = [open_store("postgres", database.dsn) for _ in groups]
    for one, group in zip(made, groups, strict=True):
        one.tell(f"group {group}")
        one.ask("migrate")
    return made


def test_positions_of_one_who_is_ahead_are_not_moved_back(store, database):
    place(store, "50")
    place(store, "40 30")
    assert next_of(database) == 50
    with pytest.raises(StoreError, match="put back to an earlier state"):
        place(store, "70 60", report(1, at(1)))
    assert next_of(database) == 50
    assert database.one("SELECT count(*) FROM report") == 0


def test_whoever_lost_a_partition_moves_no_position_and_raises_no_alarm(open_store, database):
    """The next one begins at Kafka's position, which is behind the store's, and so may move it back."""
    sleeper, other = two_of(open_store, database, "g", "g")
    assert sleeper.ask("claim c t 0") == "-1 0"  # nothing is there yet
    assert place(sleeper, "200 -1 0", report(1, at(1))) == (1, 0, 0)
    assert other.ask("claim c t 0") == "200 1"
    assert place(other, "150 200 1", report(1, at(1))) == (0, 1, 0)
    assert next_of(database, "g") == 150
    assert place(sleeper, "230 200 0", report(2, at(2))) == (1, 0, 0)  # follows 200, where 150 is
    assert next_of(database, "g") == 150
    assert place(other, "180 150 1") == (0, 0, 0)
    assert place(sleeper, "20 -1 0") == (0, 0, 0)
    assert next_of(database, "g") == 180
    # Put back indeed: less than was stored, and no later claim.
    database.query("UPDATE kafka_offset SET next = 100, claim = 0")
    with pytest.raises(StoreError, match="put back to an earlier state"):
        place(other, "210 180 1")
    assert other.ask("claim c t 0") == "100 1"
    assert place(other, "210 100 1") == (0, 0, 0)


def test_a_claim_counts_from_the_assignment_on(open_store, database):
    """Not only from the first batch of whoever claimed: until then the one before moves nothing either."""
    sleeper, other = two_of(open_store, database, "g", "g")
    assert sleeper.ask("claim c t 0") == "-1 0"
    assert place(sleeper, "200 -1 0", report(1, at(1))) == (1, 0, 0)
    assert other.ask("claim c t 0") == "200 1"
    assert place(sleeper, "230 200 0", report(2, at(2))) == (1, 0, 0)
    assert next_of(database, "g") == 200
    assert place(other, "210 200 1") == (0, 0, 0)
    assert next_of(database, "g") == 210


def test_two_that_found_nothing_move_nothing_back(open_store, database):
    one, other = two_of(open_store, database, "g", "g")
    assert one.ask("claim c t 0") == other.ask("claim c t 0") == "-1 0"
    place(other, "200 -1 0")
    place(one, "50 -1 0")
    assert next_of(database, "g") == 200
    place(other, "210 200 0")
    assert next_of(database, "g") == 210


@pytest.mark.parametrize("is_there", [True, False], ids=["a row", "no row yet"])
def test_a_writer_that_waits_for_a_row_sees_what_it_became(open_store, database, is_there):
    """Stopped between its look at the positions and its write, it must not write what followed from the look."""
    (waiter,) = two_of(open_store, database, "g")
    if is_there:
        place(waiter, "100 -1 0")
    with database.connect() as holder:
        holder.execute("BEGIN")
        holder.execute("INSERT INTO kafka_offset (cluster_id, group_id, topic, partition, next) "
                       "VALUES ('c', 'g', 't', 0, 200) ON CONFLICT (cluster_id, group_id, topic, partition) "
                       "DO UPDATE SET next = 200")
        waiter.tell("clear")
        waiter.tell("position c t 0 120 100 0" if is_there else "position c t 0 120 -1 0")
        waiter.tell("write")
        wait_until(lambda: database.one("SELECT count(*) FROM pg_locks WHERE NOT granted") == 1, "the waiting one")
        holder.execute("COMMIT")
    assert waiter.answer() == "0 0 0"
    assert next_of(database, "g") == 200


def test_consumers_that_lock_many_positions_do_not_meet_in_a_circle(open_store, database):
    stores = two_of(open_store, database, "g", "g")
    for turn in range(20):
        for number, one in enumerate(stores):
            one.tell("clear")
            for partition in range(32):
                one.tell(f"position c t {partition if number else 31 - partition} {turn + 1}")
            one.tell("write")
        assert [one.answer() for one in stores] == ["0 0 0"] * 2
    assert database.one("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()") == 0


def test_each_group_has_its_own_positions(open_store, database):
    first, second = two_of(open_store, database, "one", "two")
    place(first, "50")
    assert [one.ask("positions c t 0") for one in (first, second)] == ["50", "-1"]
    place(second, "7")
    place(first, "60 50")
    assert [one.ask("positions c t 0") for one in (first, second)] == ["60", "7"]


def test_positions_of_before_groups_were_told_apart(open_store, database):
    """They stand for each group until it has its own."""
    store, other = two_of(open_store, database, "g", "h")
    database.query("DROP TABLE kafka_offset; CREATE TABLE kafka_offset (cluster_id text NOT NULL, topic text NOT NULL, "
                   "partition integer NOT NULL, next bigint NOT NULL, stored_at timestamptz NOT NULL DEFAULT now(), "
                   "PRIMARY KEY (cluster_id, topic, partition)); "
                   "COMMENT ON TABLE kafka_offset IS 'x [websentry 1]'; "
                   "INSERT INTO kafka_offset VALUES ('c', 't', 0, 50)")
    with pytest.raises(StoreError, match="older release"):
        store.ask("compare")
    store.ask("migrate")
    other.ask("migrate")
    assert [one.ask("positions c t 0") for one in (store, other)] == ["50", "50"]
    assert store.ask("claim c t 0") == "50 0"
    with pytest.raises(StoreError, match="put back to an earlier state"):
        place(store, "70 60 0")
    place(store, "70 50 0")
    assert [one.ask("positions c t 0") for one in (store, other)] == ["70", "50"]
    assert database.query("SELECT group_id, next FROM kafka_offset ORDER BY 1") == [("", 50), ("g", 70)]


def test_the_consumers_group_reaches_the_store(websentry, kafka, topic, database):
    send(kafka, topic, reports(0, 50))
    for group in ("first", "second"):
        consumer = start(websentry, kafka, topic, database.dsn, "--kafka-group", group)
        wait_until(lambda group=group: database.has("kafka_offset") and database.one(
            "SELECT coalesce(sum(next), 0) FROM kafka_offset WHERE group_id = %s", group) == 50, "its positions")
        consumer.stop()
    wait_rows(database, 50)
