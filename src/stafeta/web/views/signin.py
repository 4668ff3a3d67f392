"""Where our ways in differ from django-allauth's: the first visitor, and the link that proves an e-mail."""

from __future__ import annotations

from typing import Any, Final

from allauth.account.adapter import get_adapter
from allauth.account.internal import flows
from allauth.account.models import EmailAddress, EmailConfirmationHMAC
from allauth.account.views import LoginView
from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from stafeta.accounts.models import User
from stafeta.accounts.selectors import established, is_anybody_established
from stafeta.web.languages import speak

SESSION_KEY: Final = "email_to_prove"


class SignInView(LoginView):  # type: ignore[misc]
    """Signing in; where nobody has an account yet, the first visitor is led to make the owner's."""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if settings.SIGNUP == "first" and request.method == "GET" and not is_anybody_established():
            return redirect("account_signup")
        response: HttpResponseBase = super().dispatch(request, *args, **kwargs)
        return response

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        open_to = get_adapter().is_open_for_signup(self.request)
        return {**super().get_context_data(**kwargs), "signup_is_open": open_to}


@never_cache
@require_safe
def email_link(request: HttpRequest, key: str) -> HttpResponse:
    """Take the link of a mail that proves an address out of the address bar; nothing changes yet (invariant 5)."""
    if request.method == "HEAD":
        return HttpResponse()
    confirmation = EmailConfirmationHMAC.from_key(key)
    if confirmation is None:
        return render(request, "web/account/email_link_old.html", status=404)
    request.session[SESSION_KEY] = confirmation.email_address.pk
    return redirect("account-prove-email")


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def prove_email(request: HttpRequest) -> HttpResponseBase:
    """One button; pressing it proves the address, and signs in the browser in which the account was made."""
    address = EmailAddress.objects.filter(pk=request.session.get(SESSION_KEY), verified=False).first()
    if address is None:
        return render(request, "web/account/email_link_old.html", status=404)
    speak(request, address.user.language)
    if _too_late(address.user):
        return render(request, "account/signup_closed.html", status=403)
    if request.method != "POST":
        return render(request, "web/account/prove_email.html", {"address": address})
    if request.user.is_authenticated and request.user.pk != address.user_id:
        flows.logout.logout(request)
    request.session.pop(SESSION_KEY, None)
    confirmation = EmailConfirmationHMAC(address)
    proved, response = flows.email_verification.verify_email_and_resume(request, confirmation)
    if response is not None:
        return response  # type: ignore[no-any-return]
    if proved is None:
        return render(request, "web/account/email_link_old.html", status=404)
    return redirect(get_adapter().get_email_verification_redirect_url(proved))


def _too_late(user: User) -> bool:
    """Whether somebody else became the owner in the meantime, where there is to be but one."""
    return settings.SIGNUP == "first" and is_anybody_established() and not established().filter(pk=user.pk).exists()
