"""api: a small web shop on Python's standard library. VERSION, COMMIT, PORT and HOST_NAME come from its environment.

GET /version says what runs, GET /healthz that it runs; every other path is a page. On SIGTERM it takes no new request,
finishes those it has and ends.
"""

import itertools
import os
import signal
import sys
import threading
import traceback
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from pages import page

VERSION, COMMIT = os.environ["VERSION"], os.environ["COMMIT"]
PORT, HOST_NAME = int(os.environ["PORT"]), os.environ["HOST_NAME"]
visits = itertools.count(1)


class Handler(BaseHTTPRequestHandler):
    """Speaks HTTP/1.0 on purpose: a connection ends with its answer, so none is idle when the server stops."""

    timeout = 5

    def do_GET(self):
        try:
            self.answer(200, self.text())
        except OSError:
            raise
        except Exception:
            traceback.print_exc()
            self.answer(500, "Something broke on our side.")

    def do_HEAD(self):
        self.do_GET()

    def do_POST(self):
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.do_GET()

    def text(self):
        path = self.path.partition("?")[0]
        if path == "/version":
            return f"{VERSION} {COMMIT}"
        if path == "/healthz":
            return "ok"
        return f"{page(path, next(visits))}\n\napi {VERSION} on {HOST_NAME}"

    def answer(self, status, text):
        body = (text + "\n").encode()
        self.send_response(status)
        self.send_header("Content-Type", "text/plain; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("X-Version", VERSION)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, *_):
        """No line for each request: the log is for what went wrong."""


class Server(ThreadingHTTPServer):
    daemon_threads = False
    request_queue_size = 128


def main():
    server = Server(("127.0.0.1", PORT), Handler)
    signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=server.shutdown).start())
    server.serve_forever(poll_interval=0.02)
    server.server_close()
    sys.stderr.write(f"api {VERSION} ended\n")


if __name__ == "__main__":
    main()
