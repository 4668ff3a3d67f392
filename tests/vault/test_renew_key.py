"""A handover that no key opens: what its owner writes now can be read, and what was there before is not thrown away."""

from __future__ import annotations

from pathlib import Path

import pytest
from pyrage.x25519 import Identity

from stafeta.core.errors import ConfigurationError, KeyMissing
from stafeta.vault.closed import Closed, Watch
from stafeta.vault.keyring import instance_keyring
from stafeta.vault.models import Handover, WrappedKey
from stafeta.vault.opening import survey
from stafeta.vault.sealing import closed_holders, is_closed, unseal
from stafeta.vault.selectors import Gap, gaps_of, read_content, version_of
from stafeta.vault.services.open_attachment import open_attachment
from stafeta.vault.services.rotate_keys import rotate_keys
from stafeta.vault.services.save_handover import save_handover
from stafeta.vault.services.set_aside_lost import set_aside_lost
from tests import make
from tests.on_both import on_postgresql_too
from tests.vault.conftest import Story, queued, rendered

NEW_TEXT = "Napsáno znovu"


def lose(keys_file: Path, *, given_up: bool = True) -> bytes:
    """Put another key in the place of the one that opens everything, and return the old file."""
    old = keys_file.read_bytes()
    keys_file.write_text(f"{Identity.generate()}\n")
    if given_up:
        assert set_aside_lost(ring=instance_keyring())
    return old


def write_anew(story: Story, text: str = NEW_TEXT) -> Handover:
    handover = Handover.objects.get(pk=story.handover.pk)
    return save_handover(
        handover=handover, title=handover.title, content=text, base_revision=handover.revision, now=make.NOON
    )


def bring_back(keys_file: Path, old: bytes) -> None:
    keys_file.write_bytes(keys_file.read_bytes() + old)


@pytest.mark.parametrize("given_up", [True, False])
def test_what_is_written_anew_can_be_read(story: Story, keys_file: Path, given_up: bool) -> None:
    lose(keys_file, given_up=given_up)
    assert is_closed(story.handover)
    saved = write_anew(story)
    assert read_content(saved) == NEW_TEXT
    assert saved.public_key != story.handover.public_key
    assert Watch().closed(now=make.NOON) == Closed()
    assert survey(instance_keyring()).missing == ()


def test_a_handover_that_opens_keeps_its_key(story: Story) -> None:
    assert write_anew(story).public_key == story.handover.public_key
    assert WrappedKey.objects.get().holder == "instance"


def test_a_damaged_wrapped_key_does_not_keep_the_owner_from_writing(story: Story) -> None:
    WrappedKey.objects.update(blob=b"junk")
    assert read_content(write_anew(story)) == NEW_TEXT


def test_earlier_versions_and_files_stay_closed_and_are_said_to_be(story: Story, keys_file: Path) -> None:
    file = make.attachment(story.handover)
    lose(keys_file)
    saved = write_anew(story)
    with pytest.raises(KeyMissing):
        unseal(version_of(saved, 1))
    file.refresh_from_db()
    with pytest.raises(KeyMissing):
        open_attachment(file)
    assert file.holder in closed_holders(saved)
    assert gaps_of(saved) == (Gap.FILES_CLOSED,)
    added = make.attachment(saved, b"again")
    assert open_attachment(added).read() == b"again"


def test_when_the_key_turns_up_everything_of_before_is_there_again(story: Story, keys_file: Path) -> None:
    file = make.attachment(story.handover)
    old = lose(keys_file)
    saved = write_anew(story)
    bring_back(keys_file, old)
    file.refresh_from_db()
    assert unseal(version_of(saved, 1)) == make.SECRET_TEXT
    assert open_attachment(file).read() == make.SECRET_FILE
    assert gaps_of(saved) == ()
    assert read_content(saved) == NEW_TEXT


def test_a_rotation_takes_earlier_keys_along(story: Story, keys_file: Path) -> None:
    file = make.attachment(story.handover)
    old = lose(keys_file)
    saved = write_anew(story)
    newest = keys_file.read_text()
    bring_back(keys_file, old)
    done = rotate_keys(ring=instance_keyring(), say=lambda _said: None)
    assert done.changed == 1
    assert done.is_complete
    keys_file.write_text(newest)
    file.refresh_from_db()
    assert open_attachment(file).read() == make.SECRET_FILE
    assert unseal(version_of(saved, 1)) == make.SECRET_TEXT
    assert read_content(saved) == NEW_TEXT
    assert rotate_keys(ring=instance_keyring(), say=lambda _said: None).changed == 0


def test_it_may_happen_twice(story: Story, keys_file: Path) -> None:
    first = lose(keys_file)
    write_anew(story, "podruhé")
    second = lose(keys_file)
    saved = write_anew(story, "potřetí")
    assert read_content(saved) == "potřetí"
    bring_back(keys_file, first + second)
    assert [unseal(version_of(saved, number)) for number in (1, 2)] == [make.SECRET_TEXT, "podruhé"]
    assert len(survey(instance_keyring()).opens) == 3


def test_without_any_keyring_nothing_is_saved_that_nobody_could_open(story: Story, keys_file: Path) -> None:
    keys_file.unlink()
    with pytest.raises(ConfigurationError):
        write_anew(story)
    assert Handover.objects.get().revision == story.handover.revision


# A release of it -----------------------------------------------------------------------------------------------------


def news(story: Story) -> str:
    story.release()
    story.follow_up()
    mail = rendered(queued("vault.release")[0])
    assert mail is not None
    return " ".join(mail.text.split())


def test_the_news_promises_nothing_that_cannot_be_shown(story: Story, keys_file: Path) -> None:
    lose(keys_file)
    text = news(story)
    assert "teď je ale nedokážeme otevřít, protože k nim chybí klíč" in text
    assert "teď si je můžete přečíst" not in text


def test_the_news_says_that_a_part_is_closed(story: Story, keys_file: Path) -> None:
    lose(keys_file)
    make.handover(story.dana, story.ema, title="Druhé")
    text = news(story)
    assert "teď si je můžete přečíst" in text
    assert "Část z nich teď nelze otevřít" in text


def test_the_news_of_what_opens_is_as_ever(story: Story) -> None:
    assert "klíč" not in news(story)


test_all_this_holds_on_postgresql_too = on_postgresql_too(__file__)
