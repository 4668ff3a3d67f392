"""Somebody is told when somebody has to look: the right people, in their language, once, and never without bounds."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.urls import reverse
from pytest_django.fixtures import Settings

from stafeta.accounts.models import User
from stafeta.channels.text import SMS_CHARS_MAX, gsm7_length, is_gsm7
from stafeta.outbox.kinds import renderer_of
from stafeta.outbox.models import Message
from stafeta.switches.messages.operator import OPERATOR_PATH
from stafeta.switches.models import Hold, Outage, ServiceClock
from stafeta.switches.services.page_operator import PAGES_PER_DAY_MAX, URGENT_ALARMS, Alarm, page_operator
from tests.make import NOON
from tests.switches.watched import WatchedWorld, operator


@pytest.fixture
def world(db: None, keys_file: object) -> WatchedWorld:
    return WatchedWorld()


def about(alarm: Alarm) -> int:
    """Make what an alarm is about and return how it is called."""
    match alarm:
        case Alarm.CLOCK_BEHIND:
            wall = NOON + timedelta(days=365)
            ServiceClock.objects.update(wall=wall, deaf_since=NOON)
            return int(wall.timestamp())
        case Alarm.OUTAGE:
            return Outage.objects.create(began_at=NOON - timedelta(hours=2), reason="status 502").pk
        case _:
            kind = Hold.Kind.BREAKER if alarm is Alarm.BREAKER else Hold.Kind.MAINTENANCE
            reason = "12/300" if alarm is Alarm.BREAKER else "a new disk"
            ended = NOON if alarm is Alarm.HOLD_ENDED else None
            hold = Hold.objects.create(
                kind=kind, reason=reason, began_at=NOON, until=NOON + timedelta(hours=5), ended_at=ended
            )
            return hold.pk


@pytest.mark.parametrize("alarm", list(Alarm))
@pytest.mark.parametrize("language", ["cs", "en"])
def test_every_alarm_has_its_words_in_every_language(world: WatchedWorld, alarm: Alarm, language: str) -> None:
    operator(language=language)
    page_operator(alarm=alarm, about=about(alarm), now=world.now)
    messages = Message.objects.filter(key__startswith=f"page:{alarm}:")
    assert messages.filter(channel="sms").exists() is (alarm in URGENT_ALARMS)
    for message in messages:
        said = renderer_of(message.kind)(message)
        assert said.language == language
        assert OPERATOR_PATH in said.text
        if message.channel == "sms":
            assert is_gsm7(said.text)
            assert gsm7_length(said.text) <= SMS_CHARS_MAX
        else:
            assert said.subject.startswith("Štafeta: ")
            assert "%(" not in said.text


def test_the_link_leads_to_the_operators_page() -> None:
    assert reverse("operator") == OPERATOR_PATH


def test_the_address_of_the_settings_takes_the_place_of_the_accounts(world: WatchedWorld, settings: Settings) -> None:
    settings.OPERATOR_EMAIL = "oncall@example.org"
    olga = operator()
    page_operator(alarm=Alarm.BREAKER, about=about(Alarm.BREAKER), now=world.now)
    world.deliver()
    assert len(world.sent("oncall@example.org")) == 1
    assert world.sent(olga.email) == []
    assert len(world.sent(olga.phone)) == 1, "whoever carries a phone is called all the same"


def test_everybody_who_operates_is_told_and_nobody_else(world: WatchedWorld) -> None:
    operator("a@example.org")
    operator("b@example.org", language="cs")
    User.objects.create_user("gone@example.org", name="Gone", is_staff=True, is_active=False)
    User.objects.create_user("dana@example.org", name="Dana")
    page_operator(alarm=Alarm.HOLD_ENDED, about=about(Alarm.HOLD_ENDED), now=world.now)
    world.deliver()
    assert sorted(message.to for message in world.sent()) == ["a@example.org", "b@example.org"]


def test_where_there_is_nobody_the_log_says_so(world: WatchedWorld, caplog: pytest.LogCaptureFixture) -> None:
    page_operator(alarm=Alarm.BREAKER, about=1, now=world.now)
    assert "STAFETA_OPERATOR_EMAIL" in caplog.text


def test_one_event_is_told_once(world: WatchedWorld) -> None:
    """Invariant 14."""
    olga = operator()
    pk = about(Alarm.BREAKER)
    for _ in range(5):
        page_operator(alarm=Alarm.BREAKER, about=pk, now=world.now)
        world.deliver()
    assert len(world.sent(olga.email)) == 1


def test_a_storm_of_one_alarm_is_bounded_and_keeps_no_other_back(
    world: WatchedWorld, caplog: pytest.LogCaptureFixture
) -> None:
    operator()
    for number in range(2 * PAGES_PER_DAY_MAX):
        page_operator(alarm=Alarm.OUTAGE, about=1000 + number, now=world.now)
    assert Message.objects.filter(key__startswith="page:outage:").count() <= PAGES_PER_DAY_MAX + 1
    assert "within a day" in caplog.text
    page_operator(alarm=Alarm.BREAKER, about=about(Alarm.BREAKER), now=world.now)
    assert Message.objects.filter(key__startswith="page:breaker:").count() == 2


def test_what_is_over_before_it_is_sent_is_not_sent(world: WatchedWorld) -> None:
    """Invariant 13, for operators."""
    olga = operator()
    for alarm in (Alarm.BREAKER, Alarm.OUTAGE, Alarm.CLOCK_BEHIND):
        page_operator(alarm=alarm, about=about(alarm), now=world.now)
    Hold.objects.update(ended_at=world.now)
    Outage.objects.update(ended_at=world.now)
    ServiceClock.objects.update(wall=world.now)
    world.deliver()
    assert world.sent(olga.email) == []
    assert set(Message.objects.values_list("state", flat=True)) == {Message.State.CANCELLED}


def test_a_page_that_finds_nobody_at_home_is_a_dead_letter_of_the_operators(world: WatchedWorld) -> None:
    """Invariant 11: somebody who lost the account, or the phone, meanwhile."""
    olga = operator()
    page_operator(alarm=Alarm.BREAKER, about=about(Alarm.BREAKER), now=world.now)
    User.objects.filter(pk=olga.pk).update(phone="", phone_verified_at=None)
    world.deliver()
    assert dict(Message.objects.values_list("channel", "state")) == {"email": "accepted", "sms": "dead"}
