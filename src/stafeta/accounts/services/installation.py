"""The one row that says which installation this is: made where it is missing, settled at an address, begun anew."""

from __future__ import annotations

import secrets
from datetime import datetime

from django.db import transaction

from stafeta.accounts.models import Instance
from stafeta.accounts.selectors import home_here

IDENTITY_BYTES = 16


@transaction.atomic
def settle_home(*, move: bool = False) -> bool:
    """Let an installation that has no home yet have it here, and return whether it is at home here now.

    One that is at home elsewhere stays there unless it is to `move`; then it gets a new identity as well, so that a
    copy left behind finds somebody else at the public address.
    """
    row = _locked()
    here = home_here()
    if row.home != here and (move or not row.home):
        row.identity = secrets.token_hex(IDENTITY_BYTES) if row.home else row.identity
        row.home = here
        row.save()
    return row.home == here


@transaction.atomic
def begin_epoch(*, after: int, now: datetime) -> int:
    """Begin the epoch of a database that was just restored, later than `after` and its own; return it."""
    row = _locked()
    row.epoch = max(row.epoch, after) + 1
    row.identity = secrets.token_hex(IDENTITY_BYTES)
    row.home = home_here()
    row.restored_at = now
    row.save()
    return row.epoch


def _locked() -> Instance:
    """Return the one row, locked. A database that was emptied has none; it is made with the key that only one can."""
    found = Instance.objects.select_for_update().order_by("pk").first()
    if found is not None:
        return found
    made, _new = Instance.objects.get_or_create(pk=1, defaults={"identity": secrets.token_hex(IDENTITY_BYTES)})
    return made
