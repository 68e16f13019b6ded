"""HTTP/2 whose rules are broken in the middle of a response: to libcurl that is its end, or nothing at all.

Everything is played over TLS and without.
"""

from hostile import packed
from hostile.behaviour import close, down, hang, up
from hostile.streams import (
    BROKEN,
    CONTINUATION,
    END_HEADERS,
    END_STREAM,
    GOES,
    GZIP,
    HEADERS,
    HELLO,
    PADDED,
    PAGE,
    PING,
    RST_STREAM,
    SETTINGS,
    WINDOW_UPDATE,
    data,
    field,
    frame,
    head,
    row,
    says,
    without_tls,
)

END = data(b"hello", END_STREAM)
SHORT_PING = frame(PING, bytes(7))
MUCH = data(bytes(16000)) * 3
TEN = field(b"content-length", b"10")
BREACHES = (
    ("frame_too_large", "a frame of 16 MiB", (b"\xff\xff\xff\0\0\0\0\0\1", bytes(100))),
    ("settings_odd_size", "settings of five bytes", (frame(SETTINGS, bytes(5)),)),
    ("settings_bad_window", "a window of four gigabytes", (frame(SETTINGS, b"\0\4\xff\xff\xff\xff"),)),
    ("settings_of_a_stream", "settings of a stream", (frame(SETTINGS, stream=1),)),
    ("ping_odd_size", "a ping of seven bytes", (SHORT_PING,)),
    ("data_of_nobody", "a body for a stream that nobody opened", (data(b"hello", stream=7),)),
    ("data_of_none", "a body for no stream", (data(b"hello", stream=0),)),
    ("head_of_nobody", "a head for a stream that nobody opened", (frame(HEADERS, b"\x88", flags=4, stream=7),)),
    ("index_unknown", "a trailer by a number that nobody gave", (frame(HEADERS, b"\xff\xff\x7f", flags=5, stream=1),)),
    ("continuation", "goes on with a head that had ended", (frame(CONTINUATION, b"\x88", flags=4, stream=1),)),
    ("padding_too_long", "more padding than the frame is long", (data(b"\xffb", PADDED),)),
    ("window_too_large", "a window beyond all bounds", (frame(WINDOW_UPDATE, b"\x7f\xff\xff\xff") * 2,)),
    ("window_of_nothing", "a window update of nothing", (frame(WINDOW_UPDATE, bytes(4)),)),
    ("noise", "noise", (b"\x13\x37" * 60,)),
)


def later(*frames, then=hang):
    """A while later, these frames in one piece. (Who closes at once resets what we have not read yet.)"""

    async def script(peer):
        await peer.pause(0.3)
        await peer.say(b"".join(frames))
        await then(peer)

    return script


def long_head(lines):
    """A line of 1 KiB, and again so many times by its number."""
    return head(b"\x40\x01x\x7f\x81\x07" + b"y" * 1024 + b"\xbe" * lines)


def much(size, most=8192):
    """A body of this size to its end, in frames as nginx makes them."""
    whole = [data(bytes(most)) for _ in range(size // most)]
    return b"".join((*whole, data(bytes(size % most), END_STREAM)))


def rows_of(name, does, frames):
    """A breach wherever it may come."""
    return (
        row(down, f"then_{name}", f"{does}, after a head", says(head(), data(b"hello"), *frames), *BROKEN),
        row(
            down,
            f"length_then_{name}",
            f"{does}, after a head that says how much there is",
            says(head(TEN), data(b"hello"), *frames),
            *BROKEN,
        ),
        row(
            down,
            f"goaway_then_{name}",
            f"says that it will go away, and {does}",
            says(GOES, head(), data(b"hello"), *frames),
            *BROKEN,
        ),
        row(
            down,
            f"goaway_length_then_{name}",
            f"says that it will go away, and {does} in an answer that says how much there is",
            says(GOES, head(TEN), data(b"hello"), *frames),
            *BROKEN,
        ),
        row(
            down,
            f"late_{name}",
            f"a head, and a while after it {does} with a part of the body",
            says(head(), then=later(data(b"hello"), *frames)),
            *BROKEN,
        ),
        row(
            down,
            f"goaway_late_{name}",
            f"a head behind a GOAWAY, and a while after it {does} with a part of the body",
            says(GOES, head(), then=later(data(b"hello"), *frames)),
            *BROKEN,
        ),
    )


RESET = frame(RST_STREAM, b"\0\0\0\2", stream=1)
RESET_IN_PEACE = frame(RST_STREAM, bytes(4), stream=1)
BAD_TRAILERS = frame(HEADERS, field(b"X-Upper", b"y"), flags=END_HEADERS | END_STREAM, stream=1)
# What ends one stream and leaves the connection: the word in the message where nothing else came.
OF_A_STREAM = (
    ("reset", "resets the stream", (RESET,), "127.0.0.1"),
    ("reset_in_peace", "resets the stream for no reason", (RESET_IN_PEACE,), "HTTP/2"),
    ("bad_trailers", "trailers in capitals", (BAD_TRAILERS,), "HTTP/2"),
)


def rows_of_a_stream(name, does, frames, word):
    broken = ("protocol_error", word)
    return (
        row(down, f"then_{name}", f"{does}, after a head", says(head(), data(b"hello"), *frames), *broken),
        row(down, f"late_{name}", f"{does}, later", says(head(), then=later(data(b"hello"), *frames)), *broken),
        row(
            down,
            f"goaway_then_{name}",
            f"says that it will go away, and {does}",
            says(GOES, head(), data(b"hello"), *frames),
            *broken,
        ),
        row(
            down,
            f"goaway_late_{name}",
            f"a head behind a GOAWAY, and later {does}",
            says(GOES, head(), then=later(data(b"hello"), *frames)),
            *broken,
        ),
        row(
            down,
            f"much_then_{name}",
            f"{does}, behind more of a body than is read at once",
            says(head(), then=later(MUCH, *frames)),
            *broken,
        ),
        row(
            down,
            f"goaway_much_then_{name}",
            f"the same behind a GOAWAY: {does}",
            says(GOES, head(), then=later(MUCH, *frames)),
            *broken,
        ),
    )


ROWS = [
    *(one for breach in BREACHES for one in rows_of(*breach)),
    *(one for breach in OF_A_STREAM for one in rows_of_a_stream(*breach)),
    row(
        down,
        "packed_then_breach",
        "a frame for nobody, behind all of a packed body",
        says(head(GZIP), data(packed.page()), data(b"", stream=7)),
        *BROKEN,
    ),
    row(down, "late_breach", "a breach after a head", says(head(), data(b"x"), then=later(SHORT_PING)), *BROKEN),
    row(
        down,
        "goaway_late_breach",
        "the same behind a GOAWAY",
        says(GOES, head(), data(b"x"), then=later(SHORT_PING)),
        *BROKEN,
    ),
    row(
        down,
        "goaway_breach_and_close",
        "breaks a rule behind a GOAWAY, and closes",
        says(GOES, head(), data(b"x"), SHORT_PING, then=later(then=close)),
        *BROKEN,
    ),
    row(
        down,
        "much_then_breach",
        "a breach behind more of a body than is read at once",
        says(GOES, head(), then=later(MUCH, SHORT_PING)),
        *BROKEN,
    ),
    # Sound: the last of it comes in one piece that is more than libcurl reads at once.
    *(
        row(up, f"much_at_last_{size}", "much of a page comes last", says(head(), then=later(much(size))))
        for size in (20_000, 30_000, 32_700, 40_000, 60_000, 100_000)
    ),
    *(
        row(
            up,
            f"behind_a_head_of_{lines}_{size}",
            "a long head and a page at once",
            says(b"".join((HELLO, long_head(lines), much(size))), first=b""),
        )
        for size, lines in ((20_000, 60), (15_000, 60), (15_000, 3), (15_000, 14), (100, 60), (0, 60))
    ),
    row(
        up,
        "packed_at_last",
        "a page that unpacks to 4 MiB comes last",
        says(head(GZIP), then=later(data(packed.page(4 * 1024 * 1024), END_STREAM))),
    ),
    # What comes behind the end of the response is no part of it.
    row(up, "breach_behind_page", "a page, and then a breach", says(b"".join((PAGE, SHORT_PING)))),
    row(up, "breach_behind_goaway", "goes away, a page, a breach", says(b"".join((GOES, PAGE, SHORT_PING)))),
    row(up, "breach_behind_late_page", "a page in parts, and a breach", says(head(), then=later(END, SHORT_PING))),
    row(up, "reset_behind_page", "a page, and resets it", says(b"".join((PAGE, RESET_IN_PEACE)))),
    row(up, "goaway_and_close", "goes away, and closes behind its page", says(GOES, PAGE, then=later(then=close))),
    row(
        up,
        "goaway_and_late_page",
        "goes away in order, a page in parts, and closes",
        says(GOES, head(), then=later(END, then=close)),
    ),
]
ROWS += [without_tls(one) for one in ROWS]
