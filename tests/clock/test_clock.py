"""One clock for everybody: plain in life, fast in a demo, and the same in every process."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.test import override_settings
from hypothesis import given
from hypothesis import strategies as st

from stafeta import clock

EPOCH = datetime(2026, 1, 31, 9, 0, tzinfo=UTC)


@time_machine.travel(EPOCH, tick=False)
def test_the_plain_clock_is_the_wall_clock_in_utc() -> None:
    assert clock.now() == EPOCH
    assert clock.now().tzinfo is UTC


@override_settings(CLOCK_SCALE=17280.0, CLOCK_EPOCH=EPOCH)
def test_a_day_may_pass_in_five_seconds() -> None:
    with time_machine.travel(EPOCH + timedelta(seconds=5), tick=False):
        assert clock.now() == EPOCH + timedelta(days=1)


@override_settings(CLOCK_SCALE=100.0, CLOCK_EPOCH=datetime.fromisoformat("2026-01-31T10:00:00+01:00"))
def test_the_fast_clock_starts_at_the_real_moment_whatever_zone_names_it() -> None:
    with time_machine.travel(EPOCH, tick=False):
        assert clock.now() == EPOCH
        assert clock.now().tzinfo is UTC


@given(seconds=st.floats(0, 1e6), more=st.floats(0, 1e6), scale=st.floats(1, 1e4))
def test_the_fast_clock_never_runs_backwards(seconds: float, more: float, scale: float) -> None:
    first = clock.scaled(EPOCH + timedelta(seconds=seconds), epoch=EPOCH, scale=scale)
    later = clock.scaled(EPOCH + timedelta(seconds=seconds) + timedelta(seconds=more), epoch=EPOCH, scale=scale)
    assert EPOCH <= first <= later


def test_the_monotonic_clock_passes_as_fast_as_the_wall_clock() -> None:
    with override_settings(CLOCK_SCALE=1000.0):
        before_s = clock.monotonic_s()
        clock.real_sleep(0.02)
        assert clock.monotonic_s() - before_s >= 20


@override_settings(CLOCK_SCALE=1e6, CLOCK_EPOCH=EPOCH)
def test_a_wait_is_real_however_fast_the_clock_runs() -> None:
    before_s = clock.monotonic_s()
    assert clock.real_sleep(0.02) is False
    assert (clock.monotonic_s() - before_s) / 1e6 >= 0.02


def test_a_wait_ends_when_woken() -> None:
    wake = threading.Event()
    wake.set()
    assert clock.real_sleep(60, wake=wake) is True


@pytest.mark.parametrize("seconds", [0, -1])
def test_no_wait_is_no_wait(seconds: float) -> None:
    assert clock.real_sleep(seconds) is False
