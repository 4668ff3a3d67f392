"""The timeline an owner is shown: what would happen if they fell silent now."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stafeta.core import projection
from stafeta.core.ladder import advance
from stafeta.core.policy import Audience, By, Choices, Policy, RungKind, compile_policy
from stafeta.core.projection import Asked, Freed, project, window_ends_at
from stafeta.core.states import (
    Armed,
    AskedToWait,
    Climbing,
    GaveGoAhead,
    Held,
    PauseBegan,
    Paused,
    PromptBounced,
    Released,
    Resting,
    State,
    Ticked,
    Waiting,
)
from tests.core.ladders import DANA, DAY_S, EVA, KAREL, NOON, OUTSPOKEN, STANDARD, Ladder, armed, asked, on_rung
from tests.core.strategies import HALF_HOUR_S, policies, windows

STEP = timedelta(seconds=HALF_HOUR_S)


def projected(ladder: Ladder) -> tuple[tuple[Asked, ...], Freed | None]:
    return project(ladder.state, ladder.policy, now=ladder.now, service_s=ladder.service_s)


def lived(ladder: Ladder) -> tuple[tuple[Asked, ...], Freed | None]:
    """Return what happens when the owner is silent, found by living it through in half hours."""
    seen: list[Asked] = []
    if isinstance(ladder.state, Climbing) and ladder.state.accepted_at_s is None:
        ladder.accept()
    for _ in range(100_000):
        if isinstance(ladder.state, Released):
            return tuple(seen), Freed(ladder.now)
        for ask in asked(ladder.event(Ticked())):
            seen.append(Asked(ladder.now, ask.kind, ask.audience, ask.by, ask.attempt, ask.attempts))
            ladder.accept()
        if not isinstance(ladder.state, Released):
            ladder.now += STEP
            ladder.service_s += HALF_HOUR_S
    raise AssertionError("no release in sight")


def test_a_resting_switch_has_nothing_to_show() -> None:
    assert project(Resting(0), STANDARD, now=NOON, service_s=0) == ((), None)


def test_a_released_switch_shows_its_release_as_now() -> None:
    assert project(Released(1, 5), STANDARD, now=NOON, service_s=9) == ((), Freed(NOON))


def test_the_standard_timeline_has_six_prompts_and_ends_in_a_release() -> None:
    ladder = armed()
    shown, freed = projected(ladder)
    assert isinstance(ladder.state, Waiting)
    due = ladder.state.due
    assert [(prompt.kind, prompt.audience, prompt.by, prompt.at - due) for prompt in shown] == [
        (RungKind.EMAIL, Audience.OWNER, (By.EMAIL,), timedelta(days=0)),
        (RungKind.EMAIL, Audience.OWNER, (By.EMAIL,), timedelta(days=1)),
        (RungKind.EMAIL, Audience.OWNER, (By.EMAIL,), timedelta(days=2)),
        (RungKind.SMS, Audience.OWNER, (By.EMAIL, By.SMS), timedelta(days=3)),
        (RungKind.TRUSTED, Audience.TRUSTED, (By.EMAIL, By.SMS), timedelta(days=4)),
        (RungKind.TRUSTED, Audience.TRUSTED, (By.EMAIL, By.SMS), timedelta(days=6)),
    ]
    assert freed == Freed(due + timedelta(days=8))


def test_the_rung_a_switch_stands_on_is_past_and_not_repeated() -> None:
    shown, freed = projected(on_rung(4))
    assert [(prompt.kind, prompt.attempt) for prompt in shown] == [(RungKind.TRUSTED, 2)]
    assert freed is not None


def test_a_prompt_not_yet_accepted_is_taken_as_accepted_now() -> None:
    ladder = on_rung(5, accepted=False)
    assert projected(ladder) == ((), Freed(ladder.now + timedelta(days=2)))


@pytest.mark.parametrize(
    ("rung", "people", "window_days"), [(3, [DANA], 1), (5, [KAREL, EVA], 2)], ids=["owner", "contacts"]
)
def test_a_rung_of_which_every_prompt_came_back_is_not_taken_as_accepted(
    rung: int, people: list[int], window_days: int
) -> None:
    """The page must not promise the release of a rung that nobody can get any more for an earlier day than it comes."""
    ladder = on_rung(rung, accepted=False)
    for person in people:
        ladder.event(ladder.prompt(PromptBounced, person, By.EMAIL, others_reached=False))
        assert first_after(ladder) == ladder.now + timedelta(days=window_days)
        ladder.event(ladder.prompt(PromptBounced, person, By.SMS, others_reached=False))
    assert first_after(ladder) == ladder.now + timedelta(days=3 + 2 * window_days)


def first_after(ladder: Ladder) -> datetime:
    """Return the moment of the next prompt or, after the last rung, of the release."""
    shown, freed = projected(ladder)
    assert freed is not None
    return shown[0].at if shown else freed.at


def test_an_unreachable_rung_shows_its_doubled_window() -> None:
    ladder = on_rung(5, accepted=False)
    ladder.wait(days=3)
    assert projected(ladder) == ((), Freed(ladder.now + timedelta(days=4)))


def test_a_pause_shows_the_first_prompt_at_its_end() -> None:
    until = NOON + timedelta(days=40)
    shown, _freed = project(Paused(2, until), STANDARD, now=NOON, service_s=0)
    assert shown[0].at == until


def test_an_overdue_prompt_is_shown_as_due_now() -> None:
    shown, _freed = project(Waiting(2, NOON - timedelta(days=4)), STANDARD, now=NOON, service_s=0)
    assert shown[0].at == NOON


def test_a_hold_shows_its_rung_asked_anew_after_it() -> None:
    ladder = on_rung(5)
    ladder.event(AskedToWait(1, KAREL, 10))
    shown, freed = projected(ladder)
    assert [(prompt.kind, prompt.at - ladder.now) for prompt in shown] == [(RungKind.TRUSTED, timedelta(days=10))]
    assert freed == Freed(ladder.now + timedelta(days=12))


def test_a_go_ahead_heard_in_a_hold_shows_the_last_call_after_it() -> None:
    ladder = on_rung(4, OUTSPOKEN)
    ladder.event(AskedToWait(1, KAREL, 10))
    ladder.event(GaveGoAhead(1, KAREL))
    ladder.event(GaveGoAhead(1, EVA))
    shown, freed = projected(ladder)
    assert [prompt.kind for prompt in shown] == [RungKind.LAST_CALL]
    assert freed == Freed(ladder.now + timedelta(days=11))


def test_window_ends_at_maps_service_time_onto_the_wall_clock() -> None:
    ladder = on_rung(4)
    ladder.wait(seconds=3600)
    ends = window_ends_at(ladder.climbing, STANDARD, now=ladder.now, service_s=ladder.service_s)
    assert ends == ladder.now + timedelta(days=2, hours=-1)


def test_the_longest_ladder_that_can_be_chosen_is_shown_to_its_end() -> None:
    longest = compile_policy(
        Choices(email_attempts=10, sms_attempts=3, trusted_attempts=5, cooling_off_days=14), contacts=5
    )
    shown, freed = projected(armed(longest))
    assert len(shown) == 19
    assert freed is not None


def test_a_ladder_that_would_never_end_is_an_error_rather_than_an_endless_page(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(projection, "STEPS_MAX", 3)
    with pytest.raises(AssertionError, match="did not end"):
        projected(armed())


@settings(max_examples=40, deadline=None)
@given(
    policy=policies(window_s=windows(3 * DAY_S)),
    rung=st.integers(-1, 5),
    phase=st.sampled_from(["plain", "unaccepted", "held", "paused"]),
    later_halves=st.integers(0, 200),
)
def test_the_timeline_is_what_silence_really_brings(policy: Policy, rung: int, phase: str, later_halves: int) -> None:
    """Invariant 19: it always ends in a release, its times never go back, and it agrees with a life lived through."""
    ladder = begun(policy, min(rung, len(policy.rungs) - 1), phase)
    if not isinstance(ladder.state, Paused):
        ladder.wait(seconds=later_halves * HALF_HOUR_S)
    shown, freed = projected(ladder)
    assert freed is not None
    times: list[datetime] = [ladder.now, *(prompt.at for prompt in shown), freed.at]
    assert all(earlier <= later for earlier, later in pairwise(times))
    assert (shown, freed) == lived(ladder)


def begun(policy: Policy, rung: int, phase: str) -> Ladder:
    """Return a ladder in that phase; rung -1 is before the first prompt."""
    ladder = armed(policy) if rung < 0 else on_rung(rung, policy, accepted=phase != "unaccepted")
    if phase == "held" and isinstance(ladder.state, Climbing):
        ladder.state = Held(1, ladder.service_s + 5 * DAY_S, ladder.state)
    if phase == "paused":
        ladder.event(PauseBegan(ladder.now + timedelta(days=3)))
    return ladder


def test_showing_the_timeline_changes_nothing() -> None:
    """Invariant 5."""
    state: State = advance(Resting(0), Armed(), STANDARD, now=NOON, service_s=0)[0]
    before = repr(state)
    project(state, STANDARD, now=NOON, service_s=0)
    assert repr(state) == before
