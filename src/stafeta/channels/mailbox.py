"""The built-in mailbox: where nothing else is configured, every message becomes a file that a page can show.

One JSON file a message, `000000000042.json`, numbered in the order of sending; the folder is for its owner's eyes only.
Several processes may write at once. It keeps the newest `MAILBOX_MESSAGES_MAX`.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Final, assert_never

from stafeta.channels.base import Accepted, ChannelKind, EmailMessage, SmsMessage
from stafeta.core.errors import ChannelUnavailable

MAILBOX_MESSAGES_MAX: Final = 2_000
_NUMBERED: Final = "[0-9]" * 12 + ".json"


@dataclass(frozen=True, slots=True)
class StoredMessage:
    """A message as the mailbox keeps it. An SMS has no subject, HTML or headers."""

    number: int
    kind: ChannelKind
    at: datetime
    id: str
    to: str
    text: str = field(repr=False)
    subject: str = field(default="", repr=False)
    html: str = field(default="", repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    message_id: str = ""
    language: str = ""


class MailboxChannel:
    """Accepts every message by writing it into `folder`, which is made at the first one."""

    name = "mailbox"

    def __init__(self, folder: Path, *, now: Callable[[], datetime], messages_max: int = MAILBOX_MESSAGES_MAX) -> None:
        self._folder = folder
        self._now = now
        self._messages_max = messages_max

    def send(self, message: EmailMessage | SmsMessage) -> Accepted:
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            number = self._reserve_number()
            self._write_or_give_back(_stored(message, number=number, at=self._now()))
            self._forget_old()
        except OSError as error:
            reason = (
                f"the mailbox folder cannot be written ({error.strerror}): free space, or give it back to this user"
            )
            raise ChannelUnavailable(reason=reason) from None
        return Accepted(provider_id=f"mailbox-{number}")

    def close(self) -> None:
        """Nothing is held."""

    def _reserve_number(self) -> int:
        """Claim the next number by making its file, still empty; who loses a race takes the one after."""
        last = max((int(path.stem) for path in self._folder.glob(_NUMBERED)), default=0)
        while True:
            last += 1
            try:
                os.close(os.open(_path(self._folder, last), os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
            except FileExistsError:
                continue
            return last

    def _write_or_give_back(self, stored: StoredMessage) -> None:
        """Leave no empty file behind: those of a full disk, tried again for days, would push real messages out."""
        try:
            self._write(stored)
        except OSError:
            for path in (_draft(self._folder, stored.number), _path(self._folder, stored.number)):
                path.unlink(missing_ok=True)
            raise

    def _write(self, stored: StoredMessage) -> None:
        content = asdict(stored) | {"at": stored.at.isoformat()}
        draft = _draft(self._folder, stored.number)
        with os.fdopen(os.open(draft, os.O_CREAT | os.O_TRUNC | os.O_WRONLY, 0o600), "w", encoding="utf-8") as file:
            json.dump(content, file, ensure_ascii=False)
        draft.replace(_path(self._folder, stored.number))

    def _forget_old(self) -> None:
        for path in _newest_first(self._folder)[self._messages_max :]:
            path.unlink(missing_ok=True)


def read_mailbox(folder: Path, *, limit: int) -> list[StoredMessage]:
    """The newest `limit` messages, newest first; empty where nothing was ever sent."""
    messages: list[StoredMessage] = []
    for path in _newest_first(folder):
        if len(messages) >= limit:
            break
        try:
            content = path.read_text(encoding="utf-8")
        except FileNotFoundError:
            continue  # forgotten by a writer since we listed the folder
        if content:  # an empty file is a number reserved for a message just being written
            messages.append(_parsed(content))
    return messages


def _path(folder: Path, number: int) -> Path:
    return folder / f"{number:012d}.json"


def _draft(folder: Path, number: int) -> Path:
    return folder / f".{number:012d}.tmp"


def _newest_first(folder: Path) -> list[Path]:
    return sorted(folder.glob(_NUMBERED), reverse=True)


def _stored(message: EmailMessage | SmsMessage, *, number: int, at: datetime) -> StoredMessage:
    match message:
        case EmailMessage():
            return StoredMessage(
                number=number,
                kind=ChannelKind.EMAIL,
                at=at,
                id=message.id,
                to=message.to,
                text=message.text,
                subject=message.subject,
                html=message.html,
                headers=dict(message.headers),
                message_id=message.message_id,
                language=message.language,
            )
        case SmsMessage():
            return StoredMessage(
                number=number, kind=ChannelKind.SMS, at=at, id=message.id, to=message.to, text=message.text
            )
        case _:
            assert_never(message)


def _parsed(content: str) -> StoredMessage:
    fields = json.loads(content)
    fields["kind"] = ChannelKind(fields["kind"])
    fields["at"] = datetime.fromisoformat(fields["at"])
    return StoredMessage(**fields)
