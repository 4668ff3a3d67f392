"""The release page: news, consent, code, content; everything closed looks the same and reveals nothing."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from django.test import Client
from django.urls import reverse
from pyrage.x25519 import Identity

from stafeta import clock
from stafeta.accounts.models import CodeChallenge
from stafeta.accounts.services.codes import code_of
from stafeta.accounts.signed_links import url_for
from stafeta.core.links import Link, Purpose
from stafeta.outbox.models import Message
from stafeta.switches.models import ServiceClock, Switch
from stafeta.switches.services.ensure_switch import ensure_switch
from stafeta.vault.models import ConsentState, Grant, Handover, Reading, Recipient, WrappedKey
from stafeta.vault.services.delete_handover import delete_handover
from stafeta.vault.services.follow_up import follow_up
from stafeta.vault.services.release import close_grants, open_handovers
from stafeta.vault.services.save_handover import save_handover
from stafeta.web.gates import GATE_KEY
from tests import make
from tests.web.traces import database_as_text

SWITCH, CYCLE, NOW_S = 5, 3, 500_000
DAY_S = 86_400


@pytest.fixture
def handover(db: None, keys_file: Path) -> Handover:
    dana = make.owner()
    ema = make.recipient(dana)
    ServiceClock.objects.update_or_create(pk=1, defaults={"counted_ms": NOW_S * 1000, "wall": make.NOON})
    return make.handover(dana, ema, content="# Doména\n\n" + make.SECRET_TEXT)


@pytest.fixture
def ema(handover: Handover) -> Recipient:
    return handover.recipients.get()


@pytest.fixture
def released(handover: Handover) -> Handover:
    open_handovers(owner_id=handover.owner_id, switch_id=SWITCH, cycle=CYCLE, now=make.NOON, service_s=NOW_S)
    follow_up(now=make.NOON, service_s=NOW_S)
    return handover


def follow(client: Client, person: Recipient, *, switch: int = SWITCH, cycle: int = CYCLE) -> Client:
    client.cookies["django_language"] = "en"
    link = Link(Purpose.RELEASE, person.pk, switch, cycle)
    client.get(url_for(link).removeprefix("http://localhost:8000"))
    return client


@pytest.fixture
def browser(client: Client, ema: Recipient) -> Client:
    return follow(client, ema)


def enter_code(browser: Client) -> None:
    browser.post(reverse("release-code"), {"send": "1"})
    response = browser.post(reverse("release-code"), {"code": code_of(CodeChallenge.objects.latest("pk"))})
    assert response["Location"] == reverse("release-read")


def service_days(days: float) -> None:
    ServiceClock.objects.update(counted_ms=int((NOW_S + days * DAY_S) * 1000))


def shown_anywhere(browser: Client) -> str:
    """Return everything this browser can get to see."""
    pages = [reverse(name) for name in ("release", "release-code", "release-read")]
    pages += [reverse("release-mail", args=[pk]) for pk in Grant.objects.values_list("pk", flat=True)]
    return "".join(browser.get(page, follow=True).content.decode() for page in pages)


def test_news_then_code_then_content(browser: Client, released: Handover) -> None:
    news = browser.get(reverse("release")).content.decode()
    assert "Something unfortunate has probably happened" in news
    assert released.title not in shown_anywhere(browser)
    enter_code(browser)
    page = browser.get(reverse("release-read"))
    assert make.SECRET_TEXT in page.content.decode()
    assert released.title in page.content.decode()
    assert "1 March" in page.content.decode()  # the date of its last change
    assert "no-store" in page["Cache-Control"]
    assert Reading.objects.get().how == Reading.How.PAGE


def test_nothing_is_shown_before_the_code(browser: Client, released: Handover) -> None:
    browser.post(reverse("release-code"), {"send": "1"})
    browser.post(reverse("release-code"), {"code": "00000000"})
    browser.post(reverse("release-read"))
    assert make.SECRET_TEXT not in shown_anywhere(browser)
    assert released.title not in shown_anywhere(browser)
    assert not Reading.objects.exists()


def test_looking_changes_nothing(browser: Client, released: Handover) -> None:
    def rows() -> object:
        return [list(model.objects.order_by("pk").values()) for model in (Grant, Recipient, Message, CodeChallenge)]

    before = rows()
    shown_anywhere(browser)
    for name in ("release", "release-code", "release-read"):
        browser.head(reverse(name))
        browser.options(reverse(name))
    assert rows() == before
    enter_code(browser)
    before = rows()
    shown_anywhere(browser)
    assert rows() == before


def test_the_gate_closes_after_an_hour_and_a_new_code_opens_it(
    browser: Client, released: Handover, monkeypatch: pytest.MonkeyPatch
) -> None:
    enter_code(browser)
    later = clock.real_now() + timedelta(minutes=61)
    monkeypatch.setattr(clock, "real_now", lambda: later)
    assert browser.get(reverse("release-read"))["Location"] == reverse("release-code")
    assert make.SECRET_TEXT not in shown_anywhere(browser)
    enter_code(browser)
    assert make.SECRET_TEXT in shown_anywhere(browser)


def test_the_gate_is_open_in_one_browser_and_for_one_link(browser: Client, released: Handover, ema: Recipient) -> None:
    enter_code(browser)
    assert make.SECRET_TEXT not in shown_anywhere(follow(Client(), ema))
    dana = released.owner
    ivo = make.recipient(dana, "ivo@example.org", name="Ivo", phone="+420601000005")
    secret = make.handover(dana, ivo, title="Pro Iva", content="only for Ivo")
    open_handovers(owner_id=dana.pk, switch_id=SWITCH, cycle=CYCLE, now=make.NOON, service_s=NOW_S)
    follow(browser, ivo)
    assert "only for Ivo" not in shown_anywhere(browser)
    assert secret.title not in shown_anywhere(browser)


def test_another_phone_has_to_be_proved_again(browser: Client, released: Handover, ema: Recipient) -> None:
    """Whoever opened it by the old phone is not who has the new one."""
    enter_code(browser)
    Recipient.objects.filter(pk=ema.pk).update(phone="+420601000077")
    assert make.SECRET_TEXT not in shown_anywhere(browser)
    assert browser.get(reverse("release-read"))["Location"] == reverse("release-code")


def test_there_is_nothing_before_the_release(browser: Client, handover: Handover) -> None:
    assert browser.get(reverse("release")).status_code == 404
    assert browser.post(reverse("release-code"), {"send": "1"}).status_code == 404
    assert not CodeChallenge.objects.exists()


def closed(handover: Handover) -> None:
    close_grants(owner_id=handover.owner_id, switch_id=SWITCH, cycle=CYCLE, now=make.NOON)


def expired(_handover: Handover) -> None:
    service_days(90)


def deleted(handover: Handover) -> None:
    delete_handover(handover=handover, now=make.NOON)


@pytest.mark.parametrize("end", [closed, expired, deleted])
def test_what_has_ended_gets_one_kind_page(browser: Client, released: Handover, end: object) -> None:
    asked = browser.post(reverse("release-code"), {"send": "1"})
    assert asked.status_code == 302
    end(released)  # type: ignore[operator]
    digits = code_of(CodeChallenge.objects.get())
    for response in (
        browser.get(reverse("release")),
        browser.get(reverse("release-read")),
        browser.post(reverse("release-code"), {"code": digits}),
        browser.post(reverse("release"), {"answer": "agree"}),
    ):
        assert response.status_code == 404
        assert "There is nothing to read here" in response.content.decode()
        assert "Dana" not in response.content.decode()
    assert not Reading.objects.exists()


@pytest.mark.parametrize("change", [{"switch": SWITCH + 1}, {"cycle": CYCLE + 1}, {"cycle": CYCLE - 1}])
def test_links_of_another_release_get_the_same_page(
    client: Client, released: Handover, ema: Recipient, change: dict[str, int]
) -> None:
    response = follow(client, ema, **change).get(reverse("release"))
    assert response.status_code == 404
    assert "There is nothing to read here" in response.content.decode()


def test_who_has_read_reads_on_after_the_owners_return(browser: Client, released: Handover) -> None:
    enter_code(browser)
    closed(released)
    assert make.SECRET_TEXT in shown_anywhere(browser)


def test_after_the_owners_return_the_news_is_that_all_is_well(browser: Client, released: Handover) -> None:
    """Nobody is to read again that something unfortunate has happened."""
    enter_code(browser)
    closed(released)
    Switch.objects.filter(pk=ensure_switch(owner=released.owner).pk).update(id=SWITCH, cycle=CYCLE + 1)
    page = browser.get(reverse("release")).content.decode()
    assert "Dana Nováková is all right" in page
    assert "unfortunate" not in page
    assert reverse("release-read") in page


def test_who_never_answered_is_asked_first_and_then_reads(browser: Client, released: Handover) -> None:
    Recipient.objects.update(consent=ConsentState.INVITED)
    assert "Do you want to receive it?" in browser.get(reverse("release")).content.decode()
    assert browser.post(reverse("release-code"), {"send": "1"})["Location"] == reverse("release")
    assert not CodeChallenge.objects.exists()
    assert browser.post(reverse("release"), {"answer": "agree"})["Location"] == reverse("release-code")
    enter_code(browser)
    assert make.SECRET_TEXT in shown_anywhere(browser)


def test_who_declines_reads_nothing_even_with_the_gate_open(browser: Client, released: Handover) -> None:
    enter_code(browser)
    browser.post(reverse("release"), {"answer": "decline"})
    assert make.SECRET_TEXT not in shown_anywhere(browser)
    assert "You have declined" in browser.get(reverse("release")).content.decode()


def test_a_later_handover_waits_for_its_day_and_for_a_press(
    browser: Client, released: Handover, ema: Recipient
) -> None:
    make.handover(released.owner, ema, title="Dopis", content="the letter", delay_days=30)
    open_handovers(owner_id=released.owner_id, switch_id=SWITCH, cycle=CYCLE, now=make.NOON, service_s=NOW_S)
    enter_code(browser)
    assert "Dopis" not in shown_anywhere(browser)
    service_days(30)
    page = browser.get(reverse("release-read")).content.decode()
    assert "One more text has opened" in page
    assert "the letter" not in page
    browser.post(reverse("release-read"))
    assert "the letter" in shown_anywhere(browser)
    assert Grant.objects.filter(first_read_at=None).count() == 0


def test_a_copy_by_e_mail_stands_behind_a_warning(browser: Client, released: Handover) -> None:
    grant = Grant.objects.get()
    url = reverse("release-mail", args=[grant.pk])
    assert browser.post(url)["Location"] == reverse("release-code")
    enter_code(browser)
    assert "Here it is protected" in browser.get(url).content.decode()
    assert not Message.objects.filter(kind="vault.content").exists()
    for _ in range(3):
        browser.post(url)
    assert Message.objects.filter(kind="vault.content").count() == 1
    assert browser.post(reverse("release-mail", args=[grant.pk + 1])).status_code == 404


def test_neither_content_nor_code_is_in_the_session_or_any_row(browser: Client, released: Handover) -> None:
    browser.post(reverse("release-code"), {"send": "1"})
    digits = code_of(CodeChallenge.objects.get())
    enter_code(browser)
    browser.get(reverse("release-read"))
    browser.post(reverse("release-mail", args=[Grant.objects.get().pk]))
    stored = database_as_text() + str(dict(browser.session.items()))
    for secret in (make.SECRET_TEXT, "kapr-7319", digits):
        assert secret not in stored
    assert GATE_KEY in browser.session


def test_content_that_cannot_be_opened_hides_no_other(browser: Client, released: Handover, ema: Recipient) -> None:
    other = make.handover(released.owner, ema, title="Druhé", content="the other text")
    open_handovers(owner_id=released.owner_id, switch_id=SWITCH, cycle=CYCLE, now=make.NOON, service_s=NOW_S)
    other.versions.update(ciphertext=b"junk")
    enter_code(browser)
    page = browser.get(reverse("release-read")).content.decode()
    assert make.SECRET_TEXT in page
    assert "cannot be opened now" in page


def test_guessing_the_code_is_slowed_down_and_never_locks_for_ever(browser: Client, released: Handover) -> None:
    browser.post(reverse("release-code"), {"send": "1"})
    for _ in range(6):
        page = browser.post(reverse("release-code"), {"code": "00000000"}).content.decode()
    assert "too many codes or attempts" in page
    digits = code_of(CodeChallenge.objects.get())
    browser.post(reverse("release-code"), {"code": digits})
    assert make.SECRET_TEXT not in shown_anywhere(browser)
    assert not Reading.objects.exists()


# What no key opens --------------------------------------------------------------------------------------------------
def test_the_news_on_the_page_promises_nothing_that_cannot_be_shown(browser: Client, released: Handover) -> None:
    WrappedKey.objects.update(blob=b"junk")
    shown = browser.get(reverse("release")).content.decode()
    assert "We are sorry: it cannot be opened now" in shown
    assert "Do not rush; you can read it" not in shown
    enter_code(browser)
    assert "This text cannot be opened now" in browser.get(reverse("release-read")).content.decode()


def test_a_file_under_an_earlier_key_is_named_and_not_offered(
    browser: Client, released: Handover, keys_file: Path
) -> None:
    file = make.attachment(released)
    keys_file.write_text(f"{Identity.generate()}\n")
    save_handover(
        handover=released, title=released.title, content="anew", base_revision=released.revision, now=make.NOON
    )
    enter_code(browser)
    shown = browser.get(reverse("release-read")).content.decode()
    assert "This file cannot be opened: the key to it is missing." in shown
    assert file.name in shown
    assert reverse("release-attachment", args=[file.pk]) not in shown
    assert "anew" in shown
