"""A backup, and a database that goes back to it: what happened in between is a history that is lost."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from stafeta.archive.load import load
from stafeta.archive.read import open_archive, verify
from stafeta.archive.write import write_archive
from stafeta.core.errors import BadLink
from stafeta.core.links import Link, Purpose
from stafeta.switches.models import Switch
from stafeta.vault.models import Grant
from stafeta.vault.selectors import release_behind
from tests.world import World


def backup(path: Path, *, now: datetime) -> int:
    """Write a backup and return how many rows it holds."""
    return write_archive(path, now=now, say=_silence)


def restore(path: Path, *, now: datetime) -> int:
    """Check a backup, bring it back, and return the epoch that begins."""
    with open_archive(path) as archive:
        verify(archive)
        return load(archive, now=now, say=_silence)


def go_back(world: World, file: Path) -> None:
    """Restore into the same database, in the world's present moment."""
    restore(file, now=world.now)
    world.forget()


def opens(world: World, switch: Switch) -> bool:
    """Whether Ema's link of the switch's cycle opens anything now."""
    ema = Grant.objects.first()
    assert ema is not None
    try:
        release_behind(Link(Purpose.RELEASE, ema.recipient_id, switch.pk, switch.cycle), service_s=world.service_s())
    except BadLink:
        return False
    return True


def _silence(_words: str) -> None:
    pass
