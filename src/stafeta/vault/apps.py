"""The vault as a Django app."""

from django.apps import AppConfig
from django.core.checks import register as register_check


class VaultConfig(AppConfig):
    """The server stores only ciphertext."""

    name = "stafeta.vault"
    label = "vault"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Tell the outbox how this app's messages are rendered, and Django to check the keyring before a deployment."""
        from stafeta.outbox.kinds import register
        from stafeta.vault import messages
        from stafeta.vault.keyring import check_keyring

        for kind, renderer in messages.RENDERERS.items():
            register(kind, renderer)
        register_check(check_keyring, "keys", deploy=True)
