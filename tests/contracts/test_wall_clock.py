"""House rule 4: `now` is an argument; `stafeta.clock` alone reads the wall clock, and only entry points ask it."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from tests.contracts.house import PACKAGE, name, python_files

READS_THE_CLOCK = {
    ("datetime", "now"),
    ("datetime", "utcnow"),
    ("datetime", "today"),
    ("date", "today"),
    ("time", "time"),
    ("time", "time_ns"),
    ("time", "monotonic"),
    ("time", "sleep"),
    ("timezone", "now"),
    ("timezone", "localdate"),
}
# Where a caller of the clock stands: the way in from outside, and renderers, which the outbox calls without a time.
ENTRY_POINTS = ("web", "worker", "cli", "config")
RENDERERS = "messages.py"


def _calls(path: Path) -> list[tuple[int, str, str]]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    called = [node for node in ast.walk(tree) if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name)]
    return [(node.lineno, node.value.id, node.attr) for node in called if isinstance(node.value, ast.Name)]


def _ours() -> list[Path]:
    return [path for path in python_files() if path.is_relative_to(PACKAGE) and path != PACKAGE / "clock.py"]


def test_nobody_else_reads_the_wall_clock() -> None:
    readers = [
        f"{name(path)}:{line} {left}.{right}"
        for path in _ours()
        for line, left, right in _calls(path)
        if (left, right) in READS_THE_CLOCK
    ]
    assert readers == []


def test_nobody_takes_the_clock_apart_by_importing_from_it() -> None:
    """`from time import time` would slip past the test above."""
    hidden = [
        f"{name(path)}:{node.lineno}"
        for path in _ours()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ImportFrom)
        and node.module in ("time", "django.utils.timezone")
        and {alias.name for alias in node.names} & {"time", "time_ns", "monotonic", "sleep", "now", "localdate"}
    ]
    assert hidden == []


def test_only_entry_points_ask_the_clock() -> None:
    askers = {
        name(path)
        for path in _ours()
        for _, left, right in _calls(path)
        if (left, right) in {("clock", "now"), ("clock", "monotonic_s"), ("clock", "real_sleep")}
    }
    assert askers, "nobody asks the clock: has it been renamed?"
    inside = [path for path in askers if path.removeprefix("src/stafeta/").split("/")[0] not in ENTRY_POINTS]
    assert sorted(path for path in inside if not path.endswith(f"/{RENDERERS}")) == []


@pytest.mark.parametrize("source", ["import time\ntime.time()", "from datetime import datetime\ndatetime.now()"])
def test_the_search_finds_what_it_looks_for(source: str, tmp_path: Path) -> None:
    path = tmp_path / "guilty.py"
    path.write_text(source, encoding="utf-8")
    assert {(left, right) for _, left, right in _calls(path)} & READS_THE_CLOCK
