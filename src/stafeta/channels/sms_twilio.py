"""SMS through Twilio, with its own SDK.

`twilio://SID:TOKEN@+420600000000`: behind the @ stands the sender, which is a number, a name of up to 11 letters, or a
messaging service (MG…).
"""

from __future__ import annotations

import re
from typing import Final

import requests
from twilio.base.exceptions import TwilioException, TwilioRestException, TwilioServiceException
from twilio.http.http_client import TwilioHttpClient
from twilio.rest import Client

from stafeta.channels.base import Accepted, SmsMessage
from stafeta.channels.http import TIMEOUT_S, check_status, no_answer, unreachable
from stafeta.channels.url import ChannelUrl
from stafeta.core.errors import ChannelUnavailable, DeliveryError, DeliveryRefused

FORM: Final = "twilio://SID:TOKEN@+420600000000 (the sender: a number, a name of up to 11 letters, or MG…)"
_MESSAGING_SERVICE: Final = re.compile(r"MG[0-9a-fA-F]{32}")
_SENDER_UNUSABLE: Final = frozenset({20003, 21212, 21601, 21603, 21606, 21659, 21660})
"""Our account or our sender is at fault: nobody would be reached (twilio.com/docs/api/errors)."""
_FOR_NOW: Final = frozenset({21408, 21608, 21611, 21612})
"""Country not enabled, number not verified on a trial, queue full, no route now: an operator or time can help."""


class TwilioChannel:
    """One Twilio account and sender, one reused session."""

    name = "twilio"

    def __init__(self, url: ChannelUrl, *, receipts_to: str = "") -> None:
        """receipts_to: where Twilio reports what became of a message; "" for nowhere."""
        url.allow_options("api", "timeout", form=FORM)
        if not (url.user and url.password and url.host):
            raise url.wrong("its account SID, token or sender is missing", form=FORM)
        self._timeout_s = url.timeout_s(TIMEOUT_S, form=FORM)
        is_service = _MESSAGING_SERVICE.fullmatch(url.host)
        self._fields = {"messaging_service_sid" if is_service else "from_": url.host}
        if receipts_to:
            self._fields["status_callback"] = receipts_to
        self._http = TwilioHttpClient(timeout=self._timeout_s)
        self._client = Client(url.user, url.password, http_client=self._http)
        self._client.api.base_url = url.api(self._client.api.base_url, form=FORM)

    def send(self, message: SmsMessage) -> Accepted:
        try:
            created = self._client.messages.create(to=message.to, body=message.text, **self._fields)
        except requests.Timeout:
            raise no_answer(self.name, self._timeout_s) from None
        except requests.RequestException as error:
            raise unreachable(self.name, error) from None
        except (TwilioRestException, TwilioServiceException) as error:
            raise _verdict(error) from None
        except (TwilioException, ValueError, AttributeError, TypeError):  # how the SDK takes an unknown kind of answer
            raise _not_understood() from None
        if not created.sid:
            raise _not_understood()
        return Accepted(provider_id=created.sid)

    def close(self) -> None:
        self._http.session.close()


def _not_understood() -> ChannelUnavailable:
    return ChannelUnavailable(reason="twilio gave an answer that cannot be understood")


def _verdict(error: TwilioRestException | TwilioServiceException) -> DeliveryError:
    """By Twilio's own code where it says whose fault it is, else by the status. Its words are not repeated."""
    reason = f"twilio answered {error.status}, code {error.code}"
    if error.code in _SENDER_UNUSABLE:
        return ChannelUnavailable(reason=reason)
    if error.code in _FOR_NOW:
        return DeliveryRefused(reason=reason, permanent=False)
    try:
        check_status(error.status, provider="twilio")
    except DeliveryRefused as refused:
        return DeliveryRefused(reason=reason, permanent=refused.permanent)
    except ChannelUnavailable:
        pass
    return ChannelUnavailable(reason=reason)
