"""Who the owner is, and in which language and zone they live."""

from __future__ import annotations

from stafeta.accounts.models import User


def change_person(*, owner: User, name: str, language: str, zone: str) -> User:
    """Save name, language and IANA zone, checked by the caller's form, and return the owner with them."""
    owner.name, owner.language, owner.zone = name, language, zone
    owner.save(update_fields=["name", "language", "zone"])
    return owner
