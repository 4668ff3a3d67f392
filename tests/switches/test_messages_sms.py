"""One SMS is one SMS: 160 characters of GSM-7 with its link, whoever it names (pages.md, "Copy")."""

from __future__ import annotations

import pytest
from django.utils.translation import override
from pytest_django.fixtures import Settings

from stafeta.accounts.models import User
from stafeta.channels.base import SmsMessage
from stafeta.channels.text import SMS_CHARS_MAX, gsm7_length, is_gsm7
from stafeta.core.errors import DeliveryRefused
from stafeta.core.links import TOKEN_CHARS_MAX
from stafeta.core.policy import RungKind
from stafeta.outbox.models import Message
from stafeta.switches.messages import facts
from stafeta.switches.messages.owner import sms_words
from stafeta.switches.messages.sms import one_sms
from stafeta.switches.models import TrustedContact
from tests import make
from tests.switches.jump import to_phase
from tests.world import World

SITE = "https://stafeta.example.org"
LINK_OF_A_BIG_SERVICE = f"{SITE}/l/{'x' * 40}/"
LONGEST_LINK = f"{SITE}/l/{'x' * TOKEN_CHARS_MAX}/"
WORDS_CHARS_MAX = 90
LONG_NAME = "Bc. Marie Magdaléna Novotná-Svobodová z Říčan"


@pytest.mark.parametrize("language", ["cs", "en"])
def test_every_sms_of_the_ladder_fits_with_long_names(world: World, settings: Settings, language: str) -> None:
    settings.SITE_URL = SITE
    dana = make.armed_owner()
    User.objects.update(language=language, name=LONG_NAME)
    TrustedContact.objects.update(language=language)
    world.email.fail = lambda to: DeliveryRefused("gone", permanent=True) if to == dana.email else None
    to_phase(world, dana, "Released")
    texts = [message.text for message in world.sms.sent if isinstance(message, SmsMessage)]
    assert len(texts) >= 4
    for text in texts:
        assert is_gsm7(text)
        assert gsm7_length(text) <= SMS_CHARS_MAX


@pytest.mark.parametrize("language", ["cs", "en"])
@pytest.mark.parametrize("kind", list(RungKind))
@pytest.mark.parametrize("next_kind", ["email", "trusted", "release"])
@pytest.mark.parametrize("fallback", [True, False])
def test_words_leave_room_for_the_link(language: str, kind: str, next_kind: str, fallback: bool) -> None:
    message = Message(params={"rung_kind": kind, "fallback": fallback})
    at = facts.Moment(make.NOON.replace(month=12, day=24), "Europe/Prague", make.NOON)
    outlook = facts.Outlook(facts.Next(next_kind, at), at, hours_left=24)
    with override(language):
        words = sms_words(message, outlook)
    assert gsm7_length(one_sms(words, link="").strip()) <= WORDS_CHARS_MAX
    assert words.split("%")[0] in one_sms(words, link=LINK_OF_A_BIG_SERVICE)


def test_name_loses_its_last_words_first() -> None:
    words = "Stafeta: %(name)s does not answer. Please find out if all is well:"
    text = one_sms(words, link=LINK_OF_A_BIG_SERVICE, name=LONG_NAME)
    assert text.startswith("Stafeta: Bc. Marie Magdalena does not answer.")
    assert text.endswith(LINK_OF_A_BIG_SERVICE)
    assert gsm7_length(text) <= SMS_CHARS_MAX


def test_one_endless_word_is_cut() -> None:
    text = one_sms("Stafeta: %(name)s does not answer. Find out:", link=LINK_OF_A_BIG_SERVICE, name="X" * 120)
    assert "XX. does not answer." in text
    assert gsm7_length(text) <= SMS_CHARS_MAX


def test_link_goes_alone_when_nothing_else_fits() -> None:
    assert one_sms("w" * 120, link=LONGEST_LINK) == f"Stafeta: {LONGEST_LINK}"
