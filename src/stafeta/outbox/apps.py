"""The outbox as a Django app."""

from django.apps import AppConfig


class OutboxConfig(AppConfig):
    """Every message is attempted until it is settled."""

    name = "stafeta.outbox"
    label = "outbox"
    default_auto_field = "django.db.models.BigAutoField"
