"""What Hypothesis draws from: every choice, policy, state and event the core knows."""

from __future__ import annotations

from datetime import UTC, datetime, time

from hypothesis import settings
from hypothesis import strategies as st

from stafeta.core.policy import LIMITS, WINDOW_S_MIN, Audience, By, Choices, Policy, compile_policy
from stafeta.core.states import (
    LAST_CALL_RUNG,
    Armed,
    AskedToWait,
    CheckedIn,
    Climbing,
    Event,
    Evidence,
    GaveGoAhead,
    Held,
    PauseBegan,
    Paused,
    PauseEnded,
    PromptAccepted,
    PromptBounced,
    PromptRefused,
    Released,
    Resting,
    Restored,
    State,
    StoodDown,
    Ticked,
    Vouched,
    Waiting,
    Way,
)

PROPERTY = settings(deadline=None)
LIVES = settings(max_examples=2 * PROPERTY.max_examples, deadline=None)

ZONES = (
    "Europe/Prague",
    "Australia/Lord_Howe",
    "Pacific/Apia",
    "America/St_Johns",
    "Asia/Kolkata",
    "Africa/Casablanca",
    "UTC",
)
HALF_HOUR_S = 1800


def whole(name: str) -> st.SearchStrategy[int]:
    """Return every number the limit of that choice allows."""
    return st.integers(LIMITS[name].least, LIMITS[name].most)


def windows(most_s: int = LIMITS["email_window_s"].most) -> st.SearchStrategy[int]:
    """Return windows of whole half hours."""
    return st.integers(WINDOW_S_MIN // HALF_HOUR_S, most_s // HALF_HOUR_S).map(lambda halves: halves * HALF_HOUR_S)


def choices(*, window_s: st.SearchStrategy[int] | None = None) -> st.SearchStrategy[Choices]:
    """Return anything an owner may choose."""
    window_s = windows() if window_s is None else window_s
    return st.builds(
        Choices,
        zone=st.sampled_from(ZONES),
        at=st.builds(time, st.integers(0, 23), st.sampled_from([0, 30])),
        interval_days=whole("interval_days"),
        email_attempts=whole("email_attempts"),
        email_window_s=window_s,
        sms_attempts=whole("sms_attempts"),
        sms_window_s=window_s,
        trusted_attempts=whole("trusted_attempts"),
        trusted_window_s=window_s,
        cooling_off_days=whole("cooling_off_days"),
        may_go_ahead=st.booleans(),
    )


def policies(*, window_s: st.SearchStrategy[int] | None = None) -> st.SearchStrategy[Policy]:
    """Return every ladder that choices compile to."""
    contacts = st.integers(0, 5)
    return st.builds(lambda chosen, count: compile_policy(chosen, contacts=count), choices(window_s=window_s), contacts)


MOMENTS = st.integers(0, 2**32).map(lambda second: datetime.fromtimestamp(second, UTC))
CYCLES = st.integers(0, 2**31)
SECONDS = st.integers(0, 2**40)
PEOPLE = st.integers(1, 2**40)
WAYS = st.builds(Way, PEOPLE, st.sampled_from(By))
CLIMBS = st.builds(
    Climbing,
    cycle=CYCLES,
    rung=st.integers(LAST_CALL_RUNG, 18),
    asked_at_s=SECONDS,
    round=st.integers(0, 99),
    accepted_at_s=st.none() | SECONDS,
    unreachable=st.booleans(),
    began_by=st.none() | WAYS,
    bounced=st.frozensets(WAYS, max_size=4),
    held_s=SECONDS,
    vouched=st.integers(0, 3),
    go_ahead=st.frozensets(PEOPLE, max_size=5),
    contacts_asked=st.booleans(),
    took_back=st.frozensets(PEOPLE, max_size=5),
)


def states() -> st.SearchStrategy[State]:
    """Return every state, sensible or not."""
    return st.one_of(
        st.builds(Resting, CYCLES),
        st.builds(Waiting, CYCLES, MOMENTS, st.integers(0, 3)),
        st.builds(Paused, CYCLES, MOMENTS, st.integers(0, 3)),
        CLIMBS,
        st.builds(Held, CYCLES, SECONDS, CLIMBS),
        st.builds(Released, CYCLES, SECONDS),
    )


def events() -> st.SearchStrategy[Event]:
    """Return every event, sensible or not."""
    prompt = (CYCLES, st.integers(-1, 18), st.integers(0, 99), st.sampled_from(Audience), PEOPLE, st.sampled_from(By))
    return st.one_of(
        st.sampled_from([Armed(), StoodDown(), Ticked(), PauseEnded(), Restored()]),
        st.builds(CheckedIn, st.sampled_from(Evidence), st.none() | CYCLES),
        st.builds(PauseBegan, MOMENTS),
        st.builds(PromptAccepted, *prompt),
        st.builds(PromptRefused, *prompt),
        st.builds(PromptBounced, *prompt, st.booleans()),
        st.builds(Vouched, CYCLES, PEOPLE),
        st.builds(AskedToWait, CYCLES, PEOPLE, st.integers(1, 30)),
        st.builds(GaveGoAhead, CYCLES, PEOPLE),
    )
