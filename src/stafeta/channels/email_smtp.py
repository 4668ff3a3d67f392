"""E-mail through any SMTP server, over one connection that is kept open between messages.

`smtp://user:password@host:587?tls=true` asks for STARTTLS, `smtps://user:password@host` speaks TLS from the first byte.
"""

from __future__ import annotations

import contextlib
import re
import smtplib
import ssl
import threading
from typing import Any, Final

from django.core.mail import EmailMultiAlternatives
from django.core.mail.backends.smtp import EmailBackend

from stafeta.channels.base import Accepted, EmailMessage
from stafeta.channels.email import compose
from stafeta.channels.url import ChannelUrl
from stafeta.core.errors import ChannelUnavailable, DeliveryError, DeliveryRefused

FORM: Final = "smtp://user:password@host:587?tls=true (STARTTLS) or smtps://user:password@host:465"
TIMEOUT_S: Final = 20.0
REPLY_CHARS_MAX: Final = 200
_CLOSING: Final = 421
_AUTH_REQUIRED: Final = 530
_TOO_BIG: Final = 552
_POLICY: Final = re.compile(r"[45]\.7\.\d+")


class SmtpChannel:
    """One SMTP server. A lock lets one message through at a time; a connection that the server closed while we were
    idle is opened again once, and only if it had not been given the body of the message."""

    def __init__(self, url: ChannelUrl, *, sender: str) -> None:
        url.allow_options("tls", "timeout", form=FORM)
        starttls = url.flag("tls", form=FORM)
        tls = url.scheme == "smtps"
        if not _is_host(url.host) or url.path.strip("/"):
            raise url.wrong("it does not name one host", form=FORM)
        if bool(url.user) != bool(url.password):
            raise url.wrong("it has a user name or a password, but not both", form=FORM)
        if tls and starttls:
            raise url.wrong("smtps:// and tls=true exclude each other", form=FORM)
        self.name = "smtp"
        self._sender = sender
        self._lock = threading.Lock()
        self._backend = _KeptBackend(
            host=url.host,
            port=url.port or (465 if tls else 587 if starttls else 25),
            username=url.user,
            password=url.password,
            use_tls=starttls,
            use_ssl=tls,
            timeout=url.timeout_s(TIMEOUT_S, form=FORM),
        )

    def send(self, message: EmailMessage) -> Accepted:
        mail = compose(message, sender=self._sender)
        with self._lock:
            try:
                self._transmit_once_more_if_stale(mail)
            except OSError as error:
                verdict = _verdict(error)
                if isinstance(verdict, ChannelUnavailable):
                    self._backend.abandon()
                raise verdict from None
            except ValueError:
                self._backend.abandon()
                raise DeliveryRefused(reason="its address or a header is malformed", permanent=True) from None
        return Accepted(provider_id=message.message_id)

    def close(self) -> None:
        with self._lock, contextlib.suppress(OSError):  # the server may be gone already, which is as good
            self._backend.close()

    def _transmit_once_more_if_stale(self, mail: EmailMultiAlternatives) -> None:
        reused = not self._backend.open()
        try:
            self._backend.send_messages([mail])
        except OSError as error:
            if not (reused and _is_lost(error) and not self._backend.body_begun):
                raise
            self._backend.abandon()
            self._backend.open()
            self._backend.send_messages([mail])


class _Smtp(smtplib.SMTP):
    """Remembers whether it has begun to hand over the body of the present message: from there on only the server knows
    whether it took the message."""

    body_begun = False

    def mail(self, sender: str, options: Any = ()) -> tuple[int, bytes]:
        self.body_begun = False
        return super().mail(sender, options)

    def data(self, msg: Any) -> tuple[int, bytes]:
        self.body_begun = True
        return super().data(msg)


class _SmtpOverTls(_Smtp, smtplib.SMTP_SSL):
    pass


class _KeptBackend(EmailBackend):
    """Django's backend, whose connection outlives a message because we open it before `send_messages` would."""

    _partial_connection: smtplib.SMTP | None

    @property
    def connection_class(self) -> type[_Smtp]:
        return _SmtpOverTls if self.use_ssl else _Smtp

    @property
    def body_begun(self) -> bool:
        return isinstance(self.connection, _Smtp) and self.connection.body_begun

    def abandon(self) -> None:
        """Drop the connection without a farewell, which a hanging server would let us wait for."""
        for connection in (self.connection, self._partial_connection):
            if connection is not None:
                connection.close()
        self.connection = self._partial_connection = None


def _is_host(name: str) -> bool:
    """Whether the resolver could look it up; a label too long would look like a malformed address later."""
    try:
        return bool(name.encode("idna"))
    except UnicodeError:
        return False


def _is_lost(error: OSError) -> bool:
    """Whether the server hung up on us: with a word (421, RFC 5321 3.8), or without any."""
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        return _first_reply(error)[0] == _CLOSING
    return bool(getattr(error, "smtp_code", _CLOSING) == _CLOSING)


def _verdict(error: OSError) -> DeliveryError:
    """What an SMTP conversation that failed means: for this message, or for us."""
    match error:
        case smtplib.SMTPRecipientsRefused():
            code, reply = _first_reply(error)
            return _refusal(code, reply, said=reply)
        case smtplib.SMTPDataError():
            return _refusal(error.smtp_code, _text(error.smtp_error), said="")
        case smtplib.SMTPSenderRefused(smtp_code=code) if code == _TOO_BIG:
            return DeliveryRefused(reason="the message is too big for the SMTP server (552)", permanent=True)
        case smtplib.SMTPSenderRefused(smtp_code=code):
            return ChannelUnavailable(reason=f"the SMTP server refused our sender address ({code})")
        case smtplib.SMTPAuthenticationError(smtp_code=code):
            return ChannelUnavailable(reason=f"the SMTP server refused our user name and password ({code})")
        case smtplib.SMTPResponseException(smtp_code=code):
            return ChannelUnavailable(reason=f"the SMTP server answered {code}")
        case ssl.SSLCertVerificationError():
            return ChannelUnavailable(reason="the SMTP server's certificate cannot be trusted")
        case smtplib.SMTPServerDisconnected() | TimeoutError():
            return ChannelUnavailable(reason="the SMTP server closed the connection or did not answer in time")
        case smtplib.SMTPNotSupportedError():
            return ChannelUnavailable(reason="the SMTP server offers no STARTTLS, or no way to sign in")
        case _:
            return ChannelUnavailable(reason=f"the SMTP server could not be reached ({type(error).__name__})")


def _refusal(code: int, reply: str, *, said: str) -> DeliveryError:
    """5xx is for ever and 4xx for now. A matter of policy (x.7.y, RFC 3463) may be about us, so that one is never for
    ever: an operator can mend it."""
    policy = _POLICY.match(reply)
    words = said or (policy.group() if policy else "")
    reason = f"{code} {words}".strip()[:REPLY_CHARS_MAX]
    if code in (_CLOSING, _AUTH_REQUIRED):
        return ChannelUnavailable(reason=f"the SMTP server answered {reason}")
    return DeliveryRefused(reason=reason, permanent=code >= 500 and not policy)


def _first_reply(error: smtplib.SMTPRecipientsRefused) -> tuple[int, str]:
    code, reply = next(iter(error.recipients.values()))
    return code, _text(reply)


def _text(reply: bytes | str) -> str:
    return reply.decode("utf-8", "replace") if isinstance(reply, bytes) else reply
