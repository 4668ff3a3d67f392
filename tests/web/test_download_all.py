"""Everything as one zip: for the owner, and behind both gates; whoever loses the right gets no more of it."""

from __future__ import annotations

import io
import os
import zipfile
from pathlib import Path

import pytest
from django.http import HttpResponse, StreamingHttpResponse
from django.test import Client
from django.urls import reverse
from pytest_django.fixtures import Settings

from stafeta.accounts.models import User
from stafeta.vault.models import Attachment, Grant, Handover, Recipient
from stafeta.vault.services.release import open_handovers
from stafeta.vault.services.remove_attachment import remove_attachment
from stafeta.vault.storage import attachment_storage
from tests import make
from tests.web.test_release import CYCLE, NOW_S, SWITCH, closed, enter_code
from tests.web.test_release import browser as browser  # noqa: PLC0414 - a fixture
from tests.web.test_release import ema as ema  # noqa: PLC0414 - a fixture
from tests.web.test_release import handover as handover  # noqa: PLC0414 - a fixture
from tests.web.test_release import released as released  # noqa: PLC0414 - a fixture


@pytest.fixture
def file(handover: Handover) -> Attachment:
    return make.attachment(handover)


@pytest.fixture
def danas(handover: Handover) -> Client:
    User.objects.filter(pk=handover.owner_id).update(language="en")
    client = Client()
    client.force_login(handover.owner)
    return client


def zip_of(response: HttpResponse | StreamingHttpResponse) -> zipfile.ZipFile:
    assert isinstance(response, StreamingHttpResponse)
    archive = zipfile.ZipFile(io.BytesIO(b"".join(response)))  # type: ignore[arg-type]
    assert archive.testzip() is None
    return archive


def test_the_owner_gets_the_text_and_every_file(danas: Client, handover: Handover, file: Attachment) -> None:
    make.attachment(handover, b"second", name="Smlouva.pdf")
    remove_attachment(attachment=make.attachment(handover, name="removed.pdf"), now=make.NOON)
    response = danas.get(reverse("handover-download", args=[handover.pk]))
    archive = zip_of(response)  # type: ignore[arg-type]
    assert archive.namelist() == ["Weby klientů.md", "Smlouva.pdf", "smlouva (2).pdf"]
    assert make.SECRET_TEXT in archive.read("Weby klientů.md").decode()
    assert archive.read("smlouva (2).pdf") == make.SECRET_FILE
    assert response["Content-Disposition"] == "attachment; filename*=utf-8''Weby%20klient%C5%AF.zip"
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["Content-Security-Policy"] == "sandbox; default-src 'none'"
    assert "no-store" in response["Cache-Control"]


def test_the_page_offers_it_only_where_there_are_files(danas: Client, handover: Handover) -> None:
    address = reverse("handover-download", args=[handover.pk])
    page = reverse("handover", args=[handover.pk])
    assert address not in danas.get(page).content.decode()
    make.attachment(handover)
    assert address in danas.get(page).content.decode()


def test_a_damaged_file_is_named_and_hides_no_other(danas: Client, handover: Handover, file: Attachment) -> None:
    make.attachment(handover, b"whole", name="whole.txt")
    place = Path(attachment_storage().path(file.file.key))
    place.write_bytes(place.read_bytes()[:-1])
    archive = zip_of(danas.get(reverse("handover-download", args=[handover.pk])))  # type: ignore[arg-type]
    assert archive.namelist() == ["Weby klientů.md", "whole.txt", "WHAT IS MISSING.txt"]
    assert "- smlouva.pdf" in archive.read("WHAT IS MISSING.txt").decode()


def test_plaintext_lies_nowhere_while_it_is_sent(danas: Client, handover: Handover, settings: Settings) -> None:
    make.attachment(handover, os.urandom(2_000_000))
    response = danas.get(reverse("handover-download", args=[handover.pk]))
    for _piece in response:
        assert list(Path(settings.PASSAGE_DIR).glob("*")) == []


def test_the_recipient_gets_what_was_opened_in_folders(
    browser: Client, released: Handover, file: Attachment, ema: Recipient
) -> None:
    enter_code(browser)
    one = zip_of(browser.get(reverse("release-download")))  # type: ignore[arg-type]
    assert one.namelist() == ["Weby klientů.md", "smlouva.pdf"]
    make.attachment(make.handover(released.owner, ema, title="Dopis", content=""), name="dopis.pdf")
    make.attachment(make.handover(released.owner, title="Pro jiné"), name="jine.pdf")
    open_handovers(owner_id=released.owner_id, switch_id=SWITCH, cycle=CYCLE, now=make.NOON, service_s=NOW_S)
    assert zip_of(browser.get(reverse("release-download"))).namelist() == one.namelist()  # type: ignore[arg-type]
    browser.post(reverse("release-read"))
    response = browser.get(reverse("release-download"))
    both = zip_of(response)  # type: ignore[arg-type]
    assert both.namelist() == ["Dopis/dopis.pdf", "Weby klientů/Weby klientů.md", "Weby klientů/smlouva.pdf"]
    assert both.read("Weby klientů/smlouva.pdf") == make.SECRET_FILE
    assert "no-store" in response["Cache-Control"]
    assert reverse("release-download") in browser.get(reverse("release-read")).content.decode()


def revoked(released: Handover) -> None:
    Grant.objects.update(closed_at=make.NOON, first_read_at=None)


@pytest.mark.parametrize("end", [revoked, closed])
def test_what_is_taken_back_while_it_is_sent_is_not_sent_on(
    browser: Client, released: Handover, file: Attachment, end: object
) -> None:
    """The text is on its way when it happens; the file is not any more. Who had read already keeps it."""
    Recipient.objects.update(language="en")
    enter_code(browser)
    response = browser.get(reverse("release-download"))
    pieces = iter(response)
    sent = [next(pieces)]
    end(released)  # type: ignore[operator]
    archive = zipfile.ZipFile(io.BytesIO(b"".join([*sent, *pieces])))
    if end is closed:
        assert "smlouva.pdf" in archive.namelist()
    else:
        assert archive.namelist() == ["Weby klientů.md", "WHAT IS MISSING.txt"]


def test_a_look_at_the_headers_opens_nothing(
    browser: Client, released: Handover, file: Attachment, monkeypatch: pytest.MonkeyPatch
) -> None:
    enter_code(browser)
    monkeypatch.setattr("stafeta.vault.services.open_attachment.unseal_file", lambda *_, **__: pytest.fail("opened"))
    response = browser.head(reverse("release-download"))
    assert response["Content-Type"] == "application/zip"
    assert response.content == b""
