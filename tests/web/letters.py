"""Reading the mail: what the outbox holds, rendered as it would be sent."""

from __future__ import annotations

from urllib.parse import urlsplit

from stafeta.outbox.kinds import Rendered, renderer_of
from stafeta.outbox.models import Message


def messages(kind: str) -> list[Message]:
    """Return what is queued of this kind, oldest first."""
    return list(Message.objects.filter(kind=kind).order_by("pk"))


def newest(kind: str) -> Rendered:
    """Return the newest message of this kind as its addressee gets it."""
    message = messages(kind)[-1]
    return renderer_of(message.kind)(message)


def link_in(letter: Rendered) -> str:
    """Return path and query of the one link on a line of its own in the text."""
    lines = [line for line in letter.text.splitlines() if line.startswith("http://localhost:8000/")]
    assert len(lines) == 1, letter.text
    parts = urlsplit(lines[0])
    return parts.path + (f"?{parts.query}" if parts.query else "")
