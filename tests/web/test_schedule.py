"""The schedule: every choice, the core's limits as sentences, a picture that changes nothing, a save that counts."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.urls import reverse

from stafeta.core.policy import DAY_S, LIMITS, PRESETS, Choices
from stafeta.switches.models import Event
from stafeta.switches.services.change_choices import change_choices
from tests import make
from tests.web.desk import Desk, words
from tests.world import World

STANDARD: dict[str, Any] = {
    "interval_days": 14,
    "at": "09:00",
    "zone": "Europe/Prague",
    "email_attempts": 3,
    "email_window_s": DAY_S,
    "sms_attempts": 1,
    "sms_window_s": DAY_S,
    "trusted_attempts": 2,
    "trusted_window_s": 2 * DAY_S,
    "cooling_off_days": 0,
}


@pytest.fixture
def world(db: None, keys_file: object) -> World:
    return World()


@pytest.fixture
def desk(world: World) -> Desk:
    return Desk(world, make.armed_owner())


def test_saving_while_armed_is_a_sign_of_life_under_the_new_ladder(desk: Desk) -> None:
    cycle = desk.switch.cycle
    page = words(desk.post("schedule", **{**STANDARD, "interval_days": 30, "may_go_ahead": "on"}))
    assert "It counted as a sign of life: I will ask you again on Tuesday 31 March at 9:00." in page
    assert desk.switch.cycle == cycle + 1
    assert desk.switch.owner_choices.interval_days == 30
    assert desk.switch.ladder_policy.may_go_ahead
    assert list(Event.objects.values_list("kind", flat=True))[-1] == "ScheduleChanged"


def test_the_owner_is_told_of_a_changed_schedule(desk: Desk) -> None:
    """Invariant 15."""
    desk.world.forget()
    desk.post("schedule", **{**STANDARD, "interval_days": 365})
    desk.world.deliver()
    (mail,) = desk.world.sent(to="dana@example.org")
    assert "You changed the schedule." in mail.text


def test_saving_what_is_already_so_changes_nothing(desk: Desk) -> None:
    before = (desk.switch.state, Event.objects.count())
    desk.post("schedule", **STANDARD)
    assert (desk.switch.state, Event.objects.count()) == before


def test_saving_at_rest_only_saves(world: World) -> None:
    desk = Desk(world, make.owner())
    page = words(desk.post("schedule", **{**STANDARD, "interval_days": 7}))
    assert "Saved." in page
    assert "sign of life" not in page.split("Saved.")[1][:40]
    assert desk.switch.phase == "Resting"
    assert desk.switch.owner_choices.interval_days == 7


@pytest.mark.parametrize("field", [name for name in LIMITS if not name.endswith("_s")])
@pytest.mark.parametrize("beyond", ["least", "most"])
def test_a_number_beyond_its_limits_is_refused_with_both_of_them(desk: Desk, field: str, beyond: str) -> None:
    limits = LIMITS[field]
    wrong = limits.least - 1 if beyond == "least" else limits.most + 1
    before = desk.switch.choices
    page = words(desk.post("schedule", **{**STANDARD, field: wrong}))
    assert f"from {limits.least} to {limits.most}" in page
    assert "Nothing was saved." in page
    assert desk.switch.choices == before


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("interval_days", ""),
        ("interval_days", "čtrnáct"),
        ("interval_days", "1.5"),
        ("interval_days", "9" * 5000),
        ("at", "25:00"),
        ("zone", "Mars/Olympus"),
        ("zone", "../../etc/passwd"),
        ("email_window_s", "1"),
        ("email_window_s", "12 hours"),
    ],
)
def test_nonsense_is_refused_and_nothing_changes(desk: Desk, field: str, value: str) -> None:
    before = (desk.switch.choices, desk.switch.state)
    assert "See the marked fields." in words(desk.post("schedule", **{**STANDARD, field: value}))
    assert (desk.switch.choices, desk.switch.state) == before


@pytest.mark.parametrize("name", list(PRESETS))
def test_a_preset_fills_the_form_and_saves_nothing(desk: Desk, name: str) -> None:
    before = desk.switch.choices
    page = desk.get("schedule", preset=name).content.decode()
    assert f'name="interval_days" value="{PRESETS[name].interval_days}"' in page
    assert desk.switch.choices == before
    assert desk.get("schedule", preset="nonsense").status_code == 200


def test_the_picture_is_drawn_from_unsaved_choices_and_nothing_changes(desk: Desk) -> None:
    before = (desk.switch.choices, desk.switch.state, Event.objects.count())
    url = reverse("schedule-preview")
    data = {**STANDARD, "interval_days": 60, "email_attempts": 1}
    with time_machine.travel(desk.world.now):
        fragment = desk.client.post(url, data, headers={"HX-Request": "true"})
        page = desk.client.post(url, data)
    assert "<html" not in fragment.content.decode()
    assert "30 Apr" in words(fragment)
    assert "<html" in page.content.decode()
    assert "30 Apr" in words(page)
    assert 'name="interval_days" value="60"' in page.content.decode()
    assert (desk.switch.choices, desk.switch.state, Event.objects.count()) == before


def test_the_picture_of_impossible_choices_says_so(desk: Desk) -> None:
    with time_machine.travel(desk.world.now):
        data = {**STANDARD, "interval_days": 0}
        fragment = desk.client.post(reverse("schedule-preview"), data, headers={"HX-Request": "true"})
    assert "There is nothing to draw yet: Days between two questions: Choose from 1 to 365 days." in words(fragment)


def test_another_zone_moves_the_account_with_it(desk: Desk) -> None:
    desk.post("schedule", **{**STANDARD, "zone": "America/New_York"})
    desk.owner.refresh_from_db()
    assert desk.owner.zone == "America/New_York"
    assert "at 9:00" in desk.text("dashboard")


def test_a_window_chosen_elsewhere_stays_on_offer(desk: Desk) -> None:
    change_choices(owner=desk.owner, choices=Choices(email_window_s=5 * DAY_S), now=desk.world.now)
    assert "5 days" in desk.text("schedule")


def test_the_ladder_changes_only_after_a_fresh_sign_in(desk: Desk) -> None:
    """Invariant 15; looking at it needs none."""
    desk.world.now += timedelta(minutes=30)
    before = desk.switch.choices
    assert desk.get("schedule").status_code == 200
    response = desk.post("schedule", follow=False, **{**STANDARD, "interval_days": 365})
    assert "reauthenticate" in response["Location"]
    assert desk.switch.choices == before
