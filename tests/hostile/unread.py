"""Servers that say their answer while words of ours are unread, or still on their way; and close at once, or never.

The kernel of one that closes sends RST behind what was said. Our own words fail on it, be it an answer to SETTINGS or
the rest of an upload; of one that stays, the rest of an upload waits for ever. The answer itself has come, and is what
counts.
"""

import gzip
from dataclasses import replace

from hostile import streams
from hostile.behaviour import cut, down, end_and_cut, hang, up
from hostile.handshakes import Records, alert
from hostile.kept import begin
from hostile.proxies import OPEN
from hostile.streams import (
    END_HEADERS,
    END_STREAM,
    HELLO,
    RST_STREAM,
    SETTINGS,
    WINDOW_UPDATE,
    data,
    field,
    frame,
    head,
    read_request,
)

AGAIN = {"checks": 2, "is_reused": False}
UPLOAD = {"method": "POST", "body": "x" * 200_000, "valid_status_codes": [200, 413]}
LARGE_UPLOAD = 1_000_000  # for a connection over which one has gone: it has learnt to take more at a time
SAYS_LARGE = {"fail_if_body_not_matches_regexp": ["^too large"]}
TEXT = b"too large".ljust(150_000, b".")  # more than is read at a time
LOST = ("connection_lost", "reset")
KINDS = {"": {}, "tls_": {"kind": "https", "context": "good"}, "tls_1_2_": {"kind": "https", "context": "good/tls1.2"}}


def answers(*pieces, then=cut):
    """Read the request's head, leave the rest unread, give these bytes, and then."""

    async def script(peer):
        await peer.request()
        peer.read_no_more()
        await peer.say(*pieces)
        await then(peer)

    return script


def status(line, *fields, body=TEXT, length=None):
    """A response; a length that is not its body's cuts it off."""
    fields = [b"Content-Length: %d" % (len(body) if length is None else length), *fields]
    return b"\r\n".join((b"HTTP/1.1 " + line, *fields, b"", body))


CHUNKS = b"HTTP/1.1 413 Large\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
ENDLESS = b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n"
CLOSES = b"Connection: close"
GO_ON = b"HTTP/1.1 100 Continue\r\n\r\n"


async def leads_on(peer):
    """Redirects and a page, each said to half an upload."""
    asked = await peer.request()
    peer.read_no_more()
    is_last = asked.startswith(b"POST /last ")
    await peer.say(status(b"200 OK", CLOSES) if is_last else status(b"307 Moved", CLOSES, b"Location: /last"))
    await peer.cut()


def uploads(prefix, more):
    """HTTP/1.1, over TCP and over TLS."""

    def row(make, name, does, script, *rest, site=SAYS_LARGE, **options):
        return make(
            f"unread_{prefix}{name}", does, script, *rest, site=UPLOAD | site, is_narrow=True, **more, **options
        )

    answer, expect = b"413 Large", {"headers": {"Expect": "100-continue"}} | SAYS_LARGE
    chunk = b"%x\r\n" % len(TEXT) + TEXT
    return (
        row(up, "upload", "answers half an upload, and resets", answers(status(answer))),
        row(up, "upload_closes", "the same, and says that it closes", answers(status(answer, CLOSES))),
        row(up, "upload_short", "a short answer to half an upload", answers(status(answer, CLOSES, body=TEXT[:99]))),
        row(up, "upload_ok", "is content with half an upload", answers(status(b"200 OK"))),
        row(up, "upload_ended", "answers half an upload, ends, resets", answers(status(b"200 OK"), then=end_and_cut)),
        row(up, "upload_chunks", "answers half an upload in chunks", answers(CHUNKS + chunk + b"\r\n0\r\n\r\n")),
        row(up, "upload_no_length", "the end of its answer is the end", answers(ENDLESS + TEXT, then=end_and_cut)),
        row(up, "upload_redirect", "leads half an upload on", leads_on),
        row(up, "upload_expect", "the same to who waits for it", answers(status(answer, CLOSES)), site=expect),
        row(up, "upload_go_on", "goes on, and does not", answers(GO_ON + status(answer, CLOSES)), site=expect),
        row(down, "upload_cut", "resets in its answer", answers(status(answer, CLOSES, length=999_999)), *LOST),
        row(down, "upload_cut_chunk", "resets in a chunk", answers(CHUNKS + chunk), *LOST),
        row(down, "upload_cut_no_length", "a reset is no end of an answer", answers(ENDLESS + TEXT), *LOST),
        row(down, "upload_cut_head", "resets in the head of its answer", answers(CHUNKS[:30]), *LOST),
        row(down, "upload_nothing", "resets half an upload", answers(), *LOST),
    )


# --- HTTP/2


BODY = TEXT[:50_000]
LARGE = head(status=b"413")
TAIL = data(TEXT[:9_000], END_STREAM)
PARTS = (data(TEXT[:9_000]), data(b"", END_STREAM))
PACKED = gzip.compress(b"too large" + bytes(4 * 1024 * 1024))
WIDE = frame(SETTINGS, b"\0\4\0\xff\0\0") + frame(WINDOW_UPDATE, b"\0\xff\0\0")
NARROW = frame(SETTINGS, b"\0\4\0\0\0\0")
BROKEN = ("protocol_error", "HTTP/2")
LATE = ("timeout", "127.0.0.1")
EXPECT = {"headers": {"Expect": "100-continue"}}
STOPS = frame(RST_STREAM, bytes(4), stream=1)
CANCELS = frame(RST_STREAM, b"\0\0\0\x08", stream=1)


def body_of(text):
    """As frames, of which the last ends the stream."""
    return b"".join(
        data(text[at : at + 16384], 0 if text[at + 16384 :] else END_STREAM) for at in range(0, len(text), 16384)
    )


def says(*pieces, then=cut):
    """Read the request's head and nothing more; these pieces, and then."""

    async def script(peer):
        await read_request(peer)
        peer.read_no_more()
        await peer.say(*pieces)
        await then(peer)

    return script


def leads_on_over_http2(code=b"302", then=cut):
    """Every other connection gets a redirect, and the one behind it the page."""
    asked = []

    async def script(peer):
        asked.append(peer)
        await read_request(peer)
        peer.read_no_more()
        moved = head(field(b"location", b"/"), status=code, flags=END_HEADERS | END_STREAM)
        await peer.say(HELLO + (moved if len(asked) % 2 else head() + TAIL))
        await then(peer)

    return script


def later(*pieces, then=hang):
    """These a while after the answer, to whom it may concern."""

    async def script(peer):
        await peer.pause(0.1)
        await peer.say(*pieces)
        await then(peer)

    return script


def by_the_byte(text):
    """The request's head, and no more of it; an answer in crumbs."""

    async def script(peer):
        await read_request(peer)
        peer.read_no_more()
        await peer.drip_through(text, 0.005)

    return script


def over_http2(prefix, more):
    def row(make, name, does, script, *rest, site=None, **options):
        return make(
            f"unread_h2_{prefix}{name}",
            does,
            script,
            *rest,
            site=more["site"] | (site or {}),
            is_narrow=True,
            **more["peer"],
            **options,
        )

    posts = UPLOAD | SAYS_LARGE
    page, whole = HELLO + streams.PAGE, HELLO + LARGE + TAIL
    large = HELLO + head() + body_of(BODY)
    return (
        row(up, "page", "says a page, and resets", says(page)),
        row(up, "page_in_parts", "a page in parts", says(HELLO, head(), data(b"hel"), data(b"lo", END_STREAM))),
        row(up, "page_ended", "says a page, ends, and resets", says(page, then=end_and_cut)),
        row(up, "page_large", "a page that we say that we read", says(large)),
        row(up, "page_trailers", "a page with trailers", says(HELLO + head() + data(b"hello") + streams.TRAILERS)),
        row(up, "page_and_pings", "a page that we are to answer", says(streams.PINGS.join((HELLO, streams.PAGE)))),
        row(up, "goaway", "a page, and goes away", says(HELLO + streams.GOES + streams.PAGE)),
        row(up, "redirect", "leads on, and resets each", leads_on_over_http2()),
        row(down, "cut", "resets in its page", says(HELLO + head() + data(b"hello")), *LOST),
        row(down, "cut_large", "resets in a large page", says(large[:-9]), *LOST),
        row(down, "nothing", "resets behind its settings", says(HELLO), *LOST),
        row(up, "upload", "answers half an upload, and resets", says(whole), site=posts),
        row(up, "upload_ended", "answers half an upload, ends, resets", says(whole, then=end_and_cut), site=posts),
        row(up, "upload_large", "a large answer to it", says(HELLO + LARGE + body_of(BODY)), site=posts),
        row(down, "upload_cut", "resets in its answer to it", says(whole[:-9]), *LOST, site=posts),
        row(up, "stops", "wants no more of an upload", says(whole + STOPS, then=hang), site=posts),
        row(up, "stops_and_resets", "the same, and resets", says(whole + STOPS), site=posts),
        row(up, "stops_large", "the same, large", says(HELLO + LARGE + body_of(BODY) + STOPS, then=hang), site=posts),
        row(
            up,
            "stops_and_goes",
            "the same, and goes away",
            says(HELLO + streams.GOES + whole[len(HELLO) :] + STOPS, then=hang),
            site=posts,
        ),
        row(up, "cancels", "cancels the rest of an upload", says(whole + CANCELS, then=hang), site=posts),
        row(
            up,
            "stops_empty",
            "wants no more of it, without a body",
            says(HELLO + head(flags=streams.END_HEADERS | END_STREAM) + STOPS, then=hang),
            site=UPLOAD,
        ),
        row(
            down,
            "stops_early",
            "resets the stream in its answer",
            says(HELLO + LARGE + data(b"too large") + STOPS, then=hang),
            "protocol_error",
            "HTTP/2",
            site=posts,
        ),
        row(
            up,
            "stops_kept",
            "wants no more of each",
            says(whole + STOPS, then=hang),
            site=posts | {"keepalive": True},
            **AGAIN,
        ),
        *(() if prefix == "tls_1_2_" else stays(row, posts)),  # no more is learnt over each version of TLS
    )


def stays(row, posts):
    """What answers half an upload, and leaves it at that."""
    large = LARGE + body_of(BODY)

    def says_and_stays(*pieces, then=hang, first=HELLO):
        return says(b"".join((first, *pieces)), then=then)

    def of_length(count):
        return head(field(b"content-length", b"%d" % count), status=b"413")

    return (
        row(up, "stays", "answers half an upload", says_and_stays(head(), TAIL), site=posts),
        row(up, "stays_413", "the same, as it should", says_and_stays(LARGE, TAIL), site=posts),
        row(up, "stays_parts", "the end in a frame of its own", says_and_stays(LARGE, *PARTS), site=posts),
        row(up, "stays_large", "a large answer", says_and_stays(large), site=posts),
        row(
            up,
            "stays_packed",
            "an answer that is work",
            says_and_stays(head(streams.GZIP), body_of(PACKED)),
            site=posts,
        ),
        row(
            up,
            "stays_trailers",
            "with trailers",
            says_and_stays(LARGE, data(b"too large"), streams.TRAILERS),
            site=posts,
        ),
        row(up, "stays_length", "which says its length", says_and_stays(of_length(9_000), TAIL), site=posts),
        row(up, "stays_interim", "behind an interim one", says_and_stays(head(status=b"103"), LARGE, TAIL), site=posts),
        row(
            up,
            "stays_interim_apart",
            "a while behind",
            says(HELLO + head(status=b"103"), then=later(LARGE + TAIL)),
            site=posts,
        ),
        row(
            up,
            "stays_empty",
            "a head and nothing more",
            says_and_stays(head(flags=END_HEADERS | END_STREAM)),
            site=UPLOAD,
        ),
        row(
            up,
            "stays_crumbs",
            "an answer by the byte",
            by_the_byte(HELLO + head() + data(b"too large", END_STREAM)),
            site=posts,
        ),
        row(up, "stays_expect", "to who waits for it", says_and_stays(LARGE, TAIL), site=posts | EXPECT),
        row(
            up, "stays_window", "has a window, and does not read", says_and_stays(head(), TAIL, first=WIDE), site=posts
        ),
        row(up, "stays_window_0", "has no window at all", says_and_stays(head(), TAIL, first=NARROW), site=posts),
        row(up, "stays_303", "leads half an upload on", leads_on_over_http2(b"303", hang), site=posts),
        row(up, "stays_307", "the same, to be sent again", leads_on_over_http2(b"307", hang), site=posts),
        row(
            up,
            "stays_then_stops",
            "later wants no more of it",
            says_and_stays(LARGE, TAIL, then=later(STOPS)),
            site=posts,
        ),
        row(
            up, "stays_then_goes", "later goes away", says_and_stays(LARGE, TAIL, then=later(streams.GOES)), site=posts
        ),
        row(up, "stays_then_cuts", "later resets", says_and_stays(LARGE, TAIL, then=later(then=cut)), site=posts),
        row(
            up,
            "stays_then_breaks",
            "later breaks a rule",
            says_and_stays(LARGE, TAIL, then=later(b"?" * 99)),
            site=posts,
        ),
        row(up, "stays_kept", "each time", says_and_stays(LARGE, TAIL), site=posts | {"keepalive": True}, **AGAIN),
        row(
            up,
            "stays_kept_length",
            "each time, and says its length",
            says_and_stays(of_length(9_000), TAIL),
            site=posts | {"keepalive": True},
            **AGAIN,
        ),
        row(
            up,
            "stays_kept_goes",
            "each time, and goes",
            says_and_stays(LARGE, TAIL, then=later(streams.GOES)),
            site=posts | {"keepalive": True},
            **AGAIN,
        ),
        row(
            up,
            "stays_kept_stops",
            "each time, and stops",
            says_and_stays(LARGE, TAIL, then=later(STOPS)),
            site=posts | {"keepalive": True},
            **AGAIN,
        ),
        row(
            down, "stays_length_less", "less than it said", says_and_stays(of_length(9_001), TAIL), *BROKEN, site=posts
        ),
        row(
            down, "stays_length_more", "more than it said", says_and_stays(of_length(8_999), TAIL), *BROKEN, site=posts
        ),
        row(
            down,
            "stays_half",
            "half an answer",
            says_and_stays(LARGE, data(b"too large")),
            *LATE,
            site=posts,
            timeout_ms=700,
        ),
        row(
            down,
            "stays_interim_only",
            "an interim one",
            says_and_stays(head(status=b"103")),
            *LATE,
            site=posts,
            timeout_ms=700,
        ),
    )


def through(one):
    """The same row, through a proxy that lets TLS through: the proxy plays the site, too."""

    async def script(peer):
        await peer.request()
        await peer.say(OPEN)
        await peer.writer.start_tls(peer.server.trust.context("site/h2"))
        await one.script(peer)

    return replace(one, name=f"{one.name}_tunnel", script=script, context=None, proxy="http")


OVER_HTTP2 = {
    "": {"site": {}, "peer": {"kind": "https", "context": "good/h2"}},
    "tls_1_2_": {"site": {}, "peer": {"kind": "https", "context": "good/h2_tls1.2"}},
    "plain_": {"site": {"http_version": "2"}, "peer": {}},
}

IN_TUNNEL = ("stays", "stays_303", "stays_trailers", "stays_kept")

# --- connections that are kept, and handshakes


async def answers_then_dies(peer):
    await begin(peer)
    await peer.cut()


def second(*pieces):
    """A sound answer; to half of the next upload these bytes, and a reset."""

    async def script(peer):
        await peer.request()
        await peer.reader.readexactly(LARGE_UPLOAD)
        await peer.say(status(b"200 OK", body=b"too large"))
        await peer.request()
        peer.read_no_more()
        await peer.say(*pieces)
        await peer.cut()

    return script


def answers_then_cuts():
    """Every other connection ends behind a sound answer, and the one that follows it at once."""
    seen = []

    async def script(peer):
        seen.append(peer)
        if len(seen) % 2:
            await peer.request()
            await peer.say(status(b"200 OK", body=b"hello"))
        await peer.cut()

    return script


async def refuses_the_key(peer):
    """The client's key and Finished follow its first flight; what it says of them came before."""
    flight = await Records(peer, "tls1.2").flight()
    peer.read_no_more()
    await peer.say(*flight, alert(2, 40))
    await peer.cut()


KEPT = {"site": {"keepalive": True}, **AGAIN}
KEPT_UPLOAD = {
    "site": UPLOAD | SAYS_LARGE | {"keepalive": True, "body": "x" * LARGE_UPLOAD},
    "checks": 2,
    "is_narrow": True,
}
ROWS = [one for prefix, more in KINDS.items() for one in uploads(prefix, more)]
ROWS += [one for prefix, more in OVER_HTTP2.items() for one in over_http2(prefix, more)]
ROWS += [through(one) for one in ROWS if one.name.removeprefix("unread_h2_") in IN_TUNNEL]
IN_HANDSHAKE = ("tls_error", "reset")
POST = {"method": "POST", "body": "x" * 20_000}
# A reset may be there before anybody has looked whether the connection was made.
ROWS += [
    down(f"cut_at_once_{prefix}{name}", "resets at once", cut, *reason, site=asks | site, **more)
    for prefix, asks in (("", {}), ("post_", POST))
    for name, reason, site, more in (
        ("plain", LOST, {}, {}),
        ("h2_plain", LOST, {"http_version": "2"}, {}),
        ("tls", IN_HANDSHAKE, {}, {"kind": "https"}),
        *(
            (f"behind_{context.replace('/', '_').replace('.', '_')}", LOST, {}, {"kind": "https", "context": context})
            for context in ("good", "good/tls1.2", "good/h2", "good/h2_tls1.2")
        ),
    )
]
ROWS += [
    down("kept_cut_twice", "resets behind its answer, and the next at once", answers_then_cuts(), *LOST, **KEPT),
    down("unread_tls_alert", "refuses, and resets", refuses_the_key, "tls_error", "refused it", kind="https"),
    up("unread_kept", "a page, and resets", answers_then_dies, kind="https", context="good/h2", **KEPT),
    # whether it is asked anew or was heard in time is a race; what it says is an answer either way
    up("unread_kept_upload", "answers a second upload, and resets", second(status(b"200 OK")), **KEPT_UPLOAD),
    up("unread_kept_upload_nothing", "resets a second upload", second(), **KEPT_UPLOAD, is_reused=False),
]
