"""Two small real receivers on 127.0.0.1, for the headless demo and the tests: an SMTP server and an SMS gateway.

Both take what a channel sends over a real socket, keep it, and can be told to behave as badly as providers do.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import json
import socket
import ssl
import threading
from collections.abc import Callable
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import EmailMessage
from enum import StrEnum
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final, Generic, Self, TypeVar, cast

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

START_S_MAX: Final = 5.0
HANG_S: Final = 60.0
BODY_BYTES_MAX: Final = 1_000_000

M = TypeVar("M")


class Behaviour(StrEnum):
    """How a receiver answers from now on. In brackets what SMTP and the SMS gateway say."""

    ACCEPT = "accept"
    """Takes the message (250, 200)."""
    LATER = "later"
    """Refuses this message for now (450, 429)."""
    REFUSE = "refuse"
    """Refuses this message for ever (550, 422)."""
    OUTAGE = "outage"
    """Is out of order as a whole (421, 503)."""
    DROP = "drop"
    """Hangs up without a word."""
    HANG = "hang"
    """Says nothing for `HANG_S`, or until it is stopped."""


class Inbox(Generic[M]):
    """What a receiver has taken, in order; safe between threads."""

    def __init__(self) -> None:
        self._messages: list[M] = []
        self._changed = threading.Condition()

    def add(self, message: M) -> None:
        with self._changed:
            self._messages.append(message)
            self._changed.notify_all()

    def all(self) -> list[M]:
        """A copy of everything so far, oldest first."""
        with self._changed:
            return list(self._messages)

    def wait_for(self, wanted: Callable[[M], bool], *, timeout_s: float) -> M:
        """The first message that is `wanted`, now or within `timeout_s`; else TimeoutError."""
        found: list[M] = []

        def arrived() -> bool:
            found.extend(message for message in self._messages if wanted(message))
            return bool(found)

        with self._changed:
            if not self._changed.wait_for(arrived, timeout_s):
                raise TimeoutError(f"no such message within {timeout_s:g} s ({len(self._messages)} others came)")
        return found[0]


class SmtpReceiver:
    """An SMTP server on `port` (0: a free one). `stage` says at which command it misbehaves (MAIL, RCPT, or DATA once
    it has read the message), `replies` in which words. With `credentials` it insists on them, with `tls` it offers
    STARTTLS."""

    def __init__(
        self, *, port: int = 0, credentials: tuple[str, str] | None = None, tls: ssl.SSLContext | None = None
    ) -> None:
        self.behaviour = Behaviour.ACCEPT
        self.stage = "RCPT"
        self.replies = {
            Behaviour.ACCEPT: "250 2.0.0 OK",
            Behaviour.LATER: "450 4.2.0 Mailbox busy, come back later",
            Behaviour.REFUSE: "550 5.1.1 No such user here",
            Behaviour.OUTAGE: "421 4.3.2 Closing for maintenance",
        }
        self.inbox: Inbox[EmailMessage] = Inbox()
        self.connections = 0
        self.bodies = 0
        self.port = port
        self._credentials = credentials
        self._tls = tls
        self._protocols: list[SMTP] = []
        self._ready = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()), name="smtp-receiver", daemon=True)

    @property
    def url(self) -> str:
        """What STAFETA_EMAIL_URL must be to reach it."""
        user = f"{':'.join(self._credentials)}@" if self._credentials else ""
        return f"smtp://{user}127.0.0.1:{self.port}{'?tls=true' if self._tls else ''}"

    def __enter__(self) -> Self:
        self._thread.start()
        if not self._ready.wait(START_S_MAX):
            raise TimeoutError(f"the SMTP receiver could not listen on port {self.port}")
        return self

    def __exit__(self, *_exception: object) -> None:
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._stopped.set)
            self._thread.join(START_S_MAX)

    def hang_up(self) -> None:
        """Close every connection, as servers do with idle ones; returns when that is done."""

        async def close_all() -> None:
            self._close_connections()

        asyncio.run_coroutine_threadsafe(close_all(), self._loop).result(START_S_MAX)

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._stopped = asyncio.Event()
        server = await self._loop.create_server(self._protocol, "127.0.0.1", self.port)
        self.port = server.sockets[0].getsockname()[1]
        self._ready.set()
        await self._stopped.wait()
        server.close()
        self._close_connections()

    def _protocol(self) -> SMTP:
        self.connections += 1
        protocol = SMTP(
            _SmtpHandler(self),
            hostname="localhost",
            enable_SMTPUTF8=True,
            loop=self._loop,
            tls_context=self._tls,
            authenticator=self._authenticate,
            auth_required=self._credentials is not None,
            auth_require_tls=False,
        )
        self._protocols.append(protocol)
        return protocol

    def _close_connections(self) -> None:
        for protocol in self._protocols:
            if protocol.transport is not None:
                protocol.transport.close()
        self._protocols.clear()

    def _authenticate(
        self, _server: SMTP, _session: Session, _envelope: Envelope, _mechanism: str, given: object
    ) -> AuthResult:
        expected = tuple(part.encode() for part in self._credentials or ())
        matches = isinstance(given, LoginPassword) and (given.login, given.password) == expected
        return AuthResult(success=matches, handled=False)


class _SmtpHandler:
    """The hooks that aiosmtpd calls."""

    def __init__(self, receiver: SmtpReceiver) -> None:
        self._receiver = receiver

    async def handle_MAIL(  # noqa: N802 - the names are aiosmtpd's
        self, server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        envelope.mail_from = address
        return await self._reply("MAIL", server)

    async def handle_RCPT(  # noqa: N802
        self, server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        reply = await self._reply("RCPT", server)
        if reply.startswith("2"):
            envelope.rcpt_tos.append(address)
        return reply

    async def handle_DATA(self, server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802
        self._receiver.bodies += 1
        reply = await self._reply("DATA", server)
        if reply.startswith("2"):
            content = cast(bytes, envelope.content).replace(b"\r\n", b"\n")
            self._receiver.inbox.add(message_from_bytes(content, policy=policy.default))
        return reply

    async def _reply(self, stage: str, server: SMTP) -> str:
        behaviour = self._receiver.behaviour if self._receiver.stage == stage else Behaviour.ACCEPT
        match behaviour:
            case Behaviour.HANG:
                await asyncio.sleep(HANG_S)
            case Behaviour.DROP:
                cast(asyncio.Transport, server.transport).abort()
        return self._receiver.replies.get(behaviour, "451 4.3.0 Nobody hears this")


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """One POST, read to its end."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def basic_credentials(self) -> tuple[str, str]:
        """User and password of Basic authentication; both empty where there is none."""
        scheme, _, encoded = self.headers.get("authorization", "").partition(" ")
        try:
            user, _, password = base64.b64decode(encoded, validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            return "", ""
        return (user, password) if scheme == "Basic" else ("", "")


class HttpReceiver:
    """An HTTP server on `port` (0: a free one) that answers POST requests as `answer` says."""

    def __init__(self, *, port: int = 0) -> None:
        self.behaviour = Behaviour.ACCEPT
        self.connections = 0
        self.released = threading.Event()
        self._server = _HttpServer(("127.0.0.1", port), _HttpHandler)
        self._server.receiver = self
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, name="http-receiver", daemon=True
        )

    @property
    def port(self) -> int:
        return int(self._server.server_address[1])

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_exception: object) -> None:
        self.released.set()
        self._server.shutdown()
        self._server.server_close()

    def answer(self, request: HttpRequest) -> tuple[int, Any]:
        """The status and JSON content to answer with, for every behaviour but DROP and HANG."""
        raise NotImplementedError


class _HttpServer(ThreadingHTTPServer):
    daemon_threads = True
    receiver: HttpReceiver


class _HttpHandler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"  # keeps connections open, so that their reuse can be seen

    @property
    def _receiver(self) -> HttpReceiver:
        return cast(_HttpServer, self.server).receiver

    def setup(self) -> None:
        super().setup()
        self._receiver.connections += 1

    def do_POST(self) -> None:
        receiver = self._receiver
        length = min(int(self.headers.get("Content-Length", 0)), BODY_BYTES_MAX)
        headers = {name.lower(): value for name, value in self.headers.items()}
        request = HttpRequest(path=self.path, headers=headers, body=self.rfile.read(length))
        if receiver.behaviour in (Behaviour.HANG, Behaviour.DROP):
            if receiver.behaviour is Behaviour.HANG:
                receiver.released.wait(HANG_S)
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)
            return
        status, content = receiver.answer(request)
        body = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing: the demo prints its own story."""


@dataclass(frozen=True, slots=True)
class ReceivedSms:
    """What the gateway took."""

    id: str
    to: str
    text: str


class SmsReceiver(HttpReceiver):
    """An SMS gateway for `webhook+http://`. With `token` it insists on that Bearer token."""

    _STATUSES: Final = {Behaviour.LATER: 429, Behaviour.REFUSE: 422, Behaviour.OUTAGE: 503}

    def __init__(self, *, port: int = 0, token: str = "") -> None:
        super().__init__(port=port)
        self.inbox: Inbox[ReceivedSms] = Inbox()
        self._token = token

    @property
    def url(self) -> str:
        """What STAFETA_SMS_URL must be to reach it."""
        return f"webhook+http://127.0.0.1:{self.port}/sms{f'?token={self._token}' if self._token else ''}"

    def answer(self, request: HttpRequest) -> tuple[int, Any]:
        if self._token and request.headers.get("authorization") != f"Bearer {self._token}":
            return 401, {"error": "a valid token is needed"}
        if status := self._STATUSES.get(self.behaviour):
            return status, {"error": self.behaviour}
        fields = json.loads(request.body)
        sms = ReceivedSms(id=fields["id"], to=fields["to"], text=fields["text"])
        self.inbox.add(sms)
        return 200, {"id": f"gateway-{sms.id}"}
