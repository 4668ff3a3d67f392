"""SMS through any HTTP gateway that understands one small request.

`webhook+https://host/path` is sent `POST {"id": …, "to": "+420…", "text": …}`. 2xx means accepted; the answer may name
the gateway's own id as `{"id": …}`. `?token=` is sent as a Bearer token, `user:password@` as Basic; other options stay
in the address.
"""

from __future__ import annotations

from typing import Final
from urllib.parse import urlencode

import requests
from requests.auth import AuthBase, HTTPBasicAuth

from stafeta.channels.base import Accepted, SmsMessage
from stafeta.channels.http import TIMEOUT_S, check_status, post
from stafeta.channels.url import ChannelUrl
from stafeta.core.errors import DeliveryRefused

FORM: Final = "webhook+https://user:password@host/path or webhook+https://host/path?token=…"
_TOO_MANY: Final = 429
_OUR_OPTIONS: Final = frozenset({"token", "timeout"})


class WebhookChannel:
    """One gateway, one reused session."""

    name = "webhook"

    def __init__(self, url: ChannelUrl) -> None:
        if not url.host:
            raise url.wrong("it names no host", form=FORM)
        self._address = _address(url)
        self._timeout_s = url.timeout_s(TIMEOUT_S, form=FORM)
        self._session = requests.Session()
        if token := url.options.get("token"):
            self._session.auth = _Bearer(token)
        elif url.user:
            self._session.auth = HTTPBasicAuth(url.user.encode(), url.password.encode())

    def send(self, message: SmsMessage) -> Accepted:
        answer = post(
            self._session,
            self._address,
            provider=self.name,
            timeout_s=self._timeout_s,
            json={"id": message.id, "to": message.to, "text": message.text},
        )
        if answer.status_code == _TOO_MANY:
            raise DeliveryRefused(reason=f"{self.name} answered {_TOO_MANY}", permanent=False)
        check_status(answer.status_code, provider=self.name)
        return Accepted(provider_id=_gateway_id(answer) or message.id)

    def close(self) -> None:
        self._session.close()


class _Bearer(AuthBase):
    def __init__(self, token: str) -> None:
        self._token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self._token}"
        return request


def _address(url: ChannelUrl) -> str:
    host = f"[{url.host}]" if ":" in url.host else url.host
    port = f":{url.port}" if url.port else ""
    kept = urlencode({name: value for name, value in url.options.items() if name not in _OUR_OPTIONS})
    return f"{url.scheme.removeprefix('webhook+')}://{host}{port}{url.path}{'?' if kept else ''}{kept}"


def _gateway_id(answer: requests.Response) -> str:
    """The id that the gateway gave, if its answer is an object that names one."""
    try:
        content = answer.json()
    except (ValueError, RecursionError):  # garbage, however deep: it was accepted all the same
        return ""
    found = content.get("id") if isinstance(content, dict) else None
    return str(found) if isinstance(found, (str, int)) else ""
