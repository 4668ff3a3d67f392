"""The pages as a Django app; it has no models."""

from django.apps import AppConfig


class WebConfig(AppConfig):
    """Pages and forms."""

    name = "stafeta.web"
    label = "web"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from allauth.account.signals import user_logged_in

        from stafeta.web.messages import register_renderers
        from stafeta.web.notices import register_notices
        from stafeta.web.recipient_keys import register_key_notices
        from stafeta.web.signin import on_signed_in

        register_renderers()
        register_notices()
        register_key_notices()
        user_logged_in.connect(on_signed_in, dispatch_uid="stafeta.web.signin")
