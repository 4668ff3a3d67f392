"""Addresses of the account: our own pages, and django-allauth's under /account/auth/, where ours replace some."""

from django.urls import URLPattern, URLResolver, include, path, re_path

from stafeta.web.views.account import account
from stafeta.web.views.phone import phone, phone_code, phone_code_again
from stafeta.web.views.recovery_codes import no_download, recovery_codes
from stafeta.web.views.signin import SignInView, email_link, prove_email

urlpatterns: list[URLPattern | URLResolver] = [
    path("account/", account, name="account"),
    path("account/phone/", phone, name="account-phone"),
    path("account/phone/code/", phone_code, name="account-phone-code"),
    path("account/phone/code/again/", phone_code_again, name="account-phone-code-again"),
    path("account/auth/login/", SignInView.as_view(), name="account_login"),
    path("account/auth/prove-email/", prove_email, name="account-prove-email"),
    re_path(r"^account/auth/confirm-email/(?P<key>[-:\w]+)/$", email_link, name="account_confirm_email"),
    path("account/auth/2fa/recovery-codes/", recovery_codes, name="mfa_view_recovery_codes"),
    path("account/auth/2fa/recovery-codes/download/", no_download, name="mfa_download_recovery_codes"),
    path("account/auth/", include("allauth.urls")),
]
