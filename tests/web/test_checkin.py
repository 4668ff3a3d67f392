"""The owner's sign of life by link: only a button counts, and an old link harms nothing."""

from __future__ import annotations

import pytest
from django.test import Client
from pytest_django.fixtures import Settings

from stafeta.accounts.models import User
from stafeta.core.links import Link, Purpose
from stafeta.core.states import Evidence, Resting, Waiting
from stafeta.switches.models import Event, Switch
from stafeta.switches.services.checkin import record_checkin
from tests import make
from tests.switches.jump import to_phase, to_rung
from tests.web.links import checkin_link, opened, press
from tests.web.traces import database_as_text
from tests.world import World


@pytest.fixture
def world(db: None, keys_file: object) -> World:
    return World()


@pytest.fixture
def dana(world: World, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> User:
    """Dana, armed, reading English; the web's clock is the world's."""
    monkeypatch.setattr("stafeta.clock.now", lambda: world.now)
    dana = make.armed_owner()
    User.objects.update(language="en")
    dana.refresh_from_db()
    return dana


def state(dana: User) -> object:
    return Switch.objects.get(owner=dana).ladder_state


class TestOpening:
    """Invariant 5: no scanner, preview or prefetch confirms anything."""

    @pytest.mark.parametrize("method", ["get", "head", "options"])
    def test_looking_changes_nothing(self, world: World, dana: User, method: str) -> None:
        to_rung(world, dana, 0)
        browser = opened(checkin_link(dana))
        browser.get("/checkin/")
        before = database_as_text()
        for path in ("/checkin/", "/checkin/thanks/"):
            getattr(browser, method)(path)
        assert database_as_text() == before

    def test_page_shows_one_button_and_whose_it_is(self, world: World, dana: User) -> None:
        to_rung(world, dana, 0)
        page = opened(checkin_link(dana)).get("/checkin/").content.decode()
        assert "Are you all right?" in page
        assert "Dana Nováková" in page
        assert page.count('id="confirm-checkin"') == 1

    def test_press_without_our_page_is_refused(self, world: World, dana: User) -> None:
        to_rung(world, dana, 0)
        browser = opened(checkin_link(dana))
        assert browser.post("/checkin/").status_code == 403
        assert not isinstance(state(dana), Waiting)

    def test_without_a_link_the_page_says_how_to_get_in(self, db: None) -> None:
        response = Client().get("/checkin/")
        assert response.status_code == 404

    def test_link_of_somebody_who_is_gone_reveals_nothing(self, world: World, dana: User) -> None:
        link = checkin_link(dana)
        browser = opened(Link(Purpose.CHECKIN, dana.pk + 7, link.switch, link.cycle))
        response = browser.get("/checkin/")
        assert response.status_code == 404
        assert "Dana" not in response.content.decode()


class TestPressing:
    @pytest.mark.parametrize("rung", [0, 3, 5])
    def test_press_in_any_rung_ends_the_cycle_and_says_when_the_next_is(
        self, world: World, dana: User, rung: int
    ) -> None:
        to_rung(world, dana, rung)
        cycle = Switch.objects.get(owner=dana).cycle
        page = press(opened(checkin_link(dana)), "/checkin/")
        after = state(dana)
        assert isinstance(after, Waiting)
        assert after.cycle == cycle + 1
        assert "Thank you, it counts" in page
        assert "We will ask you again on" in page

    def test_pressing_twice_counts_once_and_stays_kind(self, world: World, dana: User) -> None:
        """Invariant 7."""
        to_rung(world, dana, 0)
        browser = opened(checkin_link(dana))
        press(browser, "/checkin/")
        cycle = Switch.objects.get(owner=dana).cycle
        page = press(browser, "/checkin/")
        assert Switch.objects.get(owner=dana).cycle == cycle
        assert Event.objects.filter(kind="CheckedIn").count() == 1
        assert "This is confirmed already" in page
        assert "We will ask you again on" in page

    def test_old_link_does_not_confirm_a_newer_question(self, world: World, dana: User) -> None:
        to_rung(world, dana, 0)
        browser = opened(checkin_link(dana))
        record_checkin(owner=dana, evidence=Evidence.BUTTON, now=world.now)
        to_rung(world, dana, 1)
        before = state(dana)
        page = press(browser, "/checkin/")
        assert state(dana) == before
        assert "This link is from an older message" in page
        assert "newest message" in browser.get("/checkin/").content.decode()

    def test_old_link_after_a_release_shows_the_way_back(self, world: World, dana: User) -> None:
        to_rung(world, dana, 0)
        browser = opened(checkin_link(dana))
        record_checkin(owner=dana, evidence=Evidence.BUTTON, now=world.now)
        to_phase(world, dana, "Released")
        page = press(browser, "/checkin/")
        assert "Your handovers have opened in the meantime" in page
        assert Switch.objects.get(owner=dana).phase == "Released"

    def test_thanks_before_pressing_lead_back_to_the_button(self, world: World, dana: User) -> None:
        to_rung(world, dana, 0)
        response = opened(checkin_link(dana)).get("/checkin/thanks/")
        assert response["Location"] == "/checkin/"


class TestReturn:
    """Invariant 4: a confirmation after the release closes what was not opened, and says so beforehand."""

    def test_owner_who_returns_is_told_what_the_button_does(self, world: World, dana: User) -> None:
        to_phase(world, dana, "Released")
        page = opened(checkin_link(dana)).get("/checkin/").content.decode()
        assert "I'm back" in page
        assert "whatever nobody has opened yet closes at once" in page

    def test_press_closes_the_release_and_the_switch_stays_off(self, world: World, dana: User) -> None:
        to_phase(world, dana, "Released")
        browser = opened(checkin_link(dana))
        page = press(browser, "/checkin/")
        assert isinstance(state(dana), Resting)
        assert "Good that you are back" in page
        assert "Your switch is off now." in page
        assert "Your switch is off now." in press(browser, "/checkin/")


def test_page_speaks_the_owners_language(world: World, dana: User) -> None:
    User.objects.update(language="cs")
    to_rung(world, dana, 0)
    assert '<html lang="cs">' in opened(checkin_link(dana)).get("/checkin/").content.decode()
