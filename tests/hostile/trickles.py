"""What comes little by little for as long as anybody waits: each piece wakes the prober."""

import asyncio

from hostile.behaviour import Gone, answer, down
from hostile.streams import HELLO, PING, SETTINGS, WINDOW_UPDATE, frame, head, read_request, without_tls

LONG_MS = 10_000  # the default timeout
OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"
POST = {"method": "POST", "body": "x" * 200_000}


def dripping(first, piece, pause_s):
    async def then(peer):
        await peer.drip(piece, pause_s)

    return answer(first, then=then)


def dripping_frames(*frames, first=b"", pause_s=0.0005):
    async def script(peer):
        await read_request(peer)
        await peer.say(HELLO, first)
        await peer.drip(b"".join(frames), pause_s)

    return script


async def windows_of_a_byte(peer):
    """Takes the request's body byte by byte."""
    try:
        await peer.reader.readexactly(24)
    except asyncio.IncompleteReadError as end:
        raise Gone from end
    await peer.say(frame(SETTINGS, b"\0\4\0\0\0\1"))
    await peer.pause(0.02)
    await peer.drip(frame(WINDOW_UPDATE, b"\0\0\0\1", stream=1), 0.0005)


def trickle(name, does, script, reason="timeout", **more):
    return down(f"trickle_{name}", does, script, reason, "127.0.0.1", **({"timeout_ms": LONG_MS} | more))


def over_http2(name, does, script, *rest, **more):
    return trickle(f"h2_{name}", does, script, *rest, kind="https", context="good/h2", **more)


WINDOWS = over_http2(
    "windows", "takes a body byte by byte", windows_of_a_byte, "timeout or tls_error or too_large", site=POST
)
PINGS = over_http2(
    "pings",
    "pings again and again",
    dripping_frames(frame(PING, bytes(8)), first=head()),
    "timeout or too_large",
)

ROWS = [
    trickle("headers", "a header every few milliseconds", dripping(OK, b"a: b\r\n", 0.0025)),
    trickle("bytes", "a body by the byte", dripping(OK + b"\r\n", b"x", 0.0005), "timeout or too_large"),
    trickle("kilobytes", "a body by the kilobyte", dripping(OK + b"\r\n", b"x" * 1100, 0.004)),
    trickle("more", "a body that comes at two megabytes a second", dripping(OK + b"\r\n", b"x" * 1400, 0.001)),
    trickle("chunks", "a chunk every few milliseconds", dripping(CHUNKED, b"1\r\nx\r\n", 0.002)),
    WINDOWS,
    without_tls(WINDOWS),
    PINGS,
    without_tls(PINGS),
]
