"""A name server of the tests' own, and the words that run a program with it as the machine's only one.

What the machine's resolver says of a name that does not exist is not ours to rely on: it may answer, or be silent.
"""
import contextlib
import random
import socket
import struct
import threading

import pytest

_NXDOMAIN = 3
_A = 1
_AAAA = 28


class NameServer:
    """Answers A and AAAA queries from `names` ({name: an address or a list}); other types of these with
    nothing; the rest: NXDOMAIN. Names in `delays_s` are answered that much later, those in `silent` never."""

    def __init__(self, names=None, address=None):
        self.names = dict(names or {})
        self.delays_s = {}
        self.silent = set()
        self.asked = []
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.address = self._bind(address)
        self._thread = threading.Thread(target=self._serve, daemon=True, name="name server")
        self._thread.start()

    def _bind(self, wanted):
        """Port 53, for c-ares takes no other from resolv.conf; on an address of 127/8 that is nobody else's."""
        for _ in range(100):
            address = wanted or f"127.{random.randint(1, 254)}.{random.randint(0, 255)}.{random.randint(1, 254)}"
            try:
                self._socket.bind((address, 53))
                return address
            except PermissionError:
                pytest.skip("only root may listen on port 53")
            except OSError:
                continue
        raise AssertionError("no address left for a name server")

    def close(self):
        # shutdown() wakes a thread that waits in recvfrom(); it says ENOTCONN, and does it all the same.
        try:
            self._socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self._thread.join(5)
        self._socket.close()

    def prefix(self, folder):
        """Words in front of a program: it runs with a resolv.conf that names this server alone."""
        conf = folder / "resolv.conf"
        conf.write_text(f"nameserver {self.address}\n")
        return ["unshare", "--mount", "--", "/bin/sh", "-c", 'mount --bind "$0" /etc/resolv.conf && exec "$@"', conf]

    def _serve(self):
        while True:
            try:
                query, peer = self._socket.recvfrom(4096)
            except OSError:
                return
            if not query:
                return
            try:
                name, answer = self._answer(query)
            except (struct.error, IndexError, UnicodeDecodeError):
                continue
            if name not in self.silent:
                self._send_after(self.delays_s.get(name, 0.0), answer, peer)

    def _send_after(self, delay_s, answer, peer):
        """Both families of a name are asked for at once, and each has its own delay."""
        def send():
            with contextlib.suppress(OSError):
                self._socket.sendto(answer, peer)

        if delay_s > 0:
            late = threading.Timer(delay_s, send)
            late.daemon = True
            late.start()
        else:
            send()

    def _answer(self, query):
        """The name that was asked for, and the packet."""
        labels, at = [], 12
        while query[at]:
            labels.append(query[at + 1:at + 1 + query[at]].decode("ascii"))
            at += 1 + query[at]
        name = ".".join(labels).lower()
        kind = struct.unpack(">H", query[at + 1:at + 3])[0]
        question = query[12:at + 5]
        self.asked.append(name)
        found = self.names.get(name)
        code = 0 if found else _NXDOMAIN
        family = {_A: socket.AF_INET, _AAAA: socket.AF_INET6}.get(kind)
        answers = []
        for address in [found] if isinstance(found, str) else found or []:
            if family == (socket.AF_INET6 if ":" in address else socket.AF_INET):
                packed = socket.inet_pton(family, address)
                answers.append(b"\xc0\x0c" + struct.pack(">HHIH", kind, 1, 60, len(packed)) + packed)
        flags = 0x8000 | 0x0400 | (query[2] & 1) << 8 | 0x0080 | code
        return name, query[:2] + struct.pack(">HHHHH", flags, 1, len(answers), 0, 0) + question + b"".join(answers)
