"""E-mail through the APIs of mail services, by way of django-anymail.

`anymail+<service>://` followed by what the service calls its key; see `SERVICES`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import requests
from anymail.exceptions import (
    AnymailAPIError,
    AnymailConfigurationError,
    AnymailError,
)
from django.utils.module_loading import import_string

from stafeta.channels.base import Accepted, EmailMessage
from stafeta.channels.email import compose
from stafeta.channels.http import TIMEOUT_S, check_status, no_answer, unreachable
from stafeta.channels.url import ChannelUrl
from stafeta.core.errors import ChannelUnavailable, DeliveryError, DeliveryRefused


@dataclass(frozen=True, slots=True)
class Service:
    """One mail service: how its URL is written, and the options of its Anymail backend that this URL yields.

    signs: it signs what it reports, with a key that `?webhook_key=` names (channels/receipts_anymail.py).
    """

    form: str
    options: Callable[[ChannelUrl], Mapping[str, str]]
    extras: tuple[str, ...] = ()
    signs: bool = False


def _key(option: str) -> Callable[[ChannelUrl], Mapping[str, str]]:
    return lambda url: {option: url.user}


SERVICES: Final[Mapping[str, Service]] = {
    "brevo": Service("anymail+brevo://KEY@", _key("api_key")),
    "mailersend": Service("anymail+mailersend://TOKEN@", _key("api_token"), signs=True),
    "mailgun": Service(
        "anymail+mailgun://KEY@your.domain (for the EU add ?api=https://api.eu.mailgun.net/v3)",
        lambda url: {"api_key": url.user, "sender_domain": url.host},
        signs=True,
    ),
    "mailjet": Service("anymail+mailjet://KEY:SECRET@", lambda url: {"api_key": url.user, "secret_key": url.password}),
    "postmark": Service(
        "anymail+postmark://TOKEN@?message_stream=outbound", _key("server_token"), extras=("message_stream",)
    ),
    "resend": Service("anymail+resend://KEY@", _key("api_key"), signs=True),
    "sendgrid": Service("anymail+sendgrid://KEY@", _key("api_key"), signs=True),
    "sparkpost": Service("anymail+sparkpost://KEY@", _key("api_key")),
    "amazon-ses": Service(
        "anymail+amazon-ses://ACCESS_KEY:SECRET@eu-central-1 (needs the package boto3)",
        lambda url: {"access_key": url.user, "secret": url.password, "region": url.host},
    ),
}
SCHEMES: Final = tuple(f"anymail+{service}" for service in SERVICES)


def client_params(*, access_key: str, secret: str, region: str, timeout_s: float) -> dict[str, Any]:
    """Return what boto3 needs to know to speak to Amazon for us, once a message: we are the ones who try again."""
    return {
        "aws_access_key_id": access_key,
        "aws_secret_access_key": secret,
        "region_name": region,
        "config": {"connect_timeout": timeout_s, "read_timeout": timeout_s, "retries": {"total_max_attempts": 1}},
    }


class AnymailChannel:
    """One account at one mail service. Its settings come from the URL alone, not from Django's settings."""

    def __init__(self, url: ChannelUrl, *, sender: str) -> None:
        service_name = url.scheme.removeprefix("anymail+")
        service = SERVICES[service_name]
        signing = ("webhook_key",) if service.signs else ()
        url.allow_options("api", "timeout", *service.extras, *signing, form=service.form)
        options = dict(service.options(url))
        if not all(options.values()) or url.path.strip("/"):
            raise url.wrong("its key is missing or incomplete", form=service.form)
        self.name = f"anymail-{service_name}"
        self._sender = sender
        self._timeout_s = url.timeout_s(TIMEOUT_S, form=service.form)
        extras = {name: url.options[name] for name in service.extras if name in url.options}
        api = url.api("", form=service.form) if "api" in url.options else ""
        try:
            backend_class = import_string(f"anymail.backends.{service_name.replace('-', '_')}.EmailBackend")
            self._backend = backend_class(**self._backend_options(service_name, options, api), **extras)
        except (AnymailConfigurationError, ImportError):
            raise url.wrong("django-anymail cannot use it; a package may be missing", form=service.form) from None

    def send(self, message: EmailMessage) -> Accepted:
        mail = compose(message, sender=self._sender)
        try:
            self._open()
            self._backend.send_messages([mail])
        except (AnymailError, OSError, ValueError) as error:
            raise self._verdict(error) from None
        except (
            AttributeError,
            LookupError,
            TypeError,
        ) as error:  # how Anymail's parsers take an unknown kind of answer
            raise self._not_understood(type(error).__name__) from None
        return self._outcome(getattr(mail, "anymail_status", None), message)

    def close(self) -> None:
        self._backend.close()

    def _backend_options(self, service_name: str, options: Mapping[str, str], api: str) -> dict[str, Any]:
        if service_name == "amazon-ses":
            params = client_params(**options, timeout_s=self._timeout_s)
            return {"client_params": {**params, "endpoint_url": api} if api else params}
        return {**options, "timeout": self._timeout_s, **({"api_url": api} if api else {})}

    def _open(self) -> None:
        """Keep the session between messages; it follows no redirect, for one would turn our POST into a GET."""
        self._backend.open()
        session = getattr(self._backend, "session", None)
        if isinstance(session, requests.Session):
            session.max_redirects = 0

    def _outcome(self, status: Any, message: EmailMessage) -> Accepted:
        """Sending without an exception is no proof: Anymail also returns when it could not make out what became of the
        recipient (status "unknown"). What is neither sent, queued nor given an id was not accepted."""
        outcomes: set[str] = getattr(status, "status", None) or set()
        found_id = getattr(status, "message_id", None)
        provider_id = found_id if isinstance(found_id, str) else ""
        if "failed" in outcomes:
            raise DeliveryRefused(reason=f"{self.name} failed to send the message", permanent=False)
        if provider_id or outcomes & {"sent", "queued"}:
            return Accepted(provider_id=provider_id or message.message_id)
        raise self._verdict_on(getattr(getattr(status, "esp_response", None), "status_code", 0))

    def _verdict(self, error: Exception) -> DeliveryError:
        """Anymail tells refused addresses apart. Any other 4xx may as well be about our account, so that it is never
        for ever. What the service wrote is not repeated."""
        match error:
            case requests.Timeout():
                return no_answer(self.name, self._timeout_s)
            case AnymailAPIError(status_code=int(status)):
                return self._verdict_on(status)
            case AnymailAPIError() | requests.RequestException():
                return unreachable(self.name, error)
            case AnymailError() | ValueError():
                return DeliveryRefused(reason=f"{self.name} refused the address or the message", permanent=True)
            case _:
                return unreachable(self.name, error)

    def _verdict_on(self, status: int) -> DeliveryError:
        try:
            check_status(status, provider=self.name)
        except DeliveryRefused as refused:
            return DeliveryRefused(reason=refused.reason, permanent=False)
        except ChannelUnavailable as unavailable:
            return unavailable
        return self._not_understood(str(status))

    def _not_understood(self, detail: str) -> ChannelUnavailable:
        return ChannelUnavailable(reason=f"{self.name} gave an answer that cannot be understood ({detail})")
