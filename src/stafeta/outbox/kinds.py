"""The kinds of message, and who renders each: apps above register theirs when they start."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from stafeta.outbox.models import Message


@dataclass(frozen=True, slots=True)
class Rendered:
    """A message as it goes out. It lives in memory for as long as one attempt lasts.

    to: e-mail address or E.164 number. An SMS has only `text`. headers: beside those every e-mail gets.
    language: the addressee's.
    """

    to: str
    text: str
    subject: str = ""
    html: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    language: str = "cs"


Renderer = Callable[["Message"], Rendered]  # raises Obsolete when the message has lost its sense

_RENDERERS: dict[str, Renderer] = {}


def register(kind: str, renderer: Renderer) -> None:
    """Let `renderer` render every message of `kind`. Raises ValueError for a kind taken by another."""
    if _RENDERERS.setdefault(kind, renderer) is not renderer:
        raise ValueError(f"two renderers for the message kind {kind!r}")


def renderer_of(kind: str) -> Renderer:
    """Return the renderer of `kind`. Raises LookupError for an unknown one."""
    return _RENDERERS[kind]


def kinds() -> tuple[str, ...]:
    """Return every registered kind, in alphabetical order."""
    return tuple(sorted(_RENDERERS))
