"""The invariants that the core can hold alone, under whatever people, providers and clocks do (docs/ladder.md)."""

from __future__ import annotations

import ast
import inspect
import random
from collections import Counter
from dataclasses import fields
from datetime import timedelta
from pathlib import Path
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stafeta.core import moves, policy, states
from stafeta.core.errors import LadderError, PolicyError
from stafeta.core.ladder import advance
from stafeta.core.moves import due, latest_s
from stafeta.core.policy import Choices, Policy, compile_policy
from stafeta.core.states import (
    AskedToWait,
    CheckedIn,
    Climbing,
    Event,
    Evidence,
    GaveGoAhead,
    Held,
    PromptAccepted,
    Released,
    Resting,
    State,
    Ticked,
    Vouched,
    Waiting,
)
from tests.core.judge import LADDER_OF_CYCLE
from tests.core.ladders import DAY_S, KAREL, NOON
from tests.core.lives import ALL_WALKS, KINDS, Life
from tests.core.strategies import LIVES, events, policies

LIVES_COUNT, STEPS_COUNT = 400, 200
STEPS_MAX = 4000
PURE = {
    *("__future__", "base64", "binascii", "dataclasses", "datetime", "enum", "functools", "hashlib", "hmac"),
    *("types", "typing", "zoneinfo"),
}
UNREACHABLE_S = 3 * DAY_S


# Lives under a judge ----------------------------------------------------------------------------------------------


@LIVES
@given(policies(), ALL_WALKS)
def test_no_life_whatever_happens_in_it_breaks_a_rule(chosen: Policy, script: list[tuple[str, int]]) -> None:
    """Invariants 2, 6, 8, 9 and 14: `judge.py` checks every step.

    A release is only ever reached after every rung of the cycle was asked and its window passed after acceptance (or
    doubled, unreachable), or after a go-ahead and its last call; at most one rung a call; nothing but people ends a
    cycle; a cycle is held sixty days at most; nothing said twice changes anything.
    """
    Life(chosen).live(script)


def test_the_lives_that_are_judged_really_see_everything() -> None:
    """A judge who never sees a release, a hold, a bounce or a refusal proves nothing."""
    seen: Counter[str] = Counter()
    for seed in range(LIVES_COUNT):
        dice = random.Random(seed)
        chosen = compile_policy(
            Choices(
                email_attempts=dice.randint(1, 3),
                sms_attempts=dice.randint(0, 1),
                trusted_attempts=dice.randint(0, 2),
                may_go_ahead=dice.random() < 0.5,
            ),
            contacts=dice.randint(0, 5),
        )
        life = Life(chosen)
        life.live([(dice.choice(KINDS), dice.getrandbits(20)) for _ in range(STEPS_COUNT)])
        seen += life.seen
        seen["releases"] += life.judge.releases
        seen["last calls"] += sum(place.rung == states.LAST_CALL_RUNG for place in life.judge.askings)
        seen["bounces"] += sum(len(asking.bounced) for asking in life.judge.askings.values())
    for what in ("Resting", "Waiting", "Paused", "Climbing", "Held", "Released"):
        assert seen[what] > 50, seen
    for what in ("WrongCycle", "NotAsked", "HoldExhausted", "PolicyError"):
        assert seen[what] > 5, seen
    for what in ("releases", "last calls", "bounces", "late"):
        assert seen[what] > 50, seen


# 2 and 9: clocks ---------------------------------------------------------------------------------------------------


@LIVES
@given(policies(), ALL_WALKS, st.lists(st.integers(-4000, 4000), min_size=1, max_size=20))
def test_jumps_of_the_wall_clock_alone_never_climb_beyond_the_first_prompt(
    chosen: Policy, script: list[tuple[str, int]], jumps: list[int]
) -> None:
    """Invariants 2 and 9."""
    life = Life(chosen)
    life.live(script)
    began = life.state
    for days in jumps:
        life.state, _effects = advance(
            life.state, Ticked(), chosen, now=NOON + timedelta(days=days), service_s=latest_s(life.state)
        )
    if isinstance(began, (*LADDER_OF_CYCLE, Released, Resting)):
        assert life.state == began or service_had_passed(began, life)
    elif isinstance(life.state, Climbing):
        assert (life.state.rung, life.state.accepted_at_s) == (0, None)
    else:
        assert life.state == began


def service_had_passed(began: State, life: Life) -> bool:
    """A hold already over when the jumps began may end in them: it was service time that ended it."""
    _due_at, due_s = due(began, life.policy)
    return due_s is not None and due_s <= latest_s(began)


@LIVES
@given(policies(), ALL_WALKS, events(), st.integers(0, 10 * DAY_S))
def test_no_stale_reading_of_service_time_turns_a_state_back(
    chosen: Policy, script: list[tuple[str, int]], event: Event, stale_s: int
) -> None:
    """Invariant 9."""
    life = Life(chosen)
    life.live(script)
    service_s = max(0, life.service_s - stale_s)
    try:
        after, _effects = advance(life.state, event, chosen, now=NOON, service_s=service_s)
    except (LadderError, PolicyError):
        return
    if after.cycle == life.state.cycle:
        assert latest_s(after) >= latest_s(life.state)


# 5, 6 and 16: what the core cannot be told -------------------------------------------------------------------------


def test_the_ladder_hears_of_these_facts_and_no_others() -> None:
    """Invariants 5 and 6: that a page was opened, a mail was read or a machine answered is no event at all."""
    assert [event.__name__ for event in get_args(Event)] == [
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
    ]
    assert {evidence.value for evidence in Evidence} == {"link", "sign_in", "button", "schedule", "people"}


def test_a_subscription_is_nothing_the_ladder_could_know_of() -> None:
    """Invariant 16: whoever pays or does not, no state, event, policy or argument of the core can carry it."""
    known = {field.name for cls in (*get_args(State), *get_args(Event), Policy, policy.Rung) for field in fields(cls)}
    known |= set(inspect.signature(advance).parameters)
    assert known == {
        *("state", "event", "policy", "now", "service_s", "next_policy"),
        *("cycle", "due", "vouched", "until", "until_s", "climbing", "released_at_s"),
        *("rung", "asked_at_s", "round", "accepted_at_s", "unreachable", "began_by", "bounced", "held_s"),
        *("go_ahead", "contacts_asked", "took_back", "evidence", "contact", "days"),
        *("audience", "person", "by", "others_reached"),
        *("zone", "at", "interval_days", "rungs", "contacts", "may_go_ahead"),
        *("kind", "asks", "window_s", "attempt", "attempts"),
    }


@pytest.mark.parametrize("path", sorted(Path(policy.__file__).parent.glob("*.py")), ids=lambda path: path.stem)
def test_the_core_decides_from_its_arguments_alone(path: Path) -> None:
    """Invariant 16: no clock, no environment and no database can bring in what the arguments do not carry."""
    tree = ast.parse(path.read_text())
    imported = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    imported |= {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert {name for name in imported if not name.startswith("stafeta.core")} <= PURE
    asked = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    assert asked.isdisjoint({"now", "utcnow", "today", "environ"})


# 7: links ----------------------------------------------------------------------------------------------------------


@LIVES
@given(policies(), ALL_WALKS)
def test_the_link_of_the_running_cycle_always_counts_and_an_older_one_never(
    chosen: Policy, script: list[tuple[str, int]]
) -> None:
    """Invariants 3, 4 and 7."""
    life = Life(chosen)
    life.live(script)
    cycle = life.state.cycle
    if isinstance(life.state, (Waiting, Climbing, Held, Released)):
        after, _effects = advance(life.state, CheckedIn(Evidence.LINK, cycle), chosen, now=NOON, service_s=0)
        assert after.cycle == cycle + 1
        assert isinstance(after, Resting if life.is_released else Waiting)
    for old in range(cycle - 3, cycle):
        with pytest.raises(LadderError):
            advance(life.state, CheckedIn(Evidence.LINK, old), chosen, now=NOON, service_s=0)


# 19: liveness ------------------------------------------------------------------------------------------------------


def longest_climb_s(chosen: Policy) -> int:
    """Return the service seconds a whole ladder can take: every rung unreachable, then accepted at the very end."""
    rungs_s = sum(UNREACHABLE_S + 3 * rung.window_s for rung in chosen.rungs)
    return rungs_s + UNREACHABLE_S + 3 * policy.LAST_CALL_S


def tick_on(life: Life) -> None:
    """Let time pass until the next tick that decides something."""
    due_at, due_s = due(life.state, life.policy)
    if due_at is not None:
        life.now_s = max(life.now_s, int((due_at - NOON).total_seconds()))
    if due_s is not None:
        life.service_s = max(life.service_s, due_s)
    life.happens(Ticked())


@LIVES
@given(policies(), ALL_WALKS, st.integers(0, 2**64 - 1))
def test_an_owner_who_falls_silent_is_released_within_the_length_of_the_ladder(
    chosen: Policy, script: list[tuple[str, int]], accepts: int
) -> None:
    """Invariant 19: from wherever a life stands, whichever prompts are accepted and whichever reach nobody."""
    life = Life(chosen)
    life.live(script)
    if isinstance(life.state, Resting):
        return
    began_s = life.service_s
    bound_s = longest_climb_s(chosen) + (30 * DAY_S if isinstance(life.state, Held) else 0)
    steps = 0
    while not life.is_released:
        if isinstance(life.state, Climbing) and accepts >> steps % 64 & 1:
            rung = moves.rung_of(life.state, chosen)
            here = life.state
            life.happens(PromptAccepted(here.cycle, here.rung, here.round, rung.asks, 1, rung.by[0]))
        tick_on(life)
        steps += 1
        assert steps < STEPS_MAX
    assert life.service_s - began_s <= bound_s


@pytest.mark.parametrize("contacts_count", [1, 5])
@pytest.mark.parametrize("days", [1, 7, 30])
def test_a_contact_who_confirms_and_delays_for_ever_only_delays(days: int, contacts_count: int) -> None:
    """Invariant 19: three vouches, then sixty days of waiting, each of at least a day; then the ladder ends."""
    chosen = compile_policy(Choices(may_go_ahead=True), contacts=contacts_count)
    life = Life(chosen)
    life.live([])
    spoken: list[Event] = []
    for _ in range(STEPS_MAX):
        if life.is_released:
            break
        tick_on(life)
        for event in (
            Vouched(life.state.cycle, KAREL),
            AskedToWait(life.state.cycle, KAREL, days),
            GaveGoAhead(life.state.cycle, KAREL),
        ):
            before = life.state
            life.happens(event)
            if life.state != before:
                spoken.append(event)
    assert life.is_released
    assert sum(isinstance(event, Vouched) for event in spoken) >= 3
    holds = policy.HOLD_TOTAL_S_MAX // DAY_S
    assert life.service_s <= 4 * longest_climb_s(chosen) + holds * (DAY_S + UNREACHABLE_S + 6 * DAY_S)
