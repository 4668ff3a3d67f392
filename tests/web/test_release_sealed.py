"""A sealed handover at its release: both gates stand before ciphertext and keys, and only unlocking reads it."""

from __future__ import annotations

import json
import re
from base64 import b64encode
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from stafeta import clock
from stafeta.accounts.models import User
from stafeta.core.errors import BadLink, Obsolete
from stafeta.core.links import Link, Purpose
from stafeta.switches.models import ServiceClock
from stafeta.vault.holders import wrapped_for
from stafeta.vault.models import Grant, Handover, KeyFile, Reading, Recipient
from stafeta.vault.selectors import release_behind
from stafeta.vault.services.follow_up import follow_up
from stafeta.vault.services.personal_keys import accept_key
from stafeta.vault.services.reading import record_reading, record_unlocking
from stafeta.vault.services.release import close_grants, open_handovers
from stafeta.vault.services.set_handover_terms import set_handover_terms
from tests import age_browser, make
from tests.vault.sealed import Keys
from tests.web.letters import messages, newest
from tests.web.test_release import CYCLE, DAY_S, NOW_S, SWITCH, closed, deleted, enter_code, expired, follow
from tests.web.test_release import browser as browser  # noqa: PLC0414 - a fixture
from tests.web.test_release_doors import another_phone, declined, revoked, taken_off


@pytest.fixture
def keys() -> Keys:
    return Keys()


@pytest.fixture
def handover(db: None, keys_file: Path, keys: Keys) -> Handover:
    """Dana's sealed handover, sealed for Ema."""
    dana = make.owner()
    ema = make.recipient(dana)
    ServiceClock.objects.update_or_create(pk=1, defaults={"counted_ms": NOW_S * 1000, "wall": make.NOON})
    made = keys.handover(dana, ema)
    keys.wrap(made, keys.new(ema))
    return made


@pytest.fixture
def ema(handover: Handover) -> Recipient:
    return handover.recipients.get()


@pytest.fixture
def released(handover: Handover) -> Handover:
    open_to_all(handover)
    return handover


def open_to_all(handover: Handover) -> None:
    open_handovers(owner_id=handover.owner_id, switch_id=SWITCH, cycle=CYCLE, now=make.NOON, service_s=NOW_S)
    follow_up(now=make.NOON, service_s=NOW_S)


def data_of(browser: Client) -> dict[str, Any]:
    """Return what the page gives to its script."""
    page = browser.get(reverse("release-read")).content.decode()
    found = re.search(r'<script id="sealed-data" type="application/json">(.*?)</script>', page)
    assert found, page
    data: dict[str, Any] = json.loads(found[1])
    return data


def report(browser: Client, *grants: int) -> Any:
    """Ask whether these may be shown, as the script does once it has unlocked them."""
    return browser.post(
        reverse("release-unlocked"),
        json.dumps({"grants": [{"grant": pk} for pk in grants or Grant.objects.values_list("pk", flat=True)]}),
        content_type="application/json",
    )


def pieces() -> list[str]:
    """Return everything that must stay behind the gates: ciphertexts, wrapped keys, private halves, as they travel."""
    blobs = [bytes(blob) for blob in KeyFile.objects.values_list("blob", flat=True)]
    for handover in Handover.objects.all():
        blobs += [bytes(blob) for blob in handover.wrapped_keys.values_list("blob", flat=True)]
        blobs += [bytes(blob) for blob in handover.versions.values_list("ciphertext", flat=True)]
    return [b64encode(blob).decode() for blob in blobs]


def given(browser: Client) -> list[str]:
    """Return what this browser gets of those pieces, wherever it asks, with the title, and whether it may show it."""
    names = ("release", "release-code", "release-read", "release-download", "release-unlocked")
    addresses = [reverse(name) for name in names]
    addresses += [reverse("release-mail", args=[pk]) for pk in Grant.objects.values_list("pk", flat=True)]
    answers = [browser.get(address, follow=True) for address in addresses]
    body = b"".join(b"".join(one) if one.streaming else one.content for one in answers).decode(errors="replace")  # type: ignore[arg-type]
    found = [piece for piece in pieces() if piece in body]
    answer = report(browser)
    if answer.status_code == 200:
        found.append("may be shown")
    return found


# What is given -----------------------------------------------------------------------------------------------------
def test_behind_both_gates_the_browser_gets_what_opens_it_and_nothing_of_anybody_else(
    browser: Client, released: Handover, ema: Recipient, keys: Keys
) -> None:
    enter_code(browser)
    data = data_of(browser)
    (key,), (text,) = data["keys"], data["texts"]
    assert set(pieces()) > {text["ciphertext"], text["wraps"][0]["blob"], key["files"][0]["blob"]}
    (wrap,) = wrapped_for(released, ema)
    assert wrap.key is not None
    assert [one["key"] for one in text["wraps"]] == [wrap.key.pk]
    identity = age_browser.opened(bytes(wrap.blob), keys.of[wrap.key.public_key]).decode()
    assert identity == keys.of[text["public_key"]].identity
    assert len([piece for piece in given(browser) if piece != "may be shown"]) == 3, "and nothing of Dana's"


def test_another_recipients_key_is_not_among_it(
    browser: Client, handover: Handover, ema: Recipient, keys: Keys
) -> None:
    petr = make.recipient(handover.owner, "petr@example.org", name="Petr")
    set_handover_terms(handover=handover, recipients=[ema, petr], delay_days=0, access_days=90, now=make.NOON)
    keys.wrap(handover, keys.new(petr))
    open_to_all(handover)
    enter_code(browser)
    (text,) = data_of(browser)["texts"]
    assert len(text["wraps"]) == 1
    assert len([piece for piece in given(browser) if piece != "may be shown"]) == 3


def test_no_copy_by_mail_is_offered_and_the_page_says_why(browser: Client, released: Handover) -> None:
    enter_code(browser)
    page = browser.get(reverse("release-read")).content.decode()
    assert "this service cannot read it" in page
    (grant,) = Grant.objects.all()
    assert reverse("release-mail", args=[grant.pk]) not in page
    for method in (browser.get, browser.post):
        assert method(reverse("release-mail", args=[grant.pk])).status_code == 404
    assert messages("vault.content") == []


# The gates ---------------------------------------------------------------------------------------------------------
def test_with_both_gates_open_it_is_given(browser: Client, released: Handover) -> None:
    """Else nothing below would prove anything."""
    enter_code(browser)
    assert len(given(browser)) == 4


def test_without_a_release_or_without_a_code_nothing_is_given(
    browser: Client, handover: Handover, ema: Recipient
) -> None:
    assert given(Client()) == given(browser) == []
    open_to_all(handover)
    assert given(follow(browser, ema)) == []
    browser.post(reverse("release-code"), {"send": "1"})
    browser.post(reverse("release-code"), {"code": "00000000"})
    assert given(browser) == []


@pytest.mark.parametrize("end", [expired, deleted, revoked, taken_off, declined, another_phone, closed])
def test_once_it_has_ended_nothing_is_given(
    browser: Client, released: Handover, end: Callable[[Handover], None]
) -> None:
    enter_code(browser)
    end(released)
    assert given(browser) == []


def test_after_an_hour_nothing_is_given(browser: Client, released: Handover, monkeypatch: pytest.MonkeyPatch) -> None:
    enter_code(browser)
    later = clock.real_now() + timedelta(minutes=61)
    monkeypatch.setattr(clock, "real_now", lambda: later)
    assert given(browser) == []


@pytest.mark.parametrize("change", [{"switch": SWITCH + 1}, {"cycle": CYCLE + 1}, {"cycle": CYCLE - 1}])
def test_a_link_of_another_release_gives_nothing(
    browser: Client, released: Handover, ema: Recipient, change: dict[str, int]
) -> None:
    enter_code(browser)
    assert given(follow(browser, ema, **change)) == []


def test_before_its_delay_is_over_nothing_is_given(browser: Client, handover: Handover, ema: Recipient) -> None:
    set_handover_terms(handover=handover, recipients=[ema], delay_days=7, access_days=90, now=make.NOON)
    make.handover(handover.owner, ema, title="Hned", content="open text")
    open_to_all(handover)
    enter_code(follow(browser, ema))
    assert given(browser) == []
    ServiceClock.objects.update(counted_ms=(NOW_S + 7 * DAY_S) * 1000)
    assert given(browser) == [], "it waits to be asked for"
    browser.post(reverse("release-read"))
    assert len(given(browser)) == 4


def test_a_foreign_grant_is_not_reported_as_read(browser: Client, released: Handover, keys: Keys) -> None:
    mallory = make.owner("mallory@example.org", name="Mallory")
    eve = make.recipient(mallory, "eve@example.org", name="Eve")
    theirs = keys.handover(mallory, eve)
    keys.wrap(theirs, keys.new(eve))
    open_to_all(theirs)
    enter_code(browser)
    assert report(browser, Grant.objects.get(handover=theirs).pk).status_code == 404
    assert Grant.objects.get(handover=theirs).first_read_at is None


# Given, and read ---------------------------------------------------------------------------------------------------
def test_what_was_given_is_read_only_once_it_was_unlocked(browser: Client, released: Handover) -> None:
    enter_code(browser)
    (grant,) = Grant.objects.all()
    assert grant.first_read_at is None
    assert [reading.how for reading in Reading.objects.all()] == [Reading.How.LOCKED]
    assert report(browser).json() == {"open": [grant.pk]}
    grant.refresh_from_db()
    assert grant.first_read_at is not None
    report(browser)
    assert [reading.how for reading in Reading.objects.order_by("pk")] == [Reading.How.LOCKED, Reading.How.PAGE]


def test_the_owner_sees_what_was_given_apart_from_what_was_read(browser: Client, released: Handover) -> None:
    dana = Client()
    dana.force_login(released.owner)
    dana.cookies["django_language"] = "en"
    User.objects.update(language="en")
    enter_code(browser)
    address = reverse("handover", args=[released.pk])
    assert dana.get(address).content.decode().count("given, still sealed") == 1
    report(browser)
    page = dana.get(address).content.decode()
    assert page.count("given, still sealed") == 1
    assert len(re.findall(r"<li>Ema Malá, ", page)) == 2
    history = dana.get(reverse("history")).content.decode()
    assert "still sealed" in history
    assert "Ema Malá read" in history


def test_who_could_not_unlock_it_yet_is_reminded_and_who_has_read_it_is_not(
    browser: Client, released: Handover
) -> None:
    enter_code(browser)
    follow_up(now=make.NOON + timedelta(days=3), service_s=NOW_S + 3 * DAY_S)
    letter = newest("vault.reminder")
    Recipient.objects.update(language="en")
    assert "sealed" in newest("vault.reminder").text
    assert letter.to == "ema@example.org"
    report(browser)
    with pytest.raises(Obsolete):
        newest("vault.reminder")


def test_the_owners_return_closes_what_was_given_and_not_unlocked(browser: Client, released: Handover) -> None:
    """The page may lie open in a browser: it asks once more before it shows anything."""
    enter_code(browser)
    assert data_of(browser)
    close_grants(owner_id=released.owner_id, switch_id=SWITCH, cycle=CYCLE, now=make.NOON)
    assert report(browser).status_code == 404
    assert Grant.objects.get().first_read_at is None


def test_what_was_unlocked_before_the_owners_return_stays_open_as_what_is_guarded_does(
    browser: Client, released: Handover
) -> None:
    enter_code(browser)
    report(browser)
    close_grants(owner_id=released.owner_id, switch_id=SWITCH, cycle=CYCLE, now=make.NOON)
    assert len(given(browser)) == 4


def test_what_closes_between_the_question_and_the_answer_is_not_read(released: Handover, ema: Recipient) -> None:
    """The owner returns while the browser asks: whoever comes first to the grant's row decides."""
    found = release_behind(Link(Purpose.RELEASE, ema.pk, SWITCH, CYCLE), service_s=NOW_S)
    record_reading(grants=found.grants, now=make.NOON)
    close_grants(owner_id=released.owner_id, switch_id=SWITCH, cycle=CYCLE, now=make.NOON)
    with pytest.raises(BadLink):
        record_unlocking(grants=found.grants, now=make.NOON)
    assert Grant.objects.get().first_read_at is None


@pytest.mark.parametrize(
    "body", ["", "[]", '{"grants": 1}', '{"grants": [{"grant": "1"}]}', '{"grants": [], "text": "x"}']
)
def test_a_report_of_another_form_is_refused_a_text_above_all(browser: Client, released: Handover, body: str) -> None:
    enter_code(browser)
    response = browser.post(reverse("release-unlocked"), body, content_type="application/json")
    assert response.status_code == 400
    assert Grant.objects.get().first_read_at is None


# Who cannot open it ------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(("has_key", "said"), [(False, "you had chosen no passphrase"), (True, "not for your key")])
def test_who_holds_no_key_to_it_is_told_so_honestly_and_not_reminded(
    browser: Client, handover: Handover, keys: Keys, has_key: bool, said: str
) -> None:
    petr = make.recipient(handover.owner, "petr@example.org", name="Petr", phone="+420601000004")
    people = [*handover.recipients.all(), petr]
    set_handover_terms(handover=handover, recipients=people, delay_days=0, access_days=90, now=make.NOON)
    if has_key:
        keys.new(petr)
    open_to_all(handover)
    enter_code(follow(browser, petr))
    page = browser.get(reverse("release-read")).content.decode()
    assert said in page
    assert "sealed-data" not in page
    assert given(browser) == []
    follow_up(now=make.NOON + timedelta(days=3), service_s=NOW_S + 3 * DAY_S)
    reminders = [one for one in messages("vault.reminder") if one.params["recipient"] == petr.pk]
    assert reminders
    with pytest.raises(Obsolete):
        _rendered(reminders[0])


def test_who_changed_their_key_is_told_that_the_former_passphrase_opens_it(
    browser: Client, handover: Handover, ema: Recipient, keys: Keys
) -> None:
    new = keys.new(ema)
    open_to_all(handover)
    enter_code(browser)
    page = browser.get(reverse("release-read")).content.decode()
    assert "the key that you had before" in page
    (key,) = data_of(browser)["keys"]
    assert key["is_present"] is False
    assert key["files"], "its private half is kept for as long as it opens something"
    accept_key(key=new, now=make.NOON)
    keys.wrap(handover, new)
    (key,) = data_of(browser)["keys"]
    assert key["id"] == new.pk


def test_the_news_says_that_a_passphrase_will_be_needed(released: Handover, ema: Recipient) -> None:
    Recipient.objects.update(language="en")
    assert "passphrase at hand" in newest("vault.release").text
    released.wrapped_keys.filter(key__recipient=ema).delete()
    assert "passphrase" not in newest("vault.release").text


def test_a_release_link_says_what_was_given(released: Handover, ema: Recipient, browser: Client) -> None:
    link = Link(Purpose.RELEASE, ema.pk, SWITCH, CYCLE)
    assert release_behind(link, service_s=NOW_S).opened == ()
    enter_code(browser)
    assert len(release_behind(link, service_s=NOW_S).opened) == 1


def _rendered(message: Any) -> object:
    from stafeta.outbox.kinds import renderer_of

    return renderer_of(message.kind)(message)
