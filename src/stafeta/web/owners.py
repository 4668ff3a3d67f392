"""What views of the signed-in share: the owner behind a request, and what of theirs it names."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from django.http import Http404, HttpRequest

from stafeta.accounts.models import User
from stafeta.switches.services.ensure_switch import ensure_switch
from stafeta.switches.services.record_fact import record_fact
from stafeta.vault.models import Handover
from stafeta.vault.selectors import handover_of


def owner_of(request: HttpRequest) -> User:
    """Return the signed-in owner; only for views behind `login_required`."""
    assert isinstance(request.user, User)
    return request.user


def handover_or_404(request: HttpRequest, pk: int, *, deleted: bool = False) -> Handover:
    """Return the owner's handover. Raises Http404 for somebody else's as for none."""
    try:
        return handover_of(owner_of(request), pk, deleted=deleted)
    except Handover.DoesNotExist as error:
        raise Http404("no such handover") from error


def note(owner: User, kind: str, facts: Mapping[str, int | str | bool | None], *, now: datetime) -> None:
    """Append a fact to the owner's event log; in the transaction of what it tells."""
    record_fact(switch=ensure_switch(owner=owner), kind=kind, facts=facts, now=now)
