"""docs/ladder.md says what the code does: its limits, its figures, and the tests that hold its invariants."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from stafeta.core.policy import (
    CONTACTS_MAX,
    GO_AHEADS_NEEDED,
    HOLD_DAYS_MAX,
    HOLD_TOTAL_S_MAX,
    LAST_CALL_S,
    LIMITS,
    PAUSE_DAYS_MAX,
    UNREACHABLE_AFTER_S,
    VOUCH_POSTPONES_S,
    VOUCHES_MAX,
    WINDOW_S_MAX,
    WINDOW_S_MIN,
)
from tests.core.ladders import DAY_S, HOUR_S

ROOT = Path(__file__).parents[2]
BOOK = (ROOT / "docs" / "ladder.md").read_text(encoding="utf-8")
NAMED = re.findall(r"`((?:tests/)?[\w/]*test_\w+\.py)(?:::(\w+))?`", BOOK)
ROWS = re.findall(r"^\| (\d+) \| .+ \| (.+) \|$", BOOK.partition("## Invariants")[2], re.MULTILINE)


def test_every_invariant_has_its_row_and_its_number() -> None:
    assert [int(number) for number, _held in ROWS] == list(range(1, 21))


@pytest.mark.parametrize(("file", "name"), NAMED)
def test_every_test_the_book_names_exists(file: str, name: str) -> None:
    path = ROOT / file if file.startswith("tests/") else ROOT / "tests" / "core" / file
    assert path.exists()
    assert f"def {name}" in path.read_text(encoding="utf-8")


def test_a_test_of_the_core_that_is_named_speaks_of_that_invariant() -> None:
    for number, held in ROWS:
        for file, name in re.findall(r"`(test_\w+\.py)::(\w+)`", held):
            source = (ROOT / "tests" / "core" / file).read_text(encoding="utf-8")
            body = source.split(f"def {name}(", 1)[1].split("\ndef ", 1)[0]
            spoken = re.search(r"Invariants? ([^:;.]*)", body)
            assert spoken, name
            assert number in re.findall(r"\d+", spoken.group(1)), (number, name)


@pytest.mark.parametrize(
    ("row", "name"),
    [
        ("days between check-ins", "interval_days"),
        ("e-mails to the owner", "email_attempts"),
        ("SMS to the owner", "sms_attempts"),
        ("times the contacts are asked", "trusted_attempts"),
    ],
)
def test_the_limits_in_the_book_are_those_of_the_code(row: str, name: str) -> None:
    limits = LIMITS[name]
    assert f"| {row} | {limits.least} | {limits.most} |" in BOOK


def test_the_figures_in_the_book_are_those_of_the_code() -> None:
    assert (WINDOW_S_MIN, WINDOW_S_MAX) == (12 * HOUR_S, 30 * DAY_S)
    assert "| each of these windows | 12 hours | 30 days |" in BOOK
    assert (LIMITS["cooling_off_days"].most, CONTACTS_MAX) == (14, 5)
    assert (UNREACHABLE_AFTER_S, LAST_CALL_S) == (3 * DAY_S, DAY_S)
    assert (VOUCHES_MAX, VOUCH_POSTPONES_S) == (3, 7 * DAY_S)
    assert (HOLD_DAYS_MAX, HOLD_TOTAL_S_MAX) == (30, 60 * DAY_S)
    assert (GO_AHEADS_NEEDED, PAUSE_DAYS_MAX) == (2, 365)
