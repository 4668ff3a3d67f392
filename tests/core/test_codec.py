"""States, events and policies survive the log (docs/ladder.md, invariant 18)."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any, get_args

import pytest
from hypothesis import given

from stafeta.core.codec import decode_choices, decode_event, decode_policy, decode_state, encode
from stafeta.core.errors import PolicyError
from stafeta.core.policy import By, Choices, Policy
from stafeta.core.states import Climbing, Event, Held, Resting, State, Ticked, Waiting, Way
from tests.core.ladders import STANDARD
from tests.core.strategies import PROPERTY, choices, events, policies, states


def through_json(value: State | Event | Policy | Choices) -> Any:
    """Return what a JSON column gives back."""
    return json.loads(json.dumps(encode(value)))


@PROPERTY
@given(states())
def test_every_state_comes_back_equal(state: State) -> None:
    """Invariant 18."""
    assert decode_state(through_json(state)) == state


@PROPERTY
@given(events())
def test_every_event_comes_back_equal(event: Event) -> None:
    """Invariant 18."""
    assert decode_event(through_json(event)) == event


@PROPERTY
@given(policies())
def test_every_policy_comes_back_equal(policy: Policy) -> None:
    """Invariants 15 and 18."""
    assert decode_policy(through_json(policy)) == policy


@PROPERTY
@given(choices())
def test_all_choices_come_back_equal(chosen: Choices) -> None:
    assert decode_choices(through_json(chosen)) == chosen


def test_the_names_in_the_log_never_change() -> None:
    """Invariant 18: old logs must stay readable, so a name that fails here must not be renamed but added to."""
    climbing = Climbing(
        3, 1, 7, accepted_at_s=9, began_by=Way(1, By.SMS), bounced=frozenset({Way(2, By.EMAIL), Way(1, By.EMAIL)})
    )
    assert encode(Held(3, 99, climbing)) == {
        "is": "Held",
        "cycle": 3,
        "until_s": 99,
        "climbing": {
            "is": "Climbing",
            "cycle": 3,
            "rung": 1,
            "asked_at_s": 7,
            "round": 0,
            "accepted_at_s": 9,
            "unreachable": False,
            "began_by": {"is": "Way", "person": 1, "by": "sms"},
            "bounced": [{"is": "Way", "person": 1, "by": "email"}, {"is": "Way", "person": 2, "by": "email"}],
            "held_s": 0,
            "vouched": 0,
            "go_ahead": [],
            "contacts_asked": False,
            "took_back": [],
        },
    }
    assert encode(Waiting(1, datetime(2026, 3, 1, 8, tzinfo=UTC))) == {
        "is": "Waiting",
        "cycle": 1,
        "due": "2026-03-01T08:00:00+00:00",
        "vouched": 0,
    }
    assert {cls.__name__ for cls in get_args(State)} == {
        "Resting",
        "Waiting",
        "Paused",
        "Climbing",
        "Held",
        "Released",
    }
    assert {cls.__name__ for cls in get_args(Event)} == {
        "Armed",
        "StoodDown",
        "Ticked",
        "CheckedIn",
        "PauseBegan",
        "PauseEnded",
        "PromptAccepted",
        "PromptRefused",
        "PromptBounced",
        "Vouched",
        "AskedToWait",
        "GaveGoAhead",
        "Restored",
    }


def test_a_field_that_an_old_log_lacks_takes_its_default() -> None:
    assert decode_state({"is": "Climbing", "cycle": 1, "rung": 0, "asked_at_s": 5}) == Climbing(1, 0, 5)


@pytest.mark.parametrize(
    "data",
    [
        None,
        5,
        "Resting",
        [],
        {},
        {"cycle": 1},
        {"is": "Nobody"},
        {"is": "Ticked"},
        {"is": "Resting"},
        {"is": "Resting", "cycle": "1"},
        {"is": "Resting", "cycle": None},
        {"is": "Resting", "cycle": 1, "more": 2},
        {"is": "Waiting", "cycle": 1, "due": "tomorrow"},
        {"is": "Climbing", "cycle": 1, "rung": 0, "asked_at_s": 5, "unreachable": 1},
        {"is": "Climbing", "cycle": 1, "rung": 0, "asked_at_s": 5, "began_by": {"is": "Resting", "cycle": 1}},
        {
            "is": "Climbing",
            "cycle": 1,
            "rung": 0,
            "asked_at_s": 5,
            "bounced": [{"is": "Way", "person": 1, "by": "fax"}],
        },
    ],
)
def test_what_is_no_state_is_refused(data: Any) -> None:
    with pytest.raises((KeyError, TypeError, ValueError)):
        decode_state(data)


def test_a_state_is_no_event_and_an_event_no_state() -> None:
    with pytest.raises(KeyError):
        decode_event(encode(Resting(1)))
    with pytest.raises(KeyError):
        decode_state(encode(Ticked()))


def test_choices_are_no_policy_and_a_policy_no_choices() -> None:
    with pytest.raises(TypeError):
        decode_policy(encode(Choices()))
    with pytest.raises(TypeError):
        decode_choices(encode(STANDARD))


def test_choices_beyond_the_limits_are_refused_wherever_they_come_from() -> None:
    with pytest.raises(PolicyError):
        decode_choices(encode(Choices()) | {"interval_days": 0})
