"""The sites that the composed producer watches: one answer per path, always the same."""
import http.server
import threading

WELCOME = b'<html><body id="front-door">Welcome</body></html>\n'
BROKEN = b"Internal error, but with status 200\n"
SLOW_S = 0.3


class Site(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self, status, body=b"", headers=()):
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        never = threading.Event()
        if self.path == "/welcome":
            self.answer(200, WELCOME)
        elif self.path == "/moved":
            self.answer(302, headers=[("Location", "/welcome")])
        elif self.path == "/broken":
            self.answer(200, BROKEN)
        elif self.path == "/slow":
            never.wait(SLOW_S)
            self.answer(200, WELCOME)
        elif self.path == "/hanging":
            never.wait(10)  # longer than the site's timeout, but threads do end
            self.close_connection = True
        else:
            self.answer(404, b"nothing here\n")

    def log_message(self, *_):
        pass


if __name__ == "__main__":
    http.server.ThreadingHTTPServer(("", 8000), Site).serve_forever()
