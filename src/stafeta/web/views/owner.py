"""What every page of an owner begins with."""

from __future__ import annotations

from typing import cast
from zoneinfo import ZoneInfo

from django.http import HttpRequest
from django.utils import timezone

from stafeta.accounts.models import User
from stafeta.switches.models import Switch
from stafeta.switches.services.ensure_switch import ensure_switch


def owner_of(request: HttpRequest) -> User:
    """Return who is signed in; the page must require that somebody is."""
    return cast(User, request.user)


def switch_for(request: HttpRequest) -> Switch:
    """Return the owner's switch, and show the rest of this page in the zone of its schedule."""
    owner = owner_of(request)
    switch = Switch.objects.select_related("owner").filter(owner=owner).first() or ensure_switch(owner=owner)
    timezone.activate(ZoneInfo(switch.owner_choices.zone))
    return switch
