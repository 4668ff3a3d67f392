"""Files on the release page: behind both gates like the text, and gone with it; everything closed looks the same."""

from __future__ import annotations

import html
from datetime import timedelta
from pathlib import Path

import pytest
from django.http import FileResponse
from django.test import Client
from django.urls import reverse

from stafeta import clock
from stafeta.switches.models import ServiceClock
from stafeta.vault.models import Attachment, Grant, Handover, Reading, Recipient
from stafeta.vault.services.release import open_handovers
from stafeta.vault.services.remove_attachment import remove_attachment
from stafeta.vault.storage import attachment_storage
from tests import make
from tests.web.test_release import CYCLE, NOW_S, SWITCH, closed, deleted, enter_code, expired, follow, service_days
from tests.web.test_release import browser as browser  # noqa: PLC0414 - a fixture
from tests.web.test_release import ema as ema  # noqa: PLC0414 - a fixture
from tests.web.test_release import handover as handover  # noqa: PLC0414 - a fixture
from tests.web.test_release import released as released  # noqa: PLC0414 - a fixture


@pytest.fixture
def file(handover: Handover) -> Attachment:
    return make.attachment(handover)


def address(file: Attachment) -> str:
    return reverse("release-attachment", args=[file.pk])


def got(browser: Client, file: Attachment) -> bytes | None:
    """Return what this browser gets for the address of the file, if it is a file at all."""
    response = browser.get(address(file))
    if isinstance(response, FileResponse):
        return b"".join(response)  # type: ignore[call-overload,no-any-return]
    assert b"golden carp" not in response.content
    assert file.name not in response.content.decode()
    assert response.status_code in (302, 404)
    return None


def test_after_the_code_the_file_is_listed_and_to_be_had(browser: Client, file: Attachment, released: Handover) -> None:
    assert got(browser, file) is None
    enter_code(browser)
    page = browser.get(reverse("release-read")).content.decode()
    assert file.name in page
    assert address(file) in page
    response = browser.get(address(file))
    assert isinstance(response, FileResponse)
    assert b"".join(response) == make.SECRET_FILE  # type: ignore[call-overload]
    assert response["Content-Type"] == "application/pdf"
    assert response["Content-Disposition"] == 'attachment; filename="smlouva.pdf"'
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["Content-Security-Policy"] == "sandbox; default-src 'none'"
    assert "no-store" in response["Cache-Control"]
    assert Reading.objects.count() == 1  # of the code; looking again is no new one


def test_nothing_is_given_before_the_code(browser: Client, file: Attachment, released: Handover) -> None:
    assert browser.get(address(file))["Location"] == reverse("release-code")
    browser.post(reverse("release-code"), {"send": "1"})
    browser.post(reverse("release-code"), {"code": "00000000"})
    assert got(browser, file) is None


def test_nothing_is_given_before_the_release(browser: Client, file: Attachment) -> None:
    assert browser.get(address(file)).status_code == 404


def test_the_gate_closes_after_an_hour(
    browser: Client, file: Attachment, released: Handover, monkeypatch: pytest.MonkeyPatch
) -> None:
    enter_code(browser)
    later = clock.real_now() + timedelta(minutes=61)
    monkeypatch.setattr(clock, "real_now", lambda: later)
    assert browser.get(address(file))["Location"] == reverse("release-code")


def revoked(handover: Handover) -> None:
    Grant.objects.update(closed_at=make.NOON, first_read_at=None)


def taken_off(handover: Handover) -> None:
    Grant.objects.update(closed_at=make.NOON)


@pytest.mark.parametrize("end", [expired, deleted, revoked, taken_off])
def test_what_has_ended_gives_nothing_even_with_the_gate_open(
    browser: Client, file: Attachment, released: Handover, end: object
) -> None:
    enter_code(browser)
    end(released)  # type: ignore[operator]
    response = browser.get(address(file))
    assert response.status_code == 404
    assert "There is nothing to read here" in response.content.decode()


def test_the_owners_return_closes_what_was_not_opened(browser: Client, file: Attachment, released: Handover) -> None:
    closed(released)
    assert browser.get(address(file)).status_code == 404


def test_who_has_read_keeps_the_files_after_the_owners_return(
    browser: Client, file: Attachment, released: Handover
) -> None:
    enter_code(browser)
    closed(released)
    assert got(browser, file) == make.SECRET_FILE


@pytest.mark.parametrize("change", [{"switch": SWITCH + 1}, {"cycle": CYCLE + 1}, {"cycle": CYCLE - 1}])
def test_a_link_of_another_release_gives_nothing(
    browser: Client, file: Attachment, released: Handover, ema: Recipient, change: dict[str, int]
) -> None:
    """Neither by itself nor after the right one was opened in this browser."""
    assert follow(Client(), ema, **change).get(address(file)).status_code == 404
    enter_code(browser)
    assert follow(browser, ema, **change).get(address(file)).status_code == 404


def test_another_recipient_and_another_owners_files_are_not_found(
    browser: Client, file: Attachment, released: Handover
) -> None:
    dana = released.owner
    ivo = make.recipient(dana, "ivo@example.org", name="Ivo", phone="+420601000005")
    ivos = make.attachment(make.handover(dana, ivo, title="Pro Iva"))
    mallory = make.owner("mallory@example.org", name="Mallory")
    hers = make.attachment(make.handover(mallory, make.recipient(mallory, "eva@example.org")))
    open_handovers(owner_id=dana.pk, switch_id=SWITCH, cycle=CYCLE, now=make.NOON, service_s=NOW_S)
    open_handovers(owner_id=mallory.pk, switch_id=SWITCH, cycle=CYCLE, now=make.NOON, service_s=NOW_S)
    enter_code(browser)
    assert got(browser, file) == make.SECRET_FILE
    for foreign in (ivos, hers):
        assert browser.get(address(foreign)).status_code == 404
    follow(browser, ivo)
    assert got(browser, file) is None


def test_a_file_of_a_later_handover_waits_for_its_day_and_for_a_press(
    browser: Client, released: Handover, ema: Recipient
) -> None:
    later = make.attachment(make.handover(released.owner, ema, title="Dopis", delay_days=30), name="dopis.pdf")
    open_handovers(owner_id=released.owner_id, switch_id=SWITCH, cycle=CYCLE, now=make.NOON, service_s=NOW_S)
    enter_code(browser)
    assert browser.get(address(later)).status_code == 404
    service_days(30)
    assert browser.get(address(later)).status_code == 404
    browser.post(reverse("release-read"))
    assert got(browser, later) == make.SECRET_FILE


def test_a_removed_file_is_neither_listed_nor_given(browser: Client, file: Attachment, released: Handover) -> None:
    remove_attachment(attachment=file, now=make.NOON)
    enter_code(browser)
    assert file.name not in browser.get(reverse("release-read")).content.decode()
    assert browser.get(address(file)).status_code == 404


def test_who_declines_gets_no_file_even_with_the_gate_open(
    browser: Client, file: Attachment, released: Handover
) -> None:
    enter_code(browser)
    browser.post(reverse("release"), {"answer": "decline"})
    assert got(browser, file) is None


def test_a_damaged_file_gives_nothing_says_so_and_hides_no_other(
    browser: Client, file: Attachment, released: Handover
) -> None:
    other = make.attachment(released, b"x" * 100, name="other.txt")
    place = Path(attachment_storage().path(file.file.key))
    place.write_bytes(place.read_bytes()[:-1])
    enter_code(browser)
    response = browser.get(address(file), follow=True)
    assert "“smlouva.pdf” cannot be opened now." in html.unescape(response.content.decode())
    assert got(browser, other) == b"x" * 100


def test_a_copy_by_e_mail_says_that_the_files_stay_here(browser: Client, file: Attachment, released: Handover) -> None:
    enter_code(browser)
    page = browser.get(reverse("release-mail", args=[Grant.objects.get().pk])).content.decode()
    assert "Its files would not" in page


def test_a_handover_of_files_alone_is_read(browser: Client, released: Handover, ema: Recipient) -> None:
    blank = make.handover(released.owner, ema, title="Jen soubory", content="")
    one = make.attachment(blank, name="plán.pdf")
    open_handovers(owner_id=released.owner_id, switch_id=SWITCH, cycle=CYCLE, now=make.NOON, service_s=NOW_S)
    enter_code(browser)
    assert "plán.pdf" in browser.get(reverse("release-read")).content.decode()
    assert got(browser, one) == make.SECRET_FILE
    assert ServiceClock.objects.exists()
