"""The pages around sealed handovers: they take ciphertext and nothing else, of their owner and of nobody else."""

from __future__ import annotations

from base64 import b64encode
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from stafeta.accounts.models import User
from stafeta.switches.models import Event
from stafeta.vault.holders import key_of, wrapped_for
from stafeta.vault.models import Handover, KeyFile, PersonalKey, Recipient, WrappedKey
from stafeta.vault.selectors import read_content
from stafeta.vault.services.personal_keys import accept_key
from stafeta.vault.services.save_handover import save_handover
from tests import age_browser, make
from tests.signin import sign_in
from tests.vault.sealed import Keys
from tests.web.desk import words
from tests.web.traces import database_as_text


@pytest.fixture
def keys() -> Keys:
    return Keys()


@pytest.fixture
def ema(dana: User) -> Recipient:
    return make.recipient(dana)


@pytest.fixture
def sealed(keys: Keys, dana: User, ema: Recipient) -> Handover:
    """Dana's sealed handover for Ema, who has made no key yet."""
    return keys.handover(dana, ema)


def b64(data: bytes) -> str:
    return b64encode(data).decode()


def post(browser: Client, name: str, *args: object, **body: Any) -> Any:
    return browser.post(reverse(name, args=args), body, content_type="application/json")


def body_for(sealed: Handover, text: str = "newer") -> dict[str, Any]:
    return {
        "title": "Web",
        "ciphertext": b64(age_browser.encrypted(text, sealed.public_key)),
        "public_key": sealed.public_key,
        "is_blank": False,
        "revision": 1,
    }


# The editor --------------------------------------------------------------------------------------------------------
def test_the_page_holds_ciphertext_and_no_field_that_could_send_a_text(browser: Client, sealed: Handover) -> None:
    page = browser.get(reverse("handover", args=[sealed.pk])).content.decode()
    assert make.SECRET_TEXT not in page
    assert b64(bytes(sealed.versions.get().ciphertext)) in page
    assert 'name="content"' not in page
    assert 'id="sealed-text"' in page
    assert "AGE-SECRET-KEY" not in page


def test_ciphertext_is_saved_and_a_second_window_is_told(browser: Client, sealed: Handover) -> None:
    saved = post(browser, "sealed-save", sealed.pk, **body_for(sealed))
    assert saved.status_code == 200
    assert saved.json()["revision"] == 2
    other = post(browser, "sealed-save", sealed.pk, **body_for(sealed, "another"))
    assert other.status_code == 409
    assert other.json()["ciphertext"] == body_of_newest(sealed)
    assert [wrap["key"] for wrap in other.json()["wraps"]] == [
        wrap.key_id for wrap in wrapped_for(sealed, sealed.owner)
    ]


def body_of_newest(sealed: Handover) -> str:
    return b64(bytes(sealed.versions.order_by("-number")[0].ciphertext))


@pytest.mark.parametrize(
    "change",
    [
        {"content": make.SECRET_TEXT},
        {"ciphertext": make.SECRET_TEXT},
        {"ciphertext": b64(make.SECRET_TEXT.encode())},
        {"ciphertext": b64(age_browser.passphrase_file(b"text"))},
        {"ciphertext": 7},
        {"is_blank": "no"},
        {"revision": True},
        {"title": ""},
        {"title": "x" * 201},
    ],
)
def test_whatever_is_not_what_the_script_sends_is_refused_and_nothing_of_it_is_kept(
    browser: Client, sealed: Handover, change: dict[str, Any]
) -> None:
    """A text above all, in whatever place."""
    answer = post(browser, "sealed-save", sealed.pk, **body_for(sealed) | change)
    assert answer.status_code == 400
    assert answer.json()["errors"]
    assert make.SECRET_TEXT not in answer.content.decode()
    assert make.SECRET_TEXT not in database_as_text()
    assert Handover.objects.get().revision == 1


def test_what_is_too_long_is_said_to_be(browser: Client, sealed: Handover) -> None:
    long = body_for(sealed, "x" * (1024 * 1024 + 1))
    assert post(browser, "sealed-save", sealed.pk, **long).status_code == 413
    assert post(browser, "sealed-save", sealed.pk, **long | {"title": "y" * 2_000_000}).status_code == 413


def test_the_guarded_doors_take_no_text_for_a_sealed_handover(browser: Client, sealed: Handover) -> None:
    """A window that was open before it was sealed keeps what was typed, and is told why it cannot be saved."""
    plain = {"title": "Web", "content": make.SECRET_TEXT, "revision": 1}
    answer = post(browser, "handover-autosave", sealed.pk, **plain)
    assert answer.status_code == 400
    assert "sealed" in str(answer.json()["errors"])
    answer = browser.post(reverse("handover", args=[sealed.pk]), plain)
    assert answer.status_code == 409
    assert make.SECRET_TEXT in answer.content.decode()
    assert make.SECRET_TEXT not in database_as_text()
    for name in ("handover-as-recipient", "handover-versions"):
        assert browser.get(reverse(name, args=[sealed.pk])).status_code == 302
    assert browser.post(reverse("handover-version", args=[sealed.pk, 1])).status_code == 302
    assert Handover.objects.get().revision == 1


def test_a_window_of_before_is_told_when_it_was_made_guarded(browser: Client, dana: User, handover: Handover) -> None:
    answer = post(browser, "sealed-save", handover.pk, **body_for(handover))
    assert answer.status_code == 400
    assert "guarded" in str(answer.json()["errors"])
    assert browser.get(reverse("sealed-versions", args=[handover.pk])).status_code == 404
    assert read_content(handover) == make.SECRET_TEXT


def test_mallory_gets_nothing_of_it(client: Client, sealed: Handover, ema: Recipient, keys: Keys) -> None:
    mallory, key = make.owner("mallory@example.org", name="Mallory"), keys.new(ema)
    sign_in(client, mallory)
    for name in ("handover", "sealed-versions", "handover-level", "handover-texts"):
        assert client.get(reverse(name, args=[sealed.pk])).status_code == 404
    assert post(client, "sealed-save", sealed.pk, **body_for(sealed)).status_code == 404
    assert client.post(reverse("sealing-acknowledge", args=[key.pk])).status_code == 404
    wraps = [{"key": key.pk, "blob": b64(keys.wrapped(sealed, key))}]
    stored = [{"handover": sealed.pk, "public_key": sealed.public_key, "wraps": wraps}]
    assert post(client, "sealing-store", handovers=stored).status_code == 404
    assert wrapped_for(sealed, ema) == []


# Sealing for everybody ---------------------------------------------------------------------------------------------
def test_what_waits_is_on_the_dashboard_until_it_is_sealed(
    browser: Client, sealed: Handover, ema: Recipient, keys: Keys
) -> None:
    """From no key to one that is sealed for, and to one that has changed; the gravest is said loudest."""
    dashboard = reverse("dashboard")
    assert "Ema Malá has not chosen a passphrase yet" in words(browser.get(dashboard))
    assert "None of its recipients could open it yet." in words(browser.get(dashboard))
    key = keys.new(ema)
    assert "it waits for your unlock" in words(browser.get(dashboard))
    page = browser.get(reverse("sealing")).content.decode()
    assert key.public_key in page
    wraps = [{"key": key.pk, "blob": b64(keys.wrapped(sealed, key))}]
    stored = [{"handover": sealed.pk, "public_key": sealed.public_key, "wraps": wraps}]
    assert post(browser, "sealing-store", handovers=stored).json() == {"stored": 1}
    assert Event.objects.filter(kind="HandoverSealedForAll").count() == 1
    assert "unlock" not in words(browser.get(dashboard))
    changed = keys.new(ema)
    assert "The key of Ema Malá has changed" in words(browser.get(dashboard))
    page = words(browser.get(reverse("sealing")))
    assert "The key of Ema Malá has changed" in page
    assert "601 000 002" in page
    assert PersonalKey.objects.get(pk=changed.pk).accepted_at is None


def test_acknowledging_a_changed_key_asks_for_a_fresh_sign_in(
    client: Client, dana: User, sealed: Handover, ema: Recipient, keys: Keys
) -> None:
    keys.wrap(sealed, keys.new(ema))
    changed = keys.new(ema)
    address = reverse("sealing-acknowledge", args=[changed.pk])
    client.force_login(dana)
    assert client.post(address).status_code == 302
    assert PersonalKey.objects.get(pk=changed.pk).accepted_at is None
    client.logout()
    sign_in(client, dana)
    client.post(address)
    assert PersonalKey.objects.get(pk=changed.pk).accepted_at is not None
    assert Event.objects.filter(kind="KeyAcknowledged").exists()


def test_nothing_is_stored_for_a_key_that_was_replaced_meanwhile(
    browser: Client, sealed: Handover, ema: Recipient, keys: Keys
) -> None:
    old, _new = keys.new(ema), keys.new(ema)
    wraps = [{"key": old.pk, "blob": b64(keys.wrapped(sealed, old))}]
    stored = [{"handover": sealed.pk, "public_key": sealed.public_key, "wraps": wraps}]
    assert post(browser, "sealing-store", handovers=stored).json() == {"stored": 0}
    assert not Event.objects.filter(kind="HandoverSealedForAll").exists()


# The owner's key ---------------------------------------------------------------------------------------------------
def test_a_key_is_made_by_what_the_script_fills_in(client: Client, dana: User) -> None:
    sign_in(client, dana)
    key = age_browser.new_key()
    assert client.get(reverse("seal-key"))["Location"] == reverse("seal-key-new")
    page = client.get(reverse("seal-key-new")).content.decode()
    assert 'type="password"' in page
    assert 'name="passphrase"' not in page
    client.post(reverse("seal-key-new"), {"public_key": key.public_key, "file": b64(key.file), "replaces": ""})
    made = key_of(dana)
    assert made is not None
    assert made.public_key == key.public_key
    assert Event.objects.filter(kind="KeyMade").exists()
    assert key.public_key in client.get(reverse("seal-key")).content.decode()


@pytest.mark.parametrize("file", ["", "no base64", b64(b"AGE-SECRET-KEY-1"), b64(make.SECRET_TEXT.encode())])
def test_a_private_half_that_is_not_locked_is_not_taken(client: Client, dana: User, file: str) -> None:
    sign_in(client, dana)
    facts = {"public_key": age_browser.new_key().public_key, "file": file, "replaces": ""}
    assert client.post(reverse("seal-key-new"), facts)["Location"] == reverse("seal-key-new")
    assert key_of(dana) is None
    assert not Event.objects.filter(kind="KeyMade").exists()


def test_only_a_fresh_sign_in_replaces_a_key_or_its_passphrase(
    client: Client, dana: User, sealed: Handover, keys: Keys
) -> None:
    present = key_of(dana)
    assert present is not None
    client.force_login(dana)
    other = age_browser.new_key()
    file = other.file
    facts = {"public_key": other.public_key, "file": b64(file), "replaces": str(present.pk)}
    client.post(reverse("seal-key-new"), facts)
    client.post(reverse("seal-key-passphrase"), {"key": str(present.pk), "file": b64(file)})
    assert key_of(dana) == present
    assert bytes(KeyFile.objects.get(key=present).blob) != file
    client.logout()
    sign_in(client, dana)
    client.post(reverse("seal-key-passphrase"), {"key": str(present.pk), "file": b64(file)})
    assert bytes(KeyFile.objects.get(key=present).blob) == file


def test_a_passkey_is_added_and_removed(client: Client, dana: User, sealed: Handover) -> None:
    sign_in(client, dana)
    key = key_of(dana)
    assert key is not None
    facts = {
        "key": str(key.pk),
        "file": b64(age_browser.passkey_file(b"x" * 74)),
        "name": "laptop",
        "hint": "AGE-PLUGIN",
    }
    client.post(reverse("seal-key-passkey-add"), facts)
    passkey = key.files.get(kind=KeyFile.Kind.PASSKEY)
    assert passkey.name == "laptop"
    assert "laptop" in words(client.get(reverse("seal-key")))
    client.post(reverse("seal-key-passkey-remove", args=[passkey.pk]))
    assert [file.kind for file in key.files.all()] == [KeyFile.Kind.PASSPHRASE]


# Levels ------------------------------------------------------------------------------------------------------------
def test_a_new_sealed_handover_is_made_without_its_text(browser: Client, dana: User, keys: Keys) -> None:
    answer = browser.post(reverse("handover-new"), {"starter": "empty", "level": "sealed"})
    assert not Handover.objects.exists()
    assert browser.get(answer["Location"])["Location"] == reverse("seal-key"), "first a key of her own"
    mine, key = keys.new(dana), age_browser.new_key()
    assert mine.public_key in browser.get(answer["Location"]).content.decode()
    made = post(
        browser,
        "sealed-create",
        title="Tajné",
        public_key=key.public_key,
        wraps=[{"key": mine.pk, "blob": b64(age_browser.wrapped(key, mine.public_key))}],
        ciphertext=b64(age_browser.encrypted("", key.public_key)),
        is_blank=True,
    )
    found = Handover.objects.get()
    assert made.json() == {"url": reverse("handover", args=[found.pk])}
    assert (found.level, found.content_bytes) == ("sealed", 0)
    assert Event.objects.get(kind="HandoverCreated").event["title"] == "Tajné"


def test_the_level_page_says_who_could_not_read_it_any_more(
    browser: Client, dana: User, handover: Handover, keys: Keys
) -> None:
    address = reverse("handover-level", args=[handover.pk])
    assert "you need a key of your own" in words(browser.get(address))
    keys.new(dana)
    page = words(browser.get(address))
    assert "They could not open it yet, for they have no key that you know: Ema Malá" in page
    assert "Until then nobody could read it" in page
    keys.new(Recipient.objects.get())
    assert "They could not open it yet" not in words(browser.get(address))
    make.attachment(handover)
    assert "files cannot be sealed yet" in words(browser.get(address))


def test_sealing_and_unsealing_by_the_pages_own_requests(
    browser: Client, dana: User, handover: Handover, keys: Keys
) -> None:
    mine, key = keys.new(dana), age_browser.new_key()
    texts = browser.get(reverse("handover-texts", args=[handover.pk])).json()
    assert texts == {"revision": 1, "dropped": 0, "texts": [{"number": 1, "content": make.SECRET_TEXT}]}
    body = {
        "revision": 1,
        "public_key": key.public_key,
        "wraps": [{"key": mine.pk, "blob": b64(age_browser.wrapped(key, mine.public_key))}],
        "texts": [{"number": 1, "ciphertext": b64(age_browser.encrypted(make.SECRET_TEXT, key.public_key))}],
        "is_blank": False,
    }
    assert post(browser, "handover-seal", handover.pk, **body | {"revision": 9}).status_code == 409
    assert post(browser, "handover-seal", handover.pk, **body | {"wraps": []}).status_code == 400
    assert post(browser, "handover-seal", handover.pk, **body | {"content": "x"}).status_code == 400
    assert not Event.objects.filter(kind="HandoverSealed").exists()
    assert post(browser, "handover-seal", handover.pk, **body).status_code == 200
    assert Event.objects.filter(kind="HandoverSealed").exists()
    assert [wrap.key_id for wrap in WrappedKey.objects.all()] == [mine.pk]
    sealed_texts = browser.get(reverse("handover-texts", args=[handover.pk])).json()
    assert list(sealed_texts["texts"][0]) == ["number", "ciphertext"]
    back = {"revision": 2, "texts": [{"number": 2, "content": "open again"}]}
    assert post(browser, "handover-unseal", handover.pk, **back).status_code == 200
    assert read_content(Handover.objects.get()) == "open again"
    assert Event.objects.filter(kind="HandoverUnsealed").exists()


def test_what_only_a_lost_key_opened_says_so_and_offers_to_write_it_anew(
    browser: Client, dana: User, sealed: Handover, keys: Keys
) -> None:
    keys.new(dana)
    address = reverse("handover", args=[sealed.pk])
    assert 'id="sealed-text"' in browser.get(address).content.decode(), "the card may still open it"
    wrapped = wrapped_for(sealed, dana)
    WrappedKey.objects.filter(pk__in=[wrap.pk for wrap in wrapped]).delete()
    page = words(browser.get(address))
    assert "You cannot open it any more" in page
    assert "Discard the lost text" in words(browser.get(reverse("handover-level", args=[sealed.pk]) + "?anew"))


def test_people_see_the_words_of_keys_and_who_lacks_one(
    browser: Client, sealed: Handover, ema: Recipient, keys: Keys
) -> None:
    assert "Has not chosen a passphrase yet" in words(browser.get(reverse("people")))
    assert "Ask for a passphrase" in words(browser.get(reverse("people")))
    key = keys.new(ema)
    accept_key(key=key, now=make.NOON)
    assert key.public_key in browser.get(reverse("people")).content.decode()


def test_versions_that_are_too_large_to_come_along_are_counted(
    browser: Client, dana: User, handover: Handover, keys: Keys
) -> None:
    """Before anything is erased: the page says how many that would be."""
    for revision in range(1, 7):
        text = f"{revision}" * 1_000_000
        save_handover(handover=handover, title="Web", content=text, base_revision=revision, now=make.NOON)
    given = browser.get(reverse("handover-texts", args=[handover.pk])).json()
    assert [one["number"] for one in given["texts"]] == [7, 6, 5, 4]
    assert given["dropped"] == 3
