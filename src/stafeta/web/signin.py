"""Signing in is a sign of life (ladder.md, "Who may do what"); a session that merely goes on is not."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest

from stafeta import clock
from stafeta.accounts.models import User
from stafeta.core.states import Evidence
from stafeta.switches.services.checkin import record_checkin
from stafeta.switches.services.ensure_switch import ensure_switch
from stafeta.web.fresh import count_signin_as_fresh


def on_signed_in(*, request: HttpRequest, user: User, **_: Any) -> None:
    """Give a new owner their switch and record the check-in. If that fails, so does the sign-in: never half of it."""
    count_signin_as_fresh(request, user)
    ensure_switch(owner=user)
    record_checkin(owner=user, evidence=Evidence.SIGN_IN, now=clock.now())
