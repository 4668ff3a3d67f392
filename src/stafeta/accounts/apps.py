"""Accounts as a Django app."""

from django.apps import AppConfig


class AccountsConfig(AppConfig):
    """Who you are."""

    name = "stafeta.accounts"
    label = "accounts"
    default_auto_field = "django.db.models.BigAutoField"
