"""A watchdog: counts who fetched its address, and answers as it is told to."""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Self, cast

HANG_S = 20
SECRET = "s3cret-of-the-watchdog"


class Watchdog:
    """An HTTP server on a free port of this machine. status: what it answers. hangs: it keeps whoever asks waiting."""

    def __init__(self) -> None:
        self.status = 200
        self.hangs = False
        self.location = ""
        self.asked: list[str] = []
        self.released = threading.Event()
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.watchdog = self
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}/{SECRET}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_exception: object) -> None:
        self.released.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    watchdog: Watchdog


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        watchdog = cast(_Server, self.server).watchdog
        watchdog.asked.append(self.path)
        if watchdog.hangs:
            watchdog.released.wait(HANG_S)
            return
        self.send_response(watchdog.status)
        if watchdog.location:
            self.send_header("Location", watchdog.location)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        pass
