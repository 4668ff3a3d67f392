"""The page of a copy to take away: who may take one, what is recorded and told, and what is refused."""

from __future__ import annotations

import base64
import html
import io
import zipfile

import pyrage
import pytest
from django.http import HttpResponse, StreamingHttpResponse
from django.test import Client
from django.urls import reverse

from stafeta.accounts.models import User
from stafeta.outbox.kinds import renderer_of
from stafeta.outbox.models import Message
from stafeta.switches.models import Event
from stafeta.vault.models import Copy, Handover
from stafeta.vault.services.take_copy import COPIES_A_DAY_MAX
from stafeta.vault.storage import attachment_storage
from tests import make
from tests.signin import sign_in
from tests.vault.sealed import Keys

IDENTITY = pyrage.x25519.Identity.generate()
PUBLIC_KEY = str(IDENTITY.to_public())
KEY_HEAD = b"age-encryption.org/v1\n-> scrypt " + b"A" * 22 + b" %d\n" + b"B" * 43 + b"\n--- " + b"C" * 43 + b"\n"


@pytest.fixture
def browser(client: Client, dana: User) -> Client:
    """A browser in which Dana has just typed her password, and reads English."""
    User.objects.filter(pk=dana.pk).update(language="en")
    sign_in(client, dana)
    return client


def key_file(work_factor: int = 18) -> str:
    """Return what looks like a key under a passphrase; the server must not open it to see whether it is one."""
    return base64.b64encode(KEY_HEAD % work_factor + bytes(16 + 74 + 16)).decode()


def take(browser: Client, handover: Handover, **fields: str) -> HttpResponse:
    return browser.post(  # type: ignore[return-value]
        reverse("handover-copy", args=[handover.pk]), {"public_key": PUBLIC_KEY, **fields}
    )


def words_of(response: object) -> str:
    assert isinstance(response, HttpResponse)
    return html.unescape(response.content.decode())


def test_owner_takes_a_copy_that_only_the_card_opens(browser: Client, handover: Handover) -> None:
    make.attachment(handover)
    response = take(browser, handover, key_file=key_file())
    assert isinstance(response, StreamingHttpResponse)
    assert response["Content-Type"] == "application/zip"
    assert "no-store" in response["Cache-Control"]
    archive = zipfile.ZipFile(io.BytesIO(b"".join(response)))  # type: ignore[arg-type]
    assert make.SECRET_TEXT in pyrage.decrypt(archive.read("content.md.age"), [IDENTITY]).decode()
    assert pyrage.decrypt(archive.read("attachments/smlouva.pdf.age"), [IDENTITY]) == make.SECRET_FILE
    assert base64.b64encode(archive.read("key.age")).decode() == key_file()
    assert 'data-part="content.md.age"' in archive.read("open.html").decode()


def test_every_copy_is_noted_and_told_by_mail(browser: Client, handover: Handover) -> None:
    take(browser, handover)
    event = Event.objects.get(kind="HandoverCopied")
    assert event.event == {"handover": handover.pk, "title": handover.title}
    message = Message.objects.get(kind="web.switch_changed")
    mail = renderer_of(message.kind)(message)
    assert mail.subject == "A copy of a handover was taken out"
    assert f"You took a copy of “{handover.title}” out" in mail.text
    assert "change the passwords that stood in the handover" in mail.text
    assert f"You took a copy of “{handover.title}” out" in words_of(browser.get(reverse("history")))


def test_copy_needs_a_fresh_signin(client: Client, dana: User, handover: Handover) -> None:
    client.force_login(dana)
    for response in (client.get(reverse("handover-copy", args=[handover.pk])), take(client, handover)):
        assert response.status_code == 302
        assert response["Location"].startswith(reverse("account_reauthenticate"))
    assert not Copy.objects.exists()


def test_nobody_takes_a_copy_of_somebody_elses_handover(browser: Client, handover: Handover) -> None:
    mallory = make.owner("mallory@example.org")
    theirs = make.handover(mallory, make.recipient(mallory))
    assert take(browser, theirs).status_code == 404
    assert browser.get(reverse("handover-copy", args=[theirs.pk])).status_code == 404
    assert not Copy.objects.exists()


@pytest.mark.parametrize(
    "fields",
    [
        {"public_key": ""},
        {"public_key": "age1" + "q" * 58},
        {"public_key": str(IDENTITY)},
        {"key_file": "%%%"},
        {"key_file": base64.b64encode(b"no age file").decode()},
        {"key_file": base64.b64encode(pyrage.encrypt(b"x", [IDENTITY.to_public()])).decode()},
        {"key_file": key_file(17)},
        {"key_file": key_file(30)},
        {"key_file": base64.b64encode(KEY_HEAD % 18 + bytes(5000)).decode()},
    ],
)
def test_what_no_browser_of_ours_sends_is_refused(browser: Client, handover: Handover, fields: dict[str, str]) -> None:
    """Also a key file that would take minutes to open, or next to nothing to guess. Nothing is noted as given."""
    response = take(browser, handover, **fields)
    assert response.status_code == 400
    assert "Nothing was given out" in words_of(response)
    assert not Copy.objects.exists()
    assert not Event.objects.filter(kind="HandoverCopied").exists()


def test_copy_of_a_damaged_handover_is_refused_whole(browser: Client, handover: Handover) -> None:
    lost = make.attachment(handover)
    attachment_storage().delete(lost.file.key)
    response = take(browser, handover)
    assert response.status_code == 302
    assert "so there is no copy" in words_of(browser.get(response["Location"]))
    assert not Copy.objects.exists()


def test_too_many_copies_are_refused_with_what_to_do(browser: Client, handover: Handover) -> None:
    for _ in range(COPIES_A_DAY_MAX):
        assert take(browser, handover).status_code == 200
    response = take(browser, handover)
    assert response.status_code == 302
    assert "choose a new password" in words_of(browser.get(response["Location"]))
    assert Copy.objects.count() == COPIES_A_DAY_MAX
    # The note of one that was not given is not kept either.
    assert Event.objects.filter(kind="HandoverCopied").count() == COPIES_A_DAY_MAX


def test_owner_is_told_that_the_copy_is_older_than_the_handover(browser: Client, handover: Handover) -> None:
    page, copy_page = (reverse(name, args=[handover.pk]) for name in ("handover", "handover-copy"))
    assert "Something has changed since" not in words_of(browser.get(page))
    take(browser, handover)
    assert "Something has changed since" not in words_of(browser.get(page))
    assert "nothing has changed since" in words_of(browser.get(copy_page))
    make.attachment(handover)
    assert "Something has changed since" in words_of(browser.get(page))
    assert "something has changed since" in words_of(browser.get(copy_page))


def test_a_sealed_handover_is_copied_without_a_new_key(browser: Client, dana: User) -> None:
    """Nothing is made in the browser: the page says that it opens with the owner's own card, and gives it."""
    sealed = Keys().handover(dana, make.recipient(dana, email="filip@example.org"))
    page = words_of(browser.get(reverse("handover-copy", args=[sealed.pk])))
    assert "your card opens all your sealed handovers" in page
    assert "copy.js" not in page
    response = browser.post(reverse("handover-copy", args=[sealed.pk]))
    assert isinstance(response, StreamingHttpResponse)
    archive = zipfile.ZipFile(io.BytesIO(b"".join(response)))  # type: ignore[arg-type]
    assert archive.read("content.md.age") == bytes(sealed.versions.get().ciphertext)
    assert "keys/handover-1.age" in archive.namelist()
    copy = Copy.objects.get()
    assert (copy.public_key, copy.has_passphrase) == (sealed.public_key, True)
