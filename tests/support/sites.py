"""Web sites of the tests' own: a server whose answers a test scripts, and which remembers every request.

    site = server.site("/shop", Answer(body="Welcome", delay_s=0.2))
    site.answers(Answer(status=503), Answer(status=200))   # one after the other; the last one stays
    site.url, site.requests

Every answer carries a nonce of its own (header X-Nonce, and {nonce} in the body), so a stored report can be compared
with what was really served. One thread with one asyncio loop serves any number of sites, HTTP and HTTPS.
"""
import asyncio
import gzip
import itertools
import socket
import ssl
import struct
import threading
import time
from dataclasses import dataclass, field, replace
from http import HTTPStatus

from support.processes import wait_until

# Slower than a busy machine holds the prober up: that would be its own trouble, and not a site's that is slow.
SLOW_S = 1.0


@dataclass(frozen=True)
class Answer:
    status: int = 200
    body: str | bytes = "Welcome. nonce={nonce}\n"
    headers: dict = field(default_factory=dict)
    delay_s: float = 0.0        # before the first byte
    body_delay_s: float = 0.0   # between the headers and the body
    drip_s: float = 0.0         # between bytes of the body
    location: str | None = None  # a redirect; the status is 302 unless said otherwise
    is_chunked: bool = False
    is_gzipped: bool = False
    announced_length: int | None = None  # a Content-Length that is not the body's
    reset: str | None = None    # "request": RST instead of an answer; "headers": after them; "body": amid it
    is_endless: bool = False    # the request is read and never answered
    raw: bytes | None = None    # exactly these bytes, and the end


@dataclass(frozen=True)
class Request:
    """What came, and what was given for it."""
    at: float                # time.time() when its last header byte was read
    method: str
    target: str
    headers: dict            # names in lower case
    body: bytes
    peer_port: int
    nonce: str
    status: int
    sent_body: bytes         # as transferred: compressed, without chunk framing
    scheme: str


class Site:
    """One path of the server."""

    def __init__(self, server, path, answers):
        self.server = server
        self.path = path
        self.requests = []
        self._answers = []
        self.answers(*answers)

    def answers(self, *answers):
        """Give these from now on, in turn; the last one stays."""
        self._answers = list(answers) or [Answer()]

    def next_answer(self):
        return self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]

    @property
    def url(self):
        return f"http://{self.server.host}:{self.server.port}{self.path}"

    @property
    def https_url(self):
        return f"https://localhost:{self.server.tls_port}{self.path}"

    def wait_for_requests(self, count, timeout=20.0):
        wait_until(lambda: len(self.requests) >= count, f"{count} requests for {self.path}", timeout)
        return list(self.requests)


class SiteServer:
    """certificate: a support.certs.Certificate, for HTTPS beside HTTP. Unknown paths are answered with 404."""

    def __init__(self, certificate=None, tls_versions=None, host="127.0.0.1"):
        self.host = host
        self.sites = {}
        self.strays = []  # requests for paths that no test made
        self._nonces = itertools.count(1)
        self._loop = asyncio.new_event_loop()
        self._servers = []
        self._certificate = certificate
        self._tls_versions = tls_versions
        self.port = None
        self.tls_port = None
        ready = threading.Event()
        self._failure = None
        self._thread = threading.Thread(target=self._run, args=(ready,), daemon=True, name="sites")
        self._thread.start()
        ready.wait(10)
        if self._failure is not None:
            raise self._failure

    def site(self, path, *answers):
        """A site at path ("/…"; unique in the server), with its answers."""
        made = self.sites[path] = Site(self, path, answers)
        return made

    def many(self, count, prefix="/site/", make_answer=lambda number: Answer()):
        """count sites with different URLs."""
        return [self.site(f"{prefix}{number}", make_answer(number)) for number in range(count)]

    def forget(self):
        """Drop all sites and what was recorded; open connections end by themselves."""
        self.sites = {}
        self.strays = []

    def close(self):
        def stop():
            for server in self._servers:
                server.close()
            for task in asyncio.all_tasks(self._loop):
                task.cancel()
            self._loop.call_soon(self._loop.stop)

        self._loop.call_soon_threadsafe(stop)
        self._thread.join(10)

    # --- the loop's thread

    def _run(self, ready):
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_until_complete(self._listen())
        except OSError as failure:
            self._failure = failure
            return
        finally:
            ready.set()
        self._loop.run_forever()
        self._loop.run_until_complete(asyncio.sleep(0))
        self._loop.close()

    async def _listen(self):
        plain = await asyncio.start_server(self._serve_plain, self.host, 0, backlog=4096)
        self.port = plain.sockets[0].getsockname()[1]
        self._servers.append(plain)
        if self._certificate is None:
            return
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self._certificate.cert_file, self._certificate.key_file)
        if self._tls_versions is not None:
            context.minimum_version, context.maximum_version = self._tls_versions
        secure = await asyncio.start_server(self._serve_tls, self.host, 0, backlog=4096, ssl=context)
        self.tls_port = secure.sockets[0].getsockname()[1]
        self._servers.append(secure)

    async def _serve_plain(self, reader, writer):
        await self._serve(reader, writer, "http")

    async def _serve_tls(self, reader, writer):
        await self._serve(reader, writer, "https")

    async def _serve(self, reader, writer, scheme):
        try:
            while await self._serve_one(reader, writer, scheme):
                pass
        except (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, asyncio.CancelledError):
            pass  # the peer went away, or the server is closing
        finally:
            writer.close()

    async def _serve_one(self, reader, writer, scheme):
        """One request and its answer; returns whether the connection goes on."""
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        line, *rest = head[:-4].split("\r\n")
        method, target, _ = line.split(" ", 2)
        headers = {name.strip().lower(): value.strip() for name, _, value in (text.partition(":") for text in rest)}
        sent = await reader.readexactly(int(headers.get("content-length", 0)))
        site = self.sites.get(target) or self.sites.get(target.partition("?")[0])
        answer = site.next_answer() if site else Answer(404, "no such site\n")
        nonce = f"n{next(self._nonces):08d}"
        if answer.location is not None and answer.status == 200:
            answer = replace(answer, status=302)
        body = answer.body.replace("{nonce}", nonce).encode() if isinstance(answer.body, str) else answer.body
        if answer.is_gzipped:
            body = gzip.compress(body, 1, mtime=0)
        if method == "HEAD" or answer.status in (204, 304):
            body = b""
        request = Request(time.time(), method, target, headers, sent, writer.get_extra_info("peername")[1], nonce,
                          answer.status, body, scheme)
        (site.requests if site else self.strays).append(request)
        is_kept = headers.get("connection", "").lower() != "close"
        if not is_kept:  # said as well as done, or a client that keeps connections would ask over it again
            answer = replace(answer, headers={"Connection": "close"} | answer.headers)
        return await self._answer(writer, answer, nonce, body, method) and is_kept

    async def _answer(self, writer, answer, nonce, body, method):
        if answer.is_endless:
            await asyncio.sleep(3600)
        if answer.delay_s:
            await asyncio.sleep(answer.delay_s)
        if answer.reset == "request":
            return self._reset(writer)
        if answer.raw is not None:
            writer.write(answer.raw)
            await writer.drain()
            return False
        writer.write(self._head(answer, nonce, body, method))
        await writer.drain()
        if answer.reset == "headers":
            return self._reset(writer)
        if answer.body_delay_s:
            await asyncio.sleep(answer.body_delay_s)
        if answer.reset == "body":
            writer.write(body[:len(body) // 2])
            await writer.drain()
            await asyncio.sleep(0.05)  # so that the half arrives before the RST overtakes it
            return self._reset(writer)
        if method != "HEAD":
            await self._body(writer, answer, body)
        await writer.drain()
        return answer.announced_length is None

    @staticmethod
    def _head(answer, nonce, body, method):
        headers = {"Content-Type": "text/html; charset=utf-8", "X-Nonce": nonce}
        if answer.location is not None:
            headers["Location"] = answer.location
        if answer.is_gzipped:
            headers["Content-Encoding"] = "gzip"
        if answer.is_chunked:
            headers["Transfer-Encoding"] = "chunked"
        elif answer.status not in (204, 304):
            headers["Content-Length"] = str(len(body) if answer.announced_length is None
                                            else answer.announced_length)
        headers |= answer.headers
        try:
            phrase = HTTPStatus(answer.status).phrase
        except ValueError:
            phrase = "Unheard Of"
        lines = [f"HTTP/1.1 {answer.status} {phrase}", *(f"{name}: {value}" for name, value in headers.items())]
        return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")

    @staticmethod
    async def _body(writer, answer, body):
        if answer.drip_s:
            pieces = [body[i:i + 1] for i in range(len(body))]
        elif answer.is_chunked:
            pieces = [body[i:i + 1000] for i in range(0, len(body), 1000)]
        else:
            pieces = [body]
        for piece in pieces:
            writer.write(b"%x\r\n%s\r\n" % (len(piece), piece) if answer.is_chunked else piece)
            if answer.drip_s:
                await writer.drain()
                await asyncio.sleep(answer.drip_s)
        if answer.is_chunked:
            writer.write(b"0\r\n\r\n")

    @staticmethod
    def _reset(writer):
        """Close with an RST instead of a FIN."""
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        writer.transport.abort()
        return False
