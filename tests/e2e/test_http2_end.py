"""What a server does to a connection of HTTP/2 behind a response that is whole is nothing of the response's."""
import contextlib
import json
import socket
import time

from hostile.streams import END_STREAM, data, frame, head
from support.listener import Listener

SETTINGS, GOAWAY = frame(4, b""), frame(7, b"\0\0\0\1\0\0\0\0")
ACKNOWLEDGED = frame(4, flags=1)  # the last that the client says of itself
TRIES = 10  # the client is to see both at once: that takes a server that is quicker than it


class Closer(Listener):
    """Says its response, and closes at once, with something unread: that resets the connection."""

    def __init__(self, response):
        self.response = response
        super().__init__()

    def _answer(self, connection):
        with connection:
            connection.settimeout(20)
            connection.sendall(SETTINGS)
            self._say(connection)

    def _say(self, connection):
        while not connection.recv(65536, socket.MSG_PEEK).endswith(ACKNOWLEDGED):
            time.sleep(0.001)
        connection.sendall(self.response)


class Hasty(Closer):
    """Says its response while the request is under way, and once that was read wants no more of it (RFC 9113, 8.1)."""

    def _say(self, connection):
        connection.sendall(self.response + frame(6, b"has read"))
        got, more = b"", b"something"
        with contextlib.suppress(OSError):  # who has the whole response may be gone
            while more and frame(6, b"has read", flags=1) not in got:
                more = connection.recv(65536)
                got += more
            connection.sendall(frame(3, bytes(4), stream=1))
            while connection.recv(65536):
                pass


def outcomes(websentry, response, kind=Closer, **more):
    server = kind(response)
    words = [word for key, value in {"http_version": "2", **more}.items() for word in ("--set", f"{key}={value}")]
    try:
        url = f"http://127.0.0.1:{server.port}/"
        reports = [json.loads(websentry.run("check", "--json", *words, url, code=None).stdout()) for _ in range(TRIES)]
    finally:
        server.close()
    return {(report["outcome"], report["reason"], report.get("decoded_bytes")) for report in reports}


def test_a_reset_behind_a_whole_response_is_none_of_it(websentry):
    page = data(b"hello", END_STREAM)
    assert outcomes(websentry, head() + page) == {("up", "ok", 5)}
    assert outcomes(websentry, head() + GOAWAY + page) == {("up", "ok", 5)}
    # padded, and in parts
    parts = data(b"hel", 0) + frame(0, b"\2lo\0\0", flags=END_STREAM | 8, stream=1)
    assert outcomes(websentry, head() + parts) == {("up", "ok", 5)}


def test_a_reset_in_the_middle_of_it_is(websentry):
    found = outcomes(websentry, head() + data(b"hello", 0))
    assert {(outcome, reason) for outcome, reason, _ in found} == {("down", "connection_lost")}


def test_a_server_that_does_not_want_the_rest_of_a_request_has_answered(websentry):
    upload = {"method": "POST", "body": "x" * 100_000}  # more than a stream's window, which nobody makes larger
    page = data(b"hello", END_STREAM)
    assert outcomes(websentry, head() + page, Hasty, **upload) == {("up", "ok", 5)}
    found = outcomes(websentry, head() + data(b"hello", 0), Hasty, **upload)
    assert {(outcome, reason) for outcome, reason, _ in found} == {("down", "protocol_error")}
