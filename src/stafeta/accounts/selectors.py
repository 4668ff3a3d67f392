"""What is known of accounts."""

from __future__ import annotations

from allauth.account.models import EmailAddress
from django.db.models import Exists, OuterRef, Q, QuerySet

from stafeta.accounts.models import User


def established() -> QuerySet[User]:
    """Return the accounts that somebody has: whose address was proved, or who have signed in."""
    proved = EmailAddress.objects.filter(user=OuterRef("pk"), verified=True)
    return User.objects.filter(Q(Exists(proved)) | Q(last_login__isnull=False) | Q(is_staff=True))


def is_anybody_established() -> bool:
    """Whether this house has an owner already (STAFETA_SIGNUP=first)."""
    return established().exists()
