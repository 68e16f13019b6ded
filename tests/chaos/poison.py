"""Messages that are no reports. Each must come out in `quarantine`, byte for byte, and nothing else may.

Some begin exactly as the program's own messages do, with an identity that can be read, and break behind it: `audit`
counts those as quarantined, where no report with that identity is stored.
"""
import json
import random
import re
import uuid

from confluent_kafka import Producer

# What `quarantine.bytes` keeps of a message.
KEPT_BYTES = 1 << 20
HUGE_BYTES = 900_000
SEQ_MAX = (1 << 63) - 1

# What audit can read: version, producer_id and seq, in this order, at the beginning, and something behind the seq.
_NUMBER = rb"(0|[1-9][0-9]*)"
_UUID = rb'"([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})"'
_IDENTITY = re.compile(rb"[ \t\r\n]*".join((
    b"", rb"\{", b'"v"', b":", _NUMBER, b",", b'"producer_id"', b":", _UUID, b",", b'"seq"', b":", _NUMBER, b"[,}]")))


def identity_of(message):
    """(producer_id, seq), or None where they can't be read."""
    found = _IDENTITY.match(message)
    if found is None or max(int(found[1]), int(found[3])) > SEQ_MAX:
        return None
    return found[2].decode(), int(found[3])


def _report(rng):
    """A whole report of a producer that does not exist; every message made of it is then broken for certain."""
    return {
        "v": 1, "producer_id": str(uuid.UUID(int=rng.getrandbits(128), version=4)), "seq": 0,
        "kind": "http", "site": "/poison/0", "url": "http://127.0.0.1/poison", "host": "nobody", "location": "nowhere",
        "interval_us": 1_000_000, "timeout_us": 1_000_000, "scheduled_at": "2026-01-01T00:00:00.000000Z",
        "started_at": "2026-01-01T00:00:00.000000Z", "late_us": 0, "outcome": "up", "reason": "ok",
        "http_status_code": 200, "total_us": 1000, "pattern_capture": "n0",
    }


def _mutated(rng):
    """One byte replaced by one that no JSON text may hold."""
    text = bytearray(json.dumps(_report(rng)).encode())
    text[rng.randrange(len(text))] = rng.choice((0x00, 0x01, 0x07, 0x1f, 0xc0, 0xfe, 0xff))
    return bytes(text)


def _cut_off(rng):
    text = json.dumps(_report(rng)).encode()
    return text[:rng.randrange(1, len(text))]


def _unknown_version(rng):
    return json.dumps(_report(rng) | {"v": rng.choice((0, 2, 99, -1))}).encode()


def _lacks_a_field(rng):
    report = _report(rng)
    del report[rng.choice(("v", "producer_id", "seq", "site", "url", "started_at", "outcome", "reason"))]
    return json.dumps(report).encode()


def _wrong_type(rng):
    field = rng.choice(("seq", "site", "late_us", "started_at", "http_status_code"))
    return json.dumps(_report(rng) | {field: rng.choice(([], {}, True))}).encode()


def _begins_like_ours(rng, producer_id, seq):
    """As the outbox writes it, up to the seq; behind it, broken in one of the ways above, or cut off."""
    head = f'{{"v":1,"producer_id":"{producer_id}","seq":{seq},'.encode()
    report = _report(rng)
    for field in ("v", "producer_id", "seq", rng.choice(("site", "url", "started_at", "outcome", "reason"))):
        del report[field]
    tail = json.dumps(report, separators=(",", ":")).encode()[1:]
    way = rng.randrange(4)
    if way == 0:    # a required field is missing
        return head + tail
    if way == 1:    # cut off; right behind the seq, nothing says that the number has ended
        return (head + tail)[:rng.randrange(len(head) - 1, len(head) + len(tail))]
    if way == 2:    # a version that nobody knows
        return head.replace(b'"v":1', b'"v":7') + tail
    return head + tail[:20] + rng.choice((b"\x00", b"\x1f", b"\xff")) + tail[20:]


KINDS = (
    lambda rng: rng.randbytes(rng.randrange(1, 200)) + b"\xff",
    lambda rng: b"",
    lambda rng: rng.choice((b"null", b"[]", b"{}", b"0", b'""', b"{", b"}")),
    _mutated, _cut_off, _unknown_version, _lacks_a_field, _wrong_type,
)


def make(seed, count, known=()):
    """So many messages, and a few with identities: of a producer that does not exist, and of reports that are known.
    Now and then one as large as a broker takes."""
    rng = random.Random(seed)
    messages = [rng.choice(KINDS)(rng) for _ in range(count)]
    nobody = uuid.UUID(int=rng.getrandbits(128), version=4)
    for _ in range(3 + count // 8):
        messages.append(_begins_like_ours(rng, nobody, rng.choice((0, 1, 2, 4095, 4096, rng.randrange(100_000)))))
    for producer_id, seq in rng.sample(known, min(3, len(known))):
        messages.append(_begins_like_ours(rng, producer_id, seq))
    if rng.random() < 0.2:
        messages.append(rng.randbytes(1000) * (HUGE_BYTES // 1000))
    return messages


class Poisoner:
    """Writes them, and knows where each one came to lie. Its connections go past the proxy."""

    def __init__(self, servers):
        # Not idempotent: librdkafka would infer deliveries that never were, and give up after a lost sequence. What
        # comes twice lies at two places, and the second one is found by its bytes.
        self._producer = Producer({"bootstrap.servers": servers, "log_level": 0, "acks": "all",
                                   "message.timeout.ms": 0, "reconnect.backoff.max.ms": 500,
                                   "topic.metadata.refresh.interval.ms": 5000})
        self.lie_at = {}        # (topic, partition, offset): bytes
        self.written = set()    # all of them; what was refused (too large for the moment's limit) lies nowhere

    def write(self, topic, messages):
        for message in messages:
            self.written.add(message)
            self._producer.produce(topic, message, on_delivery=self._delivered)
        self._producer.poll(0)

    def _delivered(self, failure, message):
        if failure is None:
            self.lie_at[message.topic(), message.partition(), message.offset()] = message.value() or b""

    def poll(self):
        self._producer.poll(0)

    def finish(self, timeout):
        """How many are still on their way."""
        return self._producer.flush(timeout)
