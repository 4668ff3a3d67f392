"""What a recipient's browser needs to open what is sealed for them, and what is said where it cannot."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from stafeta.accounts.moments import Moment
from stafeta.vault.holders import key_of, wrapped_for
from stafeta.vault.models import Grant, Recipient
from stafeta.web.sealed_data import Data, handover_data, keys_data, present_text


class Opens(StrEnum):
    """Whether a recipient can open a sealed handover, and why not."""

    NOW = "now"
    BY_FORMER_KEY = "by_former_key"
    NOT_SEALED_FOR_KEY = "not_sealed_for_key"  # they made a key, and its owner never unlocked since
    NO_KEY = "no_key"


@dataclass(frozen=True, slots=True)
class Seal:
    """How a sealed handover stands to its reader. before: when the key that opens it was replaced."""

    opens: Opens
    before: Moment | None = None

    @property
    def is_openable(self) -> bool:
        return self.opens in (Opens.NOW, Opens.BY_FORMER_KEY)


@dataclass(frozen=True, slots=True)
class Sealed:
    """The sealed part of a reading page. seals: by handover. data: for the script; None where it could open nothing.

    former: how the only key that opens anything differs from the present one, where it does for all of it.
    """

    seals: dict[int, Seal]
    data: Data | None

    @property
    def former(self) -> Moment | None:
        openable = [seal for seal in self.seals.values() if seal.is_openable]
        if not openable or any(seal.before is None for seal in openable):
            return None
        return openable[0].before


def sealed_of(recipient: Recipient, grants: Iterable[Grant], *, zone: str, now: datetime) -> Sealed:
    """Return what opens these grants' sealed handovers. The caller has seen to both gates."""
    seals: dict[int, Seal] = {}
    texts: list[Data] = []
    useful: set[int | None] = set()
    has_key = key_of(recipient) is not None
    for grant in grants:
        if not grant.handover.is_sealed:
            continue
        wraps = [wrap for wrap in wrapped_for(grant.handover, recipient) if wrap.key is not None]
        if not wraps:
            seals[grant.handover_id] = Seal(Opens.NOT_SEALED_FOR_KEY if has_key else Opens.NO_KEY)
            continue
        replaced = wraps[0].key.replaced_at if wraps[0].key else None
        before = Moment(replaced, zone, now) if replaced else None
        seals[grant.handover_id] = Seal(Opens.BY_FORMER_KEY if replaced else Opens.NOW, before)
        useful |= {wrap.key_id for wrap in wraps}
        text = {"grant": grant.pk, "ciphertext": present_text(grant.handover)}
        texts.append(text | handover_data(grant.handover, recipient))
    if not texts:
        return Sealed(seals, None)
    keys = [key for key in keys_data(recipient) if key["id"] in useful]
    return Sealed(seals, {"keys": keys, "texts": texts})
