"""HTTP/2: frames by hand, over a sound TLS connection."""

import asyncio
import contextlib
from dataclasses import replace

from hostile import packed
from hostile.behaviour import Gone, answer, close, down, hang, reset, up

DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS, PUSH_PROMISE, PING, GOAWAY, WINDOW_UPDATE, CONTINUATION = range(10)
END_STREAM, END_HEADERS, ACK, PADDED = 1, 4, 1, 8
SHORT_MS = 700


def frame(kind, payload=b"", *, flags=0, stream=0):
    return len(payload).to_bytes(3, "big") + bytes([kind, flags]) + stream.to_bytes(4, "big") + payload


def field(name, value):
    """A header field, literal and never indexed."""
    return b"\x10" + _text(name) + _text(value)


def _text(text):
    size = len(text)
    if size < 127:
        return bytes([size]) + text
    size -= 127
    head = b"\x7f"
    while size >= 128:
        head += bytes([size & 127 | 128])
        size >>= 7
    return head + bytes([size]) + text


def head(*fields, status=b"200", flags=END_HEADERS):
    return frame(HEADERS, field(b":status", status) + b"".join(fields), flags=flags, stream=1)


def data(payload, flags=0, stream=1):
    return frame(DATA, payload, flags=flags, stream=stream)


def settings(count):
    """So many, each of another kind: from the first that nobody knows on, and one that everybody does."""
    kinds = (3, *range(0x0A0A, 0x0A0A + count - 1))
    return frame(SETTINGS, b"".join(kind.to_bytes(2, "big") + (100).to_bytes(4, "big") for kind in kinds))


HELLO = frame(SETTINGS)
PAGE = head() + data(b"hello", END_STREAM)
GZIP = field(b"content-encoding", b"gzip")


async def read_request(peer):
    """The preface and all frames up to the request's head."""
    try:
        await peer.reader.readexactly(24)
        kind = None
        while kind != HEADERS:
            start = await peer.reader.readexactly(9)
            await peer.reader.readexactly(int.from_bytes(start[:3], "big"))
            kind = start[3]
    except (asyncio.IncompleteReadError, OSError) as end:
        raise Gone from end


def says(*frames, then=hang, first=HELLO):
    """Read the request, say hello and these frames, and then."""

    async def script(peer):
        await read_request(peer)
        await peer.say(first, *frames)
        await then(peer)

    return script


def without_tls(one):
    """The same row, over a bare connection."""
    return replace(one, name=f"{one.name}_plain", kind="http", context=None, site={"http_version": "2", **one.site})


def without_end(block):
    async def script(peer):
        await peer.flood(block)

    return script


def row(make, name, does, script, *rest, **more):
    return make(f"h2_{name}", does, script, *rest, kind="https", context="good/h2", **more)


async def hang_at_once(peer):
    await peer.hang()


async def by_the_byte(peer):
    await read_request(peer)
    await peer.drip_through(HELLO + head() + data(b"x" * 500, END_STREAM))


BROKEN = ("protocol_error", "HTTP/2")
WAITS = ("timeout", "127.0.0.1")
LATE = {"timeout_ms": SHORT_MS}

GOES = frame(GOAWAY, b"\0\0\0\1\0\0\0\0")  # in order: what was asked for is still answered
TRAILERS = frame(HEADERS, field(b"x", b"y"), flags=END_HEADERS | END_STREAM, stream=1)
PINGS = frame(PING, bytes(8)) * 3


async def end_and_close(peer):
    await read_request(peer)
    await peer.say(HELLO + head() + data(b"hello"))
    await peer.pause(0.1)
    await peer.say(data(b"", END_STREAM))


def refuses_at_first():
    """Refuses every other request, to be asked again over another connection."""
    asked = []

    async def script(peer):
        await read_request(peer)
        asked.append(peer)
        is_refused = len(asked) % 2 == 1
        await peer.say(HELLO, frame(RST_STREAM, b"\0\0\0\7", stream=1) if is_refused else PAGE)
        await peer.hang()

    return script


@contextlib.asynccontextmanager
async def counted(peer, seen):
    """A connection, counted as long as it is open, whose request was read."""
    seen["open"] += 1
    try:
        await read_request(peer)
        seen["asked"] += 1
        yield
    finally:
        seen["open"] -= 1


def leads_on(hops):
    """So many redirects, each over a connection of its own; no page where those before it were left open."""
    seen = {"open": 0, "asked": 0}

    async def script(peer):
        async with counted(peer, seen):
            is_last = seen["asked"] % (hops + 1) == 0
            status = b"500" if seen["open"] > 3 else b"200" if is_last else b"302"
            await peer.say(HELLO, head(field(b"location", b"/"), status=status, flags=END_HEADERS | END_STREAM))
            await peer.hang()

    return script


async def leads_on_in_silence(peer):
    """A redirect; what is asked for over the same connection stays without an answer."""
    await peer.say(HELLO, head(field(b"location", b"/next"), status=b"302", flags=END_HEADERS | END_STREAM))
    await peer.hang()


async def stops_in_the_body(peer):
    await peer.say(HELLO, head() + data(b"hello"))
    await peer.hang()


def hangs_then_counts(hangs):
    """Hangs the first time. Then a page, once the connection of that time is closed."""
    seen = {"open": 0, "asked": 0}

    async def script(peer):
        async with counted(peer, seen):
            if seen["asked"] % 2 == 1:
                await hangs(peer)
            for _ in range(1000):
                if seen["open"] == 1:
                    break
                await peer.pause(0.01)
            await peer.say(HELLO, PAGE if seen["open"] == 1 else head(status=b"500", flags=END_HEADERS | END_STREAM))
            await peer.hang()

    return script


def rows_that_count():
    """Each call's have a memory of their own."""
    return (
        row(up, "refuses_at_first", "refuses a request, and answers the next", refuses_at_first()),
        row(up, "connections", "leads on, and counts who is still there", leads_on(8)),
        *(
            row(
                up,
                f"connections_{name}",
                f"{does}, and answers once nobody waits for that any more",
                hangs_then_counts(hangs),
                timeout_ms=1500,
                site={"retries": 1, "retry_after": "100ms", "keepalive": is_kept},
            )
            for name, does, hangs, is_kept in (
                ("timeout", "stops in the body", stops_in_the_body, False),
                ("timeout_keepalive", "stops in the body", stops_in_the_body, True),
                ("silence_keepalive", "leads on, says nothing more", leads_on_in_silence, True),
            )
        ),
    )


ROWS = [
    row(up, "page", "an ordinary page", says(PAGE)),
    # Floods.
    row(down, "settings_without_end", "settings without end", says(then=without_end(frame(SETTINGS))), *BROKEN),
    row(
        down,
        "settings_of_16k",
        "settings as large as a frame, without end",
        says(then=without_end(frame(SETTINGS, b"\0\4\0\0\xff\xff" * 2700))),
        *BROKEN,
    ),
    row(
        down,
        "pings_without_end",
        "pings without end",
        says(then=without_end(frame(PING, bytes(8)))),
        "too_large",
        "pings",
    ),
    row(
        down,
        "pongs_without_end",
        "answers to pings that nobody sent",
        says(head(), then=without_end(frame(PING, bytes(8), flags=ACK))),
        "too_large",
        "framing",
    ),
    row(
        down,
        "priorities_without_end",
        "priorities without end",
        says(head(), then=without_end(frame(PRIORITY, b"\0\0\0\3\1", stream=5))),
        "too_large",
        "framing",
    ),
    row(
        down,
        "windows_without_end",
        "window updates without end",
        says(head(), then=without_end(frame(WINDOW_UPDATE, b"\0\0\0\1", stream=1))),
        "too_large",
        "framing",
    ),
    row(
        down,
        "resets_without_end",
        "resets the stream without end",
        says(head(), then=without_end(frame(RST_STREAM, b"\0\0\0\2", stream=1))),
        "protocol_error or too_large",  # the first one ends it, or all of them
        "127.0.0.1",
    ),
    row(
        down,
        "resets_of_nothing_without_end",
        "resets streams that nobody opened",
        says(then=without_end(frame(RST_STREAM, b"\0\0\0\2", stream=3))),
        *BROKEN,
    ),
    row(
        down,
        "goaways_without_end",
        "says again and again that it will go away, later",
        says(head(), then=without_end(frame(GOAWAY, b"\x7f\xff\xff\xff\0\0\0\0"))),
        "too_large",
        "framing",
    ),
    row(
        down,
        "unknown_without_end",
        "frames of a kind that does not exist",
        says(head(), then=without_end(frame(99, bytes(100)))),
        "too_large",
        "framing",
    ),
    row(
        down,
        "continuation_without_end",
        "a head continued without end",
        says(
            frame(HEADERS, field(b":status", b"200"), stream=1),
            then=without_end(frame(CONTINUATION, field(b"x", b"y" * 1000), stream=1)),
        ),
        "protocol_error",
        "127.0.0.1",
    ),
    row(
        down,
        "continuation_empty_without_end",
        "a head continued by nothing without end",
        says(frame(HEADERS, field(b":status", b"200"), stream=1), then=without_end(frame(CONTINUATION, b"", stream=1))),
        "protocol_error",
        "127.0.0.1",
    ),
    row(
        down,
        "indexed_bomb",
        "one header of 3 KiB, thousands of times by its number",
        says(
            frame(
                HEADERS,
                field(b":status", b"200") + b"\x40" + _text(b"x") + _text(b"y" * 3000) + b"\xbe" * 10_000,
                flags=END_HEADERS,
                stream=1,
            )
        ),
        "too_large",
        "headers",
    ),
    row(
        down,
        "interim_without_end",
        "interim answers without end",
        says(then=without_end(head(status=b"103"))),
        "too_large",
        "headers",
    ),
    row(
        down,
        "body_without_end",
        "a body without end",
        says(head(), then=without_end(data(bytes(16384)))),
        "too_large",
        "16 MiB",
        timeout_ms=30_000,
    ),
    row(
        down,
        "data_empty_without_end",
        "empty frames of data without end",
        says(head(), then=without_end(data(b""))),
        "too_large",
        "framing",
    ),
    row(
        down,
        "data_of_a_byte",
        "frames of one byte without end",
        says(head(), then=without_end(data(b"b"))),
        "too_large",
        "framing",
    ),
    row(
        down,
        "data_padded",
        "a byte with 255 of padding, without end",
        says(head(), then=without_end(data(b"\xffb" + bytes(255), PADDED))),
        "too_large",
        "framing",
    ),
    row(
        down,
        "trailers_without_end",
        "trailers continued without end",
        says(
            head(),
            frame(HEADERS, field(b"x", b"y"), flags=END_STREAM, stream=1),
            then=without_end(frame(CONTINUATION, field(b"x", b"y" * 1000), stream=1)),
        ),
        "protocol_error",
        "127.0.0.1",
    ),
    row(
        down,
        "gzip_bomb",
        "64 MiB of zeroes in 64 KiB",
        says(head(GZIP), *(data(packed.gzip_zeroes(64)[at : at + 16000]) for at in range(0, 65000, 16000))),
        "too_large",
        "16 MiB",
    ),
    # What makes no sense.
    row(down, "no_settings", "an answer without a hello", says(PAGE, first=b""), *BROKEN),
    row(
        down,
        "http_1_1",
        "chose HTTP/2, and speaks HTTP/1.1",
        answer(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"),
        "protocol_error",
        "does not speak HTTP/2",
    ),
    row(down, "garbage", "frames of noise", says(bytes(range(256)) * 4), *BROKEN),
    row(down, "frame_too_large", "a frame of 16 MiB", says(b"\xff\xff\xff\0\0\0\0\0\1", bytes(100)), *BROKEN),
    row(down, "settings_odd_size", "settings of five bytes", says(frame(SETTINGS, bytes(5))), *BROKEN),
    row(
        down,
        "settings_bad_window",
        "a window of four gigabytes",
        says(frame(SETTINGS, b"\0\4\xff\xff\xff\xff")),
        *BROKEN,
    ),
    row(down, "settings_bad_frame_size", "frames of ten bytes", says(frame(SETTINGS, b"\0\5\0\0\0\x0a")), *BROKEN),
    row(down, "data_first", "a body before the head", says(data(b"hello", END_STREAM)), *BROKEN),
    row(down, "data_of_nobody", "a body for a stream that nobody opened", says(data(b"hello", stream=7)), *BROKEN),
    row(
        down,
        "push",
        "pushes a page that nobody wanted",
        says(frame(PUSH_PROMISE, b"\0\0\0\2" + field(b":path", b"/"), flags=END_HEADERS, stream=1)),
        *WAITS,
        **LATE,
    ),
    row(
        down,
        "index_unknown",
        "a header by a number that nobody gave",
        says(frame(HEADERS, b"\xff\xff\x7f", flags=END_HEADERS, stream=1)),
        *BROKEN,
    ),
    row(
        down,
        "status_missing",
        "a head without a status",
        says(frame(HEADERS, field(b"x", b"y"), flags=END_HEADERS, stream=1)),
        *BROKEN,
    ),
    row(down, "status_word", "a word for a status", says(head(status=b"abc")), *BROKEN),
    row(down, "status_twice", "two statuses", says(head(field(b":status", b"500"))), *BROKEN),
    row(down, "status_101", "switches protocols", says(head(status=b"101")), *BROKEN),
    row(
        down,
        "status_404",
        "not found",
        says(head(status=b"404", flags=END_HEADERS | END_STREAM)),
        "status_mismatch",
        "404",
    ),
    row(down, "name_upper_case", "a name in capitals", says(head(field(b"X-Upper", b"y"))), *BROKEN),
    row(down, "connection_header", "a header of HTTP/1.1", says(head(field(b"connection", b"close"))), *BROKEN),
    row(down, "chunks", "chunks", says(head(field(b"transfer-encoding", b"chunked"))), *BROKEN),
    row(down, "header_newline", "a line's end in a header", says(head(field(b"x", b"a\r\nb: c"))), *BROKEN),
    row(down, "header_nul", "a NUL in a header", says(head(field(b"x", b"a\0b"))), *BROKEN),
    row(
        down,
        "length_too_large",
        "less than was announced",
        says(head(field(b"content-length", b"100")), data(b"hello", END_STREAM)),
        *BROKEN,
    ),
    row(
        down,
        "length_too_small",
        "more than was announced",
        says(head(field(b"content-length", b"1")), data(b"hello", END_STREAM)),
        *BROKEN,
    ),
    row(
        down, "window_zero_step", "a window update of nothing", says(frame(WINDOW_UPDATE, bytes(4), stream=1)), *BROKEN
    ),
    row(
        down,
        "window_too_large",
        "a window beyond all bounds",
        says(frame(WINDOW_UPDATE, b"\x7f\xff\xff\xff") * 2),
        *BROKEN,
    ),
    row(
        up,
        "window_0",
        "a window of nothing, which a GET does not need",
        says(PAGE, first=frame(SETTINGS, b"\0\4\0\0\0\0")),
    ),
    row(up, "settings_33", "more settings than usual", says(PAGE, first=settings(33))),
    row(up, "settings_256", "as many as may be", says(PAGE, first=settings(256))),
    row(up, "settings_later", "the same in its answer", says(head(), settings(200), data(b"hello", END_STREAM))),
    row(down, "settings_257", "too many settings", says(PAGE, first=settings(257)), *BROKEN),
    row(
        down,
        "settings_of_256_without_end",
        "as many settings as may be, without end",
        says(then=without_end(frame(SETTINGS, b"\x0a\x0a\0\0\0\1" * 128 + b"\0\3\0\0\0\x64" * 128))),
        "protocol_error or too_large",
        "127.0.0.1",
    ),
    row(up, "no_streams", "allows no streams, once one is open", says(PAGE, first=frame(SETTINGS, b"\0\3\0\0\0\0"))),
    row(
        down,
        "post_window_0",
        "a window of nothing, for a body",
        says(first=frame(SETTINGS, b"\0\4\0\0\0\0")),
        *WAITS,
        site={"method": "POST", "body": "x" * 100_000},
        **LATE,
    ),
    row(up, "goaway_with_page", "an ordinary page, and then it goes away", says(PAGE, GOES)),
    row(up, "goaway_before_page", "says that it will go away, and answers", says(GOES, PAGE)),
    row(up, "close_behind_page", "an ordinary page, and closes", says(PAGE, then=close)),
    row(up, "end_alone_and_close", "the end in a frame of its own, and closes", end_and_close),
    row(up, "end_in_head", "nothing but a head", says(head(flags=END_HEADERS | END_STREAM))),
    row(up, "end_in_trailers", "an end in trailers", says(head(), data(b"hello"), TRAILERS)),
    *rows_that_count(),
    row(up, "pings_around", "pings around a page", says(PINGS, head(), PINGS, data(b"hello", END_STREAM), PINGS)),
    row(up, "page_without_end", "a body without end of what has none", says(head()), site={"method": "HEAD"}),
    # Ends.
    row(
        down,
        "reset_stream",
        "resets the stream",
        says(frame(RST_STREAM, b"\0\0\0\2", stream=1)),
        "protocol_error",
        "INTERNAL_ERROR",
    ),
    row(
        down,
        "refuse_stream",
        "refuses the stream",
        says(frame(RST_STREAM, b"\0\0\0\7", stream=1)),
        "protocol_error",
        "refused",
    ),
    row(
        down,
        "reset_in_body",
        "resets the stream in its body",
        says(head(), data(b"hello"), frame(RST_STREAM, b"\0\0\0\x0b", stream=1)),
        "protocol_error",
        "ENHANCE_YOUR_CALM",
    ),
    row(down, "goaway", "sends us away", says(frame(GOAWAY, bytes(8))), "protocol_error", "HTTP/2"),
    row(down, "goaway_http_1_1", "wants HTTP/1.1", says(frame(RST_STREAM, b"\0\0\0\x0d", stream=1)), *WAITS, **LATE),
    row(down, "close_at_once", "closes after the request", says(first=b"", then=close), "connection_lost", "127.0.0.1"),
    row(down, "close_after_hello", "closes after its hello", says(then=close), "connection_lost", "127.0.0.1"),
    row(
        down,
        "close_in_body",
        "closes in the body",
        says(head(), data(b"hello"), then=close),
        "connection_lost",
        "127.0.0.1",
    ),
    row(
        down,
        "close_in_frame",
        "closes in a frame",
        says(head(), data(b"hello")[:-2], then=close),
        "connection_lost",
        "127.0.0.1",
    ),
    row(
        down,
        "cut_in_body",
        "resets the connection in the body",
        says(head(), data(b"hello"), then=reset),
        "connection_lost",
        "127.0.0.1",
    ),
    row(down, "hang_at_once", "says nothing", hang_at_once, *WAITS, **LATE),
    row(down, "hang_after_hello", "says hello, and nothing more", says(), *WAITS, **LATE),
    row(
        down,
        "hang_in_head",
        "stops in the head",
        says(frame(HEADERS, field(b":status", b"200"), stream=1)),
        *WAITS,
        **LATE,
    ),
    row(down, "hang_in_body", "stops in the body", says(head(), data(b"hello")), *WAITS, **LATE),
    row(down, "slow", "an answer by the byte", by_the_byte, *WAITS, **LATE),
    row(
        down,
        "loop",
        "leads to itself",
        says(head(field(b"location", b"/"), status=b"302", flags=END_HEADERS | END_STREAM)),
        "too_many_redirects",
        "10",
    ),
]

# The same without TLS, where nobody looks at records, and libcurl reads as long as there is something.
WITHOUT_TLS = (
    "page",
    "http_1_1",
    "settings_256",
    "settings_of_256_without_end",
    "pongs_without_end",
    "priorities_without_end",
    "windows_without_end",
    "resets_without_end",
    "unknown_without_end",
    "continuation_without_end",
    "indexed_bomb",
    "data_empty_without_end",
    "data_of_a_byte",
)
ROWS += [without_tls(one) for one in ROWS if one.name.removeprefix("h2_") in WITHOUT_TLS]
assert sum(one.name.endswith("_plain") for one in ROWS) == len(WITHOUT_TLS)
ROWS += map(without_tls, rows_that_count())
