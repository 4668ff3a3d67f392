"""The account page: who the owner is, how they are reached, how they sign in."""

from __future__ import annotations

from dataclasses import replace

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import translation
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from stafeta import clock
from stafeta.accounts.addresses import format_phone
from stafeta.accounts.models import User
from stafeta.accounts.services.change_person import change_person
from stafeta.switches.services.ensure_switch import ensure_switch
from stafeta.web.forms.account import PersonForm
from stafeta.web.fresh import require_fresh_signin
from stafeta.web.schedule import save_schedule
from stafeta.web.views.owner import owner_of


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def account(request: HttpRequest) -> HttpResponse:
    """Show the account; POST saves name, language and zone. Another zone is another schedule: a fresh sign-in, then."""
    owner = owner_of(request)
    form = PersonForm(
        request.POST or None, initial={"name": owner.name, "language": owner.language, "zone": owner.zone}
    )
    if request.method == "POST" and form.is_valid():
        save_person(request, owner, form)
        with translation.override(owner.language):
            messages.success(request, _("Saved."))
        return redirect("account")
    return render(request, "web/account/account.html", {"form": form, **_state(owner)})


def save_person(request: HttpRequest, owner: User, form: PersonForm) -> None:
    """Save the form; in another zone, the check-ins come at the same hour there, and the owner is told by e-mail."""
    moves = form.cleaned_data["zone"] != owner.zone
    if moves:
        require_fresh_signin(request)
    with transaction.atomic():
        change_person(owner=owner, **form.cleaned_data)
        if moves:
            switch = ensure_switch(owner=owner)
            choices = replace(switch.owner_choices, zone=owner.zone)
            save_schedule(switch=switch, choices=choices, now=clock.now())


def _state(owner: User) -> dict[str, object]:
    factors = Authenticator.objects.filter(user=owner)
    return {
        "owner": owner,
        "phone": format_phone(owner.phone),
        "new_address": EmailAddress.objects.filter(user=owner, verified=False).exclude(email=owner.email).first(),
        "passkeys": factors.filter(type=Authenticator.Type.WEBAUTHN).count(),
        "has_totp": factors.filter(type=Authenticator.Type.TOTP).exists(),
        "has_recovery_codes": factors.filter(type=Authenticator.Type.RECOVERY_CODES).exists(),
        "sessions": UserSession.objects.filter(user=owner).count(),
    }
