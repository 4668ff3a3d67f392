"""The demo's own rules: when it is one, and whose story it tells."""

from __future__ import annotations

from typing import Final

from django.conf import settings

from stafeta.accounts.models import User

# An address at which nobody can be reached (RFC 2606): only this account is ever signed in without a password.
OWNER_EMAIL: Final = "dana@example.org"
DAY_S: Final = 24 * 3600


def is_demo() -> bool:
    """Whether the clock runs faster than life, on a site of this machine only."""
    return bool(settings.CLOCK_SCALE != 1 and settings.SITE_IS_LOCAL)


def day_real_s() -> float:
    """Return how many real seconds one day takes."""
    return DAY_S / float(settings.CLOCK_SCALE)


def demo_owner() -> User | None:
    """Return the person whose story it is; nobody where the demo was not seeded."""
    return User.objects.filter(email=OWNER_EMAIL, is_active=True).first()
