"""The watchdog hears from the worker while all is well, and nothing while it is not; it is a real HTTP server."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import timedelta

import pytest
from pytest_django.fixtures import Settings

from stafeta import clock
from stafeta.worker.heartbeat import Heart, beat_once
from stafeta.worker.loop import Worker, configured_channels
from stafeta.worker.parts import ALWAYS, beat
from tests import make
from tests.servers.watchdog import SECRET, Watchdog
from tests.world import World

TIMEOUT_S = 0.5


@pytest.fixture
def watchdog() -> Iterator[Watchdog]:
    with Watchdog() as watchdog:
        yield watchdog


@pytest.fixture
def world(db: None, keys_file: object, settings: Settings, watchdog: Watchdog) -> World:
    settings.HEARTBEAT_URL = watchdog.url
    return World()


class Patient:
    """One worker's heart, beaten and waited for."""

    def __init__(self, *, every_s: float = 0.0) -> None:
        self.heart = Heart(every_s=every_s, timeout_s=TIMEOUT_S)

    def beat(self, world: World) -> None:
        self.heart.beat(now=world.now)
        self.heart.wait(5)


def test_while_all_is_well_the_watchdog_hears_it(world: World, watchdog: Watchdog) -> None:
    Patient().beat(world)
    assert watchdog.asked == [f"/{SECRET}"]


def test_it_beats_once_a_minute_at_most_whatever_the_pace_of_the_rounds(
    world: World, watchdog: Watchdog, monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    """Real minutes: in the demo, whose clock runs faster, too."""
    patient = Patient(every_s=60)
    for scale in (1.0, 8640.0):
        settings.CLOCK_SCALE = scale
        begin_s = 1000.0 if scale == 1.0 else 5000.0
        for real_s in (0, 10, 59, 60, 61, 119, 121):
            monkeypatch.setattr(clock, "monotonic_s", lambda at=begin_s + real_s, by=scale: at * by)
            patient.beat(world)
    assert len(watchdog.asked) == 3 + 3


def test_without_an_address_nobody_is_told_and_nothing_is_looked_at(
    world: World, watchdog: Watchdog, settings: Settings, django_assert_num_queries: object
) -> None:
    settings.HEARTBEAT_URL = ""
    with django_assert_num_queries(0):  # type: ignore[operator]
        Patient().beat(world)
    assert watchdog.asked == []


def test_while_not_all_is_well_it_is_silent_and_then_beats_again(
    world: World, watchdog: Watchdog, caplog: pytest.LogCaptureFixture
) -> None:
    patient = Patient()
    world.now += timedelta(minutes=10)
    patient.beat(world)
    assert watchdog.asked == []
    assert "not all is well: worker: The last round of a worker was 10 min ago." in caplog.text
    world.tick()
    patient.beat(world)
    assert len(watchdog.asked) == 1


def test_a_canary_that_does_not_answer_silences_it(world: World, watchdog: Watchdog, settings: Settings) -> None:
    dana = make.armed_owner()
    settings.CANARY = dana.email
    world.until(dana, rung=0)
    Patient().beat(world)
    assert len(watchdog.asked) == 1
    world.wait(hours=25)
    Patient().beat(world)
    assert len(watchdog.asked) == 1


def test_a_watchdog_that_hangs_delays_nobody_and_is_not_asked_twice_at_once(world: World, watchdog: Watchdog) -> None:
    watchdog.hangs = True
    patient = Patient()
    began_s = time.monotonic()
    for _ in range(5):
        patient.heart.beat(now=world.now)
    assert time.monotonic() - began_s < TIMEOUT_S
    patient.heart.wait(5)
    assert len(watchdog.asked) == 1
    watchdog.hangs = False
    patient.beat(world)
    assert len(watchdog.asked) == 2


@pytest.mark.parametrize("status", [301, 302, 404, 500])
def test_what_is_not_taken_is_logged_without_the_secret_and_no_redirect_is_followed(
    watchdog: Watchdog, caplog: pytest.LogCaptureFixture, status: int
) -> None:
    watchdog.status, watchdog.location = status, "/elsewhere"
    assert not beat_once(watchdog.url, TIMEOUT_S)
    assert watchdog.asked == [f"/{SECRET}"]
    assert f"127.0.0.1 answered {status}" in caplog.text
    assert SECRET not in caplog.text


@pytest.mark.parametrize(
    "url", [f"http://127.0.0.1:9/{SECRET}", f"http://u:{SECRET}@127.0.0.1:9/", f"http://…/{SECRET}"]
)
def test_a_watchdog_that_is_away_is_logged_without_the_secret(url: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG", logger="stafeta")
    assert not beat_once(url, TIMEOUT_S)
    assert "the heartbeat did not reach" in caplog.text
    assert SECRET not in caplog.text


def test_a_watchdog_that_hangs_is_left_after_the_timeout(watchdog: Watchdog) -> None:
    watchdog.hangs = True
    began_s = time.monotonic()
    assert not beat_once(watchdog.url, TIMEOUT_S)
    assert time.monotonic() - began_s < 4 * TIMEOUT_S


@pytest.mark.django_db
def test_every_round_of_a_worker_looks_whether_all_is_well(
    watchdog: Watchdog, settings: Settings, data_dir: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A site that does not answer is deaf: at first that is nothing, and after minutes it is."""
    assert beat in ALWAYS
    heart = Heart(every_s=0)
    monkeypatch.setattr("stafeta.worker.parts._HEART", heart)
    settings.HEARTBEAT_URL, settings.SITE_URL = watchdog.url, "http://127.0.0.1:9"
    worker = Worker(configured_channels())
    worker.round()
    heart.wait(5)
    assert len(watchdog.asked) == 1
    now = clock.now()
    monkeypatch.setattr(clock, "now", lambda: now + timedelta(minutes=6))
    worker.round()
    heart.wait(5)
    assert len(watchdog.asked) == 1
    worker.close()
