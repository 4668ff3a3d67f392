"""The long simulation runs in a process of its own beside all other tests, and is waited for at the very end."""

from __future__ import annotations

import subprocess
import tempfile
from pathlib import Path

import pytest

from tests.simulation.simulate import start_the_long_one

LONG_ONE = pytest.StashKey[tuple[subprocess.Popen[str], Path]]()
WAITS_FOR_IT = "test_no_promise_is_broken_in_hundreds_of_lives"


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let what waits for it come last."""
    items.sort(key=lambda item: item.name == WAITS_FOR_IT)


def pytest_collection_finish(session: pytest.Session) -> None:
    """Begin it with the first test, if it is going to be waited for."""
    if session.config.option.collectonly or not any(item.name == WAITS_FOR_IT for item in session.items):
        return
    said = Path(tempfile.mkstemp(prefix="stafeta-simulate-", suffix=".log")[1])
    session.config.stash[LONG_ONE] = (start_the_long_one(said), said)


def pytest_unconfigure(config: pytest.Config) -> None:
    """Leave nothing behind, however the tests ended."""
    if LONG_ONE in config.stash:
        process, said = config.stash[LONG_ONE]
        process.kill()
        process.wait()
        said.unlink(missing_ok=True)


@pytest.fixture
def long_one(request: pytest.FixtureRequest) -> tuple[subprocess.Popen[str], Path]:
    """The long run, and where it writes what it says."""
    return request.config.stash[LONG_ONE]
