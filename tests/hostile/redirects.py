"""Redirects: where they lead, and how often."""

import gzip

from hostile.behaviour import answer, close, down, flood, up

BOMB = gzip.compress(bytes(15 * 1024 * 1024))


def to(location, *, code=302, then=close, more=b""):
    """A redirect; {self} and {NAME} in its location are the ports of rows."""

    async def script(peer):
        await peer.request()
        text = location
        if isinstance(text, str):
            for name in ("self", "page", "secure", "closed"):
                if f"{{{name}}}" in text:
                    text = text.replace(f"{{{name}}}", str(peer.port(name)))
            text = text.encode()
        await peer.say(
            b"HTTP/1.1 %d Moved\r\nLocation: " % code, text, b"\r\n", more or b"Content-Length: 0\r\n", b"\r\n"
        )
        await then(peer)

    return script


async def count_up(peer):
    """Each answer leads to a longer URL."""
    head = await peer.request()
    target = head.split(b" ")[1]
    await peer.say(
        b"HTTP/1.1 302 Moved\r\nLocation: ", target, b"a?x=" + target[1:200] + b"\r\nContent-Length: 0\r\n\r\n"
    )


async def wants_its_cookie(peer):
    """Leads to itself until its cookie comes back."""
    head = await peer.request()
    if b"\r\nCookie: seen=1\r\n" in head:
        await peer.say(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello")
    else:
        await peer.say(
            b"HTTP/1.1 302 Found\r\nSet-Cookie: seen=1; Path=/; HttpOnly\r\n",
            b"Location: /\r\nContent-Length: 0\r\n\r\n",
        )


async def shows_its_cookies(peer):
    """Sets cookies of one letter, and then shows a page of nothing else."""
    head = await peer.request()
    if b"\r\nCookie: " in head:
        await peer.say(b"HTTP/1.1 500 Oops\r\nContent-Length: 65536\r\n\r\n", b"A" * 65536)
    else:
        cookies = (b"Set-Cookie: c%d=%b%d; Path=/\r\n" % (number, b"A" * 3900, number) for number in range(4))
        await peer.say(b"HTTP/1.1 302 Found\r\n", *cookies, b"Location: /\r\nContent-Length: 0\r\n\r\n")


LATE_BROKEN = gzip.compress(bytes(range(256)) * 64, 0)[:8192] + b"!" * 1000


def packed_to_page(encoding, body):
    head = b"Content-Encoding: %b\r\nContent-Length: %d\r\n\r\n" % (encoding, len(body))
    return to("http://127.0.0.1:{page}/", more=head + body)


COOKIES = b"".join(b"Set-Cookie: c%d=" % number + b"c" * 3000 + b"; Path=/\r\n" for number in range(60))


def kept(then):
    """A redirect to itself, and over the same connection an answer without end."""

    async def script(peer):
        await peer.request()
        await peer.say(b"HTTP/1.1 302 Moved\r\nLocation: /again\r\nContent-Length: 0\r\n\r\n")
        await peer.request()
        await peer.say(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        await then(peer)

    return script


def kept_until(seconds):
    """A redirect to itself, and over the same connection a page after so long."""

    async def script(peer):
        await peer.request()
        await peer.say(b"HTTP/1.1 302 Moved\r\nLocation: /again\r\nContent-Length: 0\r\n\r\n")
        await peer.request()
        await peer.pause(seconds)
        await peer.say(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello")

    return script


def leads(name, where, reason, word, **more):
    """A row that is about one place."""
    return down(f"to_{name}", f"leads to {where}", to(where), reason, word, **more)


NOT_HTTP = ("redirect_invalid", "http")
BAD = ("redirect_invalid", "redirect")

ROWS = [
    up("page", "an ordinary page", answer(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello")),
    # How often.
    down("loop", "leads to itself", to("/"), "too_many_redirects", "10"),
    down("loop_308", "leads to itself for good", to("/", code=308), "too_many_redirects", "10"),
    down("loop_303", "leads to itself, by 303", to("/", code=303), "too_many_redirects", "10"),
    down(
        "loop_absolute", "leads to itself by its whole URL", to("http://127.0.0.1:{self}/x"), "too_many_redirects", "10"
    ),
    down("loop_growing", "leads to longer and longer URLs", count_up, "too_many_redirects", "10"),
    down("loop_of_fragments", "leads to itself, with a fragment", to("#a"), "too_many_redirects", "10"),
    down("loop_of_queries", "leads to itself, with a query", to("?a=1"), "too_many_redirects", "10"),
    down(
        "loop_with_bodies",
        "leads to itself, with a body of 1 MiB",
        to("/", more=b"Content-Length: 1048576\r\n\r\n" + b"b" * 1048574),
        "too_many_redirects",
        "10",
    ),
    down(
        "loop_with_bombs",
        "leads to itself, each time with 15 MiB that are packed to 15 KiB",
        to("/", more=b"Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(BOMB) + BOMB),
        "too_large",
        "17 MiB",
    ),
    *(
        up(f"redirect_packed_{name}", f"leads to a page, in a body {does}", packed_to_page(encoding, body))
        for name, does, encoding, body in (
            ("unasked", "that is packed as nobody asked for", b"br", b"\x0b\x02\x80hello\x03"),
            ("unknown", "that is packed as nobody knows", b"rot13", b"uryyb"),
            ("twice", "that is packed twice", b"gzip, gzip", b"hello"),
            ("broken", "that is no gzip", b"gzip", b"hello"),
            ("broken_late", "of gzip that is broken behind 8 KiB", b"gzip", LATE_BROKEN),
            ("cut_off", "of gzip that ends too soon", b"gzip", gzip.compress(b"hello")[:-4]),
        )
    ),
    up("redirect_wants_its_cookie", "leads to itself until its cookie comes back", wants_its_cookie),
    down(
        "redirect_shows_its_cookies",
        "fails with a page of the letter that its cookies are made of",
        shows_its_cookies,
        "status_mismatch",
        "500",
        site={"evidence": "16KiB"},
    ),
    down(
        "loop_with_cookies",
        "leads to itself, with sixty cookies of 3 KiB",
        to("/", more=COOKIES + b"Content-Length: 0\r\n"),
        "too_many_redirects",
        "10",
    ),
    down(
        "loop_none_allowed",
        "leads to itself where none is allowed",
        to("/"),
        "too_many_redirects",
        "0",
        site={"max_redirects": 0},
    ),
    down(
        "redirect_with_a_body_without_end",
        "a redirect, and a body without end",
        to("/", more=b"X: y\r\n", then=flood(b"b" * 4096)),
        "too_large",
        "16 MiB",
    ),
    down(
        "redirect_with_a_bomb",
        "a redirect whose body is chunks of one byte",
        to("/", more=b"Transfer-Encoding: chunked\r\n", then=flood(b"1\r\nc\r\n")),
        "too_large",
        "framing",
    ),
    # Over a connection that is kept.
    down(
        "kept_chunks_of_a_byte",
        "chunks of one byte without end, over a kept connection",
        kept(flood(b"1\r\nc\r\n")),
        "too_large",
        "framing",
        site={"keepalive": True},
    ),
    down(
        "kept_chunk_extension",
        "a chunk's extension without end, over a kept connection",
        kept(flood(b"5;" + b"e" * 4096)),
        "too_large",
        "framing",
        site={"keepalive": True},
    ),
    down(
        "tls_kept_chunks_of_a_byte",
        "the same over TLS",
        kept(flood(b"1\r\nc\r\n")),
        "too_large",
        "framing",
        site={"keepalive": True},
        kind="https",
        context="good",
    ),
    up(
        "kept_late",
        "answers over a kept connection after half of the time, where its name has another address",
        kept_until(1.2),
        host="two.test",
        timeout_ms=2000,
        site={"keepalive": True, "resolve": {"two.test": ["127.0.0.1", "127.0.0.2"]}},
    ),
    down(
        "kept_silent",
        "does not answer over a kept connection",
        kept_until(60),
        "timeout",
        "no response within",
        timeout_ms=700,
        site={"keepalive": True},
    ),
    # Statuses that are no redirect for us.
    down("redirect_300", "a choice", to("/", code=300), "status_mismatch", "300"),
    down("redirect_305", "a proxy to use", to("http://127.0.0.1:{closed}/", code=305), "status_mismatch", "305"),
    down("redirect_306", "a status of the past", to("/", code=306), "status_mismatch", "306"),
    down(
        "redirect_without_location",
        "a redirect to nowhere",
        answer(b"HTTP/1.1 302 Moved\r\nContent-Length: 0\r\n\r\n"),
        "status_mismatch",
        "302",
    ),
    # Other schemes.
    leads("ftp", "ftp://127.0.0.1/x", *NOT_HTTP),
    leads("file", "file:///etc/passwd", *NOT_HTTP),
    leads("gopher", "gopher://127.0.0.1:{page}/_x", *NOT_HTTP),
    leads("dict", "dict://127.0.0.1:{page}/x", *NOT_HTTP),
    leads("javascript", "javascript:alert(1)", *NOT_HTTP),
    leads("data", "data:text/html,hello", *NOT_HTTP),
    leads("mailto", "mailto:a@b.test", *NOT_HTTP),
    leads("ws", "ws://127.0.0.1:{page}/", *NOT_HTTP),
    leads("about", "about:blank", *NOT_HTTP),
    leads("unix", "unix:///run/docker.sock", *NOT_HTTP),
    leads("blob", "blob:http://127.0.0.1/x", *NOT_HTTP),
    # Userinfo.
    up("to_userinfo", "leads to a user and a password", to("http://user:s3cret@127.0.0.1:{page}/")),
    up("to_userinfo_twice", "leads to a host that looks like another", to("http://bank.test:80%40x@127.0.0.1:{page}/")),
    leads("userinfo_at", "http://127.0.0.1:{page}@nobody.invalid/", "dns_error", "nobody.invalid"),
    leads("userinfo_huge", "http://" + "u" * 9000 + "@127.0.0.1:{page}/", *BAD),
    # Hosts by number and by letter.
    up("to_decimal", "leads to a decimal host", to("http://2130706433:{page}/")),
    up("to_hexadecimal", "leads to a hexadecimal host", to("http://0x7f000001:{page}/")),
    up("to_octal", "leads to an octal host", to("http://0177.0.0.1:{page}/")),
    up("to_short", "leads to a short host", to("http://127.1:{page}/")),
    leads("decimal_huge", "http://99999999999:{page}/", "dns_error", "99999999999"),
    leads("dots_only", "http://.../", *BAD),
    leads("four_large_numbers", "http://256.256.256.256:{page}/", "dns_error", "256"),
    up("to_mapped", "leads to IPv4 in IPv6", to("http://[::ffff:127.0.0.1]:{page}/")),
    leads("zone", "http://[fe80::1%25nowhere]:{page}/", *BAD),
    leads("half_a_bracket", "http://[::1", *BAD),
    leads("no_address_in_brackets", "http://[hello]:{page}/", *BAD),
    leads("unicode", "http://bücher.invalid:{page}/", "dns_error", "invalid"),
    up("to_unicode_full_width", "leads to an address in wide letters", to("http://\uff11\uff12\uff17.0.0.1:{page}/")),
    up("to_unicode_dots", "leads to an address with other dots", to("http://127\u30020\u30020\u30021:{page}/")),
    leads("emoji", "http://\U0001f480.invalid/", "dns_error", "invalid"),
    leads("right_to_left", "http://\u202eevil.invalid/", *BAD),
    leads("soft_hyphen", "http://exam\u00adple.invalid/", "dns_error", "example.invalid"),
    leads("punycode_broken", "http://xn--\u00ff.invalid/", *BAD),
    leads("percent_host", "http://%31%32%37.0.0.1:{closed}/", "connect_refused", "127.0.0.1"),
    leads("percent_nul", "http://127.0.0.1%00.evil.invalid/", *BAD),
    leads("percent_newline", "http://127.0.0.1%0d%0aX:%20y/", *BAD),
    leads("underscore", "http://a_b.invalid/", "dns_error", "a_b.invalid"),
    leads("label_of_64", "http://" + "a" * 64 + ".invalid/", "dns_error", "aaaa"),
    leads("name_of_300", "http://" + "a.b." * 75 + "invalid/", "dns_error", "a.b"),
    leads("name_of_8000", "http://" + "a" * 8000 + "/", "dns_error", "aaaa"),
    leads("two_dots", "http://a..b.invalid/", "redirect_invalid", "empty label"),
    leads("no_host", "http:///x", "dns_error", "x"),
    leads("nothing_but_scheme", "http://", *BAD),
    leads("host_with_space", "http://127.0.0.1 evil/", *BAD),
    leads("host_with_quote", 'http://127.0.0.1">/', *BAD),
    # Ports.
    leads("port_0", "http://127.0.0.1:0/", *BAD),
    leads("port_65536", "http://127.0.0.1:65536/", *BAD),
    leads("port_negative", "http://127.0.0.1:-1/", *BAD),
    leads("port_huge", "http://127.0.0.1:99999999999999999999/", *BAD),
    leads("port_word", "http://127.0.0.1:http/", *BAD),
    leads("closed_port", "http://127.0.0.1:{closed}/", "connect_refused", "127.0.0.1"),
    # Text.
    down("to_nul", "a NUL in the Location", to(b"http://127.0.0.1/\0x"), "protocol_error", "zero byte"),
    down("to_control", "control characters in the Location", to("/\x01\x1b[31m"), *BAD),
    leads("long", "/" + "p" * 9000, "redirect_invalid", "8192"),
    down("to_longer", "a Location of 110 KiB", to("/" + "p" * 110_000), "too_large", "header line"),
    leads("backslashes", "http:\\\\127.0.0.1:{page}\\", *BAD),
    down("to_empty", "an empty Location", to(""), "redirect_invalid", "empty"),
    down("to_two_places", "two Locations", to("/a\r\nLocation: /b"), "too_many_redirects", "10"),
    up("to_one_slash", "leads to a URL with one slash", to("http:/127.0.0.1:{page}/")),
    leads("scheme_relative_nobody", "//nobody.invalid/", "dns_error", "nobody.invalid"),
    leads("invalid_utf_8", b"http://\xff\xfe.invalid/", *BAD),
]
