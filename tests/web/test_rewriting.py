"""A handover that nobody can open: its owner sees it at once, everywhere, and can write it anew."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from pyrage.x25519 import Identity

from stafeta.switches.models import Event
from stafeta.vault.models import Handover, WrappedKey
from stafeta.vault.sealing import HOLDER_LOST
from stafeta.vault.selectors import read_content
from tests import make
from tests.web.test_handovers import autosave

NEW_TEXT = "written anew"


@pytest.fixture
def lost(handover: Handover, keys_file: Path) -> Handover:
    """Dana's handover, with a file, after its key was lost and given up."""
    make.attachment(handover, name="smlouva.pdf")
    WrappedKey.objects.update(holder=HOLDER_LOST)
    keys_file.write_text(f"{Identity.generate()}\n")
    return handover


def page(browser: Client, name: str, *args: object, query: str = "") -> str:
    return browser.get(reverse(name, args=args) + query).content.decode()


def test_every_page_of_the_owner_says_that_nobody_can_read_it(browser: Client, lost: Handover) -> None:
    assert "Nobody can read “Weby klientů” now" in page(browser, "dashboard")
    assert "Nobody can read it: its key is missing." in page(browser, "dashboard")
    listed = page(browser, "handovers")
    assert "Nobody can read it: the key to it is missing." in listed
    assert "not ready" in listed


def test_its_page_leads_to_an_empty_editor_and_changes_nothing(browser: Client, lost: Handover) -> None:
    shown = browser.get(reverse("handover", args=[lost.pk]))
    assert shown.status_code == 503
    assert f'href="{reverse("handover", args=[lost.pk])}?anew=1"' in shown.content.decode()
    editor = browser.get(reverse("handover", args=[lost.pk]) + "?anew=1")
    assert editor.status_code == 200
    assert "data-editor" in editor.content.decode()
    assert WrappedKey.objects.get().holder == HOLDER_LOST
    assert Handover.objects.get().revision == lost.revision


def test_the_way_to_write_anew_shows_what_can_be_opened_unchanged(browser: Client, handover: Handover) -> None:
    assert make.SECRET_TEXT in page(browser, "handover", handover.pk, query="?anew=1")


def test_a_save_by_the_button_is_readable_and_its_owner_is_told_what_is_not(browser: Client, lost: Handover) -> None:
    form = {"title": lost.title, "content": NEW_TEXT, "revision": lost.revision}
    shown = browser.post(reverse("handover", args=[lost.pk]), form, follow=True).content.decode()
    assert "Nobody could open this handover any more" in shown
    assert "please add them again" in shown
    assert "Nobody can open it: its key is missing." in shown, "beside the file"
    assert read_content(Handover.objects.get()) == NEW_TEXT
    assert [event.event["title"] for event in Event.objects.filter(kind="HandoverKeyRenewed")] == [lost.title]
    assert "anew under a fresh key" in page(browser, "history")
    assert "Nobody can read" not in page(browser, "dashboard")


def test_a_save_by_the_script_tells_it_in_the_same_answer_and_once(browser: Client, lost: Handover) -> None:
    status, answer = autosave(browser, lost, content=NEW_TEXT)
    assert status == 200
    assert "Nobody could open this handover any more" in str(answer["notice"])
    status, answer = autosave(browser, lost, content="and more", revision=answer["revision"])
    assert (status, answer["notice"]) == (200, "")
    assert Event.objects.filter(kind="HandoverKeyRenewed").count() == 1


def test_a_save_over_another_windows_text_renews_nothing(browser: Client, lost: Handover) -> None:
    status, answer = autosave(browser, lost, content=NEW_TEXT, revision=lost.revision + 7)
    assert (status, answer["content"]) == (409, ""), "what stands there cannot be shown"
    assert WrappedKey.objects.get().holder == HOLDER_LOST
    assert not Event.objects.filter(kind="HandoverKeyRenewed").exists()


def test_without_keys_nothing_is_saved_and_nothing_typed_is_lost(
    browser: Client, handover: Handover, keys_file: Path
) -> None:
    keys_file.unlink()
    status, answer = autosave(browser, handover, content=NEW_TEXT)
    assert status == 503
    assert "The keys of this service are missing" in str(answer["errors"])
    form = {"title": handover.title, "content": NEW_TEXT, "revision": handover.revision}
    kept = browser.post(reverse("handover", args=[handover.pk]), form)
    assert kept.status_code == 503
    assert NEW_TEXT in kept.content.decode()
    assert Handover.objects.get().revision == handover.revision


def test_a_file_for_a_handover_that_nobody_opens_is_refused_with_the_way_on(browser: Client, lost: Handover) -> None:
    """Taken in, it would be as closed as the rest."""
    files = {"files": SimpleUploadedFile("plan.pdf", b"%PDF-1.7"), "end": "1"}
    browser.post(reverse("handover-attach", args=[lost.pk]), files)
    assert lost.attachments.count() == 1
    assert "Write its text anew first." in page(browser, "handover", lost.pk, query="?anew=1")
    begun = browser.post(
        reverse("handover-uploads", args=[lost.pk]),
        json.dumps({"name": "plan.pdf", "size_bytes": 8, "modified_ms": 0}),
        content_type="application/json",
    )
    assert begun.status_code == 422
    assert "Write its text anew first." in begun.json()["error"]
