"""Which key of the instance keyring opens which handover, and what nobody opens: reads only."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from django.db.models import Count, Q

from stafeta.core.errors import KeyMissing, Tampered
from stafeta.vault.keyring import Keyring
from stafeta.vault.models import WrappedKey
from stafeta.vault.sealing import HOLDER_EARLIER, HOLDER_INSTANCE, HOLDER_LOST

BATCH_ROWS: Final = 500
SAMPLE_ROWS: Final = 32
OURS: Final = Q(holder__in=(HOLDER_INSTANCE, HOLDER_LOST)) | Q(holder__startswith=HOLDER_EARLIER)


@dataclass(frozen=True, slots=True)
class Row:
    """A wrapped key as it is stored."""

    pk: int
    holder: str
    blob: bytes

    @property
    def is_earlier(self) -> bool:
        """Whether the handover has a fresh key since."""
        return self.holder.startswith(HOLDER_EARLIER)


@dataclass(frozen=True, slots=True)
class Closed:
    """A handover that nobody opens. is_damaged: its wrapped key is no age file any more, and no key would help.

    is_set_aside: the operator has given its key up. is_earlier: its owner has written it anew since, under a fresh key;
    what stays closed are versions and files of before.
    """

    handover: int
    title: str
    owner_email: str
    is_deleted: bool
    is_damaged: bool
    is_set_aside: bool
    is_earlier: bool


@dataclass(frozen=True, slots=True)
class Survey:
    """What the keyring opens. opens: for each key, in its order, how many wrapped keys. closed: what none opens."""

    opens: tuple[int, ...]
    closed: tuple[Closed, ...]

    @property
    def missing(self) -> tuple[Closed, ...]:
        """What no key opens and nobody has given up or written anew."""
        return tuple(found for found in self.closed if not found.is_set_aside and not found.is_earlier)


@dataclass(frozen=True, slots=True)
class Sample:
    """What became of some wrapped keys, looked at for the sake of the others. missing: no key fits."""

    opened: int
    missing: int
    damaged: int

    @property
    def looked_at(self) -> int:
        return self.opened + self.missing + self.damaged


@dataclass(frozen=True, slots=True)
class Affected:
    """How much depends on the instance keyring; handovers that were deleted and may still be brought back count."""

    handovers: int
    owners: int

    def __str__(self) -> str:
        handovers, owners = ("" if count == 1 else "s" for count in (self.handovers, self.owners))
        return f"{self.handovers} handover{handovers} of {self.owners} owner{owners}"


def affected() -> Affected:
    """Return what nobody could read without the instance keyring."""
    return Affected(
        **WrappedKey.objects.filter(holder=HOLDER_INSTANCE).aggregate(
            handovers=Count("pk"), owners=Count("handover__owner", distinct=True)
        )
    )


def sample(ring: Keyring) -> Sample:
    """Try the oldest and the newest wrapped keys, `SAMPLE_ROWS` at most: a start must not take longer for more."""
    held = WrappedKey.objects.filter(holder=HOLDER_INSTANCE).values_list("pk", "blob")
    half = SAMPLE_ROWS // 2
    rows = {**dict(held.order_by("pk")[:half]), **dict(held.order_by("-pk")[:half])}
    opened = missing = damaged = 0
    for blob in rows.values():
        try:
            ring.unwrap(bytes(blob))
            opened += 1
        except KeyMissing:
            missing += 1
        except Tampered:
            damaged += 1
    return Sample(opened, missing, damaged)


def survey(ring: Keyring) -> Survey:
    """Try every key on every wrapped key of the instance, those set aside too. About 0.1 ms a key and row."""
    opens = [0] * len(ring.identities)
    closed: list[Closed] = []
    for rows in batches():
        damaged: dict[int, bool] = {}
        for row in rows:
            try:
                opens[ring.opener_of(row.blob)] += 1
            except KeyMissing:
                damaged[row.pk] = False
            except Tampered:
                damaged[row.pk] = True
        closed += _closed(damaged)
    return Survey(tuple(opens), tuple(closed))


def batches(*, batch_rows: int = BATCH_ROWS) -> Iterator[list[Row]]:
    """Yield every wrapped key of the instance, also those set aside and earlier ones, by id, at most `batch_rows` at a
    time.

    Between two batches nothing is held; what comes in the meantime is met at the end.
    """
    after = 0
    while True:
        found = (
            WrappedKey.objects.filter(OURS, pk__gt=after)
            .order_by("pk")
            .values_list("pk", "holder", "blob")[:batch_rows]
        )
        rows = [Row(pk, holder, bytes(blob)) for pk, holder, blob in found]
        if not rows:
            return
        yield rows
        after = rows[-1].pk


def _closed(damaged: dict[int, bool]) -> list[Closed]:
    """Return what is known of these wrapped keys, a batch of them, by their id."""
    if not damaged:
        return []
    rows = WrappedKey.objects.filter(pk__in=damaged).select_related("handover__owner").order_by("pk")
    return [
        Closed(
            handover=row.handover_id,
            title=row.handover.title,
            owner_email=row.handover.owner.email,
            is_deleted=row.handover.deleted_at is not None,
            is_damaged=damaged[row.pk],
            is_set_aside=row.holder == HOLDER_LOST,
            is_earlier=row.holder.startswith(HOLDER_EARLIER),
        )
        for row in rows
    ]
