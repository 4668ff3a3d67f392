"""A file that arrives in parts: ciphertext from the first byte, one part lost at most, gone when nobody sends it on."""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path

import pytest
from pytest_django.fixtures import Settings

from stafeta import clock
from stafeta.core.errors import FileMissing, PolicyError, Tampered, UploadBroken, WrongPart
from stafeta.vault.models import Handover, PartialUpload, StoredFile, UploadPart
from stafeta.vault.selectors import uploads_of
from stafeta.vault.services import receive_upload
from stafeta.vault.services.add_attachment import add_attachment, seal_attachment
from stafeta.vault.services.delete_handover import DELETED_KEPT, delete_handover, purge_deleted
from stafeta.vault.services.erase_files import ORPHAN_AFTER, erase_orphans
from stafeta.vault.services.open_attachment import open_attachment
from stafeta.vault.services.receive_upload import (
    ABANDONED_AFTER,
    JoinedParts,
    begin_upload,
    discard_upload,
    purge_uploads,
    receive_part,
)
from stafeta.vault.storage import attachment_storage
from tests import make
from tests.on_both import on_postgresql_too
from tests.vault.conftest import Story
from tests.vault.test_attachments import files_in, stored
from tests.web.traces import database_as_text

PART = 1000
CONTENT = b"a golden carp " * 250  # 3.5 parts


@pytest.fixture(autouse=True)
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(receive_upload, "PART_BYTES", PART)


def begun(story: Story, content: bytes = CONTENT, *, name: str = "plán.pdf") -> PartialUpload:
    return begin_upload(
        handover=story.handover, name=name, size_bytes=len(content), modified_ms=5, real_now=clock.real_now()
    )


def send(upload: PartialUpload, content: bytes = CONTENT, *, parts: range | None = None) -> None:
    for number in parts or range(-(-len(content) // PART)):
        piece = content[number * PART : (number + 1) * PART]
        receive_part(upload=upload, number=number, content=piece, real_now=clock.real_now())


def test_the_parts_make_the_file(story: Story) -> None:
    upload = begun(story)
    send(upload)
    sealed = seal_attachment(
        handover=story.handover,
        source=JoinedParts(upload),
        name=upload.name,
        size_bytes=upload.size_bytes,
        real_now=clock.real_now(),
    )
    with open_attachment(add_attachment(handover=story.handover, sealed=sealed, now=make.NOON)) as file:
        assert file.read() == CONTENT


def test_no_part_lies_anywhere_in_plaintext(story: Story, settings: Settings) -> None:
    send(begun(story), parts=range(2))
    assert len(stored(settings)) == 2
    for key in stored(settings):
        ciphertext = Path(attachment_storage().path(key)).read_bytes()
        assert ciphertext.startswith(b"age-encryption.org/v1\n")
        assert b"golden carp" not in ciphertext
    assert files_in(settings.PASSAGE_DIR) == []
    assert "golden carp" not in database_as_text()


def test_begun_again_it_goes_on_where_it_was(story: Story) -> None:
    upload = begun(story)
    send(upload, parts=range(2))
    assert begun(story) == upload
    assert uploads_of(story.handover)[0].received_bytes == 2 * PART  # type: ignore[attr-defined]
    other = begin_upload(
        handover=story.handover, name="plán.pdf", size_bytes=3500, modified_ms=6, real_now=clock.real_now()
    )
    assert other != upload  # it was changed since


def test_a_part_that_is_there_is_not_taken_twice(story: Story, settings: Settings) -> None:
    upload = begun(story)
    for _ in range(2):
        receive_part(upload=upload, number=0, content=CONTENT[:PART], real_now=clock.real_now())
    assert (upload.parts.count(), len(stored(settings)), StoredFile.objects.count()) == (1, 1, 1)


@pytest.mark.parametrize(
    ("number", "content"), [(1, b"x" * PART), (0, b"x" * (PART - 1)), (0, b"x" * (PART + 1)), (0, b""), (9, b"")]
)
def test_a_part_out_of_turn_or_not_whole_is_not_taken(story: Story, number: int, content: bytes) -> None:
    upload = begun(story)
    with pytest.raises(WrongPart) as caught:
        receive_part(upload=upload, number=number, content=content, real_now=clock.real_now())
    assert caught.value.due == 0
    assert not StoredFile.objects.exists()


def test_a_part_beyond_the_end_is_not_taken(story: Story) -> None:
    upload = begun(story)
    send(upload)
    with pytest.raises(WrongPart):
        receive_part(upload=upload, number=4, content=b"x", real_now=clock.real_now())


def test_what_is_not_whole_is_not_joined(story: Story) -> None:
    upload = begun(story)
    send(upload, parts=range(3))
    with pytest.raises(UploadBroken):
        JoinedParts(upload)


def damage(upload: PartialUpload, content: bytes | None) -> None:
    part = upload.parts.all()[1]
    place = Path(attachment_storage().path(part.file.key))
    if content is None:
        place.unlink()
    else:
        place.write_bytes(content)


@pytest.mark.parametrize(("content", "error"), [(None, FileMissing), (b"", Tampered), (b"not age", Tampered)])
def test_a_damaged_part_makes_no_file(story: Story, content: bytes | None, error: type[Exception]) -> None:
    upload = begun(story)
    send(upload)
    damage(upload, content)
    with pytest.raises(error):
        seal_attachment(
            handover=story.handover,
            source=JoinedParts(upload),
            name="a",
            size_bytes=len(CONTENT),
            real_now=clock.real_now(),
        )
    assert StoredFile.objects.count() == 4  # the parts alone


def test_a_part_in_anothers_place_makes_no_file(story: Story) -> None:
    upload = begun(story)
    send(upload)
    first, last = upload.parts.first(), upload.parts.last()
    assert first is not None
    assert last is not None
    place = Path(attachment_storage().path(last.file.key))
    place.write_bytes(Path(attachment_storage().path(first.file.key)).read_bytes())
    with pytest.raises(Tampered):
        seal_attachment(
            handover=story.handover,
            source=JoinedParts(upload),
            name="a",
            size_bytes=len(CONTENT),
            real_now=clock.real_now(),
        )


# Bounds -------------------------------------------------------------------------------------------------------------
def test_what_has_no_room_is_refused_before_it_is_sent(story: Story, settings: Settings) -> None:
    settings.ATTACHMENT_BYTES_MAX = 3000
    with pytest.raises(PolicyError) as caught:
        begun(story)
    assert caught.value.field == "attachment_bytes"
    with pytest.raises(PolicyError):
        begun(story, b"")


def test_an_owner_has_only_so_many_and_so_much_under_way(
    story: Story, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(receive_upload, "UPLOADS_MAX", 2)
    settings.HANDOVER_ATTACHMENTS_BYTES_MAX = 5000
    begun(story, name="a")
    with pytest.raises(PolicyError) as caught:
        begun(story, name="b")
    assert caught.value.field == "uploads_bytes"
    other = Story(story.dana, story.ema, make.handover(story.dana, title="Jiné"))
    begun(other, b"x", name="b")
    with pytest.raises(PolicyError) as caught:
        begun(other, b"x", name="c")
    assert caught.value.field == "uploads"
    mallory = make.owner("mallory@example.org", name="Mallory")
    begun(Story(mallory, story.ema, make.handover(mallory, title="Mine")))


def test_a_deleted_handover_begins_nothing(story: Story) -> None:
    delete_handover(handover=story.handover, now=make.NOON)
    with pytest.raises(Handover.DoesNotExist):
        begun(story)


# Given up -----------------------------------------------------------------------------------------------------------
def test_a_given_up_upload_leaves_nothing(story: Story, settings: Settings) -> None:
    upload = begun(story)
    send(upload)
    discard_upload(upload=upload, real_now=clock.real_now())
    assert (stored(settings), StoredFile.objects.count(), PartialUpload.objects.count()) == ([], 0, 0)
    with pytest.raises(PartialUpload.DoesNotExist):
        receive_part(upload=upload, number=0, content=CONTENT[:PART], real_now=clock.real_now())
    assert (stored(settings), StoredFile.objects.count()) == ([], 0)


def test_what_nobody_sends_on_is_erased_a_day_later_and_not_before(story: Story, settings: Settings) -> None:
    upload = begun(story)
    send(upload, parts=range(2))
    last = PartialUpload.objects.get().touched_at
    assert purge_uploads(real_now=last + ABANDONED_AFTER) == 0
    erase_orphans(real_now=clock.real_now() + ORPHAN_AFTER * 3)
    assert len(stored(settings)) == 2  # a part is no orphan, however old
    assert purge_uploads(real_now=last + ABANDONED_AFTER + timedelta(seconds=1)) == 1
    assert (stored(settings), StoredFile.objects.count(), UploadPart.objects.count()) == ([], 0, 0)


def test_a_slow_line_is_not_given_up_while_it_sends(story: Story) -> None:
    upload = begun(story)
    later = clock.real_now() + ABANDONED_AFTER * 2
    receive_part(upload=upload, number=0, content=CONTENT[:PART], real_now=later)
    assert purge_uploads(real_now=later + timedelta(hours=23)) == 0


def test_the_parts_go_with_their_handover(story: Story, settings: Settings) -> None:
    send(begun(story))
    delete_handover(handover=story.handover, now=make.NOON)
    purge_deleted(now=make.NOON + DELETED_KEPT + timedelta(seconds=1))
    erase_orphans(real_now=clock.real_now() + ORPHAN_AFTER * 2)
    assert (stored(settings), StoredFile.objects.count()) == ([], 0)


def test_a_full_disk_keeps_no_part(story: Story, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    upload = begun(story)

    def full(*_: object, **__: object) -> str:
        return os.fspath(os.open("/dev/full", os.O_WRONLY) and os.write(os.open("/dev/full", os.O_WRONLY), b"x"))  # type: ignore[call-overload,no-any-return]

    monkeypatch.setattr(type(attachment_storage()), "_save", full)
    with pytest.raises(OSError, match="No space left"):
        send(upload)
    assert (upload.parts.count(), StoredFile.objects.count()) == (0, 0)


test_all_this_holds_on_postgresql_too = on_postgresql_too(__file__)
