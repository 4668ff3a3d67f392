"""Children that do not outlive their parent, even one that was killed and could not say goodbye (prctl(2), Linux)."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from typing import Final

_PR_SET_PDEATHSIG: Final = 1


def end_with_parent(parent: int, number: signal.Signals) -> None:
    """Let the kernel send this process the signal `number` when its parent, of that process id, dies.

    A parent that has died already is noticed too. Elsewhere than on Linux, nothing happens.
    """
    if sys.platform != "linux":
        return
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, int(number))
    if os.getppid() != parent:
        os.kill(os.getpid(), number)
