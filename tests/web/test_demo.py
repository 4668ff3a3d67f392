"""The demo's page shows the ladder climb; outside a demo it does not exist."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest
import time_machine
from django.test import Client
from django.urls import reverse
from pytest_django.fixtures import Settings

from stafeta import clock
from stafeta.accounts.models import User
from stafeta.channels.base import EmailMessage
from stafeta.channels.mailbox import MailboxChannel
from stafeta.core.states import Waiting
from stafeta.switches.models import Event, Switch, TrustedContact
from tests import make
from tests.web.desk import words
from tests.world import World

PAGES = ("demo", "demo-now")
BUTTONS = ("demo-sign-in", "demo-restart")
SCALE = 17_280.0


class Visitor:
    """Somebody who looks at the demo, not signed in, at the world's time."""

    def __init__(self, world: World, dana: User) -> None:
        self.world, self.dana, self.client = world, dana, Client(headers={"accept-language": "en"})

    def see(self, name: str = "demo") -> str:
        """Return the words of a page of the demo."""
        with time_machine.travel(self.world.now, tick=False):
            response = self.client.get(reverse(name))
        assert response.status_code == 200
        return words(response)  # type: ignore[arg-type]

    def steps(self) -> list[tuple[str, str]]:
        """Return the ladder as (where it stands, title)."""
        with time_machine.travel(self.world.now, tick=False):
            html = self.client.get(reverse("demo-now")).content.decode()
        found = re.findall(r'class="timeline-step tl-\w+ (\w+)".*?timeline-title">([^<]+)<', html, re.DOTALL)
        return [(stand, title) for stand, title in found]

    def press(self, name: str) -> str:
        """Press a button of the page and return the words of where it leads."""
        with time_machine.travel(self.world.now, tick=False):
            response = self.client.post(reverse(name), follow=True)
        assert response.status_code == 200
        return words(response)  # type: ignore[arg-type]

    @property
    def switch(self) -> Switch:
        return Switch.objects.get(owner=self.dana)


@pytest.fixture
def visitor(db: None, keys_file: object, settings: Settings) -> Visitor:
    """A demo in which Dana's switch is armed; the world moves its clock."""
    settings.CLOCK_SCALE = SCALE
    settings.SESSION_COOKIE_AGE = 365 * 24 * 3600
    return Visitor(World(), make.armed_owner())


@pytest.mark.parametrize("outside", ["the clock is real", "the site is public", "nobody was seeded"])
@pytest.mark.parametrize("name", [*PAGES, *BUTTONS])
def test_outside_a_demo_there_is_no_such_page(visitor: Visitor, settings: Settings, outside: str, name: str) -> None:
    match outside:
        case "the clock is real":
            settings.CLOCK_SCALE = 1.0
        case "the site is public":
            settings.SITE_IS_LOCAL = False
        case _:
            User.objects.update(email="petra@example.org")
    ask = visitor.client.post if name in BUTTONS else visitor.client.get
    assert ask(reverse(name)).status_code == 404
    assert "_auth_user_id" not in visitor.client.session


@pytest.mark.parametrize("name", BUTTONS)
def test_a_get_presses_no_button(visitor: Visitor, name: str) -> None:
    """Invariant 5."""
    before = Event.objects.count()
    assert visitor.client.get(reverse(name)).status_code == 405
    assert Event.objects.count() == before


def test_it_shows_the_ladder_from_the_first_question_to_the_release(visitor: Visitor) -> None:
    assert "All is quiet." in visitor.see()
    assert {stand for stand, _ in visitor.steps()} == {"ahead"}
    visitor.world.until(visitor.dana, rung=4)
    assert "was asked and has not answered yet" in visitor.see("demo-now")
    assert visitor.steps() == [
        *[("passed", "Asked: Dana Nováková")] * 4,
        ("present", "Asked: Karel Novák"),
        ("ahead", "Asked: Karel Novák"),
        ("ahead", "The handovers open"),
    ]
    visitor.world.until_phase(visitor.dana, "Released")
    assert "The handovers are open." in visitor.see()
    assert visitor.steps()[-1] == ("present", "The handovers open")
    assert "and the handovers opened." in visitor.see()


def test_it_shows_what_was_sent_and_to_whom(visitor: Visitor, settings: Settings) -> None:
    box = MailboxChannel(settings.MAILBOX_DIR, now=lambda: datetime(2026, 3, 1, 12, tzinfo=UTC))
    karel = TrustedContact.objects.get()
    box.send(
        EmailMessage(
            id="1", to=karel.email, subject="Hello", text="", html="", message_id="1", headers={}, language="cs"
        )
    )
    shown = visitor.see()
    assert "Hello" in shown
    assert "Karel Novák" in shown


def test_it_can_be_held_still(visitor: Visitor) -> None:
    """What moves by itself can be stopped (WCAG 2.2.2)."""
    assert "every 1s" in visitor.client.get(reverse("demo")).content.decode()
    assert "every 1s" not in visitor.client.get(reverse("demo") + "?still").content.decode()


def test_a_visitor_is_signed_in_as_dana_by_one_press_and_that_is_a_sign_of_life(visitor: Visitor) -> None:
    visitor.world.until(visitor.dana, rung=1)
    cycle = visitor.switch.cycle
    assert "All is well." in visitor.press("demo-sign-in")
    assert visitor.client.session["_auth_user_id"] == str(visitor.dana.pk)
    assert visitor.switch.cycle == cycle + 1


def test_the_story_starts_again_after_a_release(visitor: Visitor) -> None:
    visitor.world.until_phase(visitor.dana, "Released")
    assert "falls silent again" in visitor.press("demo-restart")
    assert isinstance(visitor.switch.ladder_state, Waiting)
    visitor.world.until_phase(visitor.dana, "Released")


def test_the_story_starts_again_in_the_middle_of_the_ladder(visitor: Visitor) -> None:
    visitor.world.until(visitor.dana, rung=2)
    visitor.press("demo-restart")
    assert isinstance(visitor.switch.ladder_state, Waiting)


def test_every_page_says_that_the_clock_is_fast(visitor: Visitor, settings: Settings) -> None:
    page = words(visitor.client.get(reverse("account_login")))  # type: ignore[arg-type]
    assert "Demo: one day takes 5 seconds." in page
    settings.CLOCK_SCALE = 1.0
    assert "Demo:" not in words(visitor.client.get(reverse("account_login")))  # type: ignore[arg-type]


def test_people_s_own_clock_is_never_scaled(settings: Settings) -> None:
    """Codes and sessions last as long in a demo as anywhere."""
    settings.CLOCK_SCALE, settings.CLOCK_EPOCH = SCALE, datetime(2026, 1, 1, tzinfo=UTC)
    with time_machine.travel(datetime(2026, 1, 1, 0, 1, tzinfo=UTC), tick=False):
        assert clock.real_now() == datetime(2026, 1, 1, 0, 1, tzinfo=UTC)
        assert clock.now() == datetime(2026, 1, 13, tzinfo=UTC)
