"""A real Apache Kafka of the tests' own: KRaft, one broker or several, on free ports in a temporary folder.

Every broker listens three times: plain, TLS that demands a client certificate, and SASL_SSL with SCRAM. The facts that
this rests on stand beside what uses them: versions in kafka/pom.xml, properties and times below.
"""
import fcntl
import hashlib
import subprocess
import time
from dataclasses import dataclass

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient, ConfigResource, NewPartitions, NewTopic

from support.processes import BUILD, ROOT, Process, Timeout, clean_environment, free_ports, run, wait_until

POM = ROOT / "tests/support/kafka/pom.xml"
LIBS = BUILD / "kafka-libs"
# The last one that takes SCRAM from a librdkafka before 2.6.1, such as Debian 12's (librdkafka #4895).
LENIENT_SCRAM_VERSION = "3.9.1"
SCRAM_USER = "websentry"
SCRAM_PASSWORD = "scram-secret=with#signs"
CLUSTER_ID = "5L6g3nShT-eMCtK--X86sw"

# small: the tests share two cores with it. The compiler's first tier is enough and starts faster.
JVM = ["-Xms64m", "-Xmx384m", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Djava.awt.headless=true",
       "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn", "-Dorg.slf4j.simpleLogger.showDateTime=true"]


def fetch_jars(version=None):
    """Copy the jars with Maven, once for each version of the pom; return their folder. version: not the pom's."""
    libs = LIBS if version is None else LIBS.with_name(f"{LIBS.name}-{version}")
    stamp = libs / "pom.sha256"
    wanted = hashlib.sha256(POM.read_bytes()).hexdigest()
    libs.mkdir(parents=True, exist_ok=True)
    with (libs / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if stamp.exists() and stamp.read_text() == wanted:
            return libs
        for old in libs.glob("*.jar"):
            old.unlink()
        for attempt in (1, 2):
            done = subprocess.run(["mvn", "-q", "-B", "-f", str(POM), "dependency:copy-dependencies",
                                   f"-DoutputDirectory={libs}",
                                   *([f"-Dkafka.version={version}"] if version else [])], capture_output=True,
                                   text=True, timeout=600)
            if done.returncode == 0:
                break
            if attempt == 2:
                raise AssertionError(f"Maven could not fetch Kafka:\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}")
        stamp.write_text(wanted)
    return libs


@dataclass(frozen=True)
class Message:
    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    timestamp: tuple  # (type, milliseconds), as confluent_kafka has it


class Broker:
    """One node: its ports and folder stay the same over restarts."""

    def __init__(self, cluster, node_id, ports):
        self.cluster = cluster
        self.node_id = node_id
        self.plain_port, self.tls_port, self.sasl_port, self.controller_port = ports
        self.folder = cluster.folder / f"broker-{node_id}"
        self.folder.mkdir(exist_ok=True)
        self.process = None

    def _properties(self):
        cluster = self.cluster
        replicas = min(3, len(cluster.brokers))
        voters = ",".join(f"{b.node_id}@127.0.0.1:{b.controller_port}" for b in cluster.brokers)
        scram = "org.apache.kafka.common.security.scram.ScramLoginModule required;"
        properties = {
            "process.roles": "broker,controller",
            "node.id": self.node_id,
            "controller.quorum.voters": voters,
            "controller.listener.names": "CONTROLLER",
            "listeners": f"PLAIN://127.0.0.1:{self.plain_port},TLS://127.0.0.1:{self.tls_port},"
                         f"SASL://127.0.0.1:{self.sasl_port},CONTROLLER://127.0.0.1:{self.controller_port}",
            "advertised.listeners": f"PLAIN://127.0.0.1:{self.plain_port},TLS://127.0.0.1:{self.tls_port},"
                                    f"SASL://127.0.0.1:{self.sasl_port}",
            "listener.security.protocol.map": "PLAIN:PLAINTEXT,TLS:SSL,SASL:SASL_SSL,CONTROLLER:PLAINTEXT",
            "inter.broker.listener.name": "PLAIN",
            "log.dirs": self.folder / "data",
            "offsets.topic.replication.factor": replicas,
            "offsets.topic.num.partitions": 4,
            "transaction.state.log.replication.factor": replicas,
            "transaction.state.log.min.isr": min(2, replicas),
            "share.coordinator.state.topic.replication.factor": replicas,
            "share.coordinator.state.topic.min.isr": min(2, replicas),
            "default.replication.factor": replicas,
            "min.insync.replicas": min(2, replicas),
            "num.partitions": 3,
            # A broker killed with -9 may only come back when its old registration has ended: 9 s by default.
            "broker.session.timeout.ms": 2000,
            "broker.heartbeat.interval.ms": 400,
            "group.initial.rebalance.delay.ms": 0,
            "group.min.session.timeout.ms": 1000,
            "log.cleaner.dedupe.buffer.size": 4 << 20,
            "sasl.enabled.mechanisms": "SCRAM-SHA-256,SCRAM-SHA-512,PLAIN",
            "listener.name.sasl.plain.sasl.jaas.config":
                "org.apache.kafka.common.security.plain.PlainLoginModule required "
                f'user_{SCRAM_USER}="{SCRAM_PASSWORD}";',
            "listener.name.sasl.scram-sha-256.sasl.jaas.config": scram,
            "listener.name.sasl.scram-sha-512.sasl.jaas.config": scram,
            "listener.name.tls.ssl.client.auth": "required",
            **(cluster.extra_properties(self) if callable(cluster.extra_properties) else cluster.extra_properties),
        }
        for listener in ("tls", "sasl"):
            prefix = f"listener.name.{listener}.ssl"
            properties |= {
                f"{prefix}.keystore.type": "PEM",
                f"{prefix}.keystore.location": cluster.server_certificate.both_file,
                f"{prefix}.truststore.type": "PEM",
                f"{prefix}.truststore.location": cluster.authority.ca_file,
            }
        return "".join(f"{key}={value}\n" for key, value in properties.items())

    def format(self):
        config = self.folder / "server.properties"
        config.write_text(self._properties())
        credentials = [f"--add-scram={mechanism}=[name={SCRAM_USER},password={SCRAM_PASSWORD}]"
                       for mechanism in ("SCRAM-SHA-256", "SCRAM-SHA-512")]
        run(["java", *JVM, "-cp", f"{self.cluster.libs}/*", "kafka.tools.StorageTool", "format", "-t", CLUSTER_ID,
             "-c", config, *credentials], env=self._environment(), cwd=self.folder, timeout=60)

    def _environment(self):
        return clean_environment(self.cluster.session, self.folder)

    def start(self):
        self.process = Process(["java", *JVM, "-cp", f"{self.cluster.libs}/*", "kafka.Kafka",
                                self.folder / "server.properties"],
                               env=self._environment(), cwd=self.folder, log=self.folder / "log")

    def kill(self):
        """kill -9: what it had not written is gone with it."""
        self.process.kill()

    def stop(self):
        """In good order. Kafka answers SIGTERM with exit code 143."""
        self.process.stop(timeout=40)

    def freeze(self):
        """SIGSTOP: connections stay open and nothing answers."""
        self.process.send_signal(19)

    def thaw(self):
        self.process.send_signal(18)


class Kafka:
    """A cluster. One broker unless said otherwise; auto.create.topics.enable is left at Kafka's default (true).

    properties: more of server.properties, or a function from a broker to those of that broker.
    """

    def __init__(self, session, authority, *, brokers=1, properties=None, version=None):
        self.session = session
        self.authority = authority
        self.extra_properties = properties or {}
        self.server_certificate = authority.issue("kafka", ("localhost", "127.0.0.1"))
        self.folder = session.new_folder("kafka")
        self.brokers = []
        self._admin = None
        self.libs = fetch_jars(version)
        for attempt in range(5):
            try:
                self._start_fresh(brokers)
                return
            except Timeout:
                taken = any("Address already in use" in broker.process.output() for broker in self.brokers)
                for broker in self.brokers:
                    broker.process.kill()
                if not taken or attempt == 4:
                    raise
                self.folder = session.new_folder("kafka")

    def _start_fresh(self, count):
        ports = free_ports(4 * count)
        self.brokers = []
        for index in range(count):
            self.brokers.append(Broker(self, index + 1, ports[4 * index:4 * index + 4]))
        for broker in self.brokers:
            broker.format()
            broker.start()
        self.wait_ready()

    def wait_ready(self, timeout=120):
        """Until every running broker is in the cluster's metadata and the group coordinator can be asked."""
        running = {broker.node_id for broker in self.brokers if broker.process.is_running()}

        def is_ready():
            for broker in self.brokers:
                if broker.node_id in running and not broker.process.is_running():
                    raise Timeout(f"broker {broker.node_id} ended:\n{broker.process.output()[-3000:]}")
            try:
                return running <= set(self.admin().list_topics(timeout=2).brokers)
            except KafkaException:
                return False

        try:
            wait_until(is_ready, "Kafka ready", timeout)
        except Timeout as late:
            logs = "\n".join(broker.process.output()[-3000:] for broker in self.brokers)
            raise Timeout(f"{late}\n{logs}") from None

    def admin(self):
        if self._admin is None:
            # Its own log lines about a broker that a test has just killed are no news.
            self._admin = AdminClient({"bootstrap.servers": self.servers, "log_level": 0,
                                       "reconnect.backoff.max.ms": 200})
        return self._admin

    @property
    def servers(self):
        return ",".join(f"127.0.0.1:{broker.plain_port}" for broker in self.brokers)

    @property
    def tls_servers(self):
        return ",".join(f"127.0.0.1:{broker.tls_port}" for broker in self.brokers)

    @property
    def sasl_servers(self):
        return ",".join(f"127.0.0.1:{broker.sasl_port}" for broker in self.brokers)

    def scram_properties(self, mechanism="SCRAM-SHA-256"):
        """librdkafka's properties for the SASL_SSL listener; PLAIN goes as well, with the same user and password."""
        return {"security.protocol": "SASL_SSL", "sasl.mechanism": mechanism, "sasl.username": SCRAM_USER,
                "sasl.password": SCRAM_PASSWORD, "ssl.ca.location": str(self.authority.ca_file)}

    def kill(self):
        for broker in self.brokers:
            broker.kill()

    def stop(self):
        for broker in self.brokers:
            broker.stop()

    def start(self, timeout=120):
        """Again, on the same ports and data. Somebody may sit on a port for a moment: try until it is free."""
        for attempt in range(10):
            for broker in self.brokers:
                if not broker.process.is_running():
                    broker.start()
            try:
                self.wait_ready(timeout)
                return
            except Timeout:
                taken = any("Address already in use" in broker.process.output() for broker in self.brokers)
                if not taken or attempt == 9:
                    raise
                time.sleep(1)

    def restart(self):
        self.stop()
        self.start()

    # --- topics

    def topics(self):
        """Names, Kafka's own left out. Asking for all of them makes none."""
        return {name for name in self.admin().list_topics(timeout=10).topics if not name.startswith("__")}

    def create_topic(self, name, partitions=3, **config):
        replicas = min(3, len(self.brokers))
        topic = NewTopic(name, partitions, replicas, config={key.replace("_", "."): str(value)
                                                             for key, value in config.items()})

        def create():
            try:
                self.admin().create_topics([topic], operation_timeout=20)[name].result(30)
            except KafkaException as failure:
                # Of brokers that were held up for longer than their session Kafka has none, until they are heard again.
                if failure.args[0].code() != KafkaError.INVALID_REPLICATION_FACTOR:
                    raise
                return False
            return True

        wait_until(create, f"topic {name}", step=0.2)
        wait_until(lambda: self.has_leaders(name, partitions), f"leaders of {name}")
        return name

    def has_leaders(self, name, partitions):
        found = self.admin().list_topics(timeout=10).topics.get(name)
        return (found is not None and len(found.partitions) == partitions
                and all(partition.leader >= 0 for partition in found.partitions.values()))

    def delete_topic(self, name):
        self.admin().delete_topics([name], operation_timeout=20)[name].result(30)
        wait_until(lambda: name not in self.topics(), f"end of topic {name}")

    def add_partitions(self, name, total):
        self.admin().create_partitions([NewPartitions(name, total)])[name].result(30)
        wait_until(lambda: self.has_leaders(name, total), f"partitions of {name}")

    def set_topic_config(self, name, **config):
        resource = ConfigResource(ConfigResource.Type.TOPIC, name,
                                  set_config={key.replace("_", "."): str(value) for key, value in config.items()})
        self.admin().alter_configs([resource])[resource].result(30)

    # --- messages

    def delete_records(self, topic, partition, before):
        """As retention does: what lies before this offset is gone."""
        place = TopicPartition(topic, partition, before)
        self.admin().delete_records([place])[place].result(30)

    def _consumer(self, **properties):
        return Consumer({"bootstrap.servers": self.servers, "group.id": "tests-look", "enable.auto.commit": False,
                         "auto.offset.reset": "earliest", "log_level": 0, **properties})

    def watermarks(self, topic):
        """{partition: (low, high)}"""
        consumer = self._consumer()
        try:
            partitions = self.admin().list_topics(timeout=10).topics[topic].partitions
            return {number: self._watermark(consumer, topic, number) for number in partitions}
        finally:
            consumer.close()

    @staticmethod
    def _watermark(consumer, topic, number):
        """A broker says who leads a partition a moment before it leads it."""
        def ask():
            try:
                return consumer.get_watermark_offsets(TopicPartition(topic, number), timeout=10)
            except KafkaException as failure:
                if not failure.args[0].retriable() and failure.args[0].code() != KafkaError.NOT_LEADER_FOR_PARTITION:
                    raise
                return None

        return wait_until(ask, f"watermarks of {topic}/{number}")

    def count(self, topic):
        """How many records lie in a topic that is not compacted; 0 where there is no such topic."""
        if topic not in self.topics():
            return 0
        return sum(high - low for low, high in self.watermarks(topic).values())

    def messages(self, topic, timeout=30):
        """Everything in a topic up to its present end, ordered by partition and offset; [] where there is none."""
        if topic not in self.topics():
            return []
        ends = {number: (low, high) for number, (low, high) in self.watermarks(topic).items() if high > low}
        consumer = self._consumer()
        consumer.assign([TopicPartition(topic, number, low) for number, (low, _) in ends.items()])
        found = []
        deadline = time.monotonic() + timeout
        try:
            while ends:
                if time.monotonic() > deadline:
                    raise Timeout(f"{topic}: read {len(found)} messages, {ends} not reached")
                for message in consumer.consume(5000, timeout=0.2):
                    if message.error():
                        raise KafkaException(message.error())
                    number = message.partition()
                    if number in ends and message.offset() < ends[number][1]:
                        found.append(Message(topic, number, message.offset(), message.key(), message.value(),
                                             message.timestamp()))
                done = {position.partition for position in consumer.position(
                            [TopicPartition(topic, number) for number in ends])
                        if position.offset >= ends[position.partition][1]}
                ends = {number: end for number, end in ends.items() if number not in done}
        finally:
            consumer.close()
        return sorted(found, key=lambda message: (message.partition, message.offset))

    def committed(self, group, topic):
        """{partition: next offset} that the group has committed; a partition without one is left out."""
        consumer = self._consumer(**{"group.id": group})
        try:
            partitions = self.admin().list_topics(timeout=10).topics[topic].partitions
            asked = [TopicPartition(topic, number) for number in partitions]
            return {one.partition: one.offset for one in consumer.committed(asked, timeout=10) if one.offset >= 0}
        finally:
            consumer.close()

    def lag(self, group, topic):
        """How many records the group has still to commit."""
        committed = self.committed(group, topic)
        return sum(high - committed.get(number, low) for number, (low, high) in self.watermarks(topic).items())
