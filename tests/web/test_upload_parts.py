"""A file sent part by part: what the script gets to hear, from the first part to the list with the file in it."""

from __future__ import annotations

import html
import json
import os
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse
from pytest_django.fixtures import Settings

from stafeta.accounts.models import User
from stafeta.switches.models import Event
from stafeta.vault.models import Attachment, Handover, PartialUpload, StoredFile
from stafeta.vault.selectors import attachments_of
from stafeta.vault.services import receive_upload
from stafeta.vault.services.open_attachment import open_attachment
from stafeta.web.views import uploads as views
from tests import make

PART = 1000
CONTENT = b"%PDF-" + os.urandom(2495)

pytestmark = pytest.mark.usefixtures("keys_file")


@pytest.fixture(autouse=True)
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (receive_upload, views):
        monkeypatch.setattr(module, "PART_BYTES", PART)


def post(browser: Client, name: str, *place: int, body: object = b"", query: str = "") -> HttpResponse:
    data = body if isinstance(body, bytes) else json.dumps(body)
    kind = "application/octet-stream" if isinstance(body, bytes) else "application/json"
    return browser.post(
        reverse(name, args=place) + query, data, content_type=kind, headers={"accept": "application/json"}
    )  # type: ignore[return-value]


def begin(browser: Client, handover: Handover, *, name: str = "plán.pdf", size: int = len(CONTENT)) -> HttpResponse:
    facts = {"name": name, "size_bytes": size, "modified_ms": 1_700_000_000_000}
    return post(browser, "handover-uploads", handover.pk, body=facts)


def state(response: HttpResponse) -> Any:
    assert response.status_code == 200, response.content
    return json.loads(response.content)


def send(browser: Client, handover: Handover, number: int, part: int) -> HttpResponse:
    piece = CONTENT[part * PART : (part + 1) * PART]
    return post(browser, "handover-upload-part", handover.pk, number, body=piece, query=f"?part={part}")


def whole(browser: Client, handover: Handover) -> int:
    number = int(state(begin(browser, handover))["id"])
    for part in range(3):
        assert state(send(browser, handover, number, part))["next"] == part + 1
    return number


def error(response: HttpResponse) -> str:
    return html.unescape(str(json.loads(response.content)["error"]))


def test_a_file_arrives_in_parts_and_is_in_the_list(browser: Client, handover: Handover) -> None:
    number = whole(browser, handover)
    answer = state(post(browser, "handover-upload-finish", handover.pk, number))
    one = Attachment.objects.get()
    assert reverse("handover-attachment", args=[handover.pk, one.pk]) in answer["html"]
    with open_attachment(one) as file:
        assert file.read() == CONTENT
    assert (one.name, one.media_type) == ("plán.pdf", "application/pdf")
    assert StoredFile.objects.get() == one.file  # the parts are erased
    assert Event.objects.get(kind="AttachmentAdded").event["file"] == "plán.pdf"


def test_finishing_twice_adds_one_file(browser: Client, handover: Handover) -> None:
    number = whole(browser, handover)
    for _ in range(2):
        assert "plán.pdf" in state(post(browser, "handover-upload-finish", handover.pk, number))["html"]
    assert Attachment.objects.count() == 1
    assert Event.objects.filter(kind="AttachmentAdded").count() == 1


def test_two_who_finish_in_the_same_moment_add_one_file(
    browser: Client, handover: Handover, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = whole(browser, handover)
    take_in = views.take_in

    def slowly(*args: Any, **kwargs: Any) -> Attachment:
        monkeypatch.setattr(views, "take_in", take_in)
        parts = list(PartialUpload.objects.get().parts.select_related("file"))
        monkeypatch.setattr(views, "discard_parts", lambda *_, **__: None)
        state(post(browser, "handover-upload-finish", handover.pk, number))
        assert parts
        return take_in(*args, **kwargs)

    monkeypatch.setattr(views, "take_in", slowly)
    assert "plán.pdf" in state(post(browser, "handover-upload-finish", handover.pk, number))["html"]
    assert Attachment.objects.count() == 1
    assert Event.objects.filter(kind="AttachmentAdded").count() == 1


def test_after_a_reload_the_page_knows_it_and_sending_goes_on(browser: Client, handover: Handover) -> None:
    number = int(state(begin(browser, handover))["id"])
    send(browser, handover, number, 0)
    page = html.unescape(browser.get(reverse("handover", args=[handover.pk])).content.decode())
    assert "Not here whole yet" in page
    assert "1000\xa0bytes of 2.4\xa0KB have arrived." in page
    assert state(begin(browser, handover)) == {"id": number, "next": 1, "part_bytes": PART}
    send(browser, handover, number, 1)
    send(browser, handover, number, 2)
    state(post(browser, "handover-upload-finish", handover.pk, number))
    page = browser.get(reverse("handover", args=[handover.pk])).content.decode()
    assert "Not here whole yet" not in page


def test_a_part_that_broke_off_is_asked_for_again(browser: Client, handover: Handover) -> None:
    number = int(state(begin(browser, handover))["id"])
    response = post(browser, "handover-upload-part", handover.pk, number, body=CONTENT[:700], query="?part=0")
    assert (response.status_code, json.loads(response.content)) == (409, {"next": 0})
    assert state(send(browser, handover, number, 0))["next"] == 1


def test_finishing_what_is_not_whole_says_so(browser: Client, handover: Handover) -> None:
    number = int(state(begin(browser, handover))["id"])
    send(browser, handover, number, 0)
    response = post(browser, "handover-upload-finish", handover.pk, number)
    assert response.status_code == 422
    assert error(response) == "“plán.pdf” did not arrive whole. Please send it again."
    assert not PartialUpload.objects.exists()


def test_limits_are_explained_before_anything_is_sent(browser: Client, handover: Handover, settings: Settings) -> None:
    settings.ATTACHMENT_BYTES_MAX = 1024
    response = begin(browser, handover)
    assert response.status_code == 413
    assert error(response).startswith("“plán.pdf” cannot be added: it is 2.4\xa0KB, the most is 1.0\xa0KB.")
    assert "the file is empty" in error(begin(browser, handover, size=0))


def test_room_that_others_took_meanwhile_is_explained(browser: Client, handover: Handover, settings: Settings) -> None:
    number = whole(browser, handover)
    make.attachment(handover)
    settings.HANDOVER_ATTACHMENTS_BYTES_MAX = 2510
    response = post(browser, "handover-upload-finish", handover.pk, number)
    assert response.status_code == 413
    assert "all files of a handover together" in error(response)
    assert StoredFile.objects.count() == 1


def test_giving_up_erases_everything_with_and_without_the_script(browser: Client, handover: Handover) -> None:
    for accept in ("application/json", "text/html"):
        number = int(state(begin(browser, handover))["id"])
        send(browser, handover, number, 0)
        address = reverse("handover-upload-discard", args=[handover.pk, number])
        response = browser.post(address, headers={"accept": accept})
        assert response.status_code == (302 if accept == "text/html" else 200)
        assert not PartialUpload.objects.exists()
        assert not StoredFile.objects.exists()


@pytest.mark.parametrize(
    "body",
    [b"", b"[]", b"{", b"\xff", {"name": "a"}, {"name": 1, "size_bytes": 1, "modified_ms": 1},
     {"name": "a", "size_bytes": -1, "modified_ms": 1}, {"name": "a", "size_bytes": True, "modified_ms": 1},
     {"name": "a", "size_bytes": 2**60, "modified_ms": 1}, {"name": "a", "size_bytes": 1, "modified_ms": 2**70}],
)  # fmt: skip
def test_what_no_script_of_ours_sends_is_refused(browser: Client, handover: Handover, body: object) -> None:
    response = post(browser, "handover-uploads", handover.pk, body=body)
    assert (response.status_code, error(response)) == (400, "The request was damaged on its way.")


@pytest.mark.parametrize("query", ["", "?part=", "?part=-1", "?part=x", "?part=٣", "?part=99999999999"])
def test_a_part_without_a_number_is_refused(browser: Client, handover: Handover, query: str) -> None:
    number = int(state(begin(browser, handover))["id"])
    assert post(browser, "handover-upload-part", handover.pk, number, body=b"x", query=query).status_code == 400


def test_a_name_of_ten_thousand_characters_is_shortened(browser: Client, handover: Handover) -> None:
    state(begin(browser, handover, name="../" + "ž" * 10_000 + ".pdf"))
    assert len(PartialUpload.objects.get().name) == 150
    state(begin(browser, handover, name="../" + "ž" * 10_000 + ".pdf"))
    assert PartialUpload.objects.count() == 1


STEPS = ["handover-upload-part", "handover-upload-finish", "handover-upload-discard"]


def test_mallory_finds_no_upload_of_danas(browser: Client, handover: Handover, client: Client) -> None:
    number = whole(browser, handover)
    mallory = make.owner("mallory@example.org", name="Mallory")
    hers = make.handover(mallory, title="Mine")
    other = Client()
    other.force_login(mallory)
    assert begin(other, handover).status_code == 404
    for place in ([handover.pk, number], [hers.pk, number]):
        for name in STEPS:
            assert post(other, name, *place, body=b"x", query="?part=0").status_code == 404
    assert PartialUpload.objects.get().parts.count() == 3
    assert attachments_of(handover) == []


def test_a_stranger_and_a_forged_form_send_nothing(dana: User, handover: Handover) -> None:
    assert begin(Client(), handover)["Location"].startswith(reverse("account_login"))
    forged = Client(enforce_csrf_checks=True)
    forged.force_login(dana)
    assert begin(forged, handover).status_code == 403
    assert not PartialUpload.objects.exists()


def test_looking_at_the_addresses_changes_nothing(browser: Client, handover: Handover) -> None:
    number = whole(browser, handover)
    assert browser.get(reverse("handover-uploads", args=[handover.pk])).status_code == 405
    for name in STEPS:
        assert browser.get(reverse(name, args=[handover.pk, number])).status_code == 405
    assert PartialUpload.objects.get().parts.count() == 3
