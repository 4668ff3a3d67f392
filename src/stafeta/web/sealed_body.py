"""What browsers send of sealed handovers, read strictly: an unexpected field is refused, plaintext above all."""

from __future__ import annotations

import binascii
import json
from base64 import b64decode
from collections.abc import Mapping
from typing import Any, Final

from django.http import HttpRequest
from django.utils.translation import gettext as _

from stafeta.vault.services.wrap_keys import Wrap

# A text of 1 MiB, encrypted and in base64, and its title.
SAVE_BYTES_MAX: Final = 2 * 1024 * 1024
# All versions at once, when a handover gets a fresh key.
SEAL_BYTES_MAX: Final = 7 * 1024 * 1024


class BadBody(ValueError):
    """The body of a request is not what our scripts send. status: 400 or 413."""

    def __init__(self, words: str = "", *, status: int = 400) -> None:
        super().__init__(words or _("The request was damaged on its way."))
        self.status = status


class Body:
    """A JSON object whose fields are exactly the expected ones; each getter raises BadBody for another type."""

    def __init__(self, value: object, fields: frozenset[str]) -> None:
        if not isinstance(value, dict) or set(value) != fields:
            raise BadBody
        self._value: Mapping[str, Any] = value

    def text(self, name: str) -> str:
        """Return a string."""
        return str(self._of(name, str))

    def whole(self, name: str) -> int:
        """Return a whole number."""
        if isinstance(self._value[name], bool):
            raise BadBody
        return int(self._of(name, int))

    def flag(self, name: str) -> bool:
        """Return a truth value."""
        return bool(self._of(name, bool))

    def blob(self, name: str) -> bytes:
        """Return bytes that came as base64."""
        return decoded(self.text(name))

    def many(self, name: str, *fields: str) -> list[Body]:
        """Return a list of objects with these fields each."""
        return [Body(one, frozenset(fields)) for one in self._of(name, list)]

    def wraps(self, name: str = "wraps") -> list[Wrap]:
        """Return wrapped keys: [{"key", "blob"}]."""
        return [Wrap(one.whole("key"), one.blob("blob")) for one in self.many(name, "key", "blob")]

    def _of(self, name: str, kind: type) -> Any:
        found = self._value[name]
        if not isinstance(found, kind):
            raise BadBody
        return found


def body_of(request: HttpRequest, *fields: str, bytes_max: int = SAVE_BYTES_MAX) -> Body:
    """Return the JSON object of a request. Raises BadBody with a sentence for people."""
    length = request.headers.get("Content-Length", "")
    if length.isdigit() and int(length) > bytes_max:
        raise BadBody(_("The text is too long."), status=413)
    try:
        value = json.loads(request.body)
    except (ValueError, RecursionError) as error:
        raise BadBody from error
    return Body(value, frozenset(fields))


def decoded(text: str) -> bytes:
    """Return the bytes of a base64 text. Raises BadBody."""
    try:
        return b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise BadBody from error
