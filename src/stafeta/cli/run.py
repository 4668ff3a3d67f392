"""Run web and worker together, in one process group, after making what is missing (`stafeta init`). Ctrl-C ends both;
if one of them dies, the other is ended too."""

from __future__ import annotations

import argparse
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Sequence
from typing import IO, Final

from stafeta.cli.init import prepare
from stafeta.cli.ready import keys_at_hand, tell, warn
from stafeta.cli.web import add_address, default_port, require_free
from stafeta.config.environment import load

LOOK_EVERY_S: Final = 0.1
WEB_READY_S_MAX: Final = 60.0
END_S_MAX: Final = 20.0


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the address and the size of the web server."""
    add_address(parser)


def main(args: argparse.Namespace) -> int:
    """Run until Ctrl-C or SIGTERM (0), or until one of the two has died (1)."""
    environment = load(os.environ)
    port = args.port or default_port(environment.site_url, is_local=environment.is_local)
    if args.port and not os.environ.get("STAFETA_SITE_URL"):
        # Links must lead to where the site really is.
        os.environ["STAFETA_SITE_URL"] = f"http://localhost:{port}"
        environment = load(os.environ)
    require_free(args.host, port)
    prepare(tell)
    keys_at_hand()
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    children = Children(stop)
    try:
        children.start("web", "--host", args.host, "--port", str(port), "--workers", str(args.workers))
        if not children.wait_for_port(args.host, port):
            return children.verdict()
        children.start("worker")
        tell(f"Štafeta is at {environment.site_url} – Ctrl-C ends it")
        children.wait()
        return children.verdict()
    finally:
        children.end()


class Children:
    """Child processes that live and die together, in the process group of their parent."""

    def __init__(self, stop: threading.Event) -> None:
        self.stop = stop
        self._children: dict[str, subprocess.Popen[bytes]] = {}

    def start(self, command: str, *arguments: str, name: str = "", output: IO[bytes] | None = None) -> None:
        """Start `stafeta <command> <arguments>`, called `name` where several run one command.

        What it writes goes to `output`, or where ours does.
        """
        parent = ("--end-with-parent", str(os.getpid()))
        words: Sequence[str] = (sys.executable, "-m", "stafeta", command, *parent, *arguments)
        # Ctrl-C reaches the whole group; the parent heeds it and ends its children, which inherit that they need not.
        before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        try:
            self._children[name or command] = subprocess.Popen(  # noqa: S603  # our own command
                words, stdin=subprocess.DEVNULL, stdout=output, stderr=output
            )
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)

    def wait_for_port(self, host: str, port: int) -> bool:
        """Wait until somebody answers there; False when that will not be."""
        for _ in range(int(WEB_READY_S_MAX / LOOK_EVERY_S)):
            if self.stop.is_set() or self.dead():
                return False
            try:
                socket.create_connection((_reachable(host), port), timeout=1).close()
            except OSError:
                self.stop.wait(LOOK_EVERY_S)
            else:
                return True
        warn(f"The web server did not answer within {WEB_READY_S_MAX:g} s.")
        return False

    def wait(self) -> None:
        """Wait until told to stop, or until a child has died."""
        while not self.dead() and not self.stop.wait(LOOK_EVERY_S):
            pass

    def dead(self) -> list[str]:
        """Return the children that have ended."""
        return [command for command, child in self._children.items() if child.poll() is not None]

    def verdict(self) -> int:
        """Return 0 where we were told to stop, otherwise 1, and say who died."""
        if self.stop.is_set():
            return 0
        for command in self.dead():
            warn(f"stafeta {command} has ended unexpectedly (exit code {self._children[command].returncode}).")
        return 1

    def end(self) -> None:
        """End every child: asked first, killed only where it does not listen."""
        for child in self._children.values():
            if child.poll() is None:
                child.send_signal(signal.SIGTERM)
        for command, child in self._children.items():
            try:
                child.wait(END_S_MAX)
            except subprocess.TimeoutExpired:
                warn(f"stafeta {command} did not end within {END_S_MAX:g} s and was killed.")
                child.kill()
                child.wait()


def _reachable(host: str) -> str:
    """Return an address at which a server that listens at `host` can be reached from here."""
    return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104  # nothing is bound to it here
