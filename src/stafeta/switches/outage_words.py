"""Why the service could not hear, in the reader's language. The database keeps it in English, as the log tells it."""

from __future__ import annotations

from typing import Final

from django.utils.translation import gettext, gettext_noop

KNOWN: Final = frozenset(
    {
        gettext_noop("no worker ran"),
        gettext_noop("the worker stood still"),
        gettext_noop("the machine slept, or its clock jumped ahead"),
        gettext_noop("the confirmation page does not answer"),
        gettext_noop("the confirmation page breaks off"),
        gettext_noop("the confirmation page answers wrongly"),
        gettext_noop("the confirmation page has lost its button"),
        gettext_noop("somebody else answers at the public address"),
        gettext_noop("another installation answers at the public address"),
        gettext_noop("a check-in could not be written"),
        gettext_noop("this worker's clock is behind the last tick's"),
    }
)


def outage_words(reason: str) -> str:
    """Return `reason` with every part that we know said in the language of now; what a provider said stays as it is."""
    return "; ".join(_said(part) for part in reason.split("; "))


def _said(part: str) -> str:
    words, bracket, detail = part.partition(" (")
    return gettext(words) + bracket + detail if words in KNOWN else part
