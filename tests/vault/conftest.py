"""The vault's cast."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from stafeta.accounts.models import User
from stafeta.core.errors import Obsolete
from stafeta.core.links import Link, Purpose
from stafeta.outbox.kinds import Rendered, renderer_of
from stafeta.outbox.models import Message
from stafeta.vault.models import Handover, Recipient
from stafeta.vault.selectors import OpenRelease, release_behind
from stafeta.vault.services.follow_up import FollowUp, follow_up
from stafeta.vault.services.release import close_grants, open_handovers
from tests import make
from tests.vault.sealed import Keys

SWITCH, CYCLE, RELEASED_S = 77, 4, 1_000_000
DAY_S = 86_400


@dataclass
class Story:
    """Dana's handover for Ema, and a release that the tests carry out by hand at service second RELEASED_S."""

    dana: User
    ema: Recipient
    handover: Handover
    now: datetime = make.NOON

    def release(self) -> None:
        open_handovers(owner_id=self.dana.pk, switch_id=SWITCH, cycle=CYCLE, now=self.now, service_s=RELEASED_S)

    def follow_up(self, *, days: float = 0) -> FollowUp:
        now = self.now + timedelta(days=days)
        return follow_up(now=now, service_s=RELEASED_S + int(days * DAY_S))

    def come_back(self) -> None:
        close_grants(owner_id=self.dana.pk, switch_id=SWITCH, cycle=CYCLE, now=self.now)

    def opened(self, person: Recipient | None = None, *, days: float = 0) -> OpenRelease:
        link = Link(Purpose.RELEASE, (person or self.ema).pk, SWITCH, CYCLE)
        return release_behind(link, service_s=RELEASED_S + int(days * DAY_S))


def rendered(message: Message) -> Rendered | None:
    """Return what would be sent now, or None for a message that has lost its sense."""
    try:
        return renderer_of(message.kind)(message)
    except Obsolete:
        return None


def queued(kind: str) -> list[Message]:
    """Return the messages of a kind in the order they were queued."""
    return list(Message.objects.filter(kind=kind).order_by("pk"))


@pytest.fixture
def story(db: None, keys_file: Path) -> Story:
    dana = make.owner()
    ema = make.recipient(dana)
    return Story(dana, ema, make.handover(dana, ema))


@pytest.fixture
def keys() -> Keys:
    """Everybody's own keys."""
    return Keys()


@pytest.fixture
def dana(db: None, keys_file: Path) -> User:
    """Dana, without a handover."""
    return make.owner()


@pytest.fixture
def ema(dana: User) -> Recipient:
    """Her recipient, who has agreed and made no key."""
    return make.recipient(dana)


@pytest.fixture
def handover(keys: Keys, dana: User, ema: Recipient) -> Handover:
    """Dana's sealed handover for Ema."""
    return keys.handover(dana, ema)
