"""DNS: servers that lie, stall, cut off, loop, and give more than anybody needs."""

import asyncio
import struct
from itertools import cycle

from hostile.behaviour import Behaviour, answer, down, up

PAGE = answer(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello")
A, CNAME, AAAA = 1, 5, 28
TRUNCATED = 0x0200
SHORT_MS = 900


class Query:
    def __init__(self, packet):
        self.packet = packet
        self.id = packet[:2]
        labels, at = [], 12
        while packet[at]:
            labels.append(packet[at + 1 : at + 1 + packet[at]].decode("latin-1"))
            at += 1 + packet[at]
        self.name = ".".join(labels).lower()
        self.kind = struct.unpack(">H", packet[at + 1 : at + 3])[0]
        self.question = packet[12 : at + 5]


def encode(name):
    return b"".join(bytes([len(label)]) + label.encode("latin-1") for label in name.split(".")) + b"\0"


def record(kind, content, name=b"\xc0\x0c", size=None):
    return name + struct.pack(">HHIH", kind, 1, 60, len(content) if size is None else size) + content


def address(text):
    return record(A, bytes(int(part) for part in text.split(".")))


def reply(query, *records, code=0, flags=0, count=None, question=None):
    head = struct.pack(">HHHHH", 0x8180 | flags | code, 1, len(records) if count is None else count, 0, 0)
    return query.id + head + (query.question if question is None else question) + b"".join(records)


# --- what a name's server does: each is given the query and whether it came by TCP, and gives its packets


def gives(*addresses):
    def serve(query, is_tcp):
        return [reply(query, *(address(one) for one in addresses))] if query.kind == A else [reply(query)]

    return serve


def fails(code):
    return lambda query, is_tcp: [reply(query, code=code)]


def silent(query, is_tcp):
    return []


def only_four(query, is_tcp):
    return [reply(query, address("127.0.0.1"))] if query.kind == A else []


def only_four_and_nothing(query, is_tcp):
    return [reply(query)] if query.kind == A else []


def truncated_always(query, is_tcp):
    return [reply(query, flags=TRUNCATED)]


def truncated_then(then):
    return lambda query, is_tcp: then(query, is_tcp) if is_tcp else [reply(query, flags=TRUNCATED)]


def hangs_up(query, is_tcp):
    return None


class ByTheByte:
    """Over TCP."""

    def __init__(self, then):
        self.then = then

    def __call__(self, query, is_tcp):
        return self.then(query, is_tcp)


def loop_of_names(query, is_tcp):
    other = encode("b.loop.test")
    return [reply(query, record(CNAME, other), record(CNAME, b"\xc0\x0c", name=other))]


def name_of_itself(query, is_tcp):
    return [reply(query, record(CNAME, b"\xc0\x0c"))]


def chain_of_names(query, is_tcp):
    records, last = [], b"\xc0\x0c"
    for number in range(12):
        following = encode(f"c{number}.test")
        records.append(record(CNAME, following, name=last))
        last = following
    if query.kind == A:
        records.append(record(A, b"\x7f\0\0\1", name=last))
    return [reply(query, *records)]


def many(count, last_byte=1):
    def serve(query, is_tcp):
        return [reply(query, *[address(f"127.0.0.{last_byte}")] * count)] if query.kind == A else [reply(query)]

    return truncated_then(serve)


def all_that_fits(query, is_tcp):
    """64 KiB of each family."""
    loopback = address("127.0.0.1") if query.kind == A else record(AAAA, b"\0" * 15 + b"\1")
    return [reply(query, *[loopback] * ((65535 - 100) // len(loopback)))]


def wrong_id_first(query, is_tcp):
    right = gives("127.0.0.1")(query, is_tcp)
    return [bytes([query.id[0] ^ 1]) + right[0][1:]] * 100 + right


def other_question(query, is_tcp):
    return [reply(query, address("127.0.0.1"), question=encode("other.test") + b"\0\1\0\1")]


def other_name(query, is_tcp):
    return [reply(query, record(A, b"\x7f\0\0\1", name=encode("other.test")))]


def garbage(query, is_tcp):
    return [query.id + bytes(range(200))]


def cut_off(query, is_tcp):
    return [reply(query, address("127.0.0.1"))[:-2]]


def pointer_loop(query, is_tcp):
    return [reply(query, record(A, b"\x7f\0\0\1", name=b"\xc0" + bytes([12 + len(query.question)])))]


def size_that_lies(query, is_tcp):
    return [reply(query, record(A, b"\x7f\0\0\1", size=4000))]


def count_that_lies(query, is_tcp):
    return [reply(query, address("127.0.0.1"), count=60_000)]


def address_of_three_bytes(query, is_tcp):
    return [reply(query, record(A, b"\x7f\0\0"))]


class Changes:
    """One address after the other, and then from the first again."""

    def __init__(self, *addresses):
        self.addresses = cycle(addresses)

    def __call__(self, query, is_tcp):
        return [reply(query, address(next(self.addresses)))] if query.kind == A else [reply(query)]


async def to_itself(peer):
    head = await peer.request()
    host = head.split(b"Host: ")[1].split(b"\r\n")[0]
    await peer.say(b"HTTP/1.1 302 Moved\r\nContent-Length: 0\r\nLocation: http://", host, b"/again\r\n\r\n")


STORM = [f"h{number}.storm.test" for number in range(30)]


async def to_next(peer):
    """Each host leads to another."""
    head = await peer.request()
    host, _, port = head.split(b"Host: ")[1].split(b"\r\n")[0].decode().partition(":")
    following = STORM[(STORM.index(host) + 1) % len(STORM)]
    await peer.say(f"HTTP/1.1 302 Moved\r\nContent-Length: 0\r\nLocation: http://{following}:{port}/\r\n\r\n".encode())


def named(make, name, does, serve, *rest, script=PAGE, **more):
    host = f"{name.replace('_', '-')}.hostile.test"
    return make(f"dns_{name}", does, script, *rest, host=host, names={host: serve}, **more)


def offline(name, does, script, reason, word, **more):
    return Behaviour(name, does, script, "unknown", reason, word, **more)


NONE = ("dns_error", "hostile.test")
LATE = {"timeout_ms": SHORT_MS}

ROWS = [
    named(up, "sound", "gives an address", gives("127.0.0.1")),
    named(down, "no_such_name", "says that there is no such name", fails(3), "dns_error", "no such name"),
    named(down, "fails", "fails", fails(2), "dns_error", "name servers failed"),
    named(down, "refuses", "refuses", fails(5), "dns_error", "name servers failed"),
    named(down, "format_error", "calls the question malformed", fails(1), *NONE),
    named(down, "not_implemented", "says that it can't", fails(4), *NONE),
    named(down, "nothing", "knows the name, and no address", gives(), "dns_error", "no address"),
    named(offline, "silent", "says nothing", silent, "prober_offline", "no name server", **LATE),
    named(up, "half_silent", "gives IPv4, and says nothing to IPv6", only_four),
    named(
        down,
        "half_silent_and_nothing",
        "has no IPv4, and says nothing to IPv6",
        only_four_and_nothing,
        "dns_error",
        "not resolved within",
        **LATE,
    ),
    named(down, "truncated", "sends to TCP, and sends away there as well", truncated_always, *NONE, **LATE),
    named(down, "stalls_over_tcp", "sends to TCP, and says nothing there", truncated_then(silent), *NONE, **LATE),
    named(down, "hangs_up_over_tcp", "sends to TCP, and hangs up there", truncated_then(hangs_up), *NONE, **LATE),
    named(
        down,
        "slow_over_tcp",
        "sends to TCP, and answers by the byte there",
        ByTheByte(truncated_then(many(100))),
        *NONE,
        **LATE,
    ),
    named(up, "over_tcp", "sends to TCP", truncated_then(gives("127.0.0.1"))),
    named(down, "names_in_a_loop", "two names that lead to each other", loop_of_names, *NONE),
    named(down, "name_of_itself", "a name that leads to itself", name_of_itself, *NONE),
    named(up, "names_in_a_chain", "twelve names on the way", chain_of_names),
    named(up, "a_thousand_addresses", "a thousand addresses", many(1000)),
    named(up, "all_that_fits", "as many addresses of both families as an answer holds", truncated_then(all_that_fits)),
    named(
        down,
        "a_thousand_dead_addresses",
        "a thousand addresses where nobody listens",
        many(1000, 9),
        "connect_refused",
        "127.0.0.9",
    ),
    named(up, "wrong_ids_first", "a hundred lies before the truth", wrong_id_first),
    named(
        down, "other_question", "answers another question", other_question, "dns_error", "not resolved within", **LATE
    ),
    named(down, "other_name", "gives the address of another name", other_name, *NONE),
    named(down, "garbage", "sends noise", garbage, *NONE, **LATE),
    named(down, "cut_off", "cuts its answer off", cut_off, *NONE),
    named(down, "pointer_loop", "a name that points at itself", pointer_loop, *NONE),
    named(down, "size_that_lies", "a record that is longer than its packet", size_that_lies, *NONE),
    named(down, "count_that_lies", "a record, called sixty thousand", count_that_lies, *NONE),
    named(down, "address_of_three_bytes", "an address of three bytes", address_of_three_bytes, *NONE),
    named(
        down,
        "changes_between_hops",
        "another address for the second hop",
        Changes("127.0.0.1", "127.0.0.9"),
        "connect_refused",
        "127.0.0.9",
        script=to_itself,
    ),
    down(
        "redirect_storm",
        "each host leads to another",
        to_next,
        "too_many_redirects",
        "10",
        host=STORM[0],
        names=dict.fromkeys(STORM, gives("127.0.0.1")),
    ),
    named(
        down,
        "broadcast",
        "gives everybody's address",
        gives("255.255.255.255"),
        "connect_unreachable",
        "255.255.255.255",
    ),
    up("localhost_with_a_dot", "an ordinary page of this machine", PAGE, host="localhost."),
    down(
        "localhost_with_a_dot_forbidden",
        "the same, where that is forbidden",
        PAGE,
        "forbidden_address",
        ("127.0.0.1", "`allow_private` is false"),
        host="LocalHost.",
        site={"allow_private": False},
    ),
]


class NameServer:
    """Over UDP and TCP, on one port."""

    def __init__(self, rows):
        self.names = {name: serve for row in rows for name, serve in row.names.items()}
        self.port = None

    async def start(self):
        loop = asyncio.get_running_loop()
        tcp = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = tcp.sockets[0].getsockname()[1]
        await loop.create_datagram_endpoint(lambda: _Datagrams(self), local_addr=("127.0.0.1", self.port))

    def serve_of(self, query):
        return self.names.get(query.name, fails(3))

    async def _serve(self, reader, writer):
        try:
            while True:
                size = int.from_bytes(await reader.readexactly(2), "big")
                query = Query(await reader.readexactly(size))
                serve = self.serve_of(query)
                packets = serve(query, True)
                if packets is None:
                    break
                data = b"".join(len(packet).to_bytes(2, "big") + packet for packet in packets)
                pieces = [bytes([byte]) for byte in data] if isinstance(serve, ByTheByte) else [data]
                for piece in pieces:
                    writer.write(piece)
                    await writer.drain()
                    await asyncio.sleep(0.02 if len(pieces) > 1 else 0)
            writer.close()
        except (OSError, asyncio.IncompleteReadError):
            writer.close()


class _Datagrams(asyncio.DatagramProtocol):
    def __init__(self, server):
        self.server = server

    def connection_made(self, transport):
        self.transport = transport

    def datagram_received(self, data, peer):
        query = Query(data)
        for packet in self.server.serve_of(query)(query, False) or ():
            self.transport.sendto(packet, peer)
