"""The time that counts (docs/ladder.md, "Service time")."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stafeta.core.service_time import (
    Mark,
    Meter,
    Reading,
    advance_meter,
    is_behind,
    others_count,
    uncounted_gap,
)
from tests.core.ladders import DAY_S, NOON
from tests.core.strategies import PROPERTY

TICK_MS, TOLERANCE_MS = 10_000, 60_000
HEARD = Meter(counted_ms=0, wall=NOON, heard=True)


def reading(after_ms: int, *, monotonic_ms: int | None = None, hears: bool = True) -> Reading:
    """Return a reading so long after NOON, by a worker whose monotonic clock agrees unless told otherwise."""
    measured_ms = after_ms if monotonic_ms is None else monotonic_ms
    return Reading(NOON + timedelta(milliseconds=after_ms), measured_ms, hears, TOLERANCE_MS)


def test_a_tick_adds_the_time_since_the_last_one() -> None:
    assert advance_meter(HEARD, reading(TICK_MS)).counted_ms == TICK_MS


def test_a_tick_adds_no_more_than_the_monotonic_clock_measured() -> None:
    """A clock that jumps a year adds one tick at most."""
    assert advance_meter(HEARD, reading(365 * DAY_S * 1000, monotonic_ms=TICK_MS)).counted_ms == TICK_MS


def test_a_tick_adds_no_more_than_the_tolerance() -> None:
    """A worker that slept adds nothing for its sleep."""
    assert advance_meter(HEARD, reading(3 * DAY_S * 1000)).counted_ms == TOLERANCE_MS


def test_a_worker_that_just_started_adds_nothing_for_the_time_before() -> None:
    assert advance_meter(HEARD, reading(3 * DAY_S * 1000, monotonic_ms=0)).counted_ms == 0


def test_a_monotonic_clock_that_runs_backwards_adds_nothing() -> None:
    assert advance_meter(HEARD, reading(TICK_MS, monotonic_ms=-5)).counted_ms == 0


def test_nothing_is_counted_while_the_confirmation_page_does_not_answer() -> None:
    after = advance_meter(HEARD, reading(TICK_MS, hears=False))
    assert (after.counted_ms, after.heard) == (0, False)


def test_the_span_in_which_the_page_came_back_is_not_counted() -> None:
    deaf = advance_meter(HEARD, reading(TICK_MS, hears=False))
    back = advance_meter(deaf, reading(2 * TICK_MS, monotonic_ms=TICK_MS))
    assert (back.counted_ms, back.heard) == (0, True)
    assert advance_meter(back, reading(3 * TICK_MS, monotonic_ms=TICK_MS)).counted_ms == TICK_MS


def test_a_new_meter_has_heard_nobody_and_counts_from_its_second_reading() -> None:
    first = advance_meter(Meter(0, NOON), reading(TICK_MS))
    assert first.counted_ms == 0
    assert advance_meter(first, reading(2 * TICK_MS, monotonic_ms=TICK_MS)).counted_ms == TICK_MS


def test_a_wall_clock_behind_the_last_tick_neither_adds_nor_disturbs() -> None:
    """Invariant 9."""
    ahead = advance_meter(HEARD, reading(TICK_MS))
    behind = reading(TICK_MS - 1)
    assert is_behind(ahead, behind)
    assert advance_meter(ahead, behind) == ahead


def test_a_wall_clock_that_has_caught_up_counts_again() -> None:
    assert not is_behind(HEARD, reading(0))
    assert not is_behind(HEARD, reading(1))


def test_two_workers_in_turn_count_like_one() -> None:
    meter = HEARD
    for turn in range(1, 11):  # each worker reads every second turn
        meter = advance_meter(meter, reading(turn * TICK_MS, monotonic_ms=2 * TICK_MS))
    assert meter.counted_ms == 10 * TICK_MS


def test_a_jump_forward_between_two_workers_counts_no_span_twice() -> None:
    """The second worker's span holds what the first has counted already."""
    first = replace(reading(TICK_MS), counted_before_ms=0)
    meter = advance_meter(HEARD, first)
    jumped = replace(reading(DAY_S * 1000, monotonic_ms=2 * TICK_MS), counted_before_ms=0)
    assert advance_meter(meter, jumped).counted_ms == 2 * TICK_MS


def test_a_meter_put_back_by_a_restore_is_not_made_good_in_one_leap() -> None:
    restored = replace(reading(5 * TICK_MS, monotonic_ms=TICK_MS), counted_before_ms=DAY_S * 1000)
    assert advance_meter(HEARD, restored).counted_ms == TICK_MS


def test_service_seconds_are_whole_and_rounded_down() -> None:
    assert Meter(1999, NOON).service_s == 1


# Properties -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Turn:
    """One worker reads: so much real time after the turn before, its wall clock so far off."""

    worker: int
    later_ms: int
    wall_off_ms: int
    hears: bool


def turns(*, wall_off_ms: st.SearchStrategy[int], hears: st.SearchStrategy[bool]) -> st.SearchStrategy[list[Turn]]:
    later_ms = st.one_of(st.integers(0, 20_000), st.integers(0, 10 * DAY_S * 1000))
    return st.lists(st.builds(Turn, st.integers(0, 3), later_ms, wall_off_ms, hears), min_size=2, max_size=40)


JUMPING = st.one_of(st.just(0), st.integers(-400 * DAY_S * 1000, 400 * DAY_S * 1000))


def play(script: list[Turn]) -> list[tuple[int, int]]:
    """Return (real time, counted) in ms after each turn; every single step is checked on the way."""
    meter, real_ms = HEARD, 0
    read_at: dict[int, int] = {}
    seen: dict[int, int] = {}
    history = []
    for turn in script:
        real_ms += turn.later_ms
        measured_ms = real_ms - read_at.get(turn.worker, real_ms)
        wall = NOON + timedelta(milliseconds=real_ms + turn.wall_off_ms)
        after = advance_meter(meter, Reading(wall, measured_ms, turn.hears, TOLERANCE_MS, seen.get(turn.worker)))
        assert after.counted_ms >= meter.counted_ms
        assert after.wall >= meter.wall
        assert after.counted_ms - meter.counted_ms <= TOLERANCE_MS
        if not (turn.hears and meter.heard):
            assert after.counted_ms == meter.counted_ms
        if after.counted_ms > meter.counted_ms:
            assert after.counted_ms - seen[turn.worker] <= measured_ms
        meter = after
        read_at[turn.worker], seen[turn.worker] = real_ms, meter.counted_ms
        history.append((real_ms, meter.counted_ms))
    return history


@PROPERTY
@given(turns(wall_off_ms=JUMPING, hears=st.booleans()))
def test_whatever_the_clocks_do_several_workers_never_count_faster_than_real_time(script: list[Turn]) -> None:
    """Invariant 9; nothing is counted over an outage, and nothing counted is ever taken back."""
    begun_ms = script[0].later_ms
    for real_ms, counted_ms in play(script):
        assert counted_ms <= real_ms - begun_ms


@PROPERTY
@given(turns(wall_off_ms=st.just(0), hears=st.just(True)))
def test_with_clocks_that_agree_nothing_heard_within_the_tolerance_is_lost(script: list[Turn]) -> None:
    """Liveness: waiting is never longer than the tolerance demands."""
    known = {turn.worker for turn in script}
    opening = [Turn(worker, 0, 0, True) for worker in known]
    history = play([*opening, *script])
    due_ms = sum(min(turn.later_ms, TOLERANCE_MS) for turn in script)
    assert history[-1][1] == due_ms


@pytest.mark.parametrize("jump_ms", [-365 * DAY_S * 1000, -1, 5 * 60_000, DAY_S * 1000, 365 * DAY_S * 1000])
def test_a_jump_of_the_wall_clock_adds_at_most_one_tick(jump_ms: int) -> None:
    """Invariant 9."""
    meter = advance_meter(HEARD, reading(TICK_MS))
    jumped = advance_meter(meter, reading(2 * TICK_MS + jump_ms, monotonic_ms=TICK_MS))
    assert 0 <= jumped.counted_ms - meter.counted_ms <= TICK_MS


@dataclass
class Worker:
    """A worker that may stand still before each of its steps: look at the counter, read its clocks, write.

    It does what `switches.services.service_clock.Watch` does; `looks_first` False is the order that counts twice.
    """

    booted_ms: int
    looks_first: bool = True
    mark: Mark | None = None
    seen_ms: int | None = None
    stamp: tuple[int, int] | None = None

    def step(self, meter: Meter, *, real_ms: int, wall_off_ms: int) -> Meter:
        """Take the next step at a real moment and return the meter after it."""
        if self.looks_first and self.seen_ms is None:
            self.seen_ms = meter.counted_ms
            return meter
        if self.stamp is None:
            self.stamp = (real_ms + wall_off_ms, real_ms + self.booted_ms)
            return meter
        wall_ms, monotonic_ms = self.stamp
        after = advance_meter(
            meter,
            Reading(
                NOON + timedelta(milliseconds=wall_ms),
                0 if self.mark is None else monotonic_ms - self.mark.monotonic_ms,
                True,
                TOLERANCE_MS,
                None if self.mark is None else self.mark.counted_ms,
            ),
        )
        added = after.counted_ms > meter.counted_ms
        known_ms = after.counted_ms if added or self.seen_ms is None else self.seen_ms
        self.mark, self.seen_ms, self.stamp = Mark(monotonic_ms, known_ms), None, None
        return after


Step = tuple[int, int, int]  # worker, real ms after the step before, how far its wall clock is off
STEPS = st.lists(
    st.tuples(st.integers(0, 2), st.integers(0, 40_000), st.sampled_from([0, 0, 0, 20_000, 10**8, 2 * 10**8])),
    min_size=2,
    max_size=60,
)


def walk(script: list[Step], *, looks_first: bool = True) -> bool:
    """Whether the counter ever ran ahead of real time."""
    workers = [Worker(booted_ms=10**9 * number, looks_first=looks_first) for number in range(3)]
    meter, real_ms = HEARD, 0
    for worker, later_ms, wall_off_ms in script:
        real_ms += later_ms
        meter = workers[worker].step(meter, real_ms=real_ms, wall_off_ms=wall_off_ms)
        if meter.counted_ms > real_ms:
            return True
    return False


@PROPERTY
@given(STEPS)
def test_wherever_a_worker_stands_still_the_counter_never_runs_ahead_of_real_time(script: list[Step]) -> None:
    """Invariant 9: machines with monotonic clocks of their own, stopped between looking, measuring and writing."""
    assert not walk(script)


@pytest.mark.parametrize("looks_first", [False, True])
def test_measuring_before_looking_would_count_a_span_twice(looks_first: bool) -> None:
    """Why a worker looks at the counter before it looks at its clocks (docs/adr/0009)."""
    before, after = ([(0, 0, 0)] if looks_first else []), (0, 0, 0)
    script: list[Step] = [
        *[(worker, 0, 0) for worker in (0, 1) for _ in range(2 + looks_first)],  # both have read once
        *before,
        (0, 0, 0),  # the first looks at its clocks, and stands still
        *[(1, 20_000, 0), (1, 0, 0), *[(1, 0, 0)] * looks_first] * 2,  # meanwhile the other counts
        after,  # the first goes on, has nothing to add …
        *before,
        (0, 1, 10**8),  # … and with its wall clock ahead would add all that once more
        after,
    ]
    assert walk(script, looks_first=looks_first) is not looks_first


def test_one_clock_that_is_behind_is_nobodys_outage_while_others_count() -> None:
    ahead = Meter(counted_ms=20_000, wall=NOON + timedelta(hours=1), heard=True)
    behind = replace(reading(TICK_MS), counted_before_ms=10_000)
    assert is_behind(ahead, behind)
    assert others_count(ahead, behind)
    assert not others_count(ahead, replace(behind, counted_before_ms=20_000))
    assert not others_count(ahead, replace(behind, counted_before_ms=None))


def test_a_span_longer_than_the_tolerance_in_which_nobody_read_is_a_gap() -> None:
    assert uncounted_gap(HEARD, reading(TOLERANCE_MS + 1))
    assert not uncounted_gap(HEARD, reading(TOLERANCE_MS))
