"""The command as an operator meets it: a process of its own, with an environment of its own."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

RUN_S_MAX = 60
Stafeta = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    """The environment of one installation in an empty directory; nothing of the developer's or the tests' own."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("STAFETA_", "DJANGO_"))}
    return {**kept, "STAFETA_DATA_DIR": str(tmp_path / "data"), "STAFETA_TICK_EVERY_S": "0.2"}


@pytest.fixture
def stafeta(environ: dict[str, str]) -> Stafeta:
    """Run `stafeta <words>` to its end."""

    def call(*words: str, stdin: str = "", **extra: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "stafeta", *words],
            env={**environ, **extra},
            input=stdin,
            capture_output=True,
            text=True,
            timeout=RUN_S_MAX,
            check=False,
        )

    return call


@pytest.fixture
def started(environ: dict[str, str]) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Start `stafeta <words>` and end it after the test, whatever happens."""
    processes: list[subprocess.Popen[str]] = []

    def start(*words: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-m", "stafeta", *words],
            env=environ,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        processes.append(process)
        return process

    yield start
    for process in processes:
        if process.poll() is None:
            os.killpg(process.pid, 9)
        process.communicate()


@pytest.fixture
def port() -> int:
    """A port that nobody listens at."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
