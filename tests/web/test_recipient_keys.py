"""A recipient makes a key: behind the link of their invitation and a code by SMS; the mailbox alone makes none."""

from __future__ import annotations

from base64 import b64encode
from datetime import timedelta
from urllib.parse import urlsplit

import pytest
from django.test import Client
from django.urls import reverse

from stafeta import clock
from stafeta.accounts.models import CodeChallenge, User
from stafeta.accounts.services.codes import code_of
from stafeta.accounts.signed_links import url_for
from stafeta.core.errors import Obsolete
from stafeta.core.links import Link, Purpose
from stafeta.outbox.models import Message
from stafeta.switches.models import Event
from stafeta.vault.holders import changed_keys_of, key_of, waiting_for, wrapped_for
from stafeta.vault.models import ConsentState, Handover, KeyFile, PersonalKey, Recipient
from stafeta.vault.selectors import Gap
from stafeta.vault.services.ask_for_key import ASK_AGAIN_AFTER, ask_for_key
from stafeta.vault.services.invite_recipient import invite_recipient
from stafeta.vault.services.personal_keys import accept_key
from tests import age_browser, make
from tests.vault.sealed import Keys, gaps
from tests.web.letters import link_in, messages, newest
from tests.web.links import opened


@pytest.fixture
def keys() -> Keys:
    return Keys()


@pytest.fixture
def ema(dana: User) -> Recipient:
    """She has agreed and proved her phone."""
    return invite_recipient(recipient=make.recipient(dana), now=make.NOON)


@pytest.fixture
def sealed(keys: Keys, dana: User, ema: Recipient) -> Handover:
    """Dana's sealed handover for her."""
    return keys.handover(dana, ema)


@pytest.fixture
def hers(ema: Recipient) -> Client:
    """A browser in which the link of Ema's invitation was opened: that is what the mailbox alone gives."""
    return invited(ema)


def invited(recipient: Recipient) -> Client:
    browser = opened(Link(Purpose.RECIPIENT_CONSENT, recipient.pk, recipient.owner_id, recipient.invitation))
    browser.handler.enforce_csrf_checks = False
    browser.cookies["django_language"] = "en"
    return browser


def prove(browser: Client) -> None:
    """Have a code sent and write it."""
    browser.post(reverse("consent-key-code"), {"send": "1"})
    response = browser.post(reverse("consent-key-code"), {"code": code_of(CodeChallenge.objects.latest("pk"))})
    assert response["Location"] == reverse("consent-key")


def send(browser: Client, keys: Keys, *, replaces: PersonalKey | None = None) -> str:
    """Make a key as the script of the page does, and return the page that comes then."""
    key = age_browser.new_key()
    keys.of[key.public_key] = key
    form = {"public_key": key.public_key, "file": b64encode(key.file).decode(), "replaces": replaces and replaces.pk}
    return browser.post(
        reverse("consent-key"), {name: str(value or "") for name, value in form.items()}, follow=True
    ).content.decode()


def page_of(browser: Client, name: str = "consent") -> str:
    return browser.get(reverse(name), follow=True).content.decode()


# At consent --------------------------------------------------------------------------------------------------------
def test_who_is_named_for_something_sealed_comes_from_the_phones_code_straight_to_the_passphrase(
    sealed: Handover, ema: Recipient, hers: Client, keys: Keys
) -> None:
    """One code is enough: it was written in this browser just now."""
    Recipient.objects.update(consent=ConsentState.INVITED, phone_verified_at=None)
    hers.post(reverse("consent"), {"answer": "agree"})
    hers.post(reverse("consent-phone"), {"send": "1"})
    response = hers.post(reverse("consent-phone"), {"code": code_of(CodeChallenge.objects.get())})
    assert response["Location"] == reverse("consent-key")
    assert "If you lose both" in page_of(hers, "consent-key")
    page = send(hers, keys)
    assert "Your key is made" in page
    key = key_of(ema)
    assert key is not None
    assert f'data-fingerprint="{key.public_key}"' in page


def test_agreeing_without_a_passphrase_is_possible_and_both_sides_are_told_what_it_means(
    sealed: Handover, hers: Client
) -> None:
    assert "until you do, nothing sealed can be handed to you" in page_of(hers)
    assert Gap.NO_KEY in gaps(sealed)


def test_who_gets_nothing_sealed_is_not_asked_for_a_passphrase(dana: User, ema: Recipient, hers: Client) -> None:
    make.handover(dana, ema)
    assert "nothing more is needed" in page_of(hers)
    assert "passphrase" not in page_of(hers)


def test_who_has_not_agreed_makes_no_key(sealed: Handover, hers: Client, keys: Keys) -> None:
    prove(hers)
    Recipient.objects.update(consent=ConsentState.DECLINED)
    send(hers, keys)
    assert not PersonalKey.objects.filter(recipient__isnull=False).exists()


# Who has the mailbox alone -----------------------------------------------------------------------------------------
@pytest.mark.parametrize("has_key", [False, True])
def test_the_mailbox_alone_neither_makes_a_key_nor_replaces_one(
    sealed: Handover, ema: Recipient, hers: Client, keys: Keys, has_key: bool
) -> None:
    """Also not with a code that was meant for something else, or with a wrong one."""
    before = keys.new(ema) if has_key else None
    send(hers, keys, replaces=before)
    hers.post(reverse("consent-key-code"), {"send": "1"})
    hers.post(reverse("consent-key-code"), {"code": "00000000"})
    send(hers, keys, replaces=before)
    Recipient.objects.update(phone_verified_at=None)
    hers.post(reverse("consent-phone"), {"send": "1"})
    Recipient.objects.update(phone_verified_at=make.NOON)
    hers.post(reverse("consent-key-code"), {"code": code_of(CodeChallenge.objects.latest("pk"))})
    send(hers, keys, replaces=before)
    assert key_of(ema) == before
    assert not Message.objects.filter(kind="web.recipient_key").exists()


def test_looking_makes_nothing(sealed: Handover, ema: Recipient, hers: Client) -> None:
    """A scanner of links follows every one of them, before and after the code."""

    def rows() -> object:
        return [list(model.objects.order_by("pk").values()) for model in (PersonalKey, KeyFile, Recipient, Message)]

    def look() -> None:
        for name in ("consent", "consent-key", "consent-key-code"):
            for method in (hers.get, hers.head, hers.options):
                method(reverse(name), {"public_key": "age1", "file": "x", "replaces": ""})

    before = rows()
    look()
    assert rows() == before
    prove(hers)
    before = rows()
    look()
    assert rows() == before


@pytest.mark.parametrize("end", ["hour", "phone", "invitation", "other", "used"])
def test_the_code_lets_this_browser_make_one_key_of_this_person_within_an_hour(
    sealed: Handover, ema: Recipient, keys: Keys, monkeypatch: pytest.MonkeyPatch, end: str
) -> None:
    hers = invited(ema)
    prove(hers)
    made = 0
    match end:
        case "hour":
            later = clock.real_now() + timedelta(minutes=61)
            monkeypatch.setattr(clock, "real_now", lambda: later)
        case "phone":
            Recipient.objects.update(phone="+420601999999")
        case "invitation":
            Recipient.objects.update(invitation=ema.invitation + 1)
        case "other":
            petr = make.recipient(sealed.owner, "petr@example.org", name="Petr")
            invite_recipient(recipient=petr, now=make.NOON)
            petr.refresh_from_db()
            hers.get(urlsplit(url_for(Link(Purpose.RECIPIENT_CONSENT, petr.pk, petr.owner_id, petr.invitation))).path)
        case _:
            send(hers, keys)
            made = 1
    send(hers, keys, replaces=key_of(ema))
    assert PersonalKey.objects.filter(recipient__isnull=False).count() == made


# What the owner hears ----------------------------------------------------------------------------------------------
def test_the_owner_is_told_that_something_waits_for_their_unlock(
    sealed: Handover, ema: Recipient, hers: Client, keys: Keys
) -> None:
    prove(hers)
    send(hers, keys)
    letter = newest("web.recipient_key")
    assert letter.to == "dana@example.org"
    assert "Ema Malá" in letter.subject
    assert link_in(letter) == reverse("sealing")
    assert Event.objects.filter(kind="RecipientKeyMade").count() == 1
    key = key_of(ema)
    assert key is not None
    assert waiting_for(sealed.owner)[0].keys == (key,)
    keys.wrap(sealed, key)
    with pytest.raises(Obsolete):
        newest("web.recipient_key")


def test_a_replaced_key_is_told_loudly_and_gets_nothing_until_the_owner_acknowledges_it(
    sealed: Handover, ema: Recipient, hers: Client, keys: Keys
) -> None:
    """Whoever has the mailbox and the phone for a moment gets the key replaced, but not what is sealed."""
    old = keys.new(ema)
    keys.wrap(sealed, old)
    prove(hers)
    page = send(hers, keys, replaces=old)
    assert "has not confirmed this new key yet" in page
    new = key_of(ema)
    assert new is not None
    assert new != old
    letter = newest("web.recipient_key")
    assert "+420" in letter.text, "so that they are called"
    assert link_in(letter) == reverse("sealing")
    assert Event.objects.filter(kind="RecipientKeyReplaced").count() == 1
    assert changed_keys_of(sealed.owner) == [new]
    assert keys.wrap(sealed, new) == 0
    assert [wrap.key for wrap in wrapped_for(sealed, ema)] == [old]
    assert old.files.count() == 1, "what was sealed for her before, she still opens"
    accept_key(key=new, now=make.NOON)
    assert keys.wrap(sealed, new) == 1


def test_the_same_key_sent_twice_is_one_key_and_one_mail(sealed: Handover, ema: Recipient, hers: Client) -> None:
    key = age_browser.new_key()
    form = {"public_key": key.public_key, "file": b64encode(key.file).decode(), "replaces": ""}
    for _ in range(2):
        prove(hers)
        hers.post(reverse("consent-key"), form)
    assert PersonalKey.objects.filter(recipient=ema).count() == 1
    assert len(messages("web.recipient_key")) == 1


@pytest.mark.parametrize(
    "damaged", [{"file": "not base64!"}, {"file": b64encode(b"AGE-SECRET-KEY-1").decode()}, {"public_key": "age1"}]
)
def test_what_is_no_key_is_refused_with_a_word_and_the_page_is_there_again(
    sealed: Handover, hers: Client, damaged: dict[str, str]
) -> None:
    """Above all a private half that nobody has locked."""
    prove(hers)
    key = age_browser.new_key()
    form = {"public_key": key.public_key, "file": b64encode(key.file).decode(), "replaces": ""} | damaged
    page = hers.post(reverse("consent-key"), form, follow=True).content.decode()
    assert "Please make it once more" in page
    assert "data-passphrase" in page
    assert not KeyFile.objects.filter(key__recipient__isnull=False).exists()


# Asked by the owner ------------------------------------------------------------------------------------------------
def test_the_owner_asks_by_one_press_and_the_link_leads_to_the_passphrase(
    sealed: Handover, ema: Recipient, browser: Client
) -> None:
    assert "Ask for a passphrase" in browser.get(reverse("people")).content.decode()
    for _ in range(3):
        browser.post(reverse("recipient-ask-key", args=[ema.pk]))
    assert len(messages("vault.ask_for_key")) == 1
    hers = Client()
    hers.cookies["django_language"] = "en"
    response = hers.get(link_in(newest("vault.ask_for_key")), follow=True)
    assert reverse("consent-key") in response.content.decode()
    assert Event.objects.filter(kind="KeyAskedFor").count() == 1


def test_nobody_is_asked_who_has_not_agreed_has_a_key_or_is_somebody_elses(
    dana: User, ema: Recipient, keys: Keys, browser: Client
) -> None:
    mallory = make.owner("mallory@example.org", name="Mallory")
    eve = make.recipient(mallory, "eve@example.org", name="Eve")
    invited_only = make.recipient(dana, "petr@example.org", name="Petr", consent=ConsentState.INVITED)
    keys.new(ema)
    assert browser.post(reverse("recipient-ask-key", args=[eve.pk])).status_code == 404
    for person in (invited_only, ema):
        browser.post(reverse("recipient-ask-key", args=[person.pk]))
    assert messages("vault.ask_for_key") == []


def test_who_was_asked_before_anything_is_sealed_is_led_to_the_passphrase_as_well(
    ema: Recipient, hers: Client, keys: Keys
) -> None:
    """So an owner can have everybody's key before they seal, and nobody is left out for a day."""
    assert "passphrase" not in page_of(hers)
    assert ask_for_key(recipient=ema, now=make.NOON)
    assert not ask_for_key(recipient=ema, now=make.NOON + ASK_AGAIN_AFTER / 2)
    assert reverse("consent-key") in page_of(hers)
    prove(hers)
    send(hers, keys)
    with pytest.raises(Obsolete):
        newest("vault.ask_for_key")
    with pytest.raises(Obsolete):
        newest("web.recipient_key")


def test_a_link_of_a_former_invitation_leads_to_no_key(sealed: Handover, ema: Recipient, hers: Client) -> None:
    invite_recipient(recipient=ema, now=make.NOON + timedelta(days=1))
    for name in ("consent-key", "consent-key-code"):
        assert hers.get(reverse(name)).status_code == 404
        assert hers.post(reverse(name), {"send": "1"}).status_code == 404


# The key they have --------------------------------------------------------------------------------------------------
def test_who_has_the_passphrase_or_the_card_changes_the_passphrase_and_needs_no_other_key(
    sealed: Handover, ema: Recipient, hers: Client, keys: Keys
) -> None:
    key = keys.new(ema)
    keys.wrap(sealed, key)
    blob = age_browser.passphrase_file(keys.of[key.public_key].identity.encode())
    form = {"key": str(key.pk), "file": b64encode(blob).decode()}
    assert hers.post(reverse("consent-key-passphrase"), form)["Location"] == reverse("consent-key-code")
    assert b64encode(bytes(key.files.get().blob)).decode() not in page_of(hers, "consent-key"), "no guessing at home"
    prove(hers)
    assert b64encode(bytes(key.files.get().blob)).decode() in page_of(hers, "consent-key")
    assert "data-key-form" not in page_of(hers, "consent-key"), "another key only where there is no other way"
    page = hers.post(reverse("consent-key-passphrase"), form, follow=True).content.decode()
    assert "From now on the new passphrase counts" in page
    assert bytes(key.files.get().blob) == blob
    assert key_of(ema) == key
    assert [wrap.key for wrap in wrapped_for(sealed, ema)] == [key]
    assert Event.objects.filter(kind="RecipientPassphraseChanged").count() == 1


def test_a_passphrase_of_a_former_or_foreign_key_is_not_changed(
    dana: User, sealed: Handover, ema: Recipient, hers: Client, keys: Keys
) -> None:
    former, petr = keys.new(ema), make.recipient(dana, "petr@example.org", name="Petr")
    keys.new(ema)
    prove(hers)
    for key in (former, keys.new(petr)):
        form = {"key": str(key.pk), "file": b64encode(age_browser.new_key().file).decode()}
        assert hers.post(reverse("consent-key-passphrase"), form).status_code == 404
    damaged = {"key": str(key_of(ema).pk), "file": "AGE-SECRET-KEY-1"}  # type: ignore[union-attr]
    page = hers.post(reverse("consent-key-passphrase"), damaged, follow=True).content.decode()
    assert "Nothing was changed" in page
