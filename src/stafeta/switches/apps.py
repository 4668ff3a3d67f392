"""The switches as a Django app."""

from django.apps import AppConfig


class SwitchesConfig(AppConfig):
    """The ladder is obeyed."""

    name = "stafeta.switches"
    label = "switches"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Register the messages of the ladder."""
        from stafeta.switches.messages import register_kinds

        register_kinds()
