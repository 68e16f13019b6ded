"""Proxies that stall, lie, and never end. Until they let us through, their trouble says nothing of the site."""

from hostile.behaviour import answer, close, down, drip, flood, hang, reset, unknown, up

SHORT_MS = 700
LATE = {"timeout_ms": SHORT_MS}
OPEN = b"HTTP/1.1 200 Connection established\r\n\r\n"
PAGE = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"
ASKS = b"HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic realm=x\r\nContent-Length: 0\r\n\r\n"
ASKS_AT_LENGTH = ASKS.replace(b"Length: 0", b"Length: 20000000") + b"no"


def tunnel(make, name, does, script, *rest, **more):
    """A proxy that is asked to let TLS through."""
    return make(f"tunnel_{name}", does, script, *rest, kind="https", proxy="http", **more)


def secure(make, name, does, script, *rest, context="good", **more):
    """The same over TLS of its own."""
    return make(f"secure_tunnel_{name}", does, script, *rest, kind="https", proxy="https", context=context, **more)


def plain(make, name, does, script, *rest, **more):
    """A proxy that asks for the page itself."""
    return make(f"proxy_{name}", does, script, *rest, proxy="http", **more)


def lets_through(script, *pieces):
    """Let TLS through to a site that is played by the proxy itself."""

    async def proxy(peer):
        await peer.request()
        await peer.say(OPEN, *pieces)
        await peer.writer.start_tls(peer.server.trust.context("site"))
        await script(peer)

    return proxy


async def hang_at_once(peer):
    await peer.hang()


async def says_at_once(peer):
    await peer.say(b"HTTP/1.1 400 Bad Request\r\n\r\n")
    await peer.hang()


async def greets(peer):
    await peer.say(b"220 mail.test ESMTP\r\n")
    await peer.hang()


async def by_the_byte(peer):
    await peer.request()
    await peer.drip_through(OPEN)


async def asks_again_and_again(peer):
    while True:
        await peer.request()
        await peer.say(ASKS)


async def page_by_the_byte(peer):
    await peer.request()
    await peer.drip_through(PAGE, 0.05)


ENDLESS = ("prober_error", "larger than the cap")
SLOW = ("connect_timeout", ("site.test", "the proxy 127.0.0.1"))
HALF = ("prober_error", ("the proxy", "its answer to CONNECT"))
REFUSES = ("prober_error", "refuses")
NO_ANSWER = ("prober_error", "proxy")
OFFLINE = ("prober_offline", "proxy")
ELSEWHERE = b"HTTP/1.1 302 Found\r\nLocation: http://a/\r\n\r\n"
FORBIDDEN = b"HTTP/1.1 403 Forbidden\r\n"

ROWS = [
    tunnel(up, "page", "an ordinary page", lets_through(answer(PAGE))),
    # Without end.
    tunnel(unknown, "headers", "headers without end", answer(OPEN[:-2], then=flood(b"a: b\r\n")), *ENDLESS),
    tunnel(unknown, "header_line", "a header without end", answer(OPEN[:-2], b"a: ", then=flood(b"b")), *ENDLESS),
    tunnel(unknown, "status_line", "a status without end", answer(b"HTTP/1.1 200 ", then=flood(b"b")), *ENDLESS),
    tunnel(unknown, "interim", "interim answers", answer(then=flood(b"HTTP/1.1 100 Continue\r\n\r\n")), *NO_ANSWER),
    tunnel(unknown, "lines_of_nothing", "empty lines", answer(then=flood(b"\r\n")), *NO_ANSWER),
    tunnel(
        unknown,
        "body_without_end",
        "refuses, in a body without end",
        answer(FORBIDDEN, b"\r\n", then=flood(b"no")),
        *NO_ANSWER,
    ),
    tunnel(
        unknown,
        "body_of_9_gb",
        "refuses, in nine gigabytes",
        answer(FORBIDDEN, b"Content-Length: 9000000000\r\n\r\n", then=flood(b"no")),
        *NO_ANSWER,
    ),
    tunnel(
        unknown,
        "chunks_without_end",
        "refuses, in chunks without end",
        answer(FORBIDDEN, b"Transfer-Encoding: chunked\r\n\r\n", then=flood(b"2\r\nno\r\n")),
        *NO_ANSWER,
    ),
    tunnel(
        unknown,
        "chunk_of_nothing",
        "refuses, in a chunk whose size never ends",
        answer(FORBIDDEN, b"Transfer-Encoding: chunked\r\n\r\n", then=flood(b"0")),
        *NO_ANSWER,
    ),
    tunnel(unknown, "asks_again", "asks for credentials again and again", asks_again_and_again, "prober_error", "407"),
    tunnel(
        unknown,
        "asks_for_others",
        "never likes the credentials",
        asks_again_and_again,
        "prober_error",
        "407",
        user="me:secret",
    ),
    tunnel(
        unknown,
        "asks_without_end",
        "asks for credentials in a page that never ends",
        answer(ASKS_AT_LENGTH, then=hang),
        "prober_error",
        "407",
        **LATE,
    ),
    # Refusals.
    tunnel(unknown, "redirect", "leads elsewhere", answer(ELSEWHERE), *REFUSES),
    tunnel(unknown, "forbidden", "refuses", answer(FORBIDDEN, b"Content-Length: 2\r\n\r\nno"), *REFUSES),
    tunnel(
        down,
        "bad_gateway",
        "does not reach the site",
        answer(b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n"),
        "connect_unreachable",
        ("site.test", "502"),
    ),
    # What makes no sense.
    tunnel(unknown, "garbage", "noise", answer(bytes(range(256)) * 4), *NO_ANSWER),
    tunnel(down, "nul", "a NUL in a header", answer(OPEN[:-2], b"a: \0\r\n\r\n", then=hang), "timeout", "TLS", **LATE),
    tunnel(unknown, "other_protocol", "a mail server", answer(b"220 mail.test ESMTP\r\n"), *NO_ANSWER),
    tunnel(
        unknown,
        "switches",
        "switches protocols",
        answer(b"HTTP/1.1 101 Switching Protocols\r\n\r\n", then=close),
        *NO_ANSWER,
    ),
    tunnel(down, "noise_in_it", "lets through, to noise", answer(OPEN, b"\x13\x37" * 99), "tls_error", "TLS"),
    tunnel(
        down,
        "body_behind_it",
        "lets through, and has a body nonetheless",
        answer(OPEN[:-2], b"Content-Length: 5\r\n\r\nhello", then=hang),
        "tls_error",
        "TLS",
    ),
    tunnel(
        down,
        "chunks_behind_it",
        "lets through, and has chunks nonetheless",
        answer(OPEN[:-2], b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n", then=hang),
        "tls_error",
        "TLS",
    ),
    # Ends.
    tunnel(unknown, "closes_at_once", "closes at once", close, *NO_ANSWER),
    tunnel(unknown, "closes", "closes instead of an answer", answer(), *NO_ANSWER),
    tunnel(unknown, "closes_in_head", "closes in its answer", answer(OPEN[:-4]), *NO_ANSWER),
    tunnel(down, "closes_behind_head", "lets through, and closes", answer(OPEN), "tls_error", "closed"),
    tunnel(unknown, "resets", "resets instead of an answer", answer(then=reset), *NO_ANSWER),
    tunnel(unknown, "resets_in_head", "resets in its answer", answer(OPEN[:-4], then=reset), *NO_ANSWER),
    tunnel(down, "resets_behind_head", "lets through, and resets", answer(OPEN, then=reset), "tls_error", "reset"),
    tunnel(
        down,
        "closes_in_body",
        "closes in the page",
        lets_through(answer(PAGE[:-2])),
        "connection_lost",
        "cut off",
    ),
    tunnel(down, "silent", "accepts, and is silent", hang_at_once, *SLOW, **LATE),
    tunnel(down, "silent_to_request", "accepts, and does not answer", answer(then=hang), *SLOW, **LATE),
    tunnel(unknown, "slow", "an answer by the byte", by_the_byte, *HALF, **LATE),
    tunnel(unknown, "slow_header", "a header by the byte", answer(OPEN[:-2], then=drip(b"a")), *HALF, **LATE),
    tunnel(unknown, "half", "half an answer", answer(OPEN[:20], then=hang), *HALF, **LATE),
    tunnel(unknown, "one_byte", "one byte", answer(b"H", then=hang), *HALF, **LATE),
    tunnel(unknown, "greets", "greets, and waits", greets, *HALF, **LATE),
    tunnel(
        unknown,
        "interim_alone",
        "an interim answer, and no other",
        answer(b"HTTP/1.1 100 Continue\r\n\r\n", then=hang),
        *NO_ANSWER,
    ),
    tunnel(down, "silent_behind_head", "lets through to nothing", answer(OPEN, then=hang), "timeout", "TLS", **LATE),
    tunnel(
        down,
        "slow_page",
        "a page by the byte",
        lets_through(page_by_the_byte),
        "timeout",
        "not complete",
        **LATE,
    ),
    # Over TLS.
    secure(up, "page", "an ordinary page", lets_through(answer(PAGE))),
    secure(unknown, "headers", "headers without end", answer(OPEN[:-2], then=flood(b"a: b\r\n")), *ENDLESS),
    secure(unknown, "interim", "interim answers", answer(then=flood(b"HTTP/1.1 100 Continue\r\n\r\n")), *NO_ANSWER),
    secure(unknown, "closes", "closes instead of an answer", answer(), *NO_ANSWER),
    secure(unknown, "redirect", "leads elsewhere", answer(ELSEWHERE), *REFUSES),
    secure(unknown, "silent", "never shakes hands", hang_at_once, *OFFLINE, context=None, **LATE),
    secure(unknown, "no_tls", "speaks no TLS", says_at_once, *OFFLINE, context=None),
    secure(unknown, "closes_in_greeting", "closes instead of shaking hands", close, *OFFLINE, context=None),
    secure(unknown, "expired", "has a certificate of yesterday", close, *OFFLINE, context="expired"),
    secure(down, "silent_to_request", "shakes hands, and does not answer", answer(then=hang), *SLOW, **LATE),
    secure(
        down,
        "silent_with_tls_1_2",
        "shakes hands as of old, and does not answer",
        answer(then=hang),
        *SLOW,
        context="good/tls1.2",
        **LATE,
    ),
    secure(unknown, "slow", "an answer by the byte", by_the_byte, *HALF, **LATE),
    secure(unknown, "half", "half an answer", answer(OPEN[:20], then=hang), *HALF, **LATE),
    secure(
        unknown, "half_tls_1_2", "the same of old", answer(b"H", then=hang), *HALF, context="good/tls1.2", **LATE
    ),
    # Of pages without TLS.
    plain(up, "page", "an ordinary page", answer(PAGE)),
    plain(unknown, "asks_again", "asks for credentials again and again", asks_again_and_again, "prober_error", "407"),
    plain(
        unknown,
        "asks_without_end",
        "asks for credentials in a page that never ends",
        answer(ASKS_AT_LENGTH, then=hang),
        "prober_error",
        "407",
        **LATE,
    ),
    plain(unknown, "asks_in_part", "asks for a user in half a page", answer(ASKS_AT_LENGTH), "prober_error", "407"),
    plain(
        unknown,
        "asks_in_a_flood",
        "asks for credentials in 20 MB",
        answer(ASKS_AT_LENGTH, then=flood(b"no")),
        "prober_error",
        "407",
    ),
    plain(down, "half", "half an answer", answer(PAGE[:20], then=hang), "timeout", "site.test", **LATE),
    plain(down, "silent", "does not answer", answer(then=hang), "timeout", "site.test", **LATE),
    # For all that shows, it is the site that does.
    plain(down, "greets", "greets, and waits", greets, "protocol_error", "not HTTP"),
    plain(down, "headers", "headers without end", answer(PAGE[:17], then=flood(b"a: b\r\n")), "too_large", "headers"),
    plain(down, "closes", "closes instead of an answer", answer(), "connection_lost", "closed"),
    plain(down, "bad_gateway", "reaches no site", answer(b"HTTP/1.1 502 Bad\r\n\r\n"), "status_mismatch", "502"),
    plain(
        down,
        "loop",
        "leads to itself",
        answer(b"HTTP/1.1 302 Found\r\nLocation: /\r\nContent-Length: 0\r\n\r\n"),
        "too_many_redirects",
        "10",
    ),
]
