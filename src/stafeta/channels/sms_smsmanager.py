"""SMS through the Czech SMSManager, JSON API v2 (developers.smsmanager.com).

`smsmanager://KEY`, or `smsmanager://KEY?sender=Stafeta` with a sender that is registered there.
"""

from __future__ import annotations

from typing import Any, Final

import requests

from stafeta.channels.base import Accepted, SmsMessage
from stafeta.channels.http import TIMEOUT_S, check_status, post
from stafeta.channels.text import is_gsm7
from stafeta.channels.url import ChannelUrl
from stafeta.core.errors import ChannelUnavailable, DeliveryRefused

FORM: Final = "smsmanager://KEY or smsmanager://KEY?sender=NAME"
API: Final = "https://api.smsmngr.com/v2"


class SmsManagerChannel:
    """One account, one reused session."""

    name = "smsmanager"

    def __init__(self, url: ChannelUrl) -> None:
        url.allow_options("sender", "api", "timeout", form=FORM)
        key = url.user or url.host
        if not key or url.path.strip("/") or not key.isascii():
            raise url.wrong("its key is missing or malformed", form=FORM)
        self._address = f"{url.api(API, form=FORM)}/message"
        self._sender = url.options.get("sender", "")
        self._timeout_s = url.timeout_s(TIMEOUT_S, form=FORM)
        self._session = requests.Session()
        self._session.headers["x-api-key"] = key

    def send(self, message: SmsMessage) -> Accepted:
        answer = post(
            self._session, self._address, provider=self.name, timeout_s=self._timeout_s, json=self._request(message)
        )
        check_status(answer.status_code, provider=self.name)
        return _outcome(answer)

    def close(self) -> None:
        self._session.close()

    def _request(self, message: SmsMessage) -> dict[str, Any]:
        """`transactional`, because what is not is held back at night; `sms` is their name for GSM-7."""
        step = {"type": "sms" if is_gsm7(message.text) else "utf"}
        if self._sender:
            step["sender"] = self._sender
        return {
            "body": message.text,
            "to": [{"phone_number": message.to.removeprefix("+")}],
            "tag": "transactional",
            "flow": [{"sms": step}],
        }


def _outcome(answer: requests.Response) -> Accepted:
    """One recipient was asked for, so that exactly one stands under `accepted` or `rejected`. A rejection has no reason
    (bad number, or no credit left), therefore it is never for ever."""
    try:
        content = answer.json()
        accepted, rejected = content["accepted"], content.get("rejected", [])
        if accepted:
            return Accepted(provider_id=str(accepted[0]["message_id"]))
    except (ValueError, RecursionError, KeyError, TypeError, AttributeError, IndexError):
        raise ChannelUnavailable(reason="smsmanager gave an answer that cannot be understood") from None
    if rejected:
        raise DeliveryRefused(reason="smsmanager rejected the number, or has no credit of ours left", permanent=False)
    raise ChannelUnavailable(reason="smsmanager neither accepted nor rejected the message")
