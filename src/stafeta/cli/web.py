"""Serve the pages over plain HTTP (put a proxy that ends TLS in front). Needs `stafeta init` once before."""

from __future__ import annotations

import argparse
import multiprocessing
import os
import signal
import socket
from typing import TYPE_CHECKING, Final

from stafeta.cli.lifeline import end_with_parent
from stafeta.cli.ready import require_at_home, require_keys, require_ready
from stafeta.core.errors import ConfigurationError

if TYPE_CHECKING:
    from django.core.handlers.wsgi import WSGIHandler

HOST: Final = "127.0.0.1"
PORT: Final = 8000
WORKERS: Final = 2
THREADS: Final = 4
_PORT_MAX: Final = 65535
_COUNT_MAX: Final = 256


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the address and the size of the server."""
    add_address(parser)
    add_parent(parser)
    parser.add_argument("--threads", type=count, default=THREADS, help="threads in each process (default: %(default)s)")


def add_parent(parser: argparse.ArgumentParser) -> None:
    """Add what `stafeta run` says to its children and nobody needs to type."""
    parser.add_argument("--end-with-parent", metavar="PID", type=int, help=argparse.SUPPRESS)


def add_address(parser: argparse.ArgumentParser) -> None:
    """Add what `stafeta run` takes too."""
    parser.add_argument("--host", default=HOST, help="address to listen at (default: %(default)s)")
    parser.add_argument("--port", type=port, help=f"port to listen at (default: the local site's, or {PORT})")
    parser.add_argument("--workers", type=count, default=WORKERS, help="server processes (default: %(default)s)")


def main(args: argparse.Namespace) -> int:
    """Serve until SIGINT or SIGTERM."""
    if args.end_with_parent:
        end_with_parent(args.end_with_parent, signal.SIGTERM)
    require_ready()
    require_at_home()
    require_keys()
    from django.conf import settings

    chosen_port = args.port or default_port(settings.SITE_URL, is_local=settings.SITE_IS_LOCAL)
    require_free(args.host, chosen_port)
    serve(host=args.host, port=chosen_port, workers=args.workers, threads=args.threads)
    return 0


def serve(*, host: str, port: int, workers: int, threads: int) -> None:
    """Serve the application until SIGINT or SIGTERM. No access log: addresses hold tokens (invariant 17)."""
    from django.db import connections
    from granian.constants import Interfaces
    from granian.log import LogLevels

    from stafeta.cli.server import Server

    # The processes are forked from this one; none may inherit a connection.
    connections.close_all()
    Server(
        "stafeta.cli.web:application",
        factory=True,
        address=host,
        port=port,
        interface=Interfaces.WSGI,
        workers=workers,
        blocking_threads=threads,
        websockets=False,
        log_level=LogLevels.debug if os.environ.get("STAFETA_LOG_LEVEL") == "debug" else LogLevels.warning,
        log_access=False,
        respawn_failed_workers=True,
        workers_kill_timeout=10,
    ).serve()


def application() -> WSGIHandler:
    """Return the application, in a server process that has just begun: it must not go on serving without its master."""
    master = multiprocessing.parent_process()
    if master is not None and master.pid is not None:
        end_with_parent(master.pid, signal.SIGKILL)
    # Ctrl-C reaches the whole process group, but the master is who ends its processes: told twice, one may hang.
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    # Until the server has set its own handler, the one inherited from the master would swallow a SIGTERM.
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})
    from stafeta.config.wsgi import application as made

    return made


def default_port(site_url: str, *, is_local: bool) -> int:
    """Return the port of a local site's address; behind a proxy, 8000."""
    from urllib.parse import urlsplit

    return (urlsplit(site_url).port if is_local else None) or PORT


def require_free(host: str, port: int) -> None:
    """Raises ConfigurationError where something else listens already, or the address is not this machine's."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise ConfigurationError(
                "--port", f"{host}:{port} cannot be used ({error.strerror})", "Choose another with --host and --port."
            ) from None


def port(text: str) -> int:
    """Parse a port number."""
    return _bounded(text, _PORT_MAX)


def count(text: str) -> int:
    """Parse a number of processes or threads."""
    return _bounded(text, _COUNT_MAX)


def _bounded(text: str, most: int) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= most:
        raise argparse.ArgumentTypeError(f"a whole number from 1 to {most}, please, not {text!r}")
    return int(text)
