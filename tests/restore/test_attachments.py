"""Attachments in a backup: ciphertext as it lies, all of it or a word about what is missing, and back again."""

from __future__ import annotations

import json
import os
import tracemalloc
import zipfile
from pathlib import Path

import pytest
from pytest_django.fixtures import Settings

from stafeta.accounts.models import User
from stafeta.archive import load as loading
from stafeta.archive.files import INDEX
from stafeta.archive.read import open_archive, verify
from stafeta.archive.write import write_archive
from stafeta.core.errors import ArchiveError
from stafeta.vault.models import Attachment, Handover
from stafeta.vault.services.open_attachment import open_attachment
from stafeta.vault.services.remove_attachment import remove_attachment
from stafeta.vault.storage import attachment_storage
from tests import make
from tests.on_both import on_postgresql_too
from tests.restore.history import backup, restore
from tests.restore.test_archive import refused, rewrite
from tests.world import World

MIB = 1024 * 1024
LARGE_BYTES = 30 * MIB


@pytest.fixture
def dana(world: World) -> User:
    return make.armed_owner()


@pytest.fixture
def attachment(dana: User) -> Attachment:
    return make.attachment(Handover.objects.get())


def place_of(one: Attachment) -> Path:
    return Path(attachment_storage().path(one.file.key))


def stored(settings: Settings) -> set[str]:
    place = Path(settings.STORAGES["attachments"]["OPTIONS"]["location"])
    return {path.name for path in place.iterdir()} if place.exists() else set()


def content() -> bytes:
    with open_attachment(Attachment.objects.get()) as file:
        return file.read()


def test_a_file_comes_back_to_the_byte(world: World, attachment: Attachment, file: Path) -> None:
    backup(file, now=world.now)
    place_of(attachment).unlink()
    restore(file, now=world.now)
    assert content() == make.SECRET_FILE
    assert place_of(attachment).stat().st_mode & 0o777 == 0o600


def test_a_file_that_was_removed_comes_back_as_removed(world: World, attachment: Attachment, file: Path) -> None:
    remove_attachment(attachment=attachment, now=world.now)
    backup(file, now=world.now)
    place_of(attachment).unlink()
    restore(file, now=world.now)
    assert Attachment.objects.get().deleted_at == world.now
    assert content() == make.SECRET_FILE


def test_a_file_that_is_there_and_whole_stays_and_a_damaged_one_is_replaced(
    world: World, attachment: Attachment, file: Path
) -> None:
    backup(file, now=world.now)
    before = place_of(attachment).stat().st_ino
    restore(file, now=world.now)
    assert place_of(attachment).stat().st_ino == before
    place_of(attachment).write_bytes(b"damaged")
    restore(file, now=world.now)
    assert content() == make.SECRET_FILE


def test_a_backup_holds_only_ciphertext(world: World, attachment: Attachment, file: Path) -> None:
    backup(file, now=world.now)
    with zipfile.ZipFile(file) as archive:
        assert archive.read(f"files/{attachment.file.key}") == place_of(attachment).read_bytes()
        assert b"golden carp" not in b"".join(archive.read(name) for name in archive.namelist())


def test_a_file_that_is_missing_is_told_and_keeps_nothing_from_being_backed_up(
    world: World, attachment: Attachment, file: Path
) -> None:
    place_of(attachment).unlink()
    said: list[str] = []
    write_archive(file, now=world.now, say=said.append)
    assert said == ["WARNING: 1 attachments are not in the storage and not in the backup"]
    restore(file, now=world.now)
    assert Attachment.objects.count() == 1


def test_a_changed_file_is_refused(world: World, attachment: Attachment, file: Path) -> None:
    name = f"files/{attachment.file.key}"
    for words, change in (
        ("not what was written", lambda content: content[:-1]),
        ("is missing", lambda _content: None),
    ):
        file.unlink(missing_ok=True)
        backup(file, now=world.now)
        rewrite(file, member=lambda member, content, change=change: change(content) if member == name else content)
        refused(file, world, match=words)


def test_a_changed_index_is_refused(world: World, attachment: Attachment, file: Path) -> None:
    for words, change in (
        ("index of the attachments is missing", lambda _content: None),
        ("not what was written", lambda _content: b""),
        ("a line that is none", lambda content: content.replace(attachment.file.key.encode(), b"../../secret-key")),
        ("a line that is none", lambda _content: b"[1]\n"),
    ):
        file.unlink(missing_ok=True)
        backup(file, now=world.now)
        rewrite(file, member=lambda member, content, change=change: change(content) if member == INDEX else content)
        refused(file, world, match=words)


def test_a_file_that_the_index_does_not_know_is_refused(world: World, attachment: Attachment, file: Path) -> None:
    backup(file, now=world.now)
    with zipfile.ZipFile(file, "a") as archive:
        archive.writestr("files/stranger", b"x")
    refused(file, world, match="does not hold what its manifest says")


def test_a_backup_of_before_there_were_attachments_is_taken(world: World, dana: User, file: Path) -> None:
    backup(file, now=world.now)
    tables = ("vault.attachment", "vault.storedfile")

    def older(found: dict[str, object]) -> None:
        del found["files"]
        found["schema"]["vault"] = ["0001_initial"]  # type: ignore[index]
        for name in tables:
            del found["tables"][name]  # type: ignore[attr-defined]

    gone = {INDEX, *(f"tables/{name}.jsonl" for name in tables)}
    rewrite(file, manifest=older, member=lambda name, content: None if name in gone else content)
    restore(file, now=world.now)
    assert User.objects.get().email == dana.email


def test_a_restore_that_fails_leaves_the_storage_as_it_was(
    world: World, attachment: Attachment, file: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    backup(file, now=world.now)
    place_of(attachment).unlink()

    def fail(**_facts: object) -> int:
        raise ArchiveError("no", "no")

    monkeypatch.setattr(loading, "begin_epoch", fail)
    with pytest.raises(ArchiveError):
        restore(file, now=world.now)
    assert stored(settings) == set()


def test_the_manifest_says_how_many(world: World, attachment: Attachment, file: Path) -> None:
    backup(file, now=world.now)
    with zipfile.ZipFile(file) as archive:
        assert json.loads(archive.read("manifest.json"))["files"]["count"] == 1
    with open_archive(file) as archive:
        verify(archive)


def test_memory_stays_flat_however_large_a_file_is(world: World, dana: User, file: Path) -> None:
    attachment = make.attachment(Handover.objects.get(), os.urandom(LARGE_BYTES))
    tracemalloc.start()
    backup(file, now=world.now)
    place_of(attachment).unlink()
    restore(file, now=world.now)
    _now, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(content()) == LARGE_BYTES
    assert peak < 12 * MIB, peak


test_all_this_holds_on_postgresql_too = on_postgresql_too(__file__)
