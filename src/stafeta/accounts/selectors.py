"""What is known of accounts, and of the installation that this database belongs to."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass

from allauth.account.models import EmailAddress
from django.conf import settings
from django.db.models import Exists, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.db.models.lookups import Exact

from stafeta.accounts.derived_keys import derive
from stafeta.accounts.models import Instance, User
from stafeta.core.errors import Superseded


def established() -> QuerySet[User]:
    """Return the accounts that somebody has: whose address was proved, or who have signed in."""
    proved = EmailAddress.objects.filter(user=OuterRef("pk"), verified=True)
    return User.objects.filter(Q(Exists(proved)) | Q(last_login__isnull=False) | Q(is_staff=True))


def is_anybody_established() -> bool:
    """Whether this house has an owner already (STAFETA_SIGNUP=first)."""
    return established().exists()


# The installation (docs/adr/0008) ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Installation:
    """Which installation the database belongs to: `Instance`, as it is now. Before its row was made, nobody's."""

    identity: str = ""
    epoch: int = 0
    home: str = ""


def installation() -> Installation:
    """Return which installation this is."""
    row = Instance.objects.order_by("pk").values_list("identity", "epoch", "home").first()
    return Installation(*row) if row else Installation()


def current_epoch() -> int:
    """Return the installation's epoch."""
    return installation().epoch


def epoch_now() -> Coalesce:
    """Return the installation's epoch as an expression: read by the very statement that uses it, and so never stale."""
    return Coalesce(Subquery(Instance.objects.order_by("pk").values("epoch")[:1]), 0)


def is_epoch(epoch: int) -> Exact:
    """Return the condition that the installation is still in that epoch."""
    return Exact(epoch_now(), epoch)


def require_epoch(epoch: int | None) -> None:
    """Raise Superseded where the installation has left `epoch`; None asks nothing.

    Inside a transaction it holds until the end of it, for a restore waits for whoever has read the row.
    """
    if epoch is not None and current_epoch() != epoch:
        raise Superseded("the database was restored from a backup while this was under way; nothing was changed")


def home_here() -> str:
    """Return the home by these settings: a keyed hash of the site's address. All ports of one machine are one home."""
    address = "local" if settings.SITE_IS_LOCAL else settings.SITE_URL
    return hmac.new(derive("home"), address.encode(), hashlib.sha256).hexdigest()


def is_elsewhere(found: Installation) -> bool:
    """Whether the database belongs to processes with another site address, or another secret, than ours."""
    return found.home not in ("", home_here())
