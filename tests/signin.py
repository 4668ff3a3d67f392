"""Signing in as people do: through the page, with the password. Such a sign-in is a fresh one."""

from __future__ import annotations

from django.test import Client
from django.urls import reverse

from stafeta.accounts.models import User
from tests.make import PASSWORD


def sign_in(client: Client, user: User, *, password: str = PASSWORD) -> None:
    """Sign `user` in; a second factor is not answered. Asserts that it worked."""
    response = client.post(reverse("account_login"), {"login": user.email, "password": password})
    assert response.status_code == 302, response.content.decode()
