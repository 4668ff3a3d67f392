"""Work for the second core, and for what the tests leave of the first while they wait for pages and processes: commands
that run beside all tests, two at a time. Who waits for one comes last."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
AT_A_TIME_MAX = 2
POLITELY = ("nice", "-n", "5")  # the tests wait for one another, these for nobody


@dataclass(frozen=True)
class Done:
    """How a command ended, and everything it said on both streams."""

    code: int
    text: str


class Lane:
    """Runs deeds in threads of its own, in the order of their beginning; `answer` waits for what came of one."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(AT_A_TIME_MAX)
        self._answers: dict[Deed, Future[Any]] = {}
        self._processes: set[subprocess.Popen[str]] = set()
        self._is_closed = False

    def begin(self, deed: Deed) -> None:
        """Put a deed at the end of the lane; the same one only once."""
        if deed not in self._answers:
            self._answers[deed] = self._pool.submit(deed, self)

    def answer(self, deed: Deed) -> Any:
        """Return what `deed` returned, once it has; raises what it raised."""
        return self._answers[deed].result()

    def run(self, *words: str, within_s: float, env: Mapping[str, str] | None = None) -> Done:
        """Run Python with these words and wait for its end. For deeds. Raises TimeoutExpired after killing it."""
        if self._is_closed:
            raise RuntimeError("the tests are over")
        command: Sequence[str] = [*POLITELY, sys.executable, *words]
        with subprocess.Popen(
            command, cwd=ROOT, env=env or os.environ, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        ) as process:
            self._processes.add(process)
            try:
                text, _ = process.communicate(timeout=within_s)
            except BaseException:
                process.kill()
                raise
            finally:
                self._processes.discard(process)
            return Done(process.returncode, text)

    def close(self) -> None:
        """Leave nothing behind, however the tests ended."""
        self._is_closed = True
        self._pool.shutdown(wait=False, cancel_futures=True)
        for process in self._processes.copy():
            process.kill()
        self._pool.shutdown()


Deed = Callable[[Lane], Any]
