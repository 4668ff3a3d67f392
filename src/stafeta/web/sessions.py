"""Sessions whose content a thief of the database cannot read.

On their way through a sign-in, sessions hold what invariant 17 keeps out of the database: the token of a password
reset, the secret of an authenticator app before it is confirmed, a form put aside until its sender has signed in anew.
So the content is encrypted with a key that is derived from the instance secret and stored nowhere.
"""

from __future__ import annotations

from base64 import urlsafe_b64encode
from typing import Any

from cryptography.fernet import Fernet, InvalidToken
from django.contrib.sessions.backends import db
from django.core.signing import JSONSerializer

from stafeta.accounts.derived_keys import derive


class SessionStore(db.SessionStore):
    """Django's database sessions with an encrypted content."""

    def encode(self, session_dict: dict[str, Any]) -> str:
        return _fernet().encrypt(JSONSerializer().dumps(session_dict)).decode()

    def decode(self, session_data: bytes | str) -> dict[str, Any]:
        """Return the content; nothing for one made with another secret, as for a session that has expired."""
        try:
            content: dict[str, Any] = JSONSerializer().loads(_fernet().decrypt(session_data))
        except (InvalidToken, ValueError):
            return {}
        return content


def _fernet() -> Fernet:
    return Fernet(urlsafe_b64encode(derive("sessions")))
