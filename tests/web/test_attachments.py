"""The files of a handover at their owner's: sent by a form, looked at, removed, brought back; and nobody else's."""

from __future__ import annotations

import html
import os
from pathlib import Path
from typing import IO

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import FileResponse
from django.test import Client
from django.test.client import BOUNDARY, MULTIPART_CONTENT, encode_multipart
from django.urls import reverse
from pytest_django.fixtures import Settings

from stafeta.accounts.models import User
from stafeta.switches.models import Event
from stafeta.vault.models import Attachment, Handover, StoredFile
from stafeta.vault.selectors import attachments_of
from stafeta.vault.services.delete_handover import delete_handover
from stafeta.vault.services.open_attachment import open_attachment
from stafeta.vault.storage import attachment_storage
from stafeta.web import uploads
from tests import make
from tests.web.traces import database_as_text

pytestmark = pytest.mark.usefixtures("keys_file")


def file(name: str = "smlouva.pdf", content: bytes = make.SECRET_FILE) -> SimpleUploadedFile:
    return SimpleUploadedFile(name, content, content_type="text/html")


def send(browser: Client, handover: Handover, *files: SimpleUploadedFile) -> str:
    """Send files by the form and return the page that is shown then."""
    response = browser.post(
        reverse("handover-attach", args=[handover.pk]), {"files": list(files), "end": "1"}, follow=True
    )
    assert response.status_code == 200
    return html.unescape(response.content.decode())


def names(handover: Handover) -> list[str]:
    return [one.name for one in attachments_of(handover)]


def passage(settings: Settings) -> list[str]:
    place = Path(settings.PASSAGE_DIR)
    return [path.name for path in place.iterdir()] if place.exists() else []


# Sent ---------------------------------------------------------------------------------------------------------------
def test_several_files_are_sent_at_once_and_listed(browser: Client, handover: Handover, settings: Settings) -> None:
    page = send(browser, handover, file(), file("klíče.zip", os.urandom(200_000)))
    assert names(handover) == ["klíče.zip", "smlouva.pdf"]
    assert "2 files were added." in page
    assert "klíče.zip" in page
    assert "195.3\xa0KB" in page
    assert passage(settings) == []
    assert "golden carp" not in database_as_text()
    assert [event.event["file"] for event in Event.objects.filter(kind="AttachmentAdded")] == [
        "smlouva.pdf",
        "klíče.zip",
    ]
    assert "You added the file “klíče.zip” to “Weby klientů”." in html.unescape(
        browser.get(reverse("history")).content.decode()
    )


def test_a_form_without_a_file_says_so(browser: Client, handover: Handover) -> None:
    assert "Choose a file first." in send(browser, handover)


def test_one_file_that_is_refused_keeps_none_of_the_others_out(
    browser: Client, handover: Handover, settings: Settings
) -> None:
    settings.ATTACHMENT_BYTES_MAX = 1024
    page = send(browser, handover, file("velký.mov", b"x" * 200_000), file("prázdný.txt", b""), file())
    assert names(handover) == ["smlouva.pdf"]
    assert "“velký.mov” cannot be added: it is 195.3\xa0KB, the most is 1.0\xa0KB." in page
    assert "“prázdný.txt” cannot be added: the file is empty." in page
    assert "1 file was added." in page
    assert make.SECRET_TEXT in page  # the text above is as it was
    assert StoredFile.objects.count() == 1


def test_what_is_sent_at_once_is_bounded_too(browser: Client, handover: Handover, settings: Settings) -> None:
    settings.HANDOVER_ATTACHMENTS_BYTES_MAX = 100_000
    page = send(browser, handover, file("a", b"x" * 70_000), file("b", b"x" * 70_000), file("c", b"x"))
    assert names(handover) == ["a"]
    assert "“b” cannot be added: all files of a handover together can be 97.7\xa0KB at most." in page


def test_too_many_files_are_refused_with_words(
    browser: Client, handover: Handover, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uploads, "ATTACHMENTS_MAX", 2)
    page = send(browser, handover, file("a"), file("b"), file("c"))
    assert names(handover) == ["a", "b"]
    assert "“c” cannot be added: a handover can have 2 files." in page


def full_disk() -> IO[bytes]:
    return Path("/dev/full").open("w+b", buffering=0)


@pytest.mark.parametrize("missing", [1, 40, 150, 60_000])
def test_a_form_that_breaks_off_adds_nothing(browser: Client, handover: Handover, missing: int) -> None:
    """Half a file must not pass for the whole one."""
    body = encode_multipart(BOUNDARY, {"files": [file(), file("b.zip", os.urandom(100_000))], "end": "1"})
    url = reverse("handover-attach", args=[handover.pk])
    browser.generic("POST", url, body[:-missing], content_type=MULTIPART_CONTENT)
    page = browser.get(reverse("handover", args=[handover.pk])).content.decode()
    is_cut = missing > len(f"\r\n--{BOUNDARY}--\r\n")
    assert ("broke off and nothing was added" in page) is is_cut
    assert len(names(handover)) == (0 if is_cut else 2)


@pytest.mark.parametrize("where", ["stafeta.web.uploads", "stafeta.vault.services.add_attachment"])
def test_a_full_disk_is_said_and_nothing_is_kept(
    browser: Client, handover: Handover, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    monkeypatch.setattr(f"{where}.passing_file", full_disk)
    assert "“smlouva.pdf” cannot be added: there is no room for it on the server now." in send(
        browser, handover, file()
    )
    assert not Attachment.objects.exists()
    assert not StoredFile.objects.exists()


def test_a_name_is_shown_and_given_back_harmlessly(browser: Client, handover: Handover) -> None:
    response = browser.post(
        reverse("handover-attach", args=[handover.pk]),
        {"files": file('<img src=x onerror=alert(1)>"\u202egpj.exe'), "end": "1"},
    )
    assert response.status_code == 302
    page = browser.get(reverse("handover", args=[handover.pk])).content.decode()
    assert "<img src=x" not in page
    assert "\u202e" not in page
    download = browser.get(reverse("handover-attachment", args=[handover.pk, Attachment.objects.get().pk]))
    assert "\n" not in download["Content-Disposition"]


# Given back ---------------------------------------------------------------------------------------------------------
def test_a_file_comes_back_as_a_download_that_can_do_nothing(browser: Client, handover: Handover) -> None:
    send(browser, handover, file("stránka.html", b"<script>alert(1)</script>"))
    response = browser.get(reverse("handover-attachment", args=[handover.pk, Attachment.objects.get().pk]))
    assert isinstance(response, FileResponse)
    assert b"".join(response) == b"<script>alert(1)</script>"  # type: ignore[call-overload]
    assert response["Content-Type"] == "application/octet-stream"
    assert response["Content-Disposition"] == "attachment; filename*=utf-8''str%C3%A1nka.html"
    assert response["Content-Length"] == "25"
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["Content-Security-Policy"] == "sandbox; default-src 'none'"
    assert "no-store" in response["Cache-Control"]
    assert response["X-Frame-Options"] == "DENY"


@pytest.mark.parametrize("loss", ["damaged", "missing", "keyless"])
def test_a_file_that_cannot_be_opened_says_so_and_shows_nothing(
    browser: Client, handover: Handover, keys_file: Path, loss: str
) -> None:
    one = make.attachment(handover, os.urandom(200_000))
    place = Path(attachment_storage().path(one.file.key))
    if loss == "damaged":
        place.write_bytes(place.read_bytes()[:-1])
    elif loss == "missing":
        place.unlink()
    else:
        keys_file.unlink()
    response = browser.get(reverse("handover-attachment", args=[handover.pk, one.pk]))
    assert response["Location"] == reverse("handover", args=[handover.pk])
    if loss != "keyless":  # without keys the page itself says so
        page = html.unescape(browser.get(response["Location"]).content.decode())
        assert "“smlouva.pdf” cannot be opened now." in page


def test_as_the_recipient_the_owner_sees_the_files_too(browser: Client, handover: Handover) -> None:
    one = make.attachment(handover)
    page = browser.get(reverse("handover-as-recipient", args=[handover.pk])).content.decode()
    assert reverse("handover-attachment", args=[handover.pk, one.pk]) in page


# Removed ------------------------------------------------------------------------------------------------------------
def test_removing_is_undone_by_one_press_and_twice_is_harmless(browser: Client, handover: Handover) -> None:
    one = make.attachment(handover)
    place = [handover.pk, one.pk]
    for _ in range(2):
        assert browser.post(reverse("handover-attachment-remove", args=place)).status_code == 302
    assert names(handover) == []
    assert browser.get(reverse("handover-attachment", args=place)).status_code == 404
    page = browser.get(reverse("handover", args=[handover.pk])).content.decode()
    assert "Recently removed" in page
    assert one.name in page
    for _ in range(2):
        assert browser.post(reverse("handover-attachment-restore", args=place)).status_code == 302
    assert names(handover) == [one.name]
    with open_attachment(Attachment.objects.get()) as opened:
        assert opened.read() == make.SECRET_FILE
    assert Event.objects.filter(kind__startswith="Attachment").count() == 2


def test_bringing_back_what_has_no_room_any_more_says_so(
    browser: Client, handover: Handover, settings: Settings
) -> None:
    one = make.attachment(handover)
    browser.post(reverse("handover-attachment-remove", args=[handover.pk, one.pk]))
    make.attachment(handover, name="druhá.pdf")
    settings.HANDOVER_ATTACHMENTS_BYTES_MAX = len(make.SECRET_FILE)
    response = browser.post(reverse("handover-attachment-restore", args=[handover.pk, one.pk]), follow=True)
    assert "all files of a handover together" in html.unescape(response.content.decode())
    assert names(handover) == ["druhá.pdf"]


# Whoever it is not for ----------------------------------------------------------------------------------------------
ROADS = ["handover-attachment", "handover-attachment-remove", "handover-attachment-restore"]


def test_mallory_finds_nothing_and_adds_nothing(client: Client, handover: Handover) -> None:
    one = make.attachment(handover)
    mallory = make.owner("mallory@example.org", name="Mallory")
    hers = make.handover(mallory, title="Mine")
    client.force_login(mallory)
    for place in ([handover.pk, one.pk], [hers.pk, one.pk]):
        assert client.get(reverse("handover-attachment", args=place)).status_code == 404
        for name in ROADS[1:]:
            assert client.post(reverse(name, args=place)).status_code == 404
    assert client.post(reverse("handover-attach", args=[handover.pk]), {"files": file(), "end": "1"}).status_code == 404
    assert Attachment.objects.get().deleted_at is None


def test_a_stranger_is_asked_to_sign_in_and_nothing_of_theirs_is_even_kept(
    client: Client, handover: Handover, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = make.attachment(handover)
    monkeypatch.setattr(uploads, "passing_file", lambda: pytest.fail("a stranger's file was written down"))
    response = client.post(reverse("handover-attach", args=[handover.pk]), {"files": file(), "end": "1"})
    assert response["Location"].startswith(reverse("account_login"))
    client.post(reverse("account_login"), {"login": "dana@example.org", "password": "x", "files": file()})
    for name in ROADS:
        response = client.get(reverse(name, args=[handover.pk, one.pk]))
        assert response.status_code in (302, 405)
    assert Attachment.objects.count() == 1


def test_files_are_taken_on_no_other_page(browser: Client, handover: Handover, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploads, "passing_file", lambda: pytest.fail("a file was written down"))
    facts = {"title": "New", "content": "x", "revision": 1, "files": file()}
    assert browser.post(reverse("handover", args=[handover.pk]), facts).status_code == 302


def test_who_had_to_sign_in_first_lands_on_the_handovers_page(browser: Client, handover: Handover) -> None:
    response = browser.get(reverse("handover-attach", args=[handover.pk]))
    assert response["Location"] == reverse("handover", args=[handover.pk])


def test_a_form_without_its_token_adds_nothing(dana: User, handover: Handover) -> None:
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(dana)
    response = browser.post(reverse("handover-attach", args=[handover.pk]), {"files": file(), "end": "1"})
    assert response.status_code == 403
    assert not Attachment.objects.exists()


def test_a_deleted_handover_gives_and_takes_no_file(browser: Client, handover: Handover) -> None:
    one = make.attachment(handover)
    delete_handover(handover=handover, now=make.NOON)
    assert browser.get(reverse("handover-attachment", args=[handover.pk, one.pk])).status_code == 404
    assert (
        browser.post(reverse("handover-attach", args=[handover.pk]), {"files": file(), "end": "1"}).status_code == 404
    )


def test_looking_changes_nothing(browser: Client, handover: Handover) -> None:
    one = make.attachment(handover)

    def rows() -> object:
        return [list(model.objects.order_by("pk").values()) for model in (Attachment, StoredFile, Event)]

    before = rows()
    for name in ROADS:
        browser.get(reverse(name, args=[handover.pk, one.pk]))
        browser.head(reverse(name, args=[handover.pk, one.pk]))
    browser.get(reverse("handover-attach", args=[handover.pk]))
    assert rows() == before
