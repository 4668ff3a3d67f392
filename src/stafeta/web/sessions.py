"""Sessions that are of no use to a thief of the database: the content is unreadable, the ids open nothing.

On their way through a sign-in, sessions hold what invariant 17 keeps out of the database: the token of a password
reset, the secret of an authenticator app before it is confirmed, a form put aside until its sender has signed in anew.
So the content is encrypted with a key that is derived from the instance secret and stored nowhere. And since the id of
a session lies in its row (and in allauth's list of devices), the cookie carries a MAC beside it, which lies nowhere.
"""

from __future__ import annotations

import hashlib
import hmac
from base64 import urlsafe_b64encode
from typing import Any, Final

from cryptography.fernet import Fernet, InvalidToken
from django.conf import settings
from django.contrib.sessions.backends import db
from django.contrib.sessions.middleware import SessionMiddleware
from django.core.signing import JSONSerializer
from django.http import HttpRequest, HttpResponse

from stafeta.accounts.derived_keys import derive

MAC_SEPARATOR: Final = "."


class SignedCookieMiddleware(SessionMiddleware):
    """Django's sessions, whose cookie is `id.MAC`; a cookie without the right MAC is none."""

    def process_request(self, request: HttpRequest) -> None:
        session_id, _, mac = request.COOKIES.get(settings.SESSION_COOKIE_NAME, "").partition(MAC_SEPARATOR)
        genuine = hmac.compare_digest(mac.encode(), _mac(session_id).encode())
        request.session = self.SessionStore(session_id if genuine else None)

    def process_response(self, request: HttpRequest, response: HttpResponse) -> HttpResponse:
        response = super().process_response(request, response)
        cookie = response.cookies.get(settings.SESSION_COOKIE_NAME)
        if cookie is not None and cookie.value:
            signed = f"{cookie.value}{MAC_SEPARATOR}{_mac(cookie.value)}"
            cookie.set(cookie.key, signed, signed)
        return response


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


def _mac(session_id: str) -> str:
    return hmac.new(derive("session cookies"), session_id.encode(), hashlib.sha256).hexdigest()
