"""The pages as a Django app; it has no models."""

from django.apps import AppConfig


class WebConfig(AppConfig):
    """Pages and forms."""

    name = "stafeta.web"
    label = "web"
    default_auto_field = "django.db.models.BigAutoField"
