"""The receivers that the demo and these tests stand on."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from stafeta.channels.registry import email_channel, sms_channel
from stafeta.cli.receivers import Inbox, SmsReceiver, SmtpReceiver
from tests.channels.contract import CODE_TEXT, email, sms
from tests.channels.test_mailbox import NOON


def test_waiting_ends_when_the_message_comes() -> None:
    inbox: Inbox[str] = Inbox()
    inbox.add("first")
    threading.Timer(0.05, inbox.add, ("second",)).start()
    assert inbox.wait_for(lambda message: message == "second", timeout_s=5) == "second"
    assert inbox.all() == ["first", "second"]


def test_waiting_in_vain_says_so() -> None:
    inbox: Inbox[str] = Inbox()
    inbox.add("first")
    with pytest.raises(TimeoutError, match="1 others"):
        inbox.wait_for(lambda message: message == "second", timeout_s=0.05)


@pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")
def test_their_urls_are_what_the_settings_take(tmp_path: Path) -> None:
    with SmtpReceiver(credentials=("dana", "heslo")) as smtp, SmsReceiver(token="zeton") as gateway:
        emails = email_channel(smtp.url, mailbox_dir=tmp_path, sender="a@example.org", now=lambda: NOON)
        texts = sms_channel(gateway.url, mailbox_dir=tmp_path, now=lambda: NOON)
        emails.send(email())
        texts.send(sms())
        emails.close()
        texts.close()
        assert smtp.inbox.all()[0]["To"] == "dana@example.org"
        assert gateway.inbox.all()[0].text == CODE_TEXT
