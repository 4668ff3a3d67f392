"""The figures that Prometheus reads: right, complete, about nobody, and cheap to ask for."""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from prometheus_client.parser import text_string_to_metric_families
from pytest_django.fixtures import Settings

from stafeta.accounts.models import User
from stafeta.core.errors import ChannelUnavailable, DeliveryRefused
from stafeta.switches.models import Hold, Outage, Switch
from stafeta.vault.models import WrappedKey
from tests import make
from tests.world import World

QUERIES_MAX = 35


@pytest.fixture
def world(db: None, keys_file: object) -> World:
    return World()


@pytest.fixture
def dana(world: World) -> User:
    return make.armed_owner()


def page(world: World) -> str:
    with time_machine.travel(world.now, tick=False):
        response = Client(HTTP_HOST="localhost").get("/metrics")
    assert response.status_code == 200
    assert response["Content-Type"].startswith("text/plain; version=0.0.4")
    return response.content.decode()


def figures(world: World) -> dict[str, float]:
    """Return every figure by its name and the values of its labels, as Prometheus reads them."""
    return {
        "/".join([sample.name.removeprefix("stafeta_"), *sample.labels.values()]): sample.value
        for family in text_string_to_metric_families(page(world))
        for sample in family.samples
    }


def test_every_figure_is_explained_and_named_after_the_service(world: World, dana: User) -> None:
    families = list(text_string_to_metric_families(page(world)))
    assert len(families) >= 19
    for family in families:
        assert family.name.startswith("stafeta_")
        assert family.documentation.endswith("."), family.name


def test_before_anything_has_happened_everything_is_there_already(db: None) -> None:
    """An alert on a figure that does not exist never rings."""
    found = {sample.name for f in text_string_to_metric_families(_first_page()) for sample in f.samples}
    assert {"stafeta_well", "stafeta_switches", "stafeta_messages_waiting", "stafeta_held"} <= found


def _first_page() -> str:
    return Client(HTTP_HOST="localhost").get("/metrics").content.decode()


def test_they_follow_a_life(world: World, dana: User) -> None:
    before = figures(world)
    assert (before["well"], before["check/worker"], before["tick_age_seconds"]) == (1, 1, 0)
    assert (before["switches/Waiting"], before["switches/Climbing"], before["switches_due"]) == (1, 0, 0)
    assert before["service_seconds_total"] == 0
    world.email.fail = lambda to: DeliveryRefused("no such mailbox", permanent=True) if "dana" in to else None
    world.until(dana, rung=0)
    world.wait(hours=0.5)
    climbing = figures(world)
    assert (climbing["switches/Waiting"], climbing["switches/Climbing"]) == (0, 1)
    assert climbing["service_seconds_total"] == world.service_s() > 13 * 86400
    assert (climbing["messages_last_day/email/dead"], climbing["messages_last_day/sms/accepted"]) == (1, 1)
    assert (climbing["dead_letters_last_day"], climbing["well"], climbing["check/letters"]) == (1, 0, 0)
    assert (climbing["attempts_last_hour/refused"], climbing["attempts_last_hour/accepted"]) == (1, 1)
    world.now += timedelta(hours=2)
    later = figures(world)
    assert later["attempts_last_hour/refused"] == 0
    assert (later["tick_age_seconds"], later["check/worker"]) == (7200, 0)


def test_they_tell_what_waits_and_who_does_not_take_it(world: World, dana: User) -> None:
    world.email.fail = lambda _to: ChannelUnavailable("connection refused")
    world.until(dana, rung=0)
    world.now += timedelta(minutes=20)
    found = figures(world)
    assert (found["messages_waiting/email"], found["messages_waiting/sms"]) == (1, 0)
    assert (found["messages_oldest_seconds/email"], found["messages_oldest_seconds/sms"]) == (1200, 0)
    assert found["messages_late_seconds/email"] == 1200 - 15
    assert (found["provider_failing/email"], found["provider_failing/sms"]) == (1, 0)
    world.tick()
    assert figures(world)["deaf_seconds"] == 0
    world.now += timedelta(minutes=1)
    assert figures(world)["deaf_seconds"] == 60


def test_they_tell_of_handovers_that_no_key_opens(world: World, dana: User) -> None:
    assert figures(world)["handovers_closed/missing"] == 0
    WrappedKey.objects.update(blob=b"junk")
    world.now += timedelta(minutes=1)
    found = figures(world)
    assert (found["handovers_closed/damaged"], found["check/keys"]) == (1, 0)


def test_they_tell_of_switches_that_are_due_late_set_aside_and_released(world: World, dana: User) -> None:
    Switch.objects.update(due_at=world.now - timedelta(minutes=3), released_at=world.now - timedelta(hours=2))
    found = figures(world)
    assert (found["switches_due"], found["switches_overdue_seconds"], found["releases_last_day"]) == (1, 180, 1)
    Switch.objects.update(faults=2, retry_at=world.now, released_at=world.now - timedelta(days=2))
    found = figures(world)
    assert (found["switches_aside"], found["switches_overdue_seconds"], found["releases_last_day"]) == (1, 0, 0)


def test_they_tell_of_outages_and_holds(world: World) -> None:
    Outage.objects.create(began_at=world.now - timedelta(hours=3), ended_at=world.now, reason="x")
    Outage.objects.create(began_at=world.now - timedelta(days=3), ended_at=world.now, reason="y")
    Hold.objects.create(kind="maintenance", reason="", began_at=world.now, until=world.now + timedelta(hours=1))
    found = figures(world)
    assert (found["outages_last_day"], found["held/maintenance"], found["held/breaker"]) == (1, 1, 0)
    world.now += timedelta(hours=1)
    assert figures(world)["held/maintenance"] == 0


def test_they_tell_what_the_canary_says(world: World, dana: User, settings: Settings) -> None:
    assert not [name for name in figures(world) if name.startswith("canary")]
    settings.CANARY = dana.email
    found = figures(world)
    assert (found["canary/seldom"], found["canary/well"]) == (1, 0)
    assert "canary_asked_age_seconds" not in found
    world.until(dana, rung=0)
    world.now += timedelta(hours=30)
    found = figures(world)
    assert (found["canary/unanswered"], found["canary/seldom"], found["check/canary"]) == (1, 0, 0)
    assert found["canary_asked_age_seconds"] == found["canary_accepted_age_seconds"] == 30 * 3600
    assert found["canary_answered_age_seconds"] > 14 * 86400


def test_no_figure_is_about_a_person(world: World, dana: User, settings: Settings) -> None:
    settings.CANARY = dana.email
    world.email.fail = lambda to: DeliveryRefused(f"{to} does not exist", permanent=True)
    world.until_phase(dana, "Released")
    text = page(world)
    for trace in ("@", "Dana", "Ema", "Karel", "420601", "Weby", "does not exist"):
        assert trace not in text, trace


def test_more_people_do_not_make_it_ask_more(world: World, dana: User, settings: Settings) -> None:
    settings.CANARY = dana.email
    world.until(dana, rung=3)
    page(world)
    with CaptureQueriesContext(connection) as few:
        page(world)
    for number in range(5):
        other = make.owner(f"owner{number}@example.org")
        make.handover(other, make.recipient(other, f"recipient{number}@example.org"))
    with CaptureQueriesContext(connection) as many:
        page(world)
    assert len(few) == len(many) <= QUERIES_MAX
