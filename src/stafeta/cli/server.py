"""granian, ending whenever it is told to, however often that is."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from granian.server.mp import MPServer

ENDING: Final = frozenset({signal.SIGINT, signal.SIGTERM})


class Server(MPServer):
    """The web server's master process.

    Ctrl-C and a supervisor tell the whole process group, and the parent tells its children once more. granian's
    handler sets an event, which takes a lock: interrupted by a second signal, it would wait for itself for ever.
    """

    def signal_handler_interrupt(self, *args: Any, **kwargs: Any) -> None:
        """Heed the first signal only; nothing is left to say to a server that is ending."""
        if not self.interrupt_signal:
            super().signal_handler_interrupt(*args, **kwargs)  # type: ignore[no-untyped-call]

    def _spawn_workers(self, *args: Any, **kwargs: Any) -> None:
        with _blocked():
            super()._spawn_workers(*args, **kwargs)  # type: ignore[no-untyped-call]

    def _respawn_workers(self, *args: Any, **kwargs: Any) -> None:
        with _blocked():
            super()._respawn_workers(*args, **kwargs)


@contextmanager
def _blocked() -> Iterator[None]:
    """Let processes, and the threads that watch them, start with the signals blocked.

    A signal that met such a thread would not wake the main one, which alone can heed it. The processes unblock what is
    meant for them themselves (`web.application`).
    """
    before = signal.pthread_sigmask(signal.SIG_BLOCK, ENDING)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
