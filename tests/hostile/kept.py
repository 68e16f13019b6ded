"""Connections that are kept (`keepalive: true`): what a server does behind its first answer, and to the next request.

Each connection begins with a sound answer. Each of these sites is checked twice, and the second check is judged.
"""

import asyncio

from hostile.behaviour import Gone, close, down, hang, reset, up
from hostile.streams import DATA, END_STREAM, GOAWAY, HEADERS, PING, RST_STREAM, SETTINGS, field, frame, without_tls

SHORT_MS = 700
IDLE_S = 0.05  # behind an answer, and long before the next request
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"
EVIL = b"HTTP/1.1 500 Evil\r\nContent-Length: 4\r\n\r\nevil"
LATE = b"HTTP/1.1 408 Request Timeout\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"
NO_CONTENT = b"HTTP/1.1 204 No Content\r\n\r\n"
KINDS = {"": {}, "tls_": {"kind": "https", "context": "good"}}


def row(make, name, does, script, *rest, **more):
    return make(f"kept_{name}", does, script, *rest, site={"keepalive": True}, checks=2, **more)


def idle(*pieces, then=hang, first=OK):
    """A sound answer, and a while later, asked by nobody, these bytes."""

    async def script(peer):
        await peer.request()
        await peer.say(first)
        await peer.pause(IDLE_S)
        await peer.say(*pieces)
        await then(peer)

    return script


def second(*pieces, then=hang):
    """A sound answer, and to the next request these bytes."""

    async def script(peer):
        await peer.request()
        await peer.say(OK)
        await peer.request()
        await peer.say(*pieces)
        await then(peer)

    return script


def each(answer):
    """This to each request."""

    async def script(peer):
        while True:
            await peer.request()
            await peer.say(answer)

    return script


async def flood(peer):
    await peer.flood(b"x" * 65536)


async def slowly(peer):
    await peer.drip_through(OK)


def rows_of(prefix, more):
    """Over TCP, and over TLS."""
    fresh, reused = more | {"is_reused": False}, more | {"is_reused": True}
    lost = ("connection_lost", "127.0.0.1")
    late = ("timeout", "127.0.0.1")
    soon = {"timeout_ms": SHORT_MS}
    return (
        row(up, f"{prefix}sound", "answers each request", each(OK), **reused),
        row(up, f"{prefix}closes", "closes behind its answer", idle(then=close), **fresh),
        row(up, f"{prefix}resets", "resets the connection behind its answer", idle(then=reset), **fresh),
        row(up, f"{prefix}idle_408", "says that nothing came, and closes", idle(LATE, then=close), **fresh),
        row(up, f"{prefix}idle_408_open", "says that nothing came, and does not close", idle(LATE), **fresh),
        row(up, f"{prefix}idle_answer", "answers what was not asked yet", idle(EVIL), **fresh),
        row(up, f"{prefix}idle_byte", "one byte more", idle(b"H"), **fresh),
        row(up, f"{prefix}idle_half", "half an answer to what was not asked", idle(EVIL[:20]), **fresh),
        row(up, f"{prefix}idle_interim", "an interim answer to nothing", idle(b"HTTP/1.1 100 Go on\r\n\r\n"), **fresh),
        row(up, f"{prefix}idle_flood", "bytes without end behind its answer", idle(then=flood), **fresh),
        row(up, f"{prefix}two_answers", "two answers to one request", idle(first=OK + EVIL), **fresh),
        row(up, f"{prefix}two_behind_chunks", "chunks, and one more answer", each(CHUNKED + EVIL), **more),
        row(up, f"{prefix}two_behind_nothing", "no content, and an answer", each(NO_CONTENT + EVIL), **more),
        row(up, f"{prefix}second_reset", "resets at the second request", second(then=reset), **fresh),
        row(up, f"{prefix}second_close", "closes at the second request", second(then=close), **fresh),
        row(
            down, f"{prefix}second_half", "half a second answer, and closes", second(OK[:-2], then=close), *lost, **more
        ),
        row(down, f"{prefix}second_head", "half a second head, and closes", second(OK[:20], then=close), *lost, **more),
        row(down, f"{prefix}second_cut", "resets in the second body", second(OK[:-2], then=reset), *lost, **reused),
        row(down, f"{prefix}second_hangs", "no second answer", second(), *late, **soon, **more),
        row(down, f"{prefix}second_stops", "half a second answer", second(OK[:-2]), *late, **soon, **reused),
        row(down, f"{prefix}second_slow", "a second by the byte", second(then=slowly), *late, **soon, **more),
        row(down, f"{prefix}second_500", "fails", second(EVIL), "status_mismatch", "500", **reused),
    )


# --- HTTP/2


async def read_head(peer):
    """All frames up to a request's head; its stream."""
    try:
        while True:
            start = await peer.reader.readexactly(9)
            await peer.reader.readexactly(int.from_bytes(start[:3], "big"))
            if start[3] == HEADERS:
                return int.from_bytes(start[5:], "big")
    except (asyncio.IncompleteReadError, OSError) as end:
        raise Gone from end


def page(stream, body=b"hello"):
    return frame(HEADERS, field(b":status", b"200"), flags=4, stream=stream) + frame(
        DATA, body, flags=END_STREAM, stream=stream
    )


async def begin(peer, *more):
    try:
        await peer.reader.readexactly(24)
    except (asyncio.IncompleteReadError, OSError) as end:
        raise Gone from end
    await peer.say(frame(SETTINGS))
    await peer.say(page(await read_head(peer)), *more)


async def go_on(peer):
    while True:
        await peer.say(page(await read_head(peer)))


def idle_frames(*frames, then=go_on):
    async def script(peer):
        await begin(peer)
        await peer.pause(IDLE_S)
        await peer.say(*frames)
        await then(peer)

    return script


def second_frames(*frames, then=hang):
    async def script(peer):
        await begin(peer)
        await read_head(peer)
        await peer.say(*frames)
        await then(peer)

    return script


def over_http2(make, name, does, script, *rest, **more):
    return row(make, f"h2_{name}", does, script, *rest, kind="https", context="good/h2", **more)


async def goes_at_once(peer):
    await begin(peer, GOES)
    await peer.hang()


GOES = frame(GOAWAY, b"\0\0\0\1\0\0\0\0")
HEAD = frame(HEADERS, field(b":status", b"200"), flags=4, stream=3)
SHORT_PING = frame(PING, bytes(7))
BROKEN = ("protocol_error", "HTTP/2")
HTTP2 = (
    over_http2(up, "sound", "answers each request", idle_frames(), is_reused=True),
    over_http2(up, "idle_ping", "pings between requests", idle_frames(frame(PING, bytes(8)) * 3), is_reused=False),
    over_http2(up, "idle_settings", "new settings between requests", idle_frames(frame(SETTINGS)), is_reused=False),
    over_http2(up, "idle_goaway", "goes away between requests", idle_frames(GOES, then=hang), is_reused=False),
    over_http2(
        up,
        "idle_goaway_close",
        "goes away between requests, and closes",
        idle_frames(GOES, then=close),
        is_reused=False,
    ),
    over_http2(up, "idle_close", "closes between requests", idle_frames(then=close), is_reused=False),
    over_http2(up, "idle_reset", "resets between requests", idle_frames(then=reset), is_reused=False),
    over_http2(up, "idle_answer", "answers what was not asked", idle_frames(page(3, b"evil")), is_reused=False),
    over_http2(up, "idle_breach", "breaks a rule", idle_frames(SHORT_PING), is_reused=False),
    over_http2(
        down,
        "second_reset_stream",
        "resets the second stream",
        second_frames(frame(RST_STREAM, b"\0\0\0\2", stream=3)),
        "protocol_error",
        "INTERNAL_ERROR",
    ),
    over_http2(up, "second_goaway", "goes away instead of a second answer", second_frames(GOES), is_reused=False),
    over_http2(up, "second_close", "closes at the second request", second_frames(then=close), is_reused=False),
    over_http2(up, "second_breach", "breaks a rule at once", second_frames(SHORT_PING), is_reused=False),
    over_http2(down, "second_late_breach", "the same in an answer", second_frames(HEAD, SHORT_PING), *BROKEN),
    over_http2(up, "goaway_with_page", "goes away with its answer", goes_at_once, is_reused=False),
    over_http2(
        down,
        "second_half",
        "half a second answer",
        second_frames(page(3)[:-3], then=close),
        "connection_lost",
        "127.0.0.1",
    ),
    over_http2(down, "second_hangs", "no second answer", second_frames(), "timeout", "127.0.0.1", timeout_ms=SHORT_MS),
)

ROWS = [one for prefix, more in KINDS.items() for one in rows_of(prefix, more)]
ROWS += [*HTTP2, *map(without_tls, HTTP2)]
