"""Whether this service keeps its messages in the built-in mailbox, and may show them: on this machine only."""

from __future__ import annotations

from django.conf import settings

SCHEME = "mailbox:"


def is_mailbox_open() -> bool:
    """Whether a channel goes to the built-in mailbox and the site is reached on this machine only."""
    channels = (settings.EMAIL_CHANNEL_URL, settings.SMS_CHANNEL_URL)
    return settings.SITE_IS_LOCAL and any(not url or url.startswith(SCHEME) for url in channels)
