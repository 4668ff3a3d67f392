"""`stafeta run`: two processes that live and die together."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path
from urllib.request import urlopen

import pytest

from tests.cli.conftest import Stafeta

Start = Callable[..., subprocess.Popen[str]]
END_S_MAX = 30
UP_S_MAX = 60


def wait_until_up(process: subprocess.Popen[str]) -> str:
    """Return what was said until the address was."""
    said = ""
    assert process.stdout is not None
    alarm = threading.Timer(UP_S_MAX, os.killpg, (process.pid, signal.SIGKILL))
    alarm.start()
    for line in process.stdout:
        said += line
        if "Štafeta is at" in line:
            alarm.cancel()
            return said
    alarm.cancel()
    raise AssertionError(f"it never came up:\n{said}")


def children(process: subprocess.Popen[str]) -> dict[str, int]:
    """Return the processes that `stafeta run` has started, by command."""
    found = {}
    for pid in Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split():
        title = Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
        found["worker" if "stafeta worker" in title else "web"] = int(pid)
    return found


def group_is_gone(process: subprocess.Popen[str]) -> bool:
    """Whether nobody of its process group runs any more, at the latest in a few seconds."""
    for _ in range(50):
        if not running(process.pid):
            return True
        time.sleep(0.1)
    return False


def running(group: int) -> list[str]:
    """Return the states of a group's processes; one that has ended and that nobody has buried yet does not count."""
    states = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, _, its_group = path.read_text().rpartition(")")[2].split()[:3]
        except (FileNotFoundError, ProcessLookupError):
            continue
        if int(its_group) == group and state not in ("Z", "X"):
            states.append(state)
    return states


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_serves_and_ends_cleanly(number: signal.Signals, started: Start, port: int) -> None:
    """Ctrl-C reaches the whole group, as from a terminal; SIGTERM reaches the parent alone, as from a supervisor."""
    process = started("run", "--port", str(port), "--workers", "2")
    said = wait_until_up(process)
    assert f"http://localhost:{port}" in said
    with urlopen(f"http://127.0.0.1:{port}/static/web/dist/stafeta.css") as answer:
        assert answer.status == 200
    assert set(children(process)) == {"web", "worker"}
    if number == signal.SIGINT:
        os.killpg(process.pid, number)
    else:
        process.send_signal(number)
    rest, _ = process.communicate(timeout=END_S_MAX)
    assert process.returncode == 0
    assert "refused to gracefully stop" not in rest
    assert group_is_gone(process)


@pytest.mark.parametrize("victim", ["web", "worker"])
def test_if_one_dies_the_other_is_ended(victim: str, started: Start, port: int) -> None:
    process = started("run", "--port", str(port), "--workers", "1")
    wait_until_up(process)
    os.kill(children(process)[victim], signal.SIGKILL)
    rest, _ = process.communicate(timeout=END_S_MAX)
    assert process.returncode == 1
    assert f"stafeta {victim} has ended unexpectedly" in rest


def test_nobody_outlives_a_parent_that_was_killed(started: Start, port: int) -> None:
    process = started("run", "--port", str(port), "--workers", "1")
    wait_until_up(process)
    process.kill()
    process.communicate(timeout=END_S_MAX)
    assert group_is_gone(process)


def test_a_taken_port_is_named_before_anything_is_made(stafeta: Stafeta, environ: dict[str, str], port: int) -> None:
    with socket.create_server(("127.0.0.1", port)):
        done = stafeta("run", "--port", str(port))
    assert done.returncode == 2
    assert f"127.0.0.1:{port} cannot be used" in done.stderr
    assert not Path(environ["STAFETA_DATA_DIR"]).exists()


def test_the_worker_does_one_round_when_asked(stafeta: Stafeta) -> None:
    stafeta("init")
    done = stafeta("worker", "--once")
    assert done.returncode == 0, done.stderr
