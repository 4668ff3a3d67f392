"""What is logged, and what never is: standard error, plain text, no token and no query string (invariant 17)."""

from __future__ import annotations

import logging
import re
from typing import Any, Final

# Paths whose last part opens something: signed links, allauth's reset and confirmation links, the receipts' secret.
_OPENS: Final = re.compile(r"(/l/|/reset/key/|/confirm-email/|/login/code/|/receipts/[\w-]+/)[^/\s'\"<>?#]+")
# A query string behind a path or a URL.
_QUERY: Final = re.compile(r"(/[^\s'\"<>?]*)\?[^\s'\"<>]+")


def redact(text: str) -> str:
    """Return `text` without what opens something."""
    return _QUERY.sub(r"\1?…", _OPENS.sub(r"\1…", text))


class RedactingFormatter(logging.Formatter):
    """Redacts the finished line, so that neither a message, nor its arguments, nor a traceback tells a token."""

    def format(self, record: logging.LogRecord) -> str:
        return redact(super().format(record))


def logging_config(level: str) -> dict[str, Any]:
    """Return Django's LOGGING: everything of at least `level` goes to standard error, redacted."""
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "plain": {
                "()": "stafeta.config.logs.RedactingFormatter",
                "format": "%(asctime)s %(levelname)s %(name)s: %(message)s",
            }
        },
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "plain"}},
        "root": {"handlers": ["stderr"], "level": level.upper()},
        "loggers": {
            # Django's own defaults would write a second, unredacted line and mail the administrators.
            "django": {"handlers": [], "level": level.upper(), "propagate": True},
            "django.server": {"handlers": [], "level": "WARNING", "propagate": True},
            # At their most talkative these write down parameters, whole pages with what stands in them, and addresses.
            "django.db.backends": {"handlers": [], "level": "INFO", "propagate": True},
            "django.template": {"handlers": [], "level": "INFO", "propagate": True},
            "urllib3": {"handlers": [], "level": "INFO", "propagate": True},
            # And this one whole answers: what a key management service unwrapped would stand there.
            "botocore": {"handlers": [], "level": "INFO", "propagate": True},
            "boto3": {"handlers": [], "level": "INFO", "propagate": True},
        },
    }
