"""The trusted contact's three answers, each spelled out, each refusal in plain words."""

from __future__ import annotations

from dataclasses import replace

import pytest
from django.test import Client

from stafeta.accounts.models import User
from stafeta.core.links import Link, Purpose
from stafeta.core.policy import DAY_S
from stafeta.core.states import LAST_CALL_RUNG, Climbing, Evidence, Held, Waiting
from stafeta.switches.models import Switch, TrustedContact
from stafeta.switches.services.change_choices import change_choices
from stafeta.switches.services.checkin import record_checkin
from tests import make
from tests.switches.jump import to_phase, to_rung
from tests.web.links import checkin_link, opened, press, trusted_link
from tests.web.traces import database_as_text
from tests.world import World

TRUSTED_RUNG = 4


@pytest.fixture
def world(db: None, keys_file: object) -> World:
    return World()


@pytest.fixture
def dana(world: World, monkeypatch: pytest.MonkeyPatch) -> User:
    """Dana, armed, everybody reading English; the web's clock is the world's."""
    monkeypatch.setattr("stafeta.clock.now", lambda: world.now)
    dana = make.armed_owner()
    User.objects.update(language="en")
    TrustedContact.objects.update(language="en")
    dana.refresh_from_db()
    return dana


def asked(world: World, dana: User, **choices: object) -> Client:
    """Return Karel's browser, his link opened, once the ladder has come to him."""
    if choices:
        changed = replace(Switch.objects.get(owner=dana).owner_choices, **choices)  # type: ignore[arg-type]
        change_choices(owner=dana, choices=changed, now=world.now)
    to_rung(world, dana, TRUSTED_RUNG)
    return opened(trusted_link(dana))


def state(dana: User) -> object:
    return Switch.objects.get(owner=dana).ladder_state


class TestLooking:
    def test_page_says_who_asks_why_and_every_consequence(self, world: World, dana: User) -> None:
        page = asked(world, dana).get("/trusted/").content.decode()
        for words in (
            "Is Dana Nováková all right?",
            "under the name Karel Novák",
            "Everything stops and nothing opens.",
            "It can be 30 days at most.",
            "Of 60 days in all, 60 are left.",
            "Nothing changes by that.",
        ):
            assert words in page
        assert "Go ahead" not in page

    @pytest.mark.parametrize("method", ["get", "head", "options"])
    def test_looking_changes_nothing(self, world: World, dana: User, method: str) -> None:
        """Invariant 5."""
        browser = asked(world, dana, may_go_ahead=True)
        browser.get("/trusted/")
        before = database_as_text()
        for path in ("/trusted/", "/trusted/go-ahead/", "/trusted/thanks/"):
            getattr(browser, method)(path)
        assert database_as_text() == before

    def test_link_of_a_contact_who_was_removed_opens_nothing(self, world: World, dana: User) -> None:
        browser = asked(world, dana)
        TrustedContact.objects.all().delete()
        assert browser.get("/trusted/").status_code == 404

    def test_link_of_another_switch_opens_nothing(self, world: World, dana: User) -> None:
        link = trusted_link(dana)
        browser = opened(Link(Purpose.TRUSTED, link.person, link.switch + 1, link.cycle))
        assert browser.get("/trusted/").status_code == 404

    def test_nobody_is_asked_before_the_ladder_comes_to_them(self, world: World, dana: User) -> None:
        to_rung(world, dana, 0)
        before = state(dana)
        page = press(opened(trusted_link(dana)), "/trusted/", answer="well")
        assert "We are not asking you anything now" in page
        assert state(dana) == before

    def test_contact_who_declined_has_nothing_to_say(self, world: World, dana: User) -> None:
        browser = asked(world, dana)
        TrustedContact.objects.update(consent="declined")
        before = state(dana)
        assert "You have declined" in press(browser, "/trusted/", answer="well")
        assert state(dana) == before


class TestWell:
    def test_answer_stops_everything_and_is_thanked(self, world: World, dana: User) -> None:
        page = press(asked(world, dana), "/trusted/", answer="well")
        assert isinstance(state(dana), Waiting)
        assert "Thank you, your answer is noted" in page
        assert "The countdown has stopped" in page

    def test_pressing_twice_is_harmless(self, world: World, dana: User) -> None:
        browser = asked(world, dana)
        press(browser, "/trusted/", answer="well")
        after = state(dana)
        page = press(browser, "/trusted/", answer="well")
        assert state(dana) == after
        assert "Thank you, your answer is noted" in page

    def test_fourth_time_in_a_row_only_postpones_and_the_page_says_so(self, world: World, dana: User) -> None:
        for _ in range(3):
            press(asked(world, dana), "/trusted/", answer="well")
        browser = asked(world, dana)
        assert "Others have confirmed three times in a row already." in browser.get("/trusted/").content.decode()
        page = press(browser, "/trusted/", answer="well")
        assert isinstance(state(dana), Held)
        assert "We are waiting, and will ask again on" in page

    def test_answer_after_the_owner_confirmed_is_answered_kindly(self, world: World, dana: User) -> None:
        browser = asked(world, dana)
        record_checkin(owner=dana, evidence=Evidence.LINK, cycle=checkin_link(dana).cycle, now=world.now)
        after = state(dana)
        page = press(browser, "/trusted/", answer="well")
        assert state(dana) == after
        assert "This question is settled" in page


class TestWait:
    def test_hold_ends_when_the_page_says(self, world: World, dana: User) -> None:
        page = press(asked(world, dana), "/trusted/", answer="wait", days="10")
        held = state(dana)
        assert isinstance(held, Held)
        assert held.until_s - world.service_s() == 10 * DAY_S
        assert "We are waiting, and will ask again on" in page

    @pytest.mark.parametrize(
        ("days", "words"),
        [
            ("", "Write for how many days."),
            ("two", "Write a whole number of days."),
            ("0", "It must be one day at least."),
            ("-3", "It must be one day at least."),
            ("31", "It can be 30 days at most."),
            ("9" * 40, "It can be 30 days at most."),
        ],
    )
    def test_wrong_number_is_explained_and_kept(self, world: World, dana: User, days: str, words: str) -> None:
        browser = asked(world, dana)
        before = state(dana)
        page = press(browser, "/trusted/", answer="wait", days=days)
        assert words in page
        assert not days or f'value="{days}"' in page
        assert state(dana) == before

    def test_what_is_left_of_sixty_days_is_shown_and_enforced(self, world: World, dana: User) -> None:
        browser = asked(world, dana)
        for _ in range(2):
            press(browser, "/trusted/", answer="wait", days="28")
            to_phase(world, dana, "Climbing")
        page = browser.get("/trusted/").content.decode()
        assert "It can be 4 days at most." in page
        assert "It can be 4 days at most." in press(browser, "/trusted/", answer="wait", days="5")
        press(browser, "/trusted/", answer="wait", days="4")
        to_phase(world, dana, "Climbing")
        assert "all 60 days have been used up" in browser.get("/trusted/").content.decode()
        assert "No more waiting is left this time." in press(browser, "/trusted/", answer="wait", days="1")


class TestGoAhead:
    def test_it_does_not_exist_where_the_owner_did_not_allow_it(self, world: World, dana: User) -> None:
        browser = asked(world, dana)
        before = state(dana)
        page = press(browser, "/trusted/go-ahead/")
        assert "All is well" in page
        assert state(dana) == before

    def test_it_is_asked_twice_and_then_the_owner_is_called_for_a_day(self, world: World, dana: User) -> None:
        browser = asked(world, dana, may_go_ahead=True)
        assert "On the next page we ask you once more." in browser.get("/trusted/").content.decode()
        assert "wait 24 hours" in browser.get("/trusted/go-ahead/").content.decode()
        page = press(browser, "/trusted/go-ahead/")
        climbing = state(dana)
        assert isinstance(climbing, Climbing)
        assert climbing.rung == LAST_CALL_RUNG
        assert "If no answer comes, what was prepared opens on" in page

    def test_one_of_two_contacts_is_told_that_another_is_needed(self, world: World, dana: User) -> None:
        make.contact(dana, "petr@example.org", name="Petr Novák", phone="+420601000004")
        TrustedContact.objects.update(language="en")
        browser = asked(world, dana, may_go_ahead=True)
        assert "One more trusted contact has to say the same." in browser.get("/trusted/go-ahead/").content.decode()
        page = press(browser, "/trusted/go-ahead/")
        assert "One more trusted contact has to say the same." in page
        assert "You have given this answer already." in browser.get("/trusted/").content.decode()
        assert "We are sending Dana Nováková a last call" in press(
            opened(trusted_link(dana, position=2)), "/trusted/go-ahead/"
        )
        climbing = state(dana)
        assert isinstance(climbing, Climbing)
        assert climbing.rung == LAST_CALL_RUNG

    def test_after_the_release_the_page_says_who_can_still_stop_it(self, world: World, dana: User) -> None:
        browser = asked(world, dana)
        to_phase(world, dana, "Released")
        page = press(browser, "/trusted/", answer="well")
        assert "The handovers have opened" in page
        assert Switch.objects.get(owner=dana).phase == "Released"


def test_page_speaks_the_contacts_language(world: World, dana: User) -> None:
    TrustedContact.objects.update(language="cs")
    assert '<html lang="cs">' in asked(world, dana).get("/trusted/").content.decode()
