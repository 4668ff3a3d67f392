"""The instance keyring: where it comes from, how a new first key comes into it, and what opens what."""

from __future__ import annotations

import os
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from pyrage.x25519 import Identity
from pytest_django.fixtures import Settings

from stafeta.core.errors import ConfigurationError, KeyMissing
from stafeta.vault import keyring
from stafeta.vault.keyring import FILE_BYTES_MAX, create_keys_file, instance_keyring, read_keys_file
from stafeta.vault.models import WrappedKey
from stafeta.vault.opening import SAMPLE_ROWS, Sample, affected, sample, survey
from stafeta.vault.selectors import read_content
from stafeta.vault.services.add_instance_key import add_instance_key
from stafeta.vault.services.set_aside_lost import set_aside_lost
from tests import make
from tests.vault.conftest import Story

# Where they come from -----------------------------------------------------------------------------------------------


def test_keys_from_the_environment_open_what_the_same_file_opened(
    story: Story, keys_file: Path, settings: Settings
) -> None:
    settings.KEYS = keys_file.read_text()
    keys_file.unlink()
    assert read_content(story.handover) == make.SECRET_TEXT


@pytest.mark.parametrize("between", ["\n", " ", "\n# the old one\n"])
def test_a_variable_may_hold_several_keys_and_the_first_one_wraps(settings: Settings, between: str) -> None:
    new, old = Identity.generate(), Identity.generate()
    settings.KEYS = f"{new}{between}{old}"
    ring = instance_keyring()
    assert ring.public_keys == (str(new.to_public()), str(old.to_public()))
    assert ring.opener_of(ring.wrap(b"secret")) == 0


def test_a_wrong_variable_is_named_and_not_quoted(settings: Settings) -> None:
    settings.KEYS = "hunter2"
    with pytest.raises(ConfigurationError) as caught:
        instance_keyring()
    assert caught.value.setting == "STAFETA_KEYS"
    assert "hunter2" not in str(caught.value)


def test_a_key_that_stands_there_twice_is_one_key(keys_file: Path) -> None:
    """Or the second one would seem to open nothing, and with it the only one be removed."""
    keys_file.write_text(keys_file.read_text() * 2)
    assert len(instance_keyring().public_keys) == 1


def test_a_file_too_long_to_be_read_whole_is_refused(keys_file: Path) -> None:
    """A key beyond the bound would silently open nothing."""
    keys_file.write_text(f"#{' ' * FILE_BYTES_MAX}\n{keys_file.read_text()}")
    with pytest.raises(ConfigurationError, match="longer than"):
        instance_keyring()


# A new first key ----------------------------------------------------------------------------------------------------


def test_a_new_key_comes_first_and_the_old_lines_stay(story: Story, keys_file: Path) -> None:
    old = keys_file.read_bytes()
    public_key = add_instance_key(keys_file)
    assert keys_file.read_bytes().endswith(old)
    assert instance_keyring().public_keys[0] == public_key
    assert read_content(story.handover) == make.SECRET_TEXT
    assert stat.S_IMODE(keys_file.stat().st_mode) == 0o600
    assert os.listdir(keys_file.parent) == [keys_file.name]


def test_a_new_key_that_cannot_be_written_leaves_the_file_as_it_was(
    keys_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = keys_file.read_bytes()

    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(ConfigurationError, match="No space left"):
        add_instance_key(keys_file)
    assert keys_file.read_bytes() == old
    assert os.listdir(keys_file.parent) == [keys_file.name]


def test_keys_added_at_once_are_all_there(keys_file: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        added = set(pool.map(add_instance_key, [keys_file] * 24))
    assert len(added) == 24
    assert added < set(instance_keyring().public_keys)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files to others")
def test_root_adds_a_key_without_shutting_the_service_out(keys_file: Path) -> None:
    os.chown(keys_file, 12345, 12345)
    add_instance_key(keys_file)
    assert keys_file.stat().st_uid == 12345
    assert stat.S_IMODE(keys_file.stat().st_mode) == 0o600


def test_a_link_to_the_keys_file_stays_a_link(keys_file: Path, tmp_path: Path) -> None:
    link = tmp_path / "keys"
    link.symlink_to(keys_file)
    add_instance_key(link)
    assert link.is_symlink()
    assert len(read_keys_file(keys_file).identities) == 2


def test_no_key_is_added_to_a_file_that_is_wrong(keys_file: Path) -> None:
    keys_file.write_text("junk\n")
    with pytest.raises(ConfigurationError, match="not an age key"):
        add_instance_key(keys_file)
    assert keys_file.read_text() == "junk\n"
    keys_file.unlink()
    with pytest.raises(ConfigurationError, match="no key file"):
        add_instance_key(keys_file)
    assert not keys_file.exists()


def test_a_file_never_grows_beyond_what_is_read(keys_file: Path) -> None:
    keys_file.write_text(f"{keys_file.read_text()}#{' ' * (FILE_BYTES_MAX - 400)}\n")
    assert len(keys_file.read_bytes()) <= FILE_BYTES_MAX
    with pytest.raises(ConfigurationError, match="is full"):
        add_instance_key(keys_file)
    assert instance_keyring()


# What opens what ----------------------------------------------------------------------------------------------------


def test_each_wrapped_key_is_counted_with_the_key_that_opens_it(story: Story, keys_file: Path) -> None:
    make.handover(story.dana, title="Druhé")
    add_instance_key(keys_file)
    make.handover(story.dana, title="Třetí")
    found = survey(instance_keyring())
    assert found.opens == (1, 2)
    assert found.closed == ()
    assert str(affected()) == "3 handovers of 1 owner"


def test_what_no_key_opens_is_named_with_its_owner(story: Story, keys_file: Path) -> None:
    keys_file.unlink()
    create_keys_file(keys_file)
    make.handover(story.dana, title="Nové")
    (closed,) = survey(instance_keyring()).missing
    assert (closed.handover, closed.title) == (story.handover.pk, story.handover.title)
    assert closed.owner_email == "dana@example.org"
    assert not closed.is_damaged


def test_a_damaged_wrapped_key_is_told_from_a_missing_key(story: Story) -> None:
    WrappedKey.objects.update(blob=b"junk")
    (closed,) = survey(instance_keyring()).closed
    assert closed.is_damaged
    assert sample(instance_keyring()) == Sample(opened=0, missing=0, damaged=1)


def test_a_start_looks_at_the_oldest_and_the_newest_and_at_no_more(story: Story, keys_file: Path) -> None:
    row = WrappedKey.objects.get()
    for number in range(SAMPLE_ROWS):
        make.handover(story.dana, title=f"Starší {number}")
    add_instance_key(keys_file)
    keys_file.write_text(keys_file.read_text().splitlines()[1] + "\n")
    make.handover(story.dana, title="Nejnovější")
    assert sample(instance_keyring()) == Sample(opened=1, missing=SAMPLE_ROWS - 1, damaged=0)
    WrappedKey.objects.filter(pk=row.pk).update(blob=instance_keyring().wrap(b"oldest"))
    assert sample(instance_keyring()).opened == 2


def test_what_is_given_up_is_not_erased(story: Story, keys_file: Path) -> None:
    kept = keys_file.read_bytes()
    keys_file.write_text(f"{Identity.generate()}\n")
    assert set_aside_lost(ring=instance_keyring()) == 1
    assert set_aside_lost(ring=instance_keyring()) == 0
    found = survey(instance_keyring())
    assert [closed.is_set_aside for closed in found.closed] == [True]
    assert found.missing == ()
    assert sample(instance_keyring()).looked_at == 0
    with pytest.raises(KeyMissing):
        read_content(story.handover)
    keys_file.write_bytes(kept)
    assert survey(instance_keyring()).opens == (1,)


def test_only_what_no_key_fits_is_given_up(story: Story) -> None:
    damaged = make.handover(story.dana, title="Poškozené")
    WrappedKey.objects.filter(handover=damaged).update(blob=b"junk")
    assert set_aside_lost(ring=instance_keyring()) == 0
    assert read_content(story.handover) == make.SECRET_TEXT


def test_an_empty_keyring_opens_nothing(story: Story) -> None:
    assert len(survey(keyring.Keyring(())).missing) == 1
