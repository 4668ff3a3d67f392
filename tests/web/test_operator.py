"""The operator's page says how everything stands, and two things may be done there: hold, and confirm a clock."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.urls import reverse
from pytest_django.fixtures import Settings

from stafeta.accounts.models import User
from stafeta.outbox.models import ChannelHealth, Message
from stafeta.switches.models import Hold, Outage, ServiceClock, Switch
from stafeta.switches.services.hold import begin_breaker_hold, hold_everything
from stafeta.switches.standing import SECTIONS, is_well, standing
from tests import make
from tests.web.desk import Desk, words
from tests.world import World

PAGES = ("operator", "operator-hold", "operator-unhold", "operator-clock")


@pytest.fixture
def world(db: None, keys_file: object, settings: Settings) -> World:
    settings.SESSION_COOKIE_AGE = 365 * 24 * 3600
    return World()


@pytest.fixture
def desk(world: World) -> Desk:
    """Dana, who operates the service herself, freshly signed in."""
    desk = Desk(world, make.armed_owner())
    User.objects.update(is_staff=True)
    world.tick()
    return desk


@pytest.mark.parametrize("page", PAGES)
def test_to_everybody_else_the_page_does_not_exist(desk: Desk, page: str) -> None:
    User.objects.update(is_staff=False)
    assert desk.get(page).status_code == 404
    assert desk.post(page, hours="1", reason="x").status_code in (404, 405)
    assert not Hold.objects.exists()


def test_only_operators_find_a_link_to_it(desk: Desk) -> None:
    assert reverse("operator") in desk.get("dashboard").content.decode()
    User.objects.update(is_staff=False)
    assert reverse("operator") not in desk.get("dashboard").content.decode()


def test_all_is_well_says_so(desk: Desk) -> None:
    page = desk.text("operator")
    assert "Everything works." in page
    assert "Switches due now 0" in page
    assert "15 Mar 2026, 9:00" in page, "when the next switch is due, in the operator's zone"


@pytest.mark.parametrize(
    ("sentence", "make_it_so"),
    [
        ("no worker is running", lambda: ServiceClock.objects.update(wall=make.NOON - timedelta(hours=1))),
        ("which is in the future", lambda: ServiceClock.objects.update(wall=make.NOON + timedelta(hours=1))),
        ("status 502", lambda: ServiceClock.objects.update(deaf_since=make.NOON, deaf_reason="status 502")),
        (
            "Failing since",
            lambda: ChannelHealth.objects.create(channel="sms", failing_since=make.NOON, reason="no credit"),
        ),
        ("ValueError: poison", lambda: Switch.objects.update(faults=1, fault="ValueError: poison")),
        ("120 minutes late", lambda: Switch.objects.update(due_at=make.NOON - timedelta(hours=2))),
        (
            "The oldest waits since 1 Mar 2026, 10:00",
            lambda: Message.objects.create(
                key="x", kind="vault.invite", channel="email", queued_at=make.NOON - timedelta(hours=3)
            ),
        ),
    ],
)
def test_what_is_wrong_is_said_and_marked(desk: Desk, sentence: str, make_it_so: object) -> None:
    assert callable(make_it_so)
    make_it_so()
    page = desk.text("operator")
    assert sentence in page
    assert "Something is wrong" in page


def test_what_is_due_while_everything_is_held_is_no_fault(desk: Desk) -> None:
    hold_everything(hours=5, reason="a new disk", now=desk.world.now)
    Switch.objects.update(due_at=make.NOON - timedelta(hours=2))
    desk.world.tick()
    page = desk.text("operator")
    assert "Everything is held. " in page
    assert "Something is wrong" not in page
    assert "Maintenance: a new disk" in page


def test_outages_and_holds_of_the_past_are_listed(desk: Desk) -> None:
    for day in range(30):
        at = make.NOON - timedelta(days=day)
        Outage.objects.create(began_at=at, ended_at=at + timedelta(minutes=5), reason=f"reason {day}.")
    begin_breaker_hold(reason="12/300", now=make.NOON)
    page = desk.text("operator")
    assert "reason 0." in page
    assert "reason 19." in page
    assert "reason 20." not in page
    assert "Breaker: 12 releases within 24 hours, 300 armed switches" in page


def test_it_names_no_owner(desk: Desk) -> None:
    desk.world.until(desk.owner, rung=5)
    Message.objects.update(state=Message.State.DEAD, problem="550 no such user")
    page = desk.text("operator")
    assert "550 no such user" in page
    for secret in ("karel@example.org", "ema@example.org", "Ema Malá", "+420601"):
        assert secret not in page


def test_holding_everything_needs_a_fresh_signin(desk: Desk) -> None:
    desk.world.now += timedelta(hours=1)
    desk.world.tick()
    response = desk.post("operator-hold", follow=False, hours="2", reason="a new disk")
    assert response["Location"].startswith(reverse("account_reauthenticate"))
    assert not Hold.objects.exists()


def test_everything_is_held_changed_and_let_go_on(desk: Desk) -> None:
    assert "Everything is held" in words(desk.post("operator-hold", hours="2", reason="a new disk"))
    assert "Change the hold" in desk.text("operator")
    desk.post("operator-hold", hours="5", reason="a larger disk")
    assert Hold.objects.get().until == desk.world.now + timedelta(hours=5)
    assert "Every wait goes on where it stood." in desk.text("operator-unhold")
    assert "All waits go on." in words(desk.post("operator-unhold"))
    assert Hold.objects.get().ended_at == desk.world.now
    assert "Nothing was held." in words(desk.post("operator-unhold"))


@pytest.mark.parametrize(
    "facts", [{}, {"hours": "0", "reason": "x"}, {"hours": "169", "reason": "x"}, {"hours": "2", "reason": " "}]
)
def test_a_hold_without_an_end_or_a_reason_is_refused(desk: Desk, facts: dict[str, str]) -> None:
    assert desk.post("operator-hold", **facts).status_code == 200
    assert not Hold.objects.exists()


def test_looking_at_the_questions_changes_nothing(desk: Desk) -> None:
    """Invariant 5."""
    hold_everything(hours=5, reason="a new disk", now=desk.world.now)
    ServiceClock.objects.update(wall=make.NOON + timedelta(days=9))
    for page in PAGES:
        assert desk.get(page).status_code == 200
    assert Hold.objects.get().ended_at is None
    assert ServiceClock.objects.get().wall == make.NOON + timedelta(days=9)


def test_lifting_the_breakers_hold_says_what_follows(desk: Desk) -> None:
    begin_breaker_hold(reason="12/300", now=make.NOON)
    assert "They are carried out as soon as the hold is lifted" in desk.text("operator-unhold")


def test_a_clock_that_was_put_right_is_confirmed(desk: Desk) -> None:
    assert reverse("operator-clock") not in desk.get("operator").content.decode()
    ServiceClock.objects.update(wall=make.NOON + timedelta(days=365))
    assert reverse("operator-clock") in desk.get("operator").content.decode()
    page = desk.text("operator-clock")
    assert "1 March" in page
    assert "2027" in page
    assert "The clock counts again" in words(desk.post("operator-clock"))
    assert ServiceClock.objects.get().wall == desk.world.now


def test_who_signed_in_under_the_wrong_clock_signs_in_again(desk: Desk) -> None:
    """Otherwise that sign-in would count as a fresh one for a year (invariant 15)."""
    here = desk.world.now
    desk.world.now += timedelta(days=365)
    wrong = Desk(desk.world, desk.owner)
    desk.world.now = here
    assert wrong.get("dashboard").status_code == 200
    assert desk.post("operator-clock", follow=False).status_code == 302
    assert wrong.get("dashboard").status_code == 302
    assert desk.get("dashboard").status_code == 200


def test_owners_read_on_their_dashboard_that_everything_is_held(desk: Desk) -> None:
    hold_everything(hours=5, reason="a new disk", now=desk.world.now)
    desk.world.tick()
    page = desk.text("dashboard")
    assert (
        "The operator has stopped all waits (a new disk); they continue on Sunday 1 March at 18:00 at the latest."
        in page
    )
    assert "cannot hear you" not in page


def test_owners_read_on_their_dashboard_that_the_breaker_holds(desk: Desk) -> None:
    begin_breaker_hold(reason="12/300", now=desk.world.now)
    assert "Unusually many handovers were about to open at once" in desk.text("dashboard")


def test_a_section_more_is_a_function_more(world: World) -> None:
    """What `stafeta status --json` says has stable names: one for each section, one for each line in it."""
    sections = standing(now=world.now, zone="UTC")
    assert len(sections) == len(SECTIONS)
    keys = [section.key for section in sections]
    assert keys == ["service", "due", "messages", "vault", "aside", "holds", "outages", "dead_letters"]
    assert is_well(sections)


def test_without_any_worker_nothing_is_well(db: None) -> None:
    assert not is_well(standing(now=make.NOON, zone="UTC"))
