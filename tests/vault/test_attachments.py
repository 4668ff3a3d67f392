"""Files of a handover: stored only encrypted, within limits, whole or not at all, and gone when they should be."""

from __future__ import annotations

import errno
import os
import resource
import stat
import sys
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from io import BytesIO
from pathlib import Path
from typing import IO

import pytest
from pytest_django.fixtures import Settings

from stafeta import clock
from stafeta.core.errors import FileMissing, KeyMissing, PolicyError, Tampered
from stafeta.vault.keyring import create_keys_file
from stafeta.vault.models import Attachment, Handover, StoredFile
from stafeta.vault.selectors import (
    Gap,
    attachment_behind,
    attachment_of,
    attachments_of,
    gaps_of,
    handover_of,
    releasable_count,
    removed_attachments_of,
)
from stafeta.vault.services import add_attachment as adding
from stafeta.vault.services.add_attachment import add_attachment, seal_attachment
from stafeta.vault.services.create_handover import create_handover
from stafeta.vault.services.delete_handover import DELETED_KEPT, delete_handover, purge_deleted
from stafeta.vault.services.erase_files import ORPHAN_AFTER, erase_file, erase_orphans
from stafeta.vault.services.open_attachment import open_attachment
from stafeta.vault.services.reading import record_reading
from stafeta.vault.services.remove_attachment import purge_removed, remove_attachment, restore_attachment
from stafeta.vault.storage import attachment_storage
from stafeta.worker.parts import Instant, purge
from tests import make
from tests.on_both import on_postgresql_too
from tests.vault.conftest import Story
from tests.web.traces import database_as_text

MIB = 1024 * 1024
LARGE_BYTES = 60 * MIB
MEMORY_BYTES_MAX = 20 * MIB
BEYOND = DELETED_KEPT + timedelta(seconds=1)


def content_of(attachment: Attachment) -> bytes:
    with open_attachment(attachment) as file:
        return file.read()


def place_of(attachment: Attachment) -> Path:
    return Path(attachment_storage().path(attachment.file.key))


def files_in(directory: object) -> list[str]:
    place = Path(str(directory))
    return sorted(path.name for path in place.iterdir()) if place.is_dir() else []


def stored(settings: Settings) -> list[str]:
    return files_in(settings.STORAGES["attachments"]["OPTIONS"]["location"])


# What is stored -----------------------------------------------------------------------------------------------------
def test_a_file_is_read_back_to_the_byte(story: Story) -> None:
    added = make.attachment(story.handover)
    assert content_of(attachment_of(story.handover, added.pk)) == make.SECRET_FILE
    assert (added.name, added.media_type, added.size_bytes) == ("smlouva.pdf", "application/pdf", len(make.SECRET_FILE))


def test_only_ciphertext_is_stored_and_only_its_owner_may_look(story: Story, settings: Settings) -> None:
    added = make.attachment(story.handover)
    place = place_of(added)
    assert b"golden carp" not in place.read_bytes()
    assert place.read_bytes().startswith(b"age-encryption.org/v1\n")
    assert "golden carp" not in database_as_text()
    assert stat.S_IMODE(place.stat().st_mode) == 0o600
    assert stat.S_IMODE(place.parent.stat().st_mode) == 0o700
    assert stat.S_IMODE(Path(settings.PASSAGE_DIR).stat().st_mode) == 0o700
    assert files_in(settings.PASSAGE_DIR) == []


def test_a_thief_of_storage_and_database_without_the_keys_file_opens_nothing(story: Story, keys_file: Path) -> None:
    added = make.attachment(story.handover)
    keys_file.unlink()
    create_keys_file(keys_file)
    with pytest.raises(KeyMissing):
        open_attachment(added)


def test_the_same_file_twice_has_nothing_in_common(story: Story) -> None:
    first, second = (make.attachment(story.handover) for _ in range(2))
    assert first.file.key != second.file.key
    assert place_of(first).read_bytes() != place_of(second).read_bytes()


# Damaged ------------------------------------------------------------------------------------------------------------
def cut_short(whole: bytes) -> bytes:
    return whole[:-1]


def cut_at_a_chunk(whole: bytes) -> bytes:
    """What is left ends where age's chunks end, so that only the mark of the last one is missing."""
    chunk = 64 * 1024 + 16
    payload_from = len(whole) - (200_000 + 4 * 16)
    return whole[: payload_from + 2 * chunk]


def changed_at(place: int) -> Callable[[bytes], bytes]:
    return lambda whole: whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :]


def nothing(_whole: bytes) -> bytes:
    return b""


@pytest.mark.parametrize(
    "damage", [cut_short, cut_at_a_chunk, nothing, changed_at(0), changed_at(60), changed_at(-20), changed_at(-150_000)]
)
def test_a_damaged_file_is_not_shown(story: Story, settings: Settings, damage: Callable[[bytes], bytes]) -> None:
    added = make.attachment(story.handover, os.urandom(200_000))
    place_of(added).write_bytes(damage(place_of(added).read_bytes()))
    with pytest.raises(Tampered):
        open_attachment(added)
    assert files_in(settings.PASSAGE_DIR) == []


def test_a_file_of_another_handover_in_its_place_is_not_shown(story: Story) -> None:
    added = make.attachment(story.handover)
    other = make.attachment(make.handover(story.dana, title="Jiné"))
    place_of(added).write_bytes(place_of(other).read_bytes())
    with pytest.raises(Tampered):
        open_attachment(added)


def test_a_shorter_file_of_the_same_handover_in_its_place_is_not_shown(story: Story) -> None:
    added, other = make.attachment(story.handover), make.attachment(story.handover, b"short")
    place_of(added).write_bytes(place_of(other).read_bytes())
    with pytest.raises(Tampered):
        open_attachment(added)


def test_a_file_that_is_gone_is_said_to_be(story: Story) -> None:
    added = make.attachment(story.handover)
    place_of(added).unlink()
    with pytest.raises(FileMissing):
        open_attachment(added)


# Limits -------------------------------------------------------------------------------------------------------------
def refused(story: Story, content: bytes, *, field: str) -> None:
    """See that a file is refused, and that nothing is left of it."""
    before = StoredFile.objects.count()
    with pytest.raises(PolicyError) as caught:
        make.attachment(story.handover, content)
    assert caught.value.field == field
    assert StoredFile.objects.count() == before


def test_limits_are_kept_to_the_byte(story: Story, settings: Settings) -> None:
    settings.ATTACHMENT_BYTES_MAX, settings.HANDOVER_ATTACHMENTS_BYTES_MAX = 1000, 2500
    refused(story, b"", field="attachment_bytes")
    refused(story, b"x" * 1001, field="attachment_bytes")
    make.attachment(story.handover, b"x" * 1000)
    make.attachment(story.handover, b"x" * 1000)
    refused(story, b"x" * 501, field="attachments_bytes")
    make.attachment(story.handover, b"x" * 500)
    assert [one.size_bytes for one in attachments_of(story.handover)] == [1000, 1000, 500]


def test_there_is_a_bound_on_how_many(story: Story, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(adding, "ATTACHMENTS_MAX", 2)
    for _ in range(2):
        make.attachment(story.handover)
    refused(story, b"x", field="attachments")


def test_what_was_removed_counts_only_so_far(story: Story, settings: Settings) -> None:
    """Adding and removing for a month must not fill the disk."""
    settings.HANDOVER_ATTACHMENTS_BYTES_MAX = 1000
    for _ in range(2):
        remove_attachment(attachment=make.attachment(story.handover, b"x" * 1000), now=make.NOON)
    refused(story, b"x", field="attachments_kept_bytes")
    assert purge_removed(now=make.NOON + BEYOND) == 2
    make.attachment(story.handover, b"x" * 1000)


def test_a_source_longer_than_it_says_is_refused(story: Story, settings: Settings) -> None:
    settings.ATTACHMENT_BYTES_MAX = 1000
    with pytest.raises(PolicyError):
        seal_attachment(
            handover=story.handover, source=BytesIO(b"x" * 2000), name="a", size_bytes=5, real_now=clock.real_now()
        )
    assert (stored(settings), StoredFile.objects.count()) == ([], 0)


def test_a_full_disk_keeps_nothing_and_says_that_it_is_full(
    story: Story, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    @contextmanager
    def full() -> Iterator[IO[bytes]]:
        with Path("/dev/full").open("wb", buffering=0) as file:
            yield file

    monkeypatch.setattr(adding, "passing_file", full)
    with pytest.raises(OSError, match=os.strerror(errno.ENOSPC)):
        make.attachment(story.handover)
    assert (stored(settings), StoredFile.objects.count()) == ([], 0)


# Removed, brought back, gone ----------------------------------------------------------------------------------------
def test_a_removed_file_comes_back_or_goes_for_good(story: Story, settings: Settings) -> None:
    added = make.attachment(story.handover)
    remove_attachment(attachment=added, now=make.NOON)
    assert (attachments_of(story.handover), removed_attachments_of(story.handover)) == ([], [added])
    assert purge_removed(now=make.NOON + DELETED_KEPT) == 0
    restore_attachment(attachment=added)
    assert content_of(attachment_of(story.handover, added.pk)) == make.SECRET_FILE
    remove_attachment(attachment=added, now=make.NOON)
    purge(Instant(now=make.NOON + BEYOND, service_s=0))
    assert not Attachment.objects.exists()
    assert stored(settings) == [added.file.key]  # not yet a day old
    assert erase_orphans(real_now=clock.real_now() + ORPHAN_AFTER + timedelta(seconds=1)) == 1
    assert (stored(settings), StoredFile.objects.count()) == ([], 0)


def test_bringing_back_keeps_the_limits(story: Story, settings: Settings) -> None:
    settings.HANDOVER_ATTACHMENTS_BYTES_MAX = 1000
    added = make.attachment(story.handover, b"x" * 1000)
    remove_attachment(attachment=added, now=make.NOON)
    make.attachment(story.handover, b"y" * 1000)
    with pytest.raises(PolicyError):
        restore_attachment(attachment=added)
    assert removed_attachments_of(story.handover) == [added]


def test_the_files_of_a_handover_go_with_it_and_no_others(story: Story, settings: Settings) -> None:
    kept = make.attachment(make.handover(story.dana, title="Jiné"))
    make.attachment(story.handover)
    delete_handover(handover=story.handover, now=make.NOON)
    assert purge_deleted(now=make.NOON + BEYOND) == 1
    assert erase_orphans(real_now=clock.real_now() + ORPHAN_AFTER * 2) == 1
    assert stored(settings) == [kept.file.key]
    assert content_of(kept) == make.SECRET_FILE


def test_a_crash_between_file_and_row_leaves_nothing_for_longer_than_a_day(story: Story, settings: Settings) -> None:
    sealed = seal_attachment(
        handover=story.handover, source=BytesIO(b"x"), name="a", size_bytes=1, real_now=clock.real_now()
    )
    assert stored(settings) == [sealed.row.key]
    assert erase_orphans(real_now=clock.real_now() + ORPHAN_AFTER - timedelta(minutes=1)) == 0
    assert erase_orphans(real_now=clock.real_now() + ORPHAN_AFTER + timedelta(minutes=1)) == 1
    assert stored(settings) == []
    with pytest.raises(FileMissing):
        add_attachment(handover=story.handover, sealed=sealed, now=make.NOON)


def test_a_file_that_nobody_here_knows_is_left_alone(story: Story) -> None:
    """It may be another database's."""
    make.attachment(story.handover)
    stranger = Path(attachment_storage().path("f" * 32))
    stranger.write_bytes(b"somebody's")
    os.utime(stranger, (0, 0))
    erase_orphans(real_now=clock.real_now() + ORPHAN_AFTER * 9)
    assert stranger.exists()


def test_a_file_that_belongs_to_something_is_never_erased(story: Story) -> None:
    added = make.attachment(story.handover)
    assert not erase_file(added.file, real_now=clock.real_now())
    assert content_of(added) == make.SECRET_FILE


def test_one_file_that_cannot_be_erased_keeps_none_of_the_others(
    story: Story, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = []
    for _ in range(2):
        facts = {"handover": story.handover, "source": BytesIO(b"x"), "name": "a", "size_bytes": 1}
        keys.append(seal_attachment(**facts, real_now=clock.real_now()).row.key)  # type: ignore[arg-type]
    delete = type(attachment_storage()).delete

    def stubborn(self: object, name: str) -> None:
        if name == keys[0]:
            raise PermissionError(errno.EACCES, "no")
        delete(self, name)  # type: ignore[arg-type]

    with monkeypatch.context() as patched:
        patched.setattr(type(attachment_storage()), "delete", stubborn)
        for _ in range(3):
            erase_orphans(real_now=clock.real_now() + ORPHAN_AFTER * 2, limit=1)
        assert stored(settings) == [keys[0]]
    assert erase_orphans(real_now=clock.real_now() + ORPHAN_AFTER * 2) == 1
    assert stored(settings) == []


def test_a_deleted_handover_takes_no_file(story: Story) -> None:
    delete_handover(handover=story.handover, now=make.NOON)
    with pytest.raises(Handover.DoesNotExist):
        make.attachment(story.handover)


# Who may ----------------------------------------------------------------------------------------------------------
def test_a_handover_of_files_alone_is_handed_over(story: Story) -> None:
    blank = create_handover(owner=story.dana, title="blank", content="", now=make.NOON)
    blank.recipients.set([story.ema])
    assert Gap.EMPTY in gaps_of(handover_of(story.dana, blank.pk))
    assert releasable_count(story.dana) == 1
    added = make.attachment(blank)
    assert gaps_of(handover_of(story.dana, blank.pk)) == ()
    assert releasable_count(story.dana) == 2
    remove_attachment(attachment=added, now=make.NOON)
    assert releasable_count(story.dana) == 1


def test_a_file_is_found_in_its_own_handover_only(story: Story) -> None:
    added = make.attachment(story.handover)
    other = make.handover(story.dana, title="Jiné")
    with pytest.raises(Attachment.DoesNotExist):
        attachment_of(other, added.pk)
    with pytest.raises(Attachment.DoesNotExist):
        attachment_of(story.handover, added.pk, removed=True)


def test_a_release_gives_only_the_files_of_what_was_opened(story: Story) -> None:
    added = make.attachment(story.handover)
    story.release()
    with pytest.raises(Attachment.DoesNotExist):
        attachment_behind(story.opened(), added.pk)
    record_reading(grants=story.opened().grants, now=make.NOON)
    assert attachment_behind(story.opened(), added.pk) == added
    foreign = make.attachment(make.handover(story.dana, title="Jiné"))
    with pytest.raises(Attachment.DoesNotExist):
        attachment_behind(story.opened(), foreign.pk)
    remove_attachment(attachment=added, now=make.NOON)
    with pytest.raises(Attachment.DoesNotExist):
        attachment_behind(story.opened(), added.pk)


# Large --------------------------------------------------------------------------------------------------------------
def test_memory_stays_flat_however_large_a_file_is(story: Story, tmp_path: Path) -> None:
    large = tmp_path / "large"
    with large.open("wb") as file:
        for _ in range(LARGE_BYTES // MIB):
            file.write(os.urandom(MIB))
    before_kb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    tracemalloc.start()
    with large.open("rb") as source:
        sealed = seal_attachment(
            handover=story.handover, source=source, name="large", size_bytes=LARGE_BYTES, real_now=clock.real_now()
        )
    added = add_attachment(handover=story.handover, sealed=sealed, now=make.NOON)
    with open_attachment(added) as opened, large.open("rb") as source:
        while piece := source.read(MIB):
            assert opened.read(MIB) == piece
    _now, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    grown = 1024 * (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before_kb)
    sys.stdout.write(
        f"{LARGE_BYTES // MIB} MiB in and out: {peak / MIB:.1f} MiB of Python's memory at most, "
        f"and the process grew by {grown / MIB:.1f} MiB\n"
    )
    assert max(peak, grown) < MEMORY_BYTES_MAX, (peak, grown)


test_all_this_holds_on_postgresql_too = on_postgresql_too(__file__)
