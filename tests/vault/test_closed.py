"""Who watches over the service learns how many handovers nobody could read, at a cost with a bound."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from pyrage.x25519 import Identity

from stafeta.vault import closed as module
from stafeta.vault.closed import KEPT_FOR, Closed, Watch
from stafeta.vault.keyring import instance_keyring
from stafeta.vault.models import WrappedKey
from stafeta.vault.services.add_instance_key import add_instance_key
from stafeta.vault.services.delete_handover import delete_handover
from stafeta.vault.services.set_aside_lost import set_aside_lost
from tests import make
from tests.vault.conftest import Story

LATER = make.NOON + KEPT_FOR


def change_key(keys_file: Path) -> None:
    """Put another key in the place of the one that wrapped everything."""
    keys_file.write_text(f"{Identity.generate()}\n")


def test_nothing_is_closed_where_every_key_is_at_hand(story: Story, keys_file: Path) -> None:
    add_instance_key(keys_file)
    make.handover(story.dana, title="Druhé")
    assert Watch().closed(now=make.NOON) == Closed()


def test_each_reason_is_counted_apart(story: Story, keys_file: Path) -> None:
    change_key(keys_file)
    assert set_aside_lost(ring=instance_keyring()) == 1
    kept = keys_file.read_text()
    for number in range(2):
        make.handover(story.dana, title=f"Bez klíče {number}")
    WrappedKey.objects.filter(handover=make.handover(story.dana, title="Poškozené")).update(blob=b"junk")
    change_key(keys_file)
    watch = Watch()
    assert watch.closed(now=make.NOON) == Closed(missing=2, damaged=1, given_up=1)
    keys_file.write_text(kept)
    assert watch.closed(now=make.NOON) == Closed(damaged=1, given_up=1), "a keyring that changed is not waited for"


def test_what_its_owner_deleted_wakes_nobody(story: Story, keys_file: Path) -> None:
    change_key(keys_file)
    delete_handover(handover=story.handover, now=make.NOON)
    assert Watch().closed(now=make.NOON).unopened == 0


def test_without_a_keyring_whatever_needs_it_is_closed(story: Story, keys_file: Path) -> None:
    keys_file.unlink()
    assert Watch().closed(now=make.NOON) == Closed(missing=1, is_keyless=True)
    WrappedKey.objects.all().delete()
    assert Watch().closed(now=make.NOON) == Closed()


def test_it_is_asked_as_often_as_one_likes_and_looks_once_a_minute(story: Story, keys_file: Path) -> None:
    watch = Watch()
    watch.closed(now=make.NOON)
    WrappedKey.objects.update(blob=b"junk")
    with CaptureQueriesContext(connection) as queries:
        assert watch.closed(now=LATER - timedelta(seconds=1)).unopened == 0
    assert len(queries) == 1
    assert watch.closed(now=LATER).unopened == 1


def test_more_rows_than_one_look_takes_are_gone_through_in_several(
    story: Story, keys_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And an alarm does not stop between two of them."""
    monkeypatch.setattr(module, "ROWS_MAX", 2)
    for number in range(4):
        make.handover(story.dana, title=f"Další {number}")
    last = WrappedKey.objects.order_by("-pk")[0]
    WrappedKey.objects.filter(pk=last.pk).update(blob=b"junk")
    watch = Watch()
    looks = [watch.closed(now=make.NOON + KEPT_FOR * number).damaged for number in range(8)]
    assert looks == [0, 0, 1, 1, 1, 1, 1, 1]
    WrappedKey.objects.filter(pk=last.pk).update(blob=instance_keyring().wrap(b"mended"))
    looks = [watch.closed(now=make.NOON + KEPT_FOR * number).damaged for number in range(8, 12)]
    assert looks == [0, 0, 0, 0], "the third look of a pass is what mends it"
