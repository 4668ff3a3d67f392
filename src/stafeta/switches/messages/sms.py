"""One SMS is one SMS: 160 characters of GSM-7, the link included (pages.md, "Copy")."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from stafeta.channels.text import SMS_CHARS_MAX, gsm7, gsm7_length

SIGNATURE: Final = "Stafeta"


def one_sms(words: str, *, link: str, name: str = "") -> str:
    """Return `words`, with `name` where they say %(name)s, and the link, as a text that fits.

    A name that is too long loses its last words, then its last letters. Should nothing help, the link alone goes: it
    is what matters.
    """
    for shorter in _shorter(" ".join(name.split())):
        text = gsm7(f"{words % {'name': shorter}} {link}")
        if gsm7_length(text) <= SMS_CHARS_MAX:
            return text
    return gsm7(f"{SIGNATURE}: {link}")


def _shorter(name: str) -> Iterator[str]:
    yield name
    words = name.split()
    for count in range(len(words) - 1, 0, -1):
        yield " ".join(words[:count])
    for letters in range(len(name) - 1, 0, -1):
        yield f"{name[:letters]}."
