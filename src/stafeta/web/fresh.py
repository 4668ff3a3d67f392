"""A fresh sign-in for what an intruder at an open laptop must not change (invariant 15)."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from allauth.account.decorators import reauthentication_required
from allauth.account.internal.flows.login import AUTHENTICATION_METHODS_SESSION_KEY, record_authentication
from allauth.account.internal.flows.reauthentication import raise_if_reauthentication_required
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponseBase

from stafeta.accounts.models import User

View = Callable[..., HttpResponseBase]


def fresh_signin_required(view: View) -> View:
    """Let only those in who signed in, or proved themselves again, within the last 10 minutes.

    Others are asked for their password or passkey and come back to the same page; what they had sent is done then.
    """
    guarded: View = login_required(reauthentication_required(view))

    @wraps(view)
    def fresh(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        return guarded(request, *args, **kwargs)

    return fresh


def require_fresh_signin(request: HttpRequest) -> None:
    """Do the same inside a view, where only some requests need it; raises what allauth's middleware makes a page of."""
    raise_if_reauthentication_required(request, app="")


def count_signin_as_fresh(request: HttpRequest, user: User) -> None:
    """Let the sign-in that just ended count as the fresh one; allauth alone would ask for the password once more.

    A new owner was signed in by proving the mailbox in the browser in which they had typed their password.
    """
    if not request.session.get(AUTHENTICATION_METHODS_SESSION_KEY):
        record_authentication(request, user, method="email_link", email=user.email)
    records = request.session[AUTHENTICATION_METHODS_SESSION_KEY]
    request.session[AUTHENTICATION_METHODS_SESSION_KEY] = [{**record, "reauthenticated": True} for record in records]
