"""The configuration as a Django app: it brings the system checks and nothing else."""

from django.apps import AppConfig


class ConfigConfig(AppConfig):
    """Registers the checks of the house."""

    name = "stafeta.config"
    label = "config"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from stafeta.config import checks  # noqa: F401  # importing registers them
