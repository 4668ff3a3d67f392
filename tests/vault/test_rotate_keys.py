"""A rotation wraps everything to the first key while everything goes on, and loses nothing whatever happens to it."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event
from typing import TypeVar

import pytest
from django.db import connection, transaction
from pyrage.x25519 import Identity

from stafeta.core.errors import KeyMissing
from stafeta.vault.keyring import Keyring, create_keys_file, instance_keyring, read_keys_file
from stafeta.vault.models import Handover, WrappedKey
from stafeta.vault.opening import batches, survey
from stafeta.vault.selectors import read_content
from stafeta.vault.services import rotate_keys as module
from stafeta.vault.services.add_instance_key import add_instance_key
from stafeta.vault.services.create_handover import create_handover
from stafeta.vault.services.delete_handover import DELETED_KEPT, delete_handover, purge_deleted
from stafeta.vault.services.rotate_keys import PASSES_MAX, Rotated, rotate_keys
from stafeta.vault.services.save_handover import save_handover
from stafeta.vault.services.set_aside_lost import set_aside_lost
from tests import make
from tests.on_both import on_postgresql_too
from tests.vault.conftest import Story

HANDOVERS = 12
WAIT_S_MAX = 30

pytestmark = pytest.mark.django_db(transaction=True)

T = TypeVar("T")


@pytest.fixture
def story(transactional_db: None, keys_file: Path) -> Story:
    """Dana's handovers under the old key, and a new first key."""
    dana = make.owner()
    ema = make.recipient(dana)
    for number in range(HANDOVERS):
        make.handover(dana, ema, title=f"Předání {number}", content=f"tajemství {number}")
    add_instance_key(keys_file)
    return Story(dana, ema, Handover.objects.order_by("pk")[0])


def rotate(say: Callable[[str], None] = lambda _said: None, *, batch_rows: int = 3) -> Rotated:
    return rotate_keys(ring=instance_keyring(), say=say, batch_rows=batch_rows)


def everything() -> list[str]:
    return [read_content(handover) for handover in Handover.objects.order_by("pk")]


def blobs() -> dict[int, bytes]:
    return {row.pk: row.blob for rows in batches() for row in rows}


def drop_old_keys(keys_file: Path) -> None:
    """Leave the first key alone in the file, as an operator does after a rotation."""
    keys_file.write_text("\n".join(keys_file.read_text().splitlines()[:2]) + "\n")


def in_a_thread(act: Callable[[], T]) -> Callable[[], T]:
    def run() -> T:
        try:
            return act()
        finally:
            connection.close()

    return run


def test_after_a_rotation_the_first_key_alone_opens_everything(story: Story, keys_file: Path) -> None:
    before = everything()
    done = rotate()
    assert done.changed == HANDOVERS
    assert done.is_complete
    assert done.after.opens == (HANDOVERS, 0)
    drop_old_keys(keys_file)
    assert everything() == before


def test_a_copy_from_before_a_rotation_still_needs_the_old_key(story: Story, keys_file: Path) -> None:
    copy = blobs()
    rotate()
    old = Keyring(instance_keyring().identities[1:])
    new = Keyring(instance_keyring().identities[:1])
    for blob in copy.values():
        assert old.unwrap(blob)
        with pytest.raises(KeyMissing):
            new.unwrap(blob)


def test_repeating_a_rotation_changes_nothing(story: Story) -> None:
    rotate()
    before = blobs()
    assert rotate().changed == 0
    assert blobs() == before


def test_an_interrupted_rotation_has_lost_nothing_and_goes_on(story: Story, keys_file: Path) -> None:
    before = everything()
    said: list[str] = []

    def interrupted(words: str) -> None:
        said.append(words)
        if len(said) == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        rotate(interrupted)
    assert survey(instance_keyring()).opens == (6, HANDOVERS - 6)
    assert everything() == before
    assert rotate().changed == HANDOVERS - 6
    drop_old_keys(keys_file)
    assert everything() == before


def test_a_rotation_that_fails_within_a_batch_keeps_the_batches_before(
    story: Story, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, swapped = everything(), []
    real = module._swap

    def failing(row: module.Row, blob: bytes) -> int:
        swapped.append(row.pk)
        if len(swapped) == 5:
            raise OSError("the machine goes down")
        return real(row, blob)

    monkeypatch.setattr(module, "_swap", failing)
    with pytest.raises(OSError, match="goes down"):
        rotate()
    assert survey(instance_keyring()).opens == (3, HANDOVERS - 3)
    assert everything() == before


def test_what_changed_after_it_was_read_is_not_overwritten(story: Story, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another rotation, to a still newer key, came first: its wrapped key stays, and what it wrapped opens."""
    before, newer = everything(), Identity.generate()
    ring = Keyring((newer, *instance_keyring().identities))
    real, met = module._swap, []

    def overtaken(row: module.Row, blob: bytes) -> int:
        if not met:
            met.append(row.pk)
            WrappedKey.objects.filter(pk=row.pk).update(blob=ring.wrap(ring.unwrap(row.blob)))
        return real(row, blob)

    monkeypatch.setattr(module, "_swap", overtaken)
    rotate()
    assert ring.opener_of(blobs()[met[0]]) == 0
    monkeypatch.undo()
    assert rotate_keys(ring=ring, say=lambda _said: None).after.opens == (HANDOVERS, 0, 0)
    assert before == [
        read_content_with(ring, pk) for pk in Handover.objects.order_by("pk").values_list("pk", flat=True)
    ]


def read_content_with(ring: Keyring, pk: int) -> str:
    """Return a handover's content, opened by hand with another keyring than the instance's."""
    from pyrage import decrypt

    key = Identity.from_str(ring.unwrap(bytes(WrappedKey.objects.get(handover=pk).blob)).decode())
    plaintext: bytes = decrypt(bytes(Handover.objects.get(pk=pk).versions.order_by("-number")[0].ciphertext), [key])
    return plaintext.decode()


def test_handovers_are_written_saved_and_erased_while_everything_is_rotated(story: Story, keys_file: Path) -> None:
    """Nobody is refused, nobody's text is lost, and in the end the first key opens all of it."""
    begun, stop = Event(), Event()

    def write_on() -> dict[int, str]:
        expected, number = {}, 0
        while not (stop.is_set() and number >= HANDOVERS):
            handover = Handover.objects.order_by("pk")[number % 6]
            content = f"nové {number}"
            save_handover(
                handover=handover, title=handover.title, content=content, base_revision=handover.revision, now=make.NOON
            )
            expected[handover.pk] = content
            made = create_handover(owner=story.dana, title="Nové", content=content, now=make.NOON)
            if number % 3:
                expected[made.pk] = content
            else:
                delete_handover(handover=made, now=make.NOON)
                purge_deleted(now=make.NOON + DELETED_KEPT + make.NOON.resolution)
            number += 1
            begun.set()
        return expected

    def rotate_on() -> list[Rotated]:
        assert begun.wait(WAIT_S_MAX)
        try:
            return [rotate(batch_rows=1), *(rotate(batch_rows=2) for _ in range(4))]
        finally:
            stop.set()

    with ThreadPoolExecutor(2) as pool:
        writing, rotating = pool.submit(in_a_thread(write_on)), pool.submit(in_a_thread(rotate_on))
        results, expected = rotating.result(WAIT_S_MAX), writing.result(WAIT_S_MAX)
    assert results[0].changed == HANDOVERS
    assert survey(instance_keyring()).opens[1:] == (0,)
    drop_old_keys(keys_file)
    assert {pk: read_content(Handover.objects.get(pk=pk)) for pk in expected} == expected
    assert len(everything()) == Handover.objects.count()


def test_two_rotations_at_once_wrap_everything_once(story: Story, keys_file: Path) -> None:
    before = everything()
    with ThreadPoolExecutor(3) as pool:
        running = [pool.submit(in_a_thread(lambda: rotate(batch_rows=2))) for _ in range(3)]
        results = [each.result(WAIT_S_MAX) for each in running]
    assert sum(result.changed for result in results) == HANDOVERS
    drop_old_keys(keys_file)
    assert everything() == before


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite locks no single row")
def test_a_row_that_somebody_holds_keeps_nobody_waiting_and_is_reported(story: Story) -> None:
    held, done = Event(), Event()

    def hold() -> None:
        with transaction.atomic():
            WrappedKey.objects.select_for_update().get(handover=story.handover)
            held.set()
            assert done.wait(WAIT_S_MAX)

    with ThreadPoolExecutor(1) as pool:
        holding = pool.submit(in_a_thread(hold))
        assert held.wait(WAIT_S_MAX)
        first = rotate()
        done.set()
        holding.result(WAIT_S_MAX)
    assert first.changed == HANDOVERS - 1
    assert not first.is_complete
    assert first.after.opens == (HANDOVERS - 1, 1)
    assert rotate().is_complete


def test_a_process_that_goes_on_with_the_old_key_is_noticed(story: Story, keys_file: Path) -> None:
    """As a web process does whose keys came from the environment, until it is restarted."""
    old = Keyring(instance_keyring().identities[1:])
    passes = []

    def wrap_to_the_old_one(_said: str) -> None:
        passes.append(1)
        row = WrappedKey.objects.order_by("pk")[0]
        secret = instance_keyring().unwrap(bytes(row.blob))
        WrappedKey.objects.filter(pk=row.pk).update(blob=old.wrap(secret))

    done = rotate(wrap_to_the_old_one, batch_rows=HANDOVERS)
    assert len(passes) == PASSES_MAX
    assert not done.is_complete


def test_what_no_key_opens_stays_as_it_is_and_keeps_nobody_back(story: Story, tmp_path: Path) -> None:
    create_keys_file(tmp_path / "foreign.txt")
    foreign = read_keys_file(tmp_path / "foreign.txt").wrap(b"secret")
    rows = WrappedKey.objects.order_by("pk")
    lost, damaged = rows[0].pk, rows[1].pk
    WrappedKey.objects.filter(pk=lost).update(blob=foreign)
    WrappedKey.objects.filter(pk=damaged).update(blob=b"junk")
    done = rotate()
    assert done.changed == HANDOVERS - 2
    assert done.is_complete
    assert len(done.after.missing) == 2
    assert (blobs()[lost], blobs()[damaged]) == (foreign, b"junk")


def test_a_key_that_turned_up_gives_back_what_was_given_up(story: Story, keys_file: Path) -> None:
    before, kept = everything(), keys_file.read_bytes()
    drop_old_keys(keys_file)
    assert set_aside_lost(ring=instance_keyring()) == HANDOVERS
    keys_file.write_bytes(kept)
    assert rotate().changed == HANDOVERS
    assert set(WrappedKey.objects.values_list("holder", flat=True)) == {"instance"}
    drop_old_keys(keys_file)
    assert everything() == before


test_all_this_holds_on_postgresql_too = on_postgresql_too(__file__)
