"""The owner's phone: which one, a code to it, the answer."""

from __future__ import annotations

from typing import Final

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from stafeta import clock
from stafeta.accounts.addresses import format_phone
from stafeta.accounts.models import User
from stafeta.core.errors import CodeError, CodeThrottled
from stafeta.web.code_words import code_problem
from stafeta.web.forms.account import CodeForm, PhoneForm
from stafeta.web.fresh import require_fresh_signin
from stafeta.web.phones import prove_phone, send_phone_code
from stafeta.web.views.owner import owner_of

SESSION_KEY: Final = "phone_to_prove"


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def phone(request: HttpRequest) -> HttpResponse:
    """Show the phone and what is to be done about it; POST sends a code to the number typed.

    Replacing a number that was proved needs a fresh sign-in (invariant 15); it counts until the new one is proved.
    """
    owner = owner_of(request)
    pending = _pending(request, owner)
    form = PhoneForm(request.POST or None, initial={"phone": pending or owner.phone})
    if request.method == "POST" and form.is_valid():
        number = form.cleaned_data["phone"]
        if owner.has_verified_phone:
            require_fresh_signin(request)
        if number == owner.phone and owner.has_verified_phone:
            messages.info(request, _("This phone is already verified."))
            return redirect("account-phone")
        try:
            send_phone_code(owner=owner, phone=number, now=clock.now(), real_now=clock.real_now())
        except CodeThrottled as problem:
            form.add_error("phone", code_problem(problem, now=clock.real_now()))
        else:
            request.session[SESSION_KEY] = number
            return redirect("account-phone-code")
    return render(request, "web/account/phone.html", {"form": form, "owner": owner, "pending": pending})


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def phone_code(request: HttpRequest) -> HttpResponse:
    """Take the code from the SMS; the number counts from then on. A first one leads on to the dashboard."""
    owner = owner_of(request)
    had_one = owner.has_verified_phone
    number = request.session.get(SESSION_KEY)
    if number is None:
        return redirect("account-phone")
    form = CodeForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            prove_phone(
                owner=owner,
                phone=number,
                digits=form.cleaned_data["code"],
                now=clock.now(),
                real_now=clock.real_now(),
            )
        except CodeError as problem:
            form.add_error("code", code_problem(problem, now=clock.real_now()))
        else:
            request.session.pop(SESSION_KEY, None)
            messages.success(request, _("Your phone is verified."))
            return redirect("account" if had_one else "dashboard")
    return render(request, "web/account/phone_code.html", {"form": form, "phone": format_phone(number)})


@login_required
@require_POST
def phone_code_again(request: HttpRequest) -> HttpResponse:
    """Send a new code to the same number."""
    owner = owner_of(request)
    number = request.session.get(SESSION_KEY)
    if number is None:
        return redirect("account-phone")
    try:
        send_phone_code(owner=owner, phone=number, now=clock.now(), real_now=clock.real_now())
    except CodeThrottled as problem:
        messages.warning(request, code_problem(problem, now=clock.real_now()))
    else:
        messages.success(request, _("A code is on its way. The newest one counts."))
    return redirect("account-phone-code")


def _pending(request: HttpRequest, owner: User) -> str:
    """Return the number that waits for its proof, or ""."""
    number: str = request.session.get(SESSION_KEY, "")
    return number or ("" if owner.has_verified_phone else owner.phone)
