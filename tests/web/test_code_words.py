"""What a wrong code is answered with."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.utils import translation

from stafeta.core.errors import CodeError, CodeExpired, CodeThrottled, WrongCode
from stafeta.web.code_words import code_problem

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("problem", "words"),
    [
        (WrongCode(tries_left=1), "You have 1 more try."),
        (WrongCode(tries_left=4), "You have 4 more tries."),
        (CodeExpired(), "Ask for a new one."),
        (CodeThrottled(NOW + timedelta(seconds=20)), "Try again in 1 minute."),
        (CodeThrottled(NOW + timedelta(minutes=4, seconds=10)), "Try again in 5 minutes."),
        (CodeThrottled(NOW + timedelta(hours=12)), "Try again in 12 hours."),
    ],
)
def test_says_what_helps(problem: CodeError, words: str) -> None:
    """Each answer ends with what to do, in whole minutes or hours, never too few."""
    with translation.override("en"):
        assert code_problem(problem, now=NOW).endswith(words)
