"""TLS: certificates, versions and ciphers, alerts, handshakes that stop at each message, records of all kinds."""

import asyncio
import os
import ssl

from hostile.behaviour import Behaviour, Gone, answer, close, down, flood, hang, reset, up

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"
SHORT_MS = 700
HANDSHAKE, ALERT, CHANGE_CIPHER, DATA = 22, 21, 20, 23


async def go_on_without_tls(peer):
    await peer.request()
    await peer.say(b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nhello")
    bare = peer.writer.get_extra_info("socket")
    os.write(bare.fileno(), b"HTTP/1.1 200 OK, and so on\r\n\r\n")
    await peer.hang()


def tls(make, name, does, script, *rest, context="good", **more):
    return make(f"tls_{name}", does, script, *rest, kind="https", context=context, **more)


def refused(kind, does, word):
    """A row that is about a certificate."""
    return tls(down, kind, does, answer(OK), "cert_invalid", word, context=kind)


def trusted(kind, does):
    return tls(up, kind, does, answer(OK), context=kind)


# --- servers without a TLS library: the bytes themselves


def record(kind, body, version=b"\x03\x03"):
    return bytes([kind]) + version + len(body).to_bytes(2, "big") + body


def alert(level, number):
    return record(ALERT, bytes([level, number]))


def hello(name, does, data, then, *rest, **more):
    """Read the client's hello, give these bytes, and then."""

    async def script(peer):
        await read_hello(peer)
        await peer.say(data)
        await then(peer)

    return Behaviour(f"tls_{name}", does, script, "down", *rest, kind="https", **more)


async def read_hello(peer):
    try:
        head = await peer.reader.readexactly(5)
        await peer.reader.readexactly(int.from_bytes(head[3:], "big"))
    except (asyncio.IncompleteReadError, OSError) as end:
        raise Gone from end


# --- servers that stop within a sound handshake


class Records:
    """A sound server whose records a script lets out one by one."""

    def __init__(self, peer, option=""):
        self.peer = peer
        self.incoming = ssl.MemoryBIO()
        self.outgoing = ssl.MemoryBIO()
        context = peer.server.trust.context(f"good/{option}" if option else "good")
        self.tls = context.wrap_bio(self.incoming, self.outgoing, server_side=True)

    async def flight(self):
        """What the server says next, as records; it is told what the client says."""
        while True:
            try:
                self.tls.do_handshake()
            except ssl.SSLWantReadError:
                pass
            said = self.outgoing.read()
            if said:
                return list(split(said))
            try:
                data = await self.peer.reader.read(65536)
            except OSError as end:
                raise Gone from end
            if not data:
                raise Gone
            self.incoming.write(data)


def split(data):
    while data:
        size = 5 + int.from_bytes(data[3:5], "big")
        yield data[:size]
        data = data[size:]


def stop_after(count, then, option=""):
    """Let count records of the server's first flight out, and then."""

    async def script(peer):
        flight = await Records(peer, option).flight()
        await peer.say(*flight[:count])
        await then(peer)

    return script


def by_the_byte(pause_s):
    async def script(peer):
        flight = b"".join(await Records(peer).flight())
        await peer.drip_through(flight, pause_s)

    return script


async def in_records_of_a_byte(peer):
    """The first flight of TLS 1.2, each byte of it in a record of its own."""
    records = Records(peer, "tls1.2")
    for one in await records.flight():
        await peer.say(*(record(HANDSHAKE, one[5 + at : 6 + at]) for at in range(len(one) - 5)))
    await peer.hang()


async def want_certificate(peer):
    """As a server that asks for one does it: the alert follows the client's last message."""
    await ask_for_certificate(peer, "client_wanted", told=True)


async def want_certificate_before_1_3(peer):
    await ask_for_certificate(peer, "client_wanted_tls1.2", told=True)


async def want_certificate_silently(peer):
    """As Java's and Node's servers do it: they close without an alert."""
    await ask_for_certificate(peer, "client_wanted", told=False)


async def ask_for_certificate(peer, option, *, told):
    records = Records(peer, option)
    await peer.say(*await records.flight())
    try:
        await peer.say(*await records.flight())
    except ssl.SSLError:
        if told:
            await peer.say(records.outgoing.read())


async def flipped(peer):
    """One bit of the last record of the first flight."""
    flight = await Records(peer).flight()
    await peer.say(*flight[:-1], flight[-1][:-1] + bytes([flight[-1][-1] ^ 1]))
    await peer.hang()


async def after_handshake(peer):
    """Finish the handshake, and never answer."""
    await peer.hang()


async def cut_without_close_notify(peer):
    await peer.request()
    await peer.say(b"HTTP/1.1 200 OK\r\n\r\nhello")
    peer.writer.transport.abort()


async def records_of_a_byte(peer):
    """Each write is a record."""
    await peer.request()
    await peer.say(b"HTTP/1.1 200 OK\r\n\r\n")
    left = asyncio.ensure_future(peer.hang())
    while not left.done():
        await peer.say(*[b"b"] * 500)


async def reset_in_body(peer):
    await peer.request()
    await peer.say(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhello")
    await peer.reset()


CLOSED = ("tls_error", "closed")
WAITS = ("timeout", "TLS handshake")
ALERTS = {
    10: "unexpected message",
    20: "bad record mac",
    40: "cipher",
    42: "bad certificate",
    45: "certificate expired",
    47: "illegal parameter",
    48: "unknown CA",
    70: "version",
    71: "insufficient security",
    80: "internal error",
    86: "inappropriate fallback",
    90: "user",
    112: "this name",
    116: "client's certificate",
    120: "HTTP",
    255: "255",
}
STOPS = {1: "its hello", 2: "the change of ciphers", 3: "its extensions", 4: "its certificate", 5: "its signature"}
STOPS_1_2 = {1: "its hello", 2: "its certificate", 3: "its key"}

ROWS = [
    tls(up, "page", "an ordinary page", answer(OK)),
    # Certificates.
    refused("expired", "has expired", "expired"),
    refused("not_yet", "is valid from next week on", "not yet valid"),
    refused("self_signed", "signed itself", "self-signed"),
    refused("other_host", "is for another host", "127.0.0.1"),
    refused("name_in_subject_only", "has its name where nobody looks any more", "127.0.0.1"),
    refused("wildcard_for_all", "is for everybody", "127.0.0.1"),
    refused("name_with_nul", "has a NUL in its name", "127.0.0.1"),
    refused("address_as_name", "has the address in a name", "127.0.0.1"),
    refused("client_only", "is a client's", "purpose"),
    refused("weak_key", "has a key of 1024 bits", "weak"),
    refused("sha1", "is signed by way of SHA-1", "weak"),
    refused("md5", "is signed by way of MD5", "weak"),
    refused("sha1_middle", "has a certificate above it that is signed by way of SHA-1", "weak"),
    refused("weak_middle", "was signed by a key of 1024 bits", "weak"),
    refused("unknown_root", "comes from a root that nobody knows", "self-signed"),
    refused("root_of_same_name", "comes from a root that is called as ours", "signature"),
    refused("without_middle", "lacks the certificate between", "leaves out the certificate between"),
    refused("middle_expired", "has an expired certificate above it", "above it in the chain: certificate has expired"),
    refused("middle_is_no_authority", "was signed by a certificate that may not", "CA"),
    refused("path_too_long", "hangs lower than allowed", "path"),
    refused("name_not_permitted", "has a name that its issuer may not give", "permitted"),
    refused("unknown_critical", "holds a critical extension that nobody knows", "critical"),
    refused("is_authority", "is an authority of its own", "self-signed"),
    refused("too_deep_chain", "hangs below 120 others", "chain"),
    refused("control_characters", "has escape sequences in its issuer's name", "self-signed"),
    trusted("revoked_looking", "names lists and responders that say whether it was revoked"),
    trusted("must_staple", "demands a proof that the server does not give"),
    trusted("deep_chain", "hangs below 20 others"),
    trusted("huge_chain", "comes with 90 KiB that belong to nothing"),
    trusted("huge", "has 60 KiB"),
    trusted("names_itself_issuer", "comes 20 times"),
    trusted("ed25519", "has a key of another kind"),
    trusted("ends_in_9999", "ends in 7000 years"),
    tls(
        down,
        "ten_thousand_names",
        "has thousands of names, none of them ours",
        answer(OK),
        "cert_invalid",
        "127.0.0.1",
        context="ten_thousand_names",
    ),
    tls(
        down,
        "beyond_bound",
        "comes with more certificates than OpenSSL takes",
        answer(OK),
        "tls_error",
        "certificate",
        context="beyond_bound",
    ),
    tls(
        up,
        "insecure",
        "has expired, and nobody minds",
        answer(OK),
        context="expired",
        site={"insecure_skip_verify": True},
    ),
    # Versions, ciphers, protocols.
    tls(down, "version_1_0", "speaks TLS 1.0 alone", answer(OK), "tls_error", "too old", context="good/tls1.0"),
    tls(down, "version_1_1", "speaks TLS 1.1 alone", answer(OK), "tls_error", "too old", context="good/tls1.1"),
    tls(up, "version_1_2", "speaks TLS 1.2 alone", answer(OK), context="good/tls1.2"),
    tls(down, "cipher_null", "encrypts nothing", answer(OK), "tls_error", "closed", context="good/null"),
    tls(up, "cipher_cbc", "has an old cipher", answer(OK), context="good/cbc_sha"),
    tls(down, "cipher_anonymous", "shows no certificate", answer(OK), "tls_error", "closed", context="good/anonymous"),
    tls(
        down,
        "finite_field",
        "agrees on keys over a field of 8192 bits",
        answer(OK),
        "tls_error",
        "closed",
        context="rsa/finite_field",
    ),
    Behaviour(
        "tls_client_wanted",
        "wants a certificate from us",
        want_certificate,
        "down",
        "tls_error",
        "`tls_config` names none",
        kind="https",
    ),
    Behaviour(
        "tls_1_2_client_wanted",
        "wants a certificate from us, in TLS 1.2",
        want_certificate_before_1_3,
        "down",
        "tls_error",
        "`tls_config` names none",
        kind="https",
    ),
    Behaviour(
        "tls_client_wanted_silently",
        "wants a certificate from us, and closes where none comes",
        want_certificate_silently,
        "down",
        "connection_lost",
        "asked for a client's certificate",
        kind="https",
    ),
    tls(up, "alpn_unknown", "speaks a protocol that nobody offered", answer(OK), context="good/alpn_unknown"),
    # Other servers.
    hello("http", "answers in HTTP", b"HTTP/1.1 400 Bad Request\r\n\r\n", close, "tls_error", "does not speak TLS"),
    hello("ssh", "is an SSH server", b"SSH-2.0-OpenSSH_9.2\r\n", hang, "tls_error", "does not speak TLS"),
    hello("zeroes", "sends zeroes without end", b"", flood(bytes(4096)), "tls_error", "does not speak TLS"),
    hello("echo", "says what it hears", record(HANDSHAKE, b"\1\0\0\0"), hang, "tls_error", "127.0.0.1"),
    # Ends.
    Behaviour("tls_close_at_once", "closes at once", close, "down", "tls_error", "in the middle", kind="https"),
    Behaviour("tls_reset_at_once", "resets at once", reset, "down", "tls_error", "reset", kind="https"),
    hello("close_after_hello", "closes after our hello", b"", close, *CLOSED),
    hello("reset_after_hello", "resets after our hello", b"", reset, "tls_error", "reset"),
    Behaviour(
        "tls_hang_at_once",
        "takes the connection, and that is all",
        hang,
        "down",
        *WAITS,
        kind="https",
        timeout_ms=SHORT_MS,
    ),
    hello("hang_after_hello", "says nothing to our hello", b"", hang, *WAITS, timeout_ms=SHORT_MS),
    *(
        Behaviour(
            f"tls_hang_after_{count}",
            f"stops after {what}",
            stop_after(count, hang),
            "down",
            *WAITS,
            kind="https",
            timeout_ms=SHORT_MS,
        )
        for count, what in STOPS.items()
    ),
    *(
        Behaviour(
            f"tls_close_after_{count}", f"closes after {what}", stop_after(count, close), "down", *CLOSED, kind="https"
        )
        for count, what in STOPS.items()
    ),
    *(
        Behaviour(
            f"tls_1_2_hang_after_{count}",
            f"stops after {what}, in TLS 1.2",
            stop_after(count, hang, "tls1.2"),
            "down",
            *WAITS,
            kind="https",
            timeout_ms=SHORT_MS,
        )
        for count, what in STOPS_1_2.items()
    ),
    *(
        Behaviour(
            f"tls_1_2_reset_after_{count}",
            f"resets after {what}, in TLS 1.2",
            stop_after(count, reset, "tls1.2"),
            "down",
            "tls_error",
            "reset",
            kind="https",
        )
        for count, what in STOPS_1_2.items()
    ),
    Behaviour(
        "tls_slow", "a handshake by the byte", by_the_byte(0.02), "down", *WAITS, kind="https", timeout_ms=SHORT_MS
    ),
    Behaviour(
        "tls_1_2_in_bytes",
        "a handshake in records of a byte, that stops",
        in_records_of_a_byte,
        "down",
        *WAITS,
        kind="https",
        timeout_ms=SHORT_MS,
    ),
    tls(
        down,
        "hang_after_handshake",
        "finishes the handshake, and never answers",
        after_handshake,
        "timeout",
        "no response",
        timeout_ms=SHORT_MS,
    ),
    # Alerts.
    *(
        hello(f"alert_{number}", f"the alert {words}", alert(2, number), close, "tls_error", words)
        for number, words in ALERTS.items()
    ),
    hello("alert_warnings", "warnings without end", b"", flood(alert(1, 112)), "tls_error", "127.0.0.1"),
    hello("alert_close_notify", "takes its leave", alert(1, 0), close, "tls_error", "127.0.0.1"),
    hello("alert_fragment", "half an alert", alert(2, 40)[:6], close, *CLOSED),
    # Records.
    hello(
        "record_too_long",
        "a record of 64 KiB",
        bytes([HANDSHAKE]) + b"\x03\x03\xff\xff",
        flood(bytes(4096)),
        "tls_error",
        "127.0.0.1",
    ),
    hello("record_empty", "empty records without end", b"", flood(record(HANDSHAKE, b"")), "tls_error", "127.0.0.1"),
    hello(
        "record_of_data", "data before the handshake", b"", flood(record(DATA, bytes(1000))), "tls_error", "127.0.0.1"
    ),
    hello(
        "record_change_cipher",
        "changes of ciphers without end",
        b"",
        flood(record(CHANGE_CIPHER, b"\1")),
        "tls_error",
        "127.0.0.1",
    ),
    hello("record_unknown", "records of a kind that does not exist", record(99, b"x"), hang, "tls_error", "127.0.0.1"),
    hello(
        "hello_of_16_mib",
        "a hello of 16 MiB",
        record(HANDSHAKE, b"\x02\xff\xff\xff" + bytes(1000)),
        flood(record(HANDSHAKE, bytes(16000))),
        "tls_error",
        "127.0.0.1",
    ),
    hello(
        "certificate_first",
        "a certificate without a hello",
        record(HANDSHAKE, b"\x0b\0\0\3\0\0\0"),
        hang,
        "tls_error",
        "127.0.0.1",
    ),
    hello(
        "hello_nonsense",
        "a hello of nonsense",
        record(HANDSHAKE, b"\x02\0\0\x26" + bytes(38)),
        hang,
        "tls_error",
        "127.0.0.1",
    ),
    hello(
        "hello_requests",
        "asks for our hello without end",
        b"",
        flood(record(HANDSHAKE, b"\0\0\0\0")),
        "tls_error",
        "127.0.0.1",
    ),
    Behaviour(
        "tls_flipped", "one bit of the handshake is wrong", flipped, "down", "tls_error", "127.0.0.1", kind="https"
    ),
    # After the handshake.
    tls(
        down,
        "body_without_end",
        "a body without end",
        answer(b"HTTP/1.1 200 OK\r\n\r\n", then=flood(b"b" * 4096)),
        "too_large",
        "16 MiB",
        timeout_ms=30_000,
    ),
    tls(
        down,
        "headers_without_end",
        "header lines without end",
        answer(b"HTTP/1.1 200 OK\r\n", then=flood(b"X-Flood: " + b"h" * 900 + b"\r\n")),
        "too_large",
        "headers",
    ),
    tls(
        down,
        "chunks_of_a_byte",
        "chunks of one byte without end",
        answer(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", then=flood(b"1\r\nc\r\n")),
        "too_large",
        "framing",
    ),
    tls(down, "records_of_a_byte", "a body in records of one byte", records_of_a_byte, "tls_error", "next to nothing"),
    tls(up, "cut_without_leave", "a body that the connection's end ends, without a farewell", cut_without_close_notify),
    tls(down, "goes_on_without", "goes on without TLS", go_on_without_tls, "tls_error", "went on without"),
    tls(down, "reset_in_body", "resets in the body", reset_in_body, "connection_lost", "127.0.0.1"),
    tls(down, "close_after_handshake", "finishes the handshake and closes", close, "connection_lost", "127.0.0.1"),
    tls(
        down,
        "status_of_plain",
        "says that it wanted plain HTTP",
        answer(b"HTTP/1.1 400 The plain HTTP request was sent to HTTPS port\r\nContent-Length: 0\r\n\r\n"),
        "status_mismatch",
        "400",
    ),
]
