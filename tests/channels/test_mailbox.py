"""The built-in mailbox and the console: where messages go when nothing is configured, or while developing."""

from __future__ import annotations

import datetime as dt
import io
import stat
import threading
from pathlib import Path

import pytest

from stafeta.channels.base import ChannelKind
from stafeta.channels.console import ConsoleChannel
from stafeta.channels.mailbox import MailboxChannel, read_mailbox
from stafeta.channels.registry import email_channel, sms_channel
from stafeta.core.errors import ChannelUnavailable
from tests.channels.contract import CODE_TEXT, SUBJECT, TEXT, email, sms

NOON = dt.datetime(2026, 1, 1, 12, 0, 0, 250, tzinfo=dt.UTC)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "data" / "mailbox"


def mailbox(folder: Path, **options: int) -> MailboxChannel:
    return MailboxChannel(folder, now=lambda: NOON, **options)


def test_an_empty_url_means_the_mailbox_for_both_kinds(folder: Path) -> None:
    email_channel("", mailbox_dir=folder, sender="a@example.org", now=lambda: NOON).send(email())
    sms_channel("", mailbox_dir=folder, now=lambda: NOON).send(sms())
    newest, oldest = read_mailbox(folder, limit=10)
    assert (newest.kind, newest.to, newest.text, newest.at) == (ChannelKind.SMS, "+420777123456", CODE_TEXT, NOON)
    assert (oldest.kind, oldest.subject, oldest.text) == (ChannelKind.EMAIL, SUBJECT, TEXT)
    assert oldest.headers == {"X-Stafeta-Kind": "ask_owner"}
    assert oldest.message_id == "<1.abc@stafeta.test>"


def test_making_a_channel_writes_nothing(folder: Path) -> None:
    email_channel("", mailbox_dir=folder, sender="a@example.org", now=lambda: NOON)
    assert not folder.exists()
    assert read_mailbox(folder, limit=10) == []


def test_messages_are_for_their_owners_eyes_only(folder: Path) -> None:
    mailbox(folder).send(sms())
    (file,) = folder.iterdir()
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_messages_come_newest_first_up_to_the_limit(folder: Path) -> None:
    for number in range(12):
        mailbox(folder).send(sms(number))
    assert [message.id for message in read_mailbox(folder, limit=3)] == ["message-11", "message-10", "message-9"]


def test_the_oldest_are_forgotten_and_numbers_go_on(folder: Path) -> None:
    for number in range(6):
        mailbox(folder, messages_max=4).send(sms(number))
    assert [message.number for message in read_mailbox(folder, limit=10)] == [6, 5, 4, 3]


def test_writers_at_the_same_time_lose_nothing(folder: Path) -> None:
    def write(start: int) -> None:
        for number in range(start, start + 10):
            mailbox(folder).send(sms(number))

    threads = [threading.Thread(target=write, args=(start,)) for start in (0, 10, 20, 30)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {message.id for message in read_mailbox(folder, limit=100)} == {f"message-{n}" for n in range(40)}


def test_a_message_being_written_is_not_shown_yet(folder: Path) -> None:
    mailbox(folder).send(sms())
    (folder / "000000000002.json").touch()
    assert len(read_mailbox(folder, limit=10)) == 1
    mailbox(folder).send(sms(3))
    assert [message.number for message in read_mailbox(folder, limit=10)] == [3, 1]


def test_a_folder_that_cannot_be_written_is_an_outage(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ChannelUnavailable, match="mailbox"):
        mailbox(tmp_path / "file").send(sms())


def test_the_console_shows_both_kinds() -> None:
    stream = io.StringIO()
    channel = ConsoleChannel(stream)
    assert channel.send(email()).provider_id == "message-1"
    channel.send(sms())
    channel.close()
    assert SUBJECT in stream.getvalue()
    assert CODE_TEXT in stream.getvalue()
