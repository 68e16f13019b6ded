"""What goes wrong when: a list of faults made from a seed before anything starts. The same seed gives the same list."""
import dataclasses
import hashlib
import json
import math
import random

PRODUCERS = tuple(f"producer-{number}" for number in (1, 2, 3))
CONSUMERS = tuple(f"consumer-{number}" for number in (1, 2, 3))
BROKERS = tuple(f"broker-{number}" for number in (1, 2, 3))
POSTGRES = "postgres"

DAY_S = 86400
# Two brokers are never away together for longer: nothing could be written meanwhile.
TWO_BROKERS_MAX_S = 15.0

# Faults a minute. Half an hour and more of this is what `make chaos DURATION=45m` is for.
LONG = {"kill": 36.0, "stop": 5.0, "cut": 4.5, "slow": 2.0, "restart_all": 0.15, "outbox_full": 0.5,
        "postgres_full": 0.25, "clock": 0.8, "rebalance": 1.0, "partitions": 0.1, "outbox_old": 0.5, "poison": 4.0,
        "topic_limit": 0.3}
# In a short run every kind of fault comes at least this often.
SHORT_LEAST = {"kill": 8, "stop": 2, "cut": 3, "slow": 1, "restart_all": 1, "outbox_full": 1, "postgres_full": 1,
               "clock": 2, "rebalance": 1, "partitions": 1, "outbox_old": 1, "poison": 4, "topic_limit": 1}
SHORT_S = 180.0

KILLED = ((PRODUCERS, 60), (CONSUMERS, 25), (BROKERS, 8), ((POSTGRES,), 7))
STOPPED = ((PRODUCERS, 30), (CONSUMERS, 40), (BROKERS, 20), ((POSTGRES,), 10))


def link_names():
    """Every connection that the proxy stands between, by the party that opens it and the one that answers."""
    names = []
    for broker in BROKERS:
        names += [f"producers>{broker}", f"consumers>{broker}", f"brokers>{broker}", f"controllers>{broker}"]
    return [*names, *(f"{consumer}>{POSTGRES}" for consumer in (*CONSUMERS, "consumer-4"))]


@dataclasses.dataclass(frozen=True, order=True)
class Fault:
    at: float        # seconds after the start
    kind: str
    target: str      # a process, a link, or "" where the kind says it
    lasts: float     # seconds; what it means is the kind's business
    more: tuple = () # pairs, so that it stays hashable

    def get(self, name, default=None):
        return dict(self.more).get(name, default)

    def as_list(self):
        return [self.at, self.kind, self.target, self.lasts, dict(self.more)]


class Maker:
    def __init__(self, seed, duration_s, stop_max_s):
        self.random = random.Random(f"websentry chaos {seed}")
        self.duration_s = duration_s
        self.stop_max_s = stop_max_s
        self.broker_away = []  # (from, to, name)

    def _choose(self, groups):
        names, = self.random.choices([names for names, _ in groups], [weight for _, weight in groups])
        return self.random.choice(names)

    def _log_uniform(self, least, most):
        return math.exp(self.random.uniform(math.log(least), math.log(most)))

    def _fault(self, at, kind, target="", lasts=0.0, **more):
        # Whatever begins in the run ends in it.
        lasts = min(lasts, max(0.5, self.duration_s - at))
        return Fault(round(at, 3), kind, target, round(lasts, 3), tuple(sorted(more.items())))

    def _spare_brokers(self, at, target, lasts):
        """How long this broker may be away, beside the others' absences."""
        for start, end, name in self.broker_away:
            if name != target and start < at + lasts and at < end:
                lasts = min(lasts, max(1.0, max(start, at) + TWO_BROKERS_MAX_S - at))
        self.broker_away.append((at, at + lasts, target))
        return lasts

    def kill(self, at):
        target = self._choose(KILLED)
        lasts = self.random.uniform(0.0, 1.5)
        if target in BROKERS:
            lasts = self._spare_brokers(at, target, lasts)
        return self._fault(at, "kill", target, lasts)

    def stop(self, at):
        target = self._choose(STOPPED)
        lasts = self._log_uniform(1.0, self.stop_max_s)
        if target in BROKERS:
            lasts = self._spare_brokers(at, target, lasts)
        return self._fault(at, "stop", target, lasts)

    def cut(self, at):
        return self._fault(at, "cut", self.random.choice(link_names()), self.random.uniform(0.5, 8.0),
                           mode=self.random.choice(("cut", "silent", "deaf", "mute")))

    def slow(self, at):
        return self._fault(at, "slow", self.random.choice(link_names()), self.random.uniform(2.0, 12.0),
                           latency_ms=self.random.randint(5, 250),
                           rate=self.random.choice((50_000, 500_000, 5_000_000)))

    def restart_all(self, at):
        return self._fault(at, "restart_all", "", self.random.uniform(0.2, 2.0))

    def outbox_full(self, at):
        return self._fault(at, "outbox_full", self.random.choice(PRODUCERS), self.random.uniform(1.0, 8.0))

    def postgres_full(self, at):
        return self._fault(at, "postgres_full", POSTGRES, self.random.uniform(1.0, 6.0))

    def clock(self, at):
        return self._fault(at, "clock", self.random.choice((*PRODUCERS, *CONSUMERS)), self.random.uniform(2.0, 20.0),
                           seconds=self.random.choice((DAY_S, -DAY_S)))

    def rebalance(self, at):
        kind = self.random.choice(("leave", "join"))
        target = self.random.choice(CONSUMERS) if kind == "leave" else "consumer-4"
        return self._fault(at, "rebalance", target, self.random.uniform(2.0, 8.0))

    def partitions(self, at):
        return self._fault(at, "partitions", self.random.choice(("success", "failure")), 0.0)

    def outbox_old(self, at):
        return self._fault(at, "outbox_old", self.random.choice(PRODUCERS), self.random.uniform(3.0, 10.0))

    def poison(self, at):
        return self._fault(at, "poison", self.random.choice(("success", "failure")), 0.0,
                           count=self.random.randint(5, 40), seed=self.random.getrandbits(32))

    def topic_limit(self, at):
        return self._fault(at, "topic_limit", "success", self.random.uniform(3.0, 8.0))


def make(seed, duration_s):
    """The faults of a run, in order."""
    is_short = duration_s <= SHORT_S
    maker = Maker(seed, duration_s, 10.0 if is_short else 120.0)
    times = []
    for kind, rate in LONG.items():
        count = round(rate * duration_s / 60)
        if is_short:
            count = max(count, SHORT_LEAST[kind])
        # Evenly strewn, each at random in its own slot; the first seconds are for starting up.
        span = max(1.0, duration_s - 3.0)
        times += [(2.0 + span * (slot + maker.random.random()) / count * 0.97, kind) for slot in range(count)]
    times.sort()
    faults = []
    for at, kind in times:
        faults.append(getattr(maker, kind)(at))
        if kind == "outbox_full":
            # An outbox that Kafka takes everything from needs no more room: take Kafka away as well.
            faults += [dataclasses.replace(faults[-1], kind="cut", target=f"producers>{broker}",
                                           more=(("mode", "cut"),)) for broker in BROKERS]
    return sorted(faults)


def digest(faults):
    """Names a schedule: two runs with the same one suffered the same."""
    return hashlib.sha256(json.dumps([fault.as_list() for fault in faults]).encode()).hexdigest()[:16]
