"""Sealed handovers: only people hold their keys; the server opens nothing, and stores only what was encrypted."""

from __future__ import annotations

from io import BytesIO

import pytest
from django.db import IntegrityError, transaction

from stafeta.accounts.models import User
from stafeta.core.errors import Conflict, NotSealed, SealedAway
from stafeta.vault.keyring import instance_keyring
from stafeta.vault.models import Grant, Handover, PersonalKey, Recipient, WrappedKey
from stafeta.vault.opening import affected, survey
from stafeta.vault.selectors import Gap, read_content, versions_of
from stafeta.vault.services.add_attachment import seal_attachment
from stafeta.vault.services.reading import mail_content
from stafeta.vault.services.rotate_keys import rotate_keys
from stafeta.vault.services.save_handover import VERSIONS_KEPT, save_handover
from stafeta.vault.services.save_sealed import create_sealed, save_sealed
from stafeta.vault.services.wrap_keys import Wrap
from tests import age_browser, make
from tests.vault.conftest import CYCLE, SWITCH
from tests.vault.sealed import Keys, gaps, save, text_of
from tests.web.traces import database_as_text


# The server opens nothing ------------------------------------------------------------------------------------------
def test_no_table_holds_the_plaintext_or_a_key_and_no_key_of_the_server_opens_it(
    keys: Keys, handover: Handover, ema: Recipient
) -> None:
    keys.wrap(handover, keys.new(ema))
    stored = database_as_text()
    assert make.SECRET_TEXT not in stored
    assert "AGE-SECRET-KEY" not in stored
    assert not WrappedKey.objects.filter(key=None).exists()
    assert affected().handovers == 0


def test_everything_that_opens_guarded_handovers_refuses_a_sealed_one(keys: Keys, handover: Handover) -> None:
    """Reading, and above all whatever would take its plaintext."""
    with pytest.raises(SealedAway):
        read_content(handover)
    with pytest.raises(SealedAway):
        save_handover(handover=handover, title="Web", content="plain", base_revision=1, now=make.NOON)
    with pytest.raises(SealedAway):
        seal_attachment(handover=handover, source=BytesIO(b"x"), name="x", size_bytes=1, real_now=make.NOON)
    assert text_of(keys, handover, 1) == make.SECRET_TEXT
    assert [version.number for version in versions_of(handover)] == [1]


def test_a_forged_wrapped_key_of_the_instance_opens_nothing_either(handover: Handover) -> None:
    blob = instance_keyring().wrap(age_browser.new_key().identity.encode())
    WrappedKey.objects.create(handover=handover, holder="instance", blob=blob)
    with pytest.raises(SealedAway):
        read_content(handover)


def test_no_copy_of_a_sealed_handover_goes_out_by_mail(keys: Keys, handover: Handover, ema: Recipient) -> None:
    grant = Grant.objects.create(
        handover=handover,
        recipient=ema,
        switch=SWITCH,
        cycle=CYCLE,
        granted_at=make.NOON,
        opens_at_s=0,
        expires_at_s=10,
        first_read_at=make.NOON,
    )
    with pytest.raises(SealedAway):
        mail_content(grant=grant, now=make.NOON, service_s=1)


def test_rotating_the_instance_keys_leaves_what_people_hold_alone(keys: Keys, handover: Handover) -> None:
    before = list(WrappedKey.objects.values_list("holder", "blob"))
    rotate_keys(ring=instance_keyring(), say=lambda _words: None)
    assert list(WrappedKey.objects.values_list("holder", "blob")) == before
    assert survey(instance_keyring()).closed == ()


def test_a_wrapped_key_is_the_instances_or_a_persons_and_never_both(handover: Handover) -> None:
    for facts in ({"holder": "key:1", "key": None}, {"holder": "instance", "key": PersonalKey.objects.first()}):
        with pytest.raises(IntegrityError), transaction.atomic():
            WrappedKey.objects.create(handover=handover, blob=b"", **facts)


# Saving ------------------------------------------------------------------------------------------------------------
def test_each_save_is_a_version_and_twenty_are_kept(keys: Keys, handover: Handover) -> None:
    for number in range(1, 23):
        save(handover, f"text {number}", base=number)
    assert [version.number for version in versions_of(handover)] == list(range(23, 23 - VERSIONS_KEPT, -1))
    assert text_of(keys, handover, 20) == "text 19"


def test_autosaves_within_ten_minutes_are_one_version(keys: Keys, handover: Handover) -> None:
    for step in range(1, 13):
        save(handover, f"typed {step}", base=step, minutes=step * 2, autosave=True)
    assert [version.number for version in versions_of(handover)] == [13, 11, 6, 1]


def test_two_windows_that_disagree_overwrite_nothing(keys: Keys, handover: Handover) -> None:
    save(handover, "from the laptop", base=1, autosave=True)
    with pytest.raises(Conflict) as caught:
        save(handover, "from the phone", base=1, autosave=True)
    assert caught.value.revision == 2
    save(handover, "from the phone", base=2, autosave=True)
    assert [text_of(keys, handover, version.number) for version in versions_of(handover)] == [
        "from the phone",
        "from the laptop",
        make.SECRET_TEXT,
    ]


def test_the_same_request_sent_twice_is_harmless(keys: Keys, handover: Handover) -> None:
    """A retry after an answer that got lost sends the very same bytes."""
    ciphertext = age_browser.encrypted("once", handover.public_key)
    for _ in range(2):
        saved = save_sealed(
            handover=handover,
            title="Web",
            ciphertext=ciphertext,
            public_key=handover.public_key,
            is_blank=False,
            base_revision=1,
            now=make.NOON,
        )
    assert saved.revision == 2


def test_plaintext_in_the_place_of_ciphertext_is_refused_and_changes_nothing(handover: Handover) -> None:
    with pytest.raises(NotSealed) as caught:
        save_sealed(
            handover=handover,
            title="Web",
            ciphertext=make.SECRET_TEXT.encode(),
            public_key=handover.public_key,
            is_blank=False,
            base_revision=1,
            now=make.NOON,
        )
    assert make.SECRET_TEXT not in repr(caught.value)
    assert Handover.objects.get().revision == 1


def test_a_guarded_handover_takes_no_ciphertext(keys: Keys, dana: User) -> None:
    guarded = make.handover(dana)
    with pytest.raises(Handover.DoesNotExist):
        save(guarded, "sealed", base=1)


def test_a_text_of_blanks_hands_over_nothing(keys: Keys, dana: User, ema: Recipient) -> None:
    blank = keys.handover(dana, ema, text=" \n ")
    assert Gap.EMPTY in gaps(blank)
    save(blank, "a word", base=1)
    assert Gap.EMPTY not in gaps(blank)
    assert Handover.objects.get(pk=blank.pk).content_bytes == len("a word")


def test_nobody_seals_what_they_could_not_open(dana: User, keys: Keys) -> None:
    """Without a key, or wrapped to somebody else alone, its owner would be locked out at once."""
    key, mallory = age_browser.new_key(), make.owner("mallory@example.org", name="Mallory")
    theirs = keys.new(mallory)
    for wraps in ([], [Wrap(theirs.pk, age_browser.wrapped(key, theirs.public_key))]):
        with pytest.raises(NotSealed):
            create_sealed(
                owner=dana,
                title="Web",
                public_key=key.public_key,
                wraps=wraps,
                ciphertext=age_browser.encrypted("x", key.public_key),
                is_blank=False,
                now=make.NOON,
            )
    assert not Handover.objects.exists()
