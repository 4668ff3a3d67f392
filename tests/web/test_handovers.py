"""The owner's handovers on the web: the list, the editor's two ways to save, terms, versions, deletion."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from django.test import Client
from django.urls import reverse

from stafeta.accounts.models import User
from stafeta.switches.models import Event
from stafeta.vault.models import ConsentState, Handover
from stafeta.vault.sealing import CONTENT_BYTES_MAX
from stafeta.vault.selectors import read_content
from stafeta.vault.services.save_handover import save_handover
from tests import make
from tests.web.traces import database_as_text

pytestmark = pytest.mark.usefixtures("keys_file")


def autosave(browser: Client, handover: Handover, **body: object) -> tuple[int, dict[str, object]]:
    facts = {"title": handover.title, "content": "typed", "revision": handover.revision} | body
    url = reverse("handover-autosave", args=[handover.pk])
    response = browser.post(url, json.dumps(facts), content_type="application/json")
    return response.status_code, response.json()


# Autosave -----------------------------------------------------------------------------------------------------------
def test_autosave_stores_and_says_which_revision(browser: Client, handover: Handover) -> None:
    status, answer = autosave(browser, handover, content="žluťoučký kůň")
    assert status == 200
    assert answer["revision"] == 2
    assert "saved_at" in answer
    assert read_content(Handover.objects.get()) == "žluťoučký kůň"
    assert "žluťoučký" not in database_as_text()


def test_autosave_over_another_windows_text_gives_both(browser: Client, handover: Handover) -> None:
    autosave(browser, handover, content="from the laptop")
    status, answer = autosave(browser, handover, content="from the phone")
    assert (status, answer["revision"], answer["content"]) == (409, 2, "from the laptop")
    assert autosave(browser, handover, content="from the phone", revision=2)[0] == 200


def test_two_megabytes_are_refused_with_words(browser: Client, handover: Handover) -> None:
    status, answer = autosave(browser, handover, content="ž" * CONTENT_BYTES_MAX)
    assert status == 413
    assert "too long" in str(answer["errors"])
    assert read_content(Handover.objects.get()) == make.SECRET_TEXT


def test_a_body_beyond_everything_is_refused_unread(browser: Client, handover: Handover) -> None:
    status, _answer = autosave(browser, handover, content="a" * (9 * CONTENT_BYTES_MAX))
    assert status == 413


def test_a_whole_megabyte_is_stored(browser: Client, handover: Handover) -> None:
    text = "ž" * (CONTENT_BYTES_MAX // 2)
    assert autosave(browser, handover, content=text)[0] == 200
    form = {"title": "T", "content": text, "revision": 2}
    assert browser.post(reverse("handover", args=[handover.pk]), form).status_code == 302


@pytest.mark.parametrize(
    "body", [b"", b"[1]", b"{", b'{"title": "x"}', b'{"title":"x","content":"y","revision":"z"}', b"\xff", b"[" * 99999]
)
def test_a_damaged_request_changes_nothing(browser: Client, handover: Handover, body: bytes) -> None:
    url = reverse("handover-autosave", args=[handover.pk])
    response = browser.post(url, body, content_type="application/json")
    assert response.status_code == 400
    assert Handover.objects.get().revision == 1


def test_a_title_is_needed_and_has_a_limit(browser: Client, handover: Handover) -> None:
    for title in ("", "  ", "x" * 201):
        status, answer = autosave(browser, handover, title=title)
        assert status == 400
        assert "title" in answer["errors"]  # type: ignore[operator]


# The plain form -----------------------------------------------------------------------------------------------------
def test_the_editor_works_without_its_script(browser: Client, handover: Handover) -> None:
    url = reverse("handover", args=[handover.pk])
    page = browser.get(url)
    assert make.SECRET_TEXT in page.content.decode()
    assert "no-store" in page["Cache-Control"]
    response = browser.post(url, {"title": "New", "content": "a\r\nb", "revision": 1})
    assert response.status_code == 302
    assert read_content(Handover.objects.get()) == "a\nb"
    assert Handover.objects.get().title == "New"


def test_a_form_that_cannot_be_saved_keeps_what_was_typed(browser: Client, handover: Handover) -> None:
    url = reverse("handover", args=[handover.pk])
    typed = "ž" * CONTENT_BYTES_MAX  # two megabytes
    response = browser.post(url, {"title": "New", "content": typed, "revision": 1})
    assert response.status_code == 413
    assert typed in response.content.decode()
    assert "too long" in response.content.decode()
    assert read_content(Handover.objects.get()) == make.SECRET_TEXT


def test_a_conflict_shows_both_texts_and_the_next_press_saves(browser: Client, handover: Handover) -> None:
    save_handover(handover=handover, title="T", content="from the laptop", base_revision=1, now=make.NOON)
    url = reverse("handover", args=[handover.pk])
    response = browser.post(url, {"title": "T", "content": "from the phone", "revision": 1})
    assert response.status_code == 409
    assert "from the laptop" in response.content.decode()
    assert "from the phone" in response.content.decode()
    assert 'name="revision" value="2"' in response.content.decode()
    assert browser.post(url, {"title": "T", "content": "from the phone", "revision": 2}).status_code == 302


def test_a_form_without_its_revision_overwrites_nothing(browser: Client, handover: Handover) -> None:
    response = browser.post(reverse("handover", args=[handover.pk]), {"title": "T", "content": "x", "revision": "?"})
    assert response.status_code == 409


# Preview ------------------------------------------------------------------------------------------------------------
def test_the_preview_renders_and_runs_nothing(browser: Client, handover: Handover) -> None:
    body = json.dumps({"content": "# A\n<script>alert(1)</script>"})
    response = browser.post(reverse("handover-preview"), body, content_type="application/json")
    assert "<script" not in response.json()["html"]
    assert "A</h2>" in response.json()["html"]
    for wrong in ("{}", '{"content": 1}', "nonsense"):
        url = reverse("handover-preview")
        assert browser.post(url, wrong, content_type="application/json").status_code == 400


def test_the_content_is_escaped_where_it_is_shown(browser: Client, handover: Handover) -> None:
    text = "</textarea><script>alert(1)</script>"
    save_handover(handover=handover, title="<b>T</b>", content=text, base_revision=1, now=make.NOON)
    for name in ("handover", "handover-as-recipient"):
        page = browser.get(reverse(name, args=[handover.pk])).content.decode()
        assert "<script>alert" not in page
        assert "<b>T</b>" not in page


# List, new, terms ---------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("starter", ["website", "company", "duties", "empty"])
@pytest.mark.parametrize("language", ["cs", "en"])
def test_a_new_handover_starts_from_a_template(browser: Client, dana: User, starter: str, language: str) -> None:
    User.objects.update(language=language)
    assert browser.get(reverse("handover-new")).status_code == 200
    response = browser.post(reverse("handover-new"), {"starter": starter})
    made = Handover.objects.get()
    assert response["Location"] == reverse("handover", args=[made.pk])
    assert bool(read_content(made)) == (starter != "empty")
    assert Event.objects.get(kind="HandoverCreated").event == {"handover": made.pk, "title": made.title}


def test_an_unknown_template_makes_nothing(browser: Client) -> None:
    assert browser.post(reverse("handover-new"), {"starter": "../../etc/passwd"}).status_code == 400
    assert not Handover.objects.exists()


def test_without_keys_nothing_is_stored_and_the_page_says_why(browser: Client, keys_file: Path) -> None:
    keys_file.unlink()
    response = browser.post(reverse("handover-new"), {"starter": "empty"})
    assert response.status_code == 503
    assert not Handover.objects.exists()


def test_without_keys_the_editor_says_so(browser: Client, handover: Handover, keys_file: Path) -> None:
    keys_file.unlink()
    for name in ("handover", "handover-as-recipient"):
        assert browser.get(reverse(name, args=[handover.pk])).status_code == 503


def test_the_list_says_what_is_missing(browser: Client, dana: User, handover: Handover) -> None:
    make.handover(dana, title="Lonely", content="")
    page = browser.get(reverse("handovers")).content.decode()
    assert "It has no recipient yet." in page
    assert "There is no text yet." in page
    assert make.SECRET_TEXT not in page


def test_terms_are_saved(browser: Client, dana: User, handover: Handover) -> None:
    ivo = make.recipient(dana, "ivo@example.org", name="Ivo", phone="+420601000005", consent=ConsentState.DECLINED)
    url = reverse("handover-terms", args=[handover.pk])
    assert "declined" in browser.get(url).content.decode()
    response = browser.post(url, {"recipients": [ivo.pk], "delay_days": 30, "access_days": 60})
    assert response.status_code == 302
    saved = Handover.objects.get()
    assert (list(saved.recipients.all()), saved.delay_days, saved.access_days) == ([ivo], 30, 60)


@pytest.mark.parametrize(
    "wrong",
    [{"delay_days": "-1"}, {"delay_days": "x"}, {"access_days": "29"}, {"access_days": "366"}, {"recipients": "9"}],
)
def test_wrong_terms_change_nothing(browser: Client, handover: Handover, wrong: dict[str, str]) -> None:
    facts = {"delay_days": "0", "access_days": "90", "recipients": ""} | wrong
    response = browser.post(reverse("handover-terms", args=[handover.pk]), facts)
    assert response.status_code == 400
    assert handover.recipients.count() == 1


def test_somebody_elses_recipient_cannot_be_chosen(browser: Client, handover: Handover) -> None:
    mallory = make.owner("mallory@example.org", name="Mallory")
    hers = make.recipient(mallory, "eva@example.org")
    url = reverse("handover-terms", args=[handover.pk])
    facts = {"recipients": [hers.pk], "delay_days": 0, "access_days": 90}
    assert browser.post(url, facts).status_code == 400


# Versions, deletion -------------------------------------------------------------------------------------------------
def test_an_older_version_comes_back_on_top(browser: Client, handover: Handover) -> None:
    save_handover(handover=handover, title="T", content="spoiled", base_revision=1, now=make.NOON)
    listed = browser.get(reverse("handover-versions", args=[handover.pk]))
    assert listed.status_code == 200
    url = reverse("handover-version", args=[handover.pk, 1])
    assert make.SECRET_TEXT in browser.get(url).content.decode()
    assert browser.post(url).status_code == 302
    assert read_content(Handover.objects.get()) == make.SECRET_TEXT
    assert Handover.objects.get().revision == 3
    assert browser.get(reverse("handover-version", args=[handover.pk, 99])).status_code == 404


def test_deleting_is_undone_by_one_press_and_twice_is_harmless(browser: Client, handover: Handover) -> None:
    for _ in range(2):
        assert browser.post(reverse("handover-delete", args=[handover.pk])).status_code == 302
    assert browser.get(reverse("handover", args=[handover.pk])).status_code == 404
    assert handover.title in browser.get(reverse("handovers")).content.decode()
    for _ in range(2):
        assert browser.post(reverse("handover-restore", args=[handover.pk])).status_code == 302
    assert browser.get(reverse("handover", args=[handover.pk])).status_code == 200
    assert Event.objects.filter(kind__startswith="Handover").count() == 2


# Whoever it is not for ----------------------------------------------------------------------------------------------
PAGES = ["handover", "handover-terms", "handover-as-recipient", "handover-versions"]
POSTS = ["handover", "handover-autosave", "handover-terms", "handover-delete", "handover-restore"]


def test_mallory_finds_nothing(client: Client, handover: Handover) -> None:
    client.force_login(make.owner("mallory@example.org", name="Mallory"))
    for name in PAGES:
        assert client.get(reverse(name, args=[handover.pk])).status_code == 404
    assert client.get(reverse("handover-version", args=[handover.pk, 1])).status_code == 404
    for name in POSTS:
        assert client.post(reverse(name, args=[handover.pk]), {}).status_code == 404
    assert handover.title not in client.get(reverse("handovers")).content.decode()


def test_a_stranger_is_asked_to_sign_in(client: Client, handover: Handover) -> None:
    for name in PAGES:
        assert client.get(reverse(name, args=[handover.pk])).status_code == 302
    for name in POSTS:
        assert client.post(reverse(name, args=[handover.pk]), {}).status_code == 302
    assert Handover.objects.get().deleted_at is None


def test_looking_changes_nothing(browser: Client, handover: Handover) -> None:
    def rows() -> object:
        return [list(model.objects.order_by("pk").values()) for model in (Handover, Event)]

    before = rows()
    for name in [*PAGES, "handover-delete", "handover-restore", "handover-autosave"]:
        browser.get(reverse(name, args=[handover.pk]))
        browser.head(reverse(name, args=[handover.pk]))
    for name in ("handovers", "handover-new", "handover-preview"):
        browser.get(reverse(name))
    assert rows() == before
