"""Providers that lie, over real sockets: the ladder goes on by other rungs, and nobody else waits for it."""

from __future__ import annotations

import json
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from stafeta import clock
from stafeta.accounts.models import User
from stafeta.channels.base import SmsMessage
from stafeta.channels.mailbox import MailboxChannel, read_mailbox
from stafeta.channels.registry import sms_channel
from stafeta.cli.receivers import HttpReceiver, HttpRequest, SmsReceiver
from stafeta.core.errors import ChannelUnavailable
from stafeta.outbox.models import Message
from stafeta.outbox.selectors import OUTAGE_MAX, outage
from stafeta.outbox.services.settle import PROVIDER_ID_CHARS_MAX
from tests import make
from tests.make import NOON
from tests.switches.jump import to_phase, to_rung
from tests.world import World

DANA, EMA = "dana@example.org", "ema@example.org"
ABSURD_IDS = ("", "x" * 5_000, "\x00\n\r", "ž\ud800", 10**30, None, [], {"id": "x"}, True)


class Liar(HttpReceiver):
    """An SMS gateway that answers as it likes, and keeps the ids of what it was given."""

    def __init__(self) -> None:
        super().__init__()
        self.status = 200
        self.content: Any = {}
        self.ids: list[str] = []

    @property
    def url(self) -> str:
        return f"webhook+http://127.0.0.1:{self.port}/sms?timeout=2"

    def answer(self, request: HttpRequest) -> tuple[int, Any]:
        self.ids.append(json.loads(request.body)["id"])
        return self.status, self.content


@pytest.fixture
def world(db: None, keys_file: object) -> World:
    return World()


@pytest.fixture
def dana(world: World) -> User:
    return make.armed_owner(now=world.now)


@contextmanager
def leaving_by(world: World, receiver: Any) -> Iterator[None]:
    """Let the world's SMS leave through a real gateway."""
    with receiver:
        channel = sms_channel(receiver.url, mailbox_dir=Path("/nowhere"), now=clock.now)
        world.sms = channel  # type: ignore[assignment]
        try:
            yield
        finally:
            channel.close()


@pytest.mark.parametrize("content", [{"id": absurd} for absurd in ABSURD_IDS] + ["garbage", [], 7, None], ids=repr)
def test_whatever_a_gateway_answers_to_a_message_it_took_the_message_counts_once(
    content: Any, world: World, dana: User
) -> None:
    """Invariant 14: an id that makes no sense is ours to bear, not the addressee's to get twice."""
    liar = Liar()
    liar.content = content
    with leaving_by(world, liar):
        to_rung(world, dana, 3)
        world.now += timedelta(hours=2)
        world.tick()
    sms = Message.objects.get(kind="switches.ask_owner", channel="sms")
    assert sms.state == Message.State.ACCEPTED
    assert len(sms.provider_id) <= PROVIDER_ID_CHARS_MAX
    assert len(liar.ids) == 1
    assert outage(now=world.now) is None


def test_a_gateway_that_accepts_and_loses_everything_keeps_nobody_from_the_release(world: World, dana: User) -> None:
    """Nothing of it can be seen; the other rungs and the other channel ask all the same."""
    with leaving_by(world, Liar()):
        to_phase(world, dana, "Released")
    assert {message.to for message in world.email.sent} >= {DANA, "karel@example.org", EMA}


def test_a_gateway_out_of_order_for_days_stops_the_ladder_for_three_and_no_longer(world: World, dana: User) -> None:
    """Invariants 11 and 19: its messages go on waiting, under the same ids, and reach their people when it is back."""
    liar = Liar()
    liar.status = 503
    with leaving_by(world, liar):
        to_rung(world, dana, 3)
        assert outage(now=world.now) is not None
        for half_days in range(1, 30):
            world.now += timedelta(hours=12)
            world.tick()
            assert world.switch(dana).phase != "Released" or half_days > OUTAGE_MAX / timedelta(hours=12)
        assert world.switch(dana).phase == "Released"
        waiting = set(Message.objects.filter(channel="sms", state=Message.State.QUEUED).values_list("kind", flat=True))
        assert "vault.release_sms" in waiting
        liar.status = 200
        world.now += timedelta(days=1)
        world.tick()
    assert not Message.objects.filter(channel="sms", state=Message.State.QUEUED).exists()
    assert Message.objects.get(kind="vault.release_sms").state == Message.State.ACCEPTED


def test_an_answer_that_comes_too_late_lets_the_same_message_come_again_under_its_id(world: World, dana: User) -> None:
    """Invariant 14: the gateway took it and did not say so in time."""

    class TooLate(SmsReceiver):
        late = 1

        @property
        def url(self) -> str:
            return f"webhook+http://127.0.0.1:{self.port}/sms?timeout=0.2"

        def answer(self, request: HttpRequest) -> tuple[int, Any]:
            answer = super().answer(request)
            if self.late:
                self.late -= 1
                self.released.wait(0.6)
            return answer

    receiver = TooLate()
    with leaving_by(world, receiver):
        to_rung(world, dana, 3)
        world.now += timedelta(hours=1)
        world.tick()
        came = receiver.inbox.all()
    assert len(came) == 2
    assert len({(sms.id, sms.to) for sms in came}) == 1
    assert Message.objects.get(kind="switches.ask_owner", channel="sms").state == Message.State.ACCEPTED


def test_a_mailbox_folder_without_room_refuses_in_plain_words_and_leaves_no_empty_files(tmp_path: Path) -> None:
    mailbox = MailboxChannel(tmp_path / "mailbox", now=lambda: NOON)
    mailbox.send(SmsMessage(id="<1>", to="+420601000001", text="before"))
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, hard))
    try:
        for _ in range(3):
            with pytest.raises(ChannelUnavailable, match=r"cannot be written .*: free space") as refused:
                mailbox.send(SmsMessage(id="<2>", to="+420601000001", text="while it is full"))
            assert "while it is full" not in str(refused.value)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert len(list((tmp_path / "mailbox").iterdir())) == 1
    mailbox.send(SmsMessage(id="<2>", to="+420601000001", text="after"))
    assert [message.text for message in read_mailbox(tmp_path / "mailbox", limit=9)] == ["after", "before"]
