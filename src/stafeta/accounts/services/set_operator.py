"""Who operates this installation."""

from __future__ import annotations

from stafeta.accounts.models import User


def set_operator(*, email: str, is_operator: bool) -> bool:
    """Make an account an operator's, or an ordinary one again; return whether there is such an account."""
    return bool(User.objects.filter(email__iexact=email.strip()).update(is_staff=is_operator))
