"""The vault as a Django app."""

from django.apps import AppConfig


class VaultConfig(AppConfig):
    """The server stores only ciphertext."""

    name = "stafeta.vault"
    label = "vault"
    default_auto_field = "django.db.models.BigAutoField"
