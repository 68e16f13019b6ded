"""Proxies that tell what they were told: over HTTP (CONNECT and whole URLs), and by SOCKS 5 (RFC 1928 and 1929)."""

import contextlib
import select
import socket
import time

from support.listener import Listener
from support.wire import read_head


class Proxy(Listener):
    """.told has what each client said before it was let through. Whatever it asks for, it gets to 127.0.0.1."""

    def __init__(self, *, delay_s=0.0, refused=()):
        self.told = []
        self._delay_s = delay_s
        self._refused = refused  # hosts that can't be reached
        super().__init__()

    def _answer(self, connection):
        with contextlib.suppress(OSError), connection:
            connection.settimeout(30)
            first = connection.recv(1, socket.MSG_PEEK)
            port = self._take_socks(connection) if first == b"\x05" else self._take_http(connection)
            if port is None:
                return
            with socket.create_connection(("127.0.0.1", port)) as site:
                self._relay(connection, site)

    def _take_http(self, connection):
        head = read_head(connection)
        self.told.append(head)
        method, target = head.decode().split(" ")[:2]
        if method != "CONNECT":
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok")
            return None
        connection.sendall(b"HTTP/1.1 200 Connected\r\n\r\n")
        return int(target.rpartition(":")[2])

    def _take_socks(self, connection):
        def take(count):
            return connection.recv(count, socket.MSG_WAITALL)

        user = None
        methods = take(take(2)[1])
        if 2 in methods:
            connection.sendall(b"\x05\x02")
            name = take(take(2)[1])
            user = (name, take(take(1)[0]))
            connection.sendall(b"\x01\x00")
        else:
            connection.sendall(b"\x05\x00")
        kind = take(4)[3]
        host = take(take(1)[0]).decode() if kind == 3 else socket.inet_ntop(
            *((socket.AF_INET, take(4)) if kind == 1 else (socket.AF_INET6, take(16))))
        port = int.from_bytes(take(2), "big")
        self.told.append((kind, host, port, user))
        time.sleep(self._delay_s)
        if host in self._refused:
            connection.sendall(b"\x05\x05\x00\x01" + bytes(6))
            return None
        connection.sendall(b"\x05\x00\x00\x01" + bytes(6))
        return port

    @staticmethod
    def _relay(client, site):
        other = {client: site, site: client}
        while True:
            read = select.select([client, site], [], [], 30)[0][0]
            taken = read.recv(65536)
            if not taken:
                return
            other[read].sendall(taken)
