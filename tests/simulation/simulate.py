"""Start `stafeta simulate` as anybody would, and read its last line."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import IO

LIVES, YEARS, SEED = 500, 0.06, 1
RUN_S_MAX = 1500
SUMMARY = re.compile(
    r"^simulate: lives=(\d+) owner_years=(\d+) faults=(\d+) "
    r"false_releases=(\d+) missed_releases=(\d+) lost_messages=(\d+) seed=(-?\d+)$"
)


@dataclass(frozen=True)
class Said:
    """How a run ended: its exit code, the numbers of its last line, and everything it said."""

    code: int
    lives: int
    faults: int
    broken: tuple[int, int, int]
    text: str


def start(*arguments: str, output: IO[str] | int = subprocess.PIPE) -> subprocess.Popen[str]:
    """Begin a simulation in a process of its own."""
    environ = {name: value for name, value in os.environ.items() if name != "DJANGO_SETTINGS_MODULE"}
    command = [sys.executable, "-m", "stafeta", "simulate", *arguments]
    return subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT, text=True, env=environ)


def start_the_long_one(said: Path) -> subprocess.Popen[str]:
    """Begin the run of every `make test`; what it says goes into a file, which never keeps it waiting."""
    with said.open("w", encoding="utf-8") as output:
        return start("--lives", str(LIVES), "--years", str(YEARS), "--seed", str(SEED), output=output)


def wait(process: subprocess.Popen[str], said: Path | None = None) -> Said:
    """Wait for the end of a simulation."""
    text, _ = process.communicate(timeout=RUN_S_MAX)
    text = said.read_text(encoding="utf-8") if said else text
    found = SUMMARY.match(text.strip().splitlines()[-1])
    assert found is not None, text[-3000:]
    lives, _years, faults, false, missed, lost, _seed = map(int, found.groups())
    return Said(process.returncode, lives, faults, (false, missed, lost), text)
