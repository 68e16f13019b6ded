"""A site that delays one phase of each check by a time of its own, and notes when it did what.

The name server's delay is the phase dns; a full queue of connections is connect (the client's SYN is dropped, and sent
again after a second); a handshake that is answered late is tls; a late first byte is wait; a late rest of the body is
transfer.
"""
import contextlib
import select
import socket
import ssl
import threading
import time

from support.listener import Listener
from support.wire import HEAD_END, read_head

PHASES = ("dns", "connect", "tls", "wait", "transfer")
# A dropped SYN is sent again after this; it can't be had shorter.
SYN_AGAIN_S = 1.0


class PhaseServer:
    """One listener that answers each request in the same way. With a location: 302 to there."""

    def __init__(self, *, certificate=None, tls_s=0.0, wait_s=0.0, transfer_s=0.0, is_full=False, location=None):
        self.delays = {"tls": tls_s, "wait": wait_s, "transfer": transfer_s}
        self.location = location
        self.took = {}  # by phase: how long the server itself held it up, the last time
        self.asked = threading.Event()  # once it has answered
        self._context = None
        if certificate is not None:
            self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self._context.load_cert_chain(certificate.cert_file, certificate.key_file)
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=0 if is_full else 64)
        self.port = self._listener.getsockname()[1]
        self._fillers = []
        self._is_full = is_full
        if is_full:
            self.fill()
        self._thread = threading.Thread(target=self._serve, daemon=True, name="phases")
        if not is_full:
            self._thread.start()

    def fill(self):
        """One connection fills a queue without room: whoever comes next is not answered."""
        self._fillers.append(socket.create_connection(("127.0.0.1", self.port)))

    def accept_after(self, delay_s):
        """Make room in the full queue later."""
        def start():
            time.sleep(delay_s)
            self._thread.start()

        threading.Thread(target=start, daemon=True).start()

    def close(self):
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        if self._thread.is_alive():
            self._thread.join(5)
        for one in [self._listener, *self._fillers]:
            one.close()

    def _serve(self):
        for _ in self._fillers:
            self._listener.accept()[0].close()
        while True:
            try:
                connection = self._listener.accept()[0]
            except OSError:
                return
            threading.Thread(target=self._answer, args=(connection,), daemon=True).start()

    def _pause(self, phase):
        before = time.monotonic()
        time.sleep(self.delays[phase])
        self.took[phase] = time.monotonic() - before

    def _answer(self, connection):
        with contextlib.suppress(OSError), connection:
            connection.settimeout(30)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self._context is not None:
                self._pause("tls")
                connection = self._context.wrap_socket(connection, server_side=True)
            if HEAD_END not in read_head(connection):
                return
            self._pause("wait")
            status = "200 OK" if self.location is None else f"302 Found\r\nLocation: {self.location}"
            connection.sendall(f"HTTP/1.1 {status}\r\nContent-Length: 10\r\nConnection: close\r\n\r\nhello".encode())
            self._pause("transfer")
            connection.sendall(b"world")
            self.asked.set()
            with contextlib.suppress(OSError):
                connection.unwrap() if self._context is not None else None


class PhaseProxy(Listener):
    """A proxy that takes its time for TLS with the client, and to connect; over plain http it answers itself."""

    def __init__(self, *, certificate=None, tls_s=0.0, connect_s=0.0):
        self.delays = {"tls": tls_s, "connect": connect_s}
        self._context = None
        if certificate is not None:
            self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self._context.load_cert_chain(certificate.cert_file, certificate.key_file)
        super().__init__()

    def _answer(self, connection):
        with contextlib.suppress(OSError), connection:
            connection.settimeout(30)
            if self._context is not None:
                time.sleep(self.delays["tls"])
                connection = self._context.wrap_socket(connection, server_side=True)
            method, target = read_head(connection).decode().split(" ")[:2]
            if method != "CONNECT":
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok")
                return
            time.sleep(self.delays["connect"])
            with socket.create_connection(("127.0.0.1", int(target.rpartition(":")[2]))) as site:
                connection.sendall(b"HTTP/1.1 200 Connected\r\n\r\n")
                self._relay(connection, site)

    @staticmethod
    def _relay(client, site):
        other = {client: site, site: client}
        while True:
            is_left = isinstance(client, ssl.SSLSocket) and client.pending() > 0
            read = client if is_left else select.select([client, site], [], [], 30)[0][0]
            taken = read.recv(65536)
            if not taken:
                return
            other[read].sendall(taken)
