"""`console:` prints every message to standard output. For development: what it prints opens things."""

from __future__ import annotations

import sys
from typing import TextIO, assert_never

from stafeta.channels.base import Accepted, EmailMessage, SmsMessage


class ConsoleChannel:
    """Takes e-mails and SMS alike and accepts everything."""

    name = "console"

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream

    def send(self, message: EmailMessage | SmsMessage) -> Accepted:
        match message:
            case EmailMessage():
                head = f"E-mail to {message.to}: {message.subject}"
            case SmsMessage():
                head = f"SMS to {message.to}"
            case _:
                assert_never(message)
        stream = self._stream or sys.stdout
        stream.write(f"── {head}\n{message.text}\n──\n")
        stream.flush()
        return Accepted(provider_id=message.id)

    def close(self) -> None:
        """Nothing is held."""
