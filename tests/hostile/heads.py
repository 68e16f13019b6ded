"""HTTP/1.1 up to the end of the head: status lines, headers, interim answers, what is slow or ends within them."""

import asyncio

from hostile.behaviour import answer, close, down, drip, flood, hang, reset, up

OK = b"HTTP/1.1 200 OK\r\n"
HELLO = b"Content-Length: 5\r\n\r\nhello"
PAGE = OK + HELLO
SHORT_MS = 700
SWITCHING = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: chat\r\nConnection: Upgrade\r\n\r\n"
ASKS_TO_SWITCH = {"headers": {"Connection": "Upgrade", "Upgrade": "chat"}}


async def never_read(peer):
    """Answer at once, whatever is asked."""
    await peer.say(PAGE)


async def end_unread(peer):
    """Close with the request unread: the kernel sends a reset."""
    await asyncio.sleep(0.05)


async def answer_half_closed(peer):
    await peer.request()
    peer.writer.write_eof()
    await peer.hang()


ROWS = [
    # Floods.
    down(
        "headers_without_end",
        "header lines without end",
        answer(OK, then=flood(b"X-Flood: " + b"h" * 900 + b"\r\n")),
        "too_large",
        ("headers", "256 KiB"),
    ),
    down(
        "short_headers_without_end",
        "the shortest header lines without end",
        answer(OK, then=flood(b"a:\r\n")),
        "too_large",
        "headers",
    ),
    down(
        "header_line_without_end",
        "one header line without end",
        answer(OK, b"X-Long: ", then=flood(b"a" * 4096)),
        "too_large",
        "header line",
    ),
    down(
        "header_name_without_end",
        "a header name without end, and no colon",
        answer(OK, then=flood(b"n" * 4096)),
        "too_large",
        "header line",
    ),
    down(
        "folded_header_without_end",
        "a header folded over lines without end",
        answer(OK, b"X-Folded: a\r\n", then=flood(b" more\r\n")),
        "too_large",
        "headers",
    ),
    down(
        "status_line_without_end",
        "a status line without end",
        answer(b"HTTP/1.1 200 ", then=flood(b"O" * 4096)),
        "too_large",
        "header line",
    ),
    down(
        "cookies_without_end",
        "cookies without end",
        answer(OK, then=flood(b"Set-Cookie: a=" + b"b" * 3000 + b"\r\n")),
        "too_large",
        "headers",
    ),
    down(
        "interim_without_end",
        "answers 102 without end",
        answer(then=flood(b"HTTP/1.1 102 Processing\r\n\r\n")),
        "too_large",
        "headers",
    ),
    down(
        "continue_without_end",
        "answers 100 without end",
        answer(then=flood(b"HTTP/1.1 100 Continue\r\n\r\n")),
        "too_large",
        "headers",
    ),
    down(
        "early_hints_without_end",
        "answers 103 with links without end",
        answer(then=flood(b"HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\n\r\n")),
        "too_large",
        "headers",
    ),
    down(
        "spaces_without_end", "spaces instead of an answer", answer(then=flood(b" " * 4096)), "protocol_error", "HTTP"
    ),
    down(
        "newlines_without_end",
        "empty lines instead of an answer",
        answer(then=flood(b"\r\n" * 2048)),
        "protocol_error",
        "HTTP",
    ),
    down(
        "zeroes_without_end", "zeroes instead of an answer", answer(then=flood(b"\0" * 4096)), "protocol_error", "HTTP"
    ),
    down(
        "noise_without_end",
        "a stream that is no HTTP",
        answer(then=flood(bytes(range(256)) * 16)),
        "protocol_error",
        "HTTP",
    ),
    up("cookies_many", "sixty cookies of 3 KiB", answer(OK, (b"Set-Cookie: a=" + b"b" * 3000 + b"\r\n") * 60, HELLO)),
    up("header_line_of_90k", "one header line of 90 KiB", answer(OK, b"X: " + b"a" * 90_000 + b"\r\n", HELLO)),
    down(
        "header_line_of_110k",
        "one header line of 110 KiB",
        answer(OK, b"X: " + b"a" * 110_000 + b"\r\n", HELLO),
        "too_large",
        "header line",
    ),
    up("headers_a_thousand", "a thousand headers of one name", answer(OK, b"X-Same: v\r\n" * 1000, HELLO)),
    up(
        "interim_fifty",
        "fifty interim answers, and then the real one",
        answer(b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" * 50, PAGE),
    ),
    # Status lines.
    up(
        "status_201_words",
        "a status with a reason that lies",
        answer(b"HTTP/1.1 201 Everything is on fire\r\n" + HELLO),
    ),
    up("status_without_reason", "a status line without a reason", answer(b"HTTP/1.1 200\r\n" + HELLO)),
    up("status_http_1_0", "an old server", answer(b"HTTP/1.0 200 OK\r\n\r\nhello")),
    up("status_lf_only", "line feeds alone", answer(b"HTTP/1.1 200 OK\nContent-Length: 5\n\nhello")),
    up("status_reason_8k", "a reason of 8 KiB", answer(b"HTTP/1.1 200 " + b"O" * 8192 + b"\r\n" + HELLO)),
    up(
        "status_reason_unprintable",
        "escape sequences in the reason",
        answer(b"HTTP/1.1 200 \x1b[31m\x07\xff\r\n" + HELLO),
    ),
    down("status_404", "not found", answer(b"HTTP/1.1 404 Not Found\r\n" + HELLO), "status_mismatch", "404"),
    down(
        "status_503",
        "not now",
        answer(b"HTTP/1.1 503 Later\r\nRetry-After: 99999999999\r\n" + HELLO),
        "status_mismatch",
        "503",
    ),
    down(
        "status_600", "a class that does not exist", answer(b"HTTP/1.1 600 New\r\n" + HELLO), "status_mismatch", "600"
    ),
    down("status_999", "the largest", answer(b"HTTP/1.1 999 No\r\n" + HELLO), "status_mismatch", "999"),
    down(
        "status_401_challenges",
        "a hundred challenges",
        answer(
            b"HTTP/1.1 401 No\r\n",
            b'WWW-Authenticate: Digest realm="a", nonce="b", algorithm=MD5\r\n' * 50,
            b"WWW-Authenticate: Negotiate\r\nWWW-Authenticate: NTLM TlRM\r\n" * 25,
            HELLO,
        ),
        "status_mismatch",
        "401",
    ),
    down(
        "status_407",
        "a proxy's status without a proxy",
        answer(b'HTTP/1.1 407 No\r\nProxy-Authenticate: Basic realm="x"\r\n' + HELLO),
        "status_mismatch",
        "407",
    ),
    down(
        "status_417", "an expectation that nobody had", answer(b"HTTP/1.1 417 No\r\n" + HELLO), "status_mismatch", "417"
    ),
    down(
        "status_426",
        "wants another protocol",
        answer(b"HTTP/1.1 426 Upgrade\r\nUpgrade: TLS/1.0, HTTP/3\r\nConnection: Upgrade\r\n" + HELLO),
        "status_mismatch",
        "426",
    ),
    down("status_000", "no status at all", answer(b"HTTP/1.1 000 Nothing\r\n" + HELLO), "protocol_error", "status"),
    down("status_001", "a status below 100", answer(b"HTTP/1.1 001 One\r\n" + HELLO), "protocol_error", "status"),
    down("status_20", "a status of two digits", answer(b"HTTP/1.1 20 OK\r\n" + HELLO), "protocol_error", "status"),
    down("status_2000", "a status of four digits", answer(b"HTTP/1.1 2000 OK\r\n" + HELLO), "protocol_error", "status"),
    down("status_negative", "a negative status", answer(b"HTTP/1.1 -200 OK\r\n" + HELLO), "protocol_error", "status"),
    down("status_word", "a word for a status", answer(b"HTTP/1.1 abc OK\r\n" + HELLO), "protocol_error", "HTTP"),
    down("status_missing", "a version and no status", answer(b"HTTP/1.1\r\n" + HELLO), "protocol_error", "HTTP"),
    up("status_glued", "a status and no space behind", answer(b"HTTP/1.1 200OK\r\n" + HELLO)),
    down(
        "status_version_9",
        "a version of the far future",
        answer(b"HTTP/9.9 200 OK\r\n" + HELLO),
        "protocol_error",
        "HTTP",
    ),
    up("status_version_2_plain", "HTTP/2 in the words of HTTP/1.1", answer(b"HTTP/2 200 OK\r\n" + HELLO)),
    down(
        "status_version_3_plain",
        "HTTP/3 in the words of HTTP/1.1",
        answer(b"HTTP/3 200 OK\r\n" + HELLO),
        "protocol_error",
        "HTTP",
    ),
    *[
        down(f"status_2_{name}", what, answer(b"HTTP/2 " + status + b"\n" + HELLO), "protocol_error", "100 to 999")
        for name, what, status in [
            ("2200", "four digits behind HTTP/2", b"2200"),
            ("1000", "one too many behind HTTP/2", b"1000"),
            ("0", "a naught behind HTTP/2", b"0"),
            ("99", "one too few behind HTTP/2", b"99"),
            ("007", "naughts first behind HTTP/2", b"007"),
            ("minus", "a negative status behind HTTP/2", b"-200"),
            ("overflow", "200 once it has overflowed, behind HTTP/2", b"4294967496"),
        ]
    ],
    # libcurl says 200 of each status line of these, whatever it holds.
    *[
        down(f"status_{name}", what, answer(line + b" 500 No\r\n" + HELLO), "protocol_error", "version of HTTP")
        for name, what, line in [
            ("version_letters", "a version in letters", b"HTTP/one.one"),
            ("version_minus", "a negative version", b"HTTP/-1.1"),
            ("lower_case", "http in lower case", b"http/1.1"),
        ]
    ],
    down("status_icy", "a radio station", answer(b"ICY 200 OK\r\n" + HELLO), "protocol_error", "HTTP"),
    down("status_rtsp", "a camera", answer(b"RTSP/1.0 200 OK\r\n" + HELLO), "protocol_error", "HTTP"),
    down("status_http_0_9", "a page without any head", answer(b"<html>hello</html>"), "protocol_error", "HTTP"),
    down("status_ssh", "an SSH server", answer(b"SSH-2.0-OpenSSH_9.2\r\n"), "protocol_error", "HTTP"),
    down("status_smtp", "a mail server", answer(b"220 mail.test ESMTP\r\n"), "protocol_error", "HTTP"),
    down("status_tls_alert", "a TLS server", answer(b"\x15\x03\x01\x00\x02\x02\x46"), "protocol_error", "HTTP"),
    down("status_bom", "a byte order mark first", answer(b"\xef\xbb\xbf" + PAGE), "protocol_error", "HTTP"),
    down("status_utf16", "UTF-16", answer(PAGE.decode().encode("utf-16")), "protocol_error", "HTTP"),
    down("status_line_first_empty", "empty lines first", answer(b"\r\n\r\n" + PAGE), "protocol_error", "HTTP"),
    down(
        "status_nul",
        "a NUL in the status line",
        answer(b"HTTP/1.1 200 O\0K\r\n" + HELLO),
        "protocol_error",
        "zero byte",
    ),
    down(
        "status_cr_only",
        "carriage returns alone",
        answer(b"HTTP/1.1 200 OK\rContent-Length: 5\r\rhello"),
        "connection_lost",
        "without a response",
    ),
    down(
        "status_switching",
        "101 to a protocol that nobody asked for",
        answer(SWITCHING, b"hello"),
        "protocol_error",
        "interim",
    ),
    up(
        "status_switching_as_asked",
        "101 to a protocol that was asked for, which goes on",
        answer(SWITCHING, b"\x81\x05hello", then=flood(b"\x81\x05hello")),
        site=ASKS_TO_SWITCH | {"valid_status_codes": [101]},
    ),
    up(
        "status_switching_and_silence",
        "the same, and nothing more",
        answer(b"HTTP/1.1 103 Early Hints\r\nLink: <a>\r\n\r\n", SWITCHING, then=hang),
        site=ASKS_TO_SWITCH | {"valid_status_codes": [101], "fail_if_header_missing": "Upgrade"},
    ),
    down(
        "status_switching_unexpected",
        "the same, and 200 was wanted",
        answer(SWITCHING, then=hang),
        "status_mismatch",
        "101",
        site=ASKS_TO_SWITCH,
    ),
    down(
        "status_switching_refused",
        "426 to a request for another protocol",
        answer(b"HTTP/1.1 426 Upgrade Required\r\nUpgrade: chat\r\nConnection: Upgrade\r\n", HELLO),
        "status_mismatch",
        "426",
        site=ASKS_TO_SWITCH | {"valid_status_codes": [101]},
    ),
    up(
        "status_switching_kept",
        "101 as asked, twice, each over a connection of its own",
        answer(SWITCHING, then=hang),
        site=ASKS_TO_SWITCH | {"valid_status_codes": [101], "keepalive": True},
        checks=2,
        is_reused=False,
    ),
    up(
        "status_switching_tls",
        "101 as asked, over TLS where HTTP/2 would be preferred",
        answer(SWITCHING, then=hang),
        site=ASKS_TO_SWITCH | {"valid_status_codes": [101], "valid_http_versions": ["HTTP/1.1"]},
        kind="https",
        context="good/h2",
    ),
    # Header lines.
    down(
        "header_nul_in_value", "a NUL in a header", answer(OK, b"X-Nul: a\0b\r\n", HELLO), "protocol_error", "zero byte"
    ),
    down(
        "header_nul_in_name",
        "a NUL in a header's name",
        answer(OK, b"X\0Nul: a\r\n", HELLO),
        "protocol_error",
        "zero byte",
    ),
    down(
        "header_without_colon",
        "a line that is no header",
        answer(OK, b"no colon here\r\n", HELLO),
        "protocol_error",
        "colon",
    ),
    up("header_without_name", "a colon alone", answer(OK, b":\r\n: x\r\n", HELLO)),
    up("header_controls", "control characters in a header", answer(OK, b"X: \x01\x02\x1b[2J\x7f\r\n", HELLO)),
    up("header_latin_1", "bytes that are no UTF-8", answer(OK, b"X-\xe9: \xff\xfe\r\n", HELLO)),
    down(
        "header_folded_first",
        "a continuation of nothing",
        answer(OK, b"  folded\r\n", HELLO),
        "protocol_error",
        "colon",
    ),
    down(
        "header_blank_first",
        "a blank before the first header",
        answer(OK, b" X-Tag: one\r\n", HELLO),
        "protocol_error",
        "head",
    ),
    up(
        "header_alt_svc",
        "other services, by the hundred",
        answer(OK, b'Alt-Svc: h3=":443"; ma=99999999999999999999, h2="evil.test:80"\r\n' * 100, HELLO),
    ),
    up("header_refresh", "sends browsers elsewhere", answer(OK, b"Refresh: 0; url=file:///etc/passwd\r\n", HELLO)),
    up("header_location_200", "a redirect that is none", answer(OK, b"Location: file:///etc/passwd\r\n", HELLO)),
    up(
        "header_connection_names",
        "calls its own headers hop by hop",
        answer(OK, b"Connection: Content-Length, close, keep-alive, upgrade\r\n", HELLO),
    ),
    # Slow, by the byte.
    down("slow_status", "a status line by the byte", answer(then=drip(b"H", 0.02)), "protocol_error", "HTTP"),
    down(
        "slow_status_sound",
        "a sound answer that would take a minute",
        answer(b"HTTP/1.1 200 ", then=drip(b"O")),
        "timeout",
        "not complete",
        timeout_ms=SHORT_MS,
    ),
    down(
        "slow_header",
        "a header by the byte",
        answer(OK, b"X: ", then=drip(b"x")),
        "timeout",
        "not complete",
        timeout_ms=SHORT_MS,
    ),
    down(
        "slow_headers",
        "a header every 20 ms",
        answer(OK, then=drip(b"X: y\r\n")),
        "timeout",
        "not complete",
        timeout_ms=SHORT_MS,
    ),
    down(
        "slow_interim",
        "an interim answer every 20 ms",
        answer(then=drip(b"HTTP/1.1 102 Wait\r\n\r\n")),
        "timeout",
        "not complete",
        timeout_ms=SHORT_MS,
    ),
    down(
        "hang_after_connect",
        "takes the connection, and that is all",
        hang,
        "timeout",
        "no response",
        timeout_ms=SHORT_MS,
    ),
    down(
        "hang_after_request",
        "reads the request, and that is all",
        answer(then=hang),
        "timeout",
        "no response",
        timeout_ms=SHORT_MS,
    ),
    down("hang_after_half_close", "closes its side only", answer_half_closed, "connection_lost", "without a response"),
    down(
        "hang_in_status",
        "stops in the status line",
        answer(b"HTTP/1.1 2", then=hang),
        "timeout",
        "not complete",
        timeout_ms=SHORT_MS,
    ),
    down(
        "hang_in_head",
        "stops between two headers",
        answer(OK, b"Server: x\r\n", then=hang),
        "timeout",
        "not complete",
        timeout_ms=SHORT_MS,
    ),
    down(
        "hang_in_header",
        "stops in a header",
        answer(OK, b"Server", then=hang),
        "timeout",
        "not complete",
        timeout_ms=SHORT_MS,
    ),
    down(
        "hang_after_interim",
        "an interim answer, and nothing more",
        answer(b"HTTP/1.1 100 Continue\r\n\r\n", then=hang),
        "timeout",
        "not complete",
        timeout_ms=SHORT_MS,
    ),
    # Ends.
    down("close_after_connect", "closes at once", close, "connection_lost", "127.0.0.1"),
    down("close_unread", "closes with the request unread", end_unread, "connection_lost", "127.0.0.1"),
    down("close_after_request", "reads the request and closes", answer(), "connection_lost", "without a response"),
    down(
        "close_in_status", "closes in the status line", answer(b"HTTP/1.1 20"), "connection_lost", "without a response"
    ),
    down("close_after_status", "closes after the status line", answer(OK), "connection_lost", "cut off"),
    down("close_in_header", "closes in a header", answer(OK, b"Content-Len"), "connection_lost", "cut off"),
    down(
        "close_after_interim",
        "an interim answer, and the end",
        answer(b"HTTP/1.1 103 Early Hints\r\n\r\n"),
        "connection_lost",
        "without a response",
    ),
    down("reset_after_connect", "resets at once", reset, "connection_lost", "reset"),
    down("reset_after_request", "reads the request and resets", answer(then=reset), "connection_lost", "reset"),
    down(
        "reset_in_status", "resets in the status line", answer(b"HTTP/1.1 20", then=reset), "connection_lost", "reset"
    ),
    down(
        "reset_in_head", "resets between two headers", answer(OK, b"X: y\r\n", then=reset), "connection_lost", "reset"
    ),
    down(
        "reset_after_interim",
        "an interim answer, and a reset",
        answer(b"HTTP/1.1 100 Continue\r\n\r\n", then=reset),
        "connection_lost",
        "reset",
    ),
    # Order.
    up("answer_before_request", "answers before it was asked", never_read),
    up("answer_twice", "a second answer behind the first", answer(PAGE, b"HTTP/1.1 500 No\r\n" + HELLO)),
    up("answer_and_noise", "noise behind the answer", answer(PAGE, then=flood(b"noise"))),
]
