"""The server stores only ciphertext, and only the keys file opens it (vault.md)."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest
from pyrage.x25519 import Identity
from pytest_django.fixtures import Settings

from stafeta.core.errors import ConfigurationError, KeyMissing, Tampered
from stafeta.vault.keyring import check_keyring, create_keys_file, instance_keyring
from stafeta.vault.models import WrappedKey
from stafeta.vault.selectors import read_content
from stafeta.vault.services.create_handover import create_handover
from tests import make
from tests.vault.conftest import Story
from tests.web.traces import database_as_text


def test_content_is_read_back_to_the_letter(story: Story) -> None:
    assert read_content(story.handover) == make.SECRET_TEXT


def test_no_table_holds_the_plaintext_or_a_key(story: Story, keys_file: Path) -> None:
    stored = database_as_text()
    assert story.handover.title in stored
    assert make.SECRET_TEXT not in stored
    assert make.SECRET_TEXT.encode().decode("latin-1") not in stored
    assert "AGE-SECRET-KEY" not in stored


def test_a_thief_of_the_database_without_the_keys_file_opens_nothing(story: Story, keys_file: Path) -> None:
    keys_file.unlink()
    create_keys_file(keys_file)
    with pytest.raises(KeyMissing):
        read_content(story.handover)


def test_a_missing_keys_file_says_what_to_do(story: Story, keys_file: Path) -> None:
    keys_file.unlink()
    with pytest.raises(ConfigurationError) as caught:
        read_content(story.handover)
    assert caught.value.setting == "STAFETA_KEYS_FILE"
    assert "stafeta init" in caught.value.remedy
    assert [problem.id for problem in check_keyring()] == ["stafeta.E010"]


def test_ciphertext_that_was_changed_is_not_shown(story: Story) -> None:
    version = story.handover.versions.get()
    version.ciphertext = bytes(version.ciphertext)[:-1] + bytes([bytes(version.ciphertext)[-1] ^ 1])
    version.save()
    with pytest.raises(Tampered) as caught:
        read_content(story.handover)
    assert make.SECRET_TEXT not in repr(caught.value)


def test_a_key_wrapped_for_another_handover_opens_nothing(story: Story) -> None:
    other = create_handover(owner=story.dana, title="Other", content="other", now=make.NOON)
    foreign = WrappedKey.objects.get(handover=other).blob
    WrappedKey.objects.filter(handover=story.handover).update(blob=foreign)
    with pytest.raises(Tampered):
        read_content(story.handover)


def test_a_damaged_wrapped_key_opens_nothing(story: Story) -> None:
    WrappedKey.objects.filter(handover=story.handover).update(blob=b"junk")
    with pytest.raises(Tampered):
        read_content(story.handover)
    WrappedKey.objects.all().delete()
    with pytest.raises(KeyMissing):
        read_content(story.handover)


def test_a_new_first_key_wraps_and_old_handovers_still_open(story: Story, keys_file: Path) -> None:
    old = keys_file.read_text()
    keys_file.write_text(f"{Identity.generate()}\n{old}")
    assert read_content(story.handover) == make.SECRET_TEXT
    newer = create_handover(owner=story.dana, title="New", content="new", now=make.NOON)
    keys_file.write_text(old)
    with pytest.raises(KeyMissing):
        read_content(newer)


def test_the_keys_file_is_made_once_for_its_user_alone(tmp_path: Path, settings: Settings) -> None:
    path = tmp_path / "new" / "keys.txt"
    create_keys_file(path)
    first = path.read_bytes()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    with pytest.raises(FileExistsError):
        create_keys_file(path)
    assert path.read_bytes() == first
    settings.KEYS_FILE = path
    assert check_keyring() == []
    assert "AGE-SECRET" not in repr(instance_keyring())


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o700, 0o660])
def test_a_keys_file_that_others_may_open_is_refused(keys_file: Path, mode: int) -> None:
    os.chmod(keys_file, mode)
    with pytest.raises(ConfigurationError, match="chmod 600"):
        instance_keyring()


@pytest.mark.parametrize("text", ["", "# only a comment\n", "AGE-SECRET-KEY-1NONSENSE\n", "hunter2\n"])
def test_a_wrong_keys_file_is_refused_without_quoting_it(keys_file: Path, text: str) -> None:
    keys_file.write_text(text)
    with pytest.raises(ConfigurationError) as caught:
        instance_keyring()
    assert "NONSENSE" not in str(caught.value)
    assert "hunter2" not in str(caught.value)
