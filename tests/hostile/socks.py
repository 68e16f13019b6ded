"""Proxies by SOCKS that stall, lie, and end early. Until they let us through, that says nothing of the site."""

import asyncio

from hostile.behaviour import Gone, close, down, flood, hang, reset, unknown, up

SHORT_MS = 700
LATE = {"timeout_ms": SHORT_MS}
CHOICE = b"\x05\x00"  # nobody need say who he is
ASKS = b"\x05\x02"  # for a user and a password
WELCOME = b"\x01\x00"
BOUND = bytes(6)
OPEN = b"\x05\x00\x00\x01" + BOUND
PAGE = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"
HELD_UP = ("prober_error", ("the proxy 127.0.0.1", "by SOCKS"))
SILENT = ("connect_timeout", ("site.test", "the proxy 127.0.0.1"))
CLOSED = ("prober_error", ("the proxy", "by SOCKS"))
NO_SOCKS = ("prober_error", ("the proxy", "did not answer by SOCKS"))
WRONG_USER = ("prober_error", ("the proxy", "credentials"))
ME = {"user": "me:secret"}


def socks(make, name, does, script, *rest, proxy="socks5h", **more):
    return make(f"socks_{name}", does, script, *rest, proxy=proxy, **more)


async def read(peer, count):
    try:
        return await peer.reader.readexactly(count)
    except (asyncio.IncompleteReadError, OSError) as end:
        raise Gone from end


async def read_greeting(peer):
    await read(peer, (await read(peer, 2))[1])


async def read_user(peer):
    await read(peer, (await read(peer, 2))[1])
    await read(peer, (await read(peer, 1))[0])


async def read_target(peer):
    kind = (await read(peer, 4))[3]
    await read(peer, 2 + {1: 4, 4: 16}.get(kind) if kind != 3 else 2 + (await read(peer, 1))[0])


READERS = {"greeting": read_greeting, "user": read_user, "target": read_target, "page": lambda peer: peer.request()}


def talk(*steps, then=close):
    """What is read, by its name, and what is said, in turn."""

    async def script(peer):
        for step in steps:
            if isinstance(step, str):
                await READERS[step](peer)
            else:
                await peer.say(step)
        await then(peer)

    return script


def until(count, then, *, has_user=False):
    """A sound talk of which no more than so many bytes are said."""

    async def script(peer):
        left = count
        of_user = [("greeting", ASKS), ("user", WELCOME)]
        parts = [*(of_user if has_user else [("greeting", CHOICE)]), ("target", OPEN)]
        for what, said in parts:
            await READERS[what](peer)
            await peer.say(said[:left])
            left -= len(said)
            if left < 0 or (left == 0 and what != "target"):
                await then(peer)
                return
        await peer.request()
        await then(peer)

    return script


def by_the_byte(bytes_):
    async def then(peer):
        await peer.drip_through(bytes_, 0.1)

    return then


def over_tls(*pieces):
    async def then(peer):
        await peer.writer.start_tls(peer.server.trust.context("site"))
        await peer.request()
        await peer.say(*pieces)

    return then


def stall(count, does, **more):
    """Say so many bytes of a sound talk, and no more."""
    user = "_with_user" if "user" in more else ""
    make, what = (down, SILENT) if count == (4 if user else 2) else (unknown, HELD_UP)
    return socks(make, f"stalls_at_{count}{user}", does, until(count, hang, has_user=bool(user)), *what, **LATE, **more)


def ends(count, how, then):
    return socks(unknown, f"{how}_at_{count}", f"{how} after {count} bytes", until(count, then), *CLOSED)


def reply(code, make, *rest):
    said = bytes([5, code, 0, 1]) + BOUND
    return socks(make, f"reply_{code}", f"answers {code}", talk("greeting", CHOICE, "target", said), *rest)


UNREACHABLE = ("connect_unreachable", ("site.test", "can't reach the site"))
REFUSES = ("prober_error", "refuses")

ROWS = [
    socks(up, "page", "an ordinary page", talk("greeting", CHOICE, "target", OPEN, "page", PAGE)),
    socks(
        up,
        "page_at_a_name",
        "tells a name of 255 bytes where it went from",
        talk("greeting", CHOICE, "target", b"\x05\x00\x00\x03\xff" + b"a" * 255 + b"\0\0", "page", PAGE),
    ),
    socks(
        up,
        "page_at_v6",
        "the same of an IPv6 address",
        talk("greeting", CHOICE, "target", b"\x05\x00\x00\x04" + bytes(18), "page", PAGE),
    ),
    socks(
        up,
        "page_with_user",
        "asks for a user",
        talk("greeting", ASKS, "user", WELCOME, "target", OPEN, "page", PAGE),
        **ME,
    ),
    socks(
        up,
        "page_by_address",
        "is told an address",
        talk("greeting", CHOICE, "target", OPEN, "page", PAGE),
        proxy="socks5",
        site={"resolve": {"site.test": "127.0.0.1"}},
    ),
    socks(
        up, "tls_page", "a page over TLS", talk("greeting", CHOICE, "target", OPEN, then=over_tls(PAGE)), kind="https"
    ),
    # Stalls.
    *[stall(count, f"stalls after {count} bytes") for count in range(len(CHOICE + OPEN))],
    *[stall(count, f"stalls after {count} bytes with a user", **ME) for count in (1, 2, 3, 4, 5)],
    socks(
        down,
        "silent_without_asking",
        "asks for no user where one is given, and stalls",
        talk("greeting", CHOICE, "target", then=hang),
        *SILENT,
        **LATE,
        **ME,
    ),
    socks(
        down,
        "silent_over_tls",
        "stalls instead of opening the way to TLS",
        talk("greeting", CHOICE, "target", then=hang),
        *SILENT,
        kind="https",
        **LATE,
    ),
    socks(
        unknown,
        "slow",
        "an answer by the byte",
        talk("greeting", CHOICE, "target", then=by_the_byte(OPEN)),
        *HELD_UP,
        **LATE,
    ),
    socks(
        down,
        "silent_behind",
        "lets through to nothing",
        talk("greeting", CHOICE, "target", OPEN, then=hang),
        "timeout",
        "site.test",
        **LATE,
    ),
    # Ends.
    *[ends(count, "closes", close) for count in range(len(CHOICE + OPEN))],
    *[ends(count, "resets", reset) for count in (0, 1, 2, 5, 11)],
    socks(
        down,
        "closes_behind",
        "lets through, and closes",
        talk("greeting", CHOICE, "target", OPEN, "page"),
        "connection_lost",
        "closed",
    ),
    socks(
        down,
        "closes_before_tls",
        "lets through, and closes instead of TLS",
        talk("greeting", CHOICE, "target", OPEN),
        "tls_error",
        "TLS",
        kind="https",
    ),
    # What makes no sense.
    socks(unknown, "version_4", "is of another version", talk("greeting", b"\x04\x00"), *NO_SOCKS),
    socks(unknown, "version_0", "answers as SOCKS 4 does", talk("greeting", b"\x00\x5b" + bytes(6)), *NO_SOCKS),
    socks(unknown, "http", "speaks HTTP", talk("greeting", b"HTTP/1.1 400 Bad Request\r\n\r\n"), *NO_SOCKS),
    socks(
        unknown,
        "version_later",
        "forgets its version",
        talk("greeting", CHOICE, "target", b"\x04" + OPEN[1:]),
        *NO_SOCKS,
    ),
    socks(
        unknown,
        "kind_of_address",
        "tells an address of an unknown kind",
        talk("greeting", CHOICE, "target", b"\x05\x00\x00\x07" + BOUND),
        *NO_SOCKS,
    ),
    # Methods and users.
    socks(unknown, "no_method", "likes no method", talk("greeting", b"\x05\xff"), *WRONG_USER),
    socks(unknown, "no_method_for_me", "the same with a user", talk("greeting", b"\x05\xff"), *WRONG_USER, **ME),
    socks(unknown, "gssapi", "chooses what was not offered", talk("greeting", b"\x05\x01", then=hang), *WRONG_USER),
    socks(unknown, "method_of_its_own", "has a method of its own", talk("greeting", b"\x05\x80"), *WRONG_USER),
    socks(unknown, "wants_user", "wants a user", talk("greeting", ASKS, "user", b"\x01\x01"), *WRONG_USER),
    socks(unknown, "other_user", "wants another", talk("greeting", ASKS, "user", b"\x01\x01"), *WRONG_USER, **ME),
    # Refusals.
    reply(1, down, *UNREACHABLE),
    reply(2, unknown, *REFUSES),
    reply(3, down, *UNREACHABLE),
    reply(4, down, *UNREACHABLE),
    reply(5, down, "connect_refused", ("site.test", "can't reach the site")),
    reply(6, down, *UNREACHABLE),
    reply(7, unknown, *REFUSES),
    reply(8, unknown, *REFUSES),
    reply(9, unknown, *REFUSES),
    reply(255, unknown, *REFUSES),
    # Without end.
    socks(unknown, "endless_choice", "chooses without end", talk("greeting", then=flood(CHOICE)), *NO_SOCKS),
    socks(unknown, "endless_zeros", "noughts without end", talk("greeting", then=flood(bytes(64))), *NO_SOCKS),
    socks(
        down,
        "endless_answer",
        "an answer, and noughts without end",
        talk("greeting", CHOICE, "target", OPEN, then=flood(bytes(64))),
        "protocol_error",
        "not HTTP",
    ),
    socks(
        down,
        "endless_answer_before_tls",
        "the same before TLS",
        talk("greeting", CHOICE, "target", OPEN, then=flood(bytes(64))),
        "tls_error",
        "TLS",
        kind="https",
    ),
    # Of the site itself.
    socks(
        down,
        "status_407",
        "a site that asks as a proxy would",
        talk(
            "greeting",
            CHOICE,
            "target",
            OPEN,
            "page",
            b'HTTP/1.1 407 No\r\nProxy-Authenticate: Basic realm="x"\r\nContent-Length: 0\r\n\r\n',
        ),
        "status_mismatch",
        "407",
    ),
    socks(
        down,
        "long_name",
        "leads to a name that is too long",
        talk(
            "greeting",
            CHOICE,
            "target",
            OPEN,
            "page",
            b"HTTP/1.1 302 Found\r\nContent-Length: 0\r\nLocation: http://" + b"a." * 200 + b"test/\r\n\r\n",
        ),
        "redirect_invalid",
        "255 bytes",
    ),
]
