"""A handover is sealed, guarded again, or sealed anew: each time under a fresh key, and nothing stays behind."""

from __future__ import annotations

from io import BytesIO

import pytest

from stafeta.core.errors import Conflict, NotSealed, PolicyError, SealedAway
from stafeta.vault.holders import waiting_for, wrapped_for
from stafeta.vault.models import Handover, Recipient, WrappedKey
from stafeta.vault.selectors import read_content, versions_of
from stafeta.vault.services.add_attachment import seal_attachment
from stafeta.vault.services.change_level import OpenText, SealedText, seal_handover, unseal_handover
from stafeta.vault.services.save_handover import save_handover
from stafeta.vault.services.wrap_keys import Wrap
from tests import age_browser, make
from tests.on_both import on_postgresql_too
from tests.vault.conftest import Story
from tests.vault.sealed import Keys, gaps, save, text_of

test_all_this_holds_on_postgresql_too = on_postgresql_too(__file__)


def seal(keys: Keys, handover: Handover, *, versions: list[int], base: int | None = None) -> Handover:
    """Do what Dana's browser does to seal a guarded handover; it has been given the plaintext of these versions."""
    key, present = age_browser.new_key(), keys.new(handover.owner)
    keys.of[key.public_key] = key
    return seal_handover(
        handover=handover,
        base_revision=base or handover.revision,
        public_key=key.public_key,
        wraps=[Wrap(present.pk, age_browser.wrapped(key, present.public_key))],
        texts=[SealedText(number, age_browser.encrypted(f"text {number}", key.public_key)) for number in versions],
        is_blank=False,
        now=make.NOON,
    )


def test_sealing_takes_a_fresh_key_keeps_the_versions_and_leaves_the_server_nothing(story: Story, keys: Keys) -> None:
    for number in (1, 2):
        save_handover(handover=story.handover, title="Web", content=str(number), base_revision=number, now=make.NOON)
    before = Handover.objects.get()
    sealed = seal(keys, before, versions=[3, 2])
    assert sealed.public_key != before.public_key
    assert [version.number for version in versions_of(sealed)] == [4, 2], "version 1 was not sent, so it is gone"
    assert [text_of(keys, sealed, number) for number in (4, 2)] == ["text 3", "text 2"]
    assert not WrappedKey.objects.filter(holder="instance").exists()
    with pytest.raises(SealedAway):
        read_content(sealed)
    with pytest.raises(SealedAway):
        save_handover(handover=before, title="Web", content="old window", base_revision=3, now=make.NOON)


def test_sealing_over_an_unseen_change_or_without_the_present_text_changes_nothing(story: Story, keys: Keys) -> None:
    with pytest.raises(Conflict):
        seal(keys, story.handover, versions=[1], base=7)
    with pytest.raises(NotSealed):
        seal(keys, story.handover, versions=[5])
    assert read_content(story.handover) == make.SECRET_TEXT


def test_the_key_that_the_server_knew_does_not_seal(story: Story, keys: Keys) -> None:
    mine = keys.new(story.dana)
    with pytest.raises(NotSealed):
        seal_handover(
            handover=story.handover,
            base_revision=1,
            public_key=story.handover.public_key,
            wraps=[Wrap(mine.pk, age_browser.wrapped(age_browser.new_key(), mine.public_key))],
            texts=[SealedText(1, age_browser.encrypted("x", story.handover.public_key))],
            is_blank=False,
            now=make.NOON,
        )


def test_attached_files_keep_a_handover_from_being_sealed_and_removed_ones_go(story: Story, keys: Keys) -> None:
    """They lie under a key that the server knew."""
    attachment = make.attachment(story.handover)
    with pytest.raises(PolicyError) as caught:
        seal(keys, story.handover, versions=[1])
    assert caught.value.field == "attachments"
    type(attachment).objects.update(deleted_at=make.NOON)
    sealed = seal(keys, story.handover, versions=[1])
    assert not sealed.attachments.exists()


def test_a_file_that_was_on_its_way_while_the_handover_was_sealed_is_not_taken(story: Story, keys: Keys) -> None:
    from stafeta.vault.services.add_attachment import add_attachment

    sealed = seal_attachment(handover=story.handover, source=BytesIO(b"x"), name="x", size_bytes=1, real_now=make.NOON)
    seal(keys, story.handover, versions=[1])
    with pytest.raises(SealedAway):
        add_attachment(handover=story.handover, sealed=sealed, now=make.NOON)


def test_back_to_guarded_the_server_makes_a_key_of_its_own_and_people_hold_nothing(
    keys: Keys, handover: Handover, ema: Recipient
) -> None:
    keys.wrap(handover, keys.new(ema))
    save(handover, "newer", base=1)
    with pytest.raises(NotSealed):
        unseal_handover(handover=handover, base_revision=2, texts=[OpenText(1, "old")], now=make.NOON)
    guarded = unseal_handover(
        handover=handover, base_revision=2, texts=[OpenText(2, "newer"), OpenText(1, "older")], now=make.NOON
    )
    assert guarded.public_key != handover.public_key
    assert read_content(guarded) == "newer"
    assert [version.number for version in versions_of(guarded)] == [3, 1]
    assert [wrap.holder for wrap in WrappedKey.objects.all()] == ["instance"]
    assert gaps(guarded) == ()
    with pytest.raises(NotSealed):
        unseal_handover(handover=guarded, base_revision=3, texts=[OpenText(3, "x")], now=make.NOON)


def test_what_only_a_lost_key_opened_is_written_anew_and_the_old_text_is_gone(
    keys: Keys, handover: Handover, ema: Recipient
) -> None:
    """Neither passphrase nor card is left: a fresh key and a fresh text; the others wait for nothing but one unlock."""
    theirs = keys.new(ema)
    keys.wrap(handover, theirs)
    sealed = seal(keys, handover, versions=[1])
    assert text_of(keys, sealed, 2) == "text 1"
    assert wrapped_for(sealed, ema) == []
    assert [one.keys for one in waiting_for(handover.owner)] == [(theirs,)]
    assert keys.wrap(sealed, theirs) == 1
