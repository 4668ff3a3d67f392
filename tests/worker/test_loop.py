"""The worker's loop: whatever fails is said, keeps nothing else from being done, and is tried again after a rest."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest
from django.db import OperationalError, connection
from pytest_django.fixtures import Settings

from stafeta.outbox import kinds
from stafeta.outbox.kinds import Rendered
from stafeta.outbox.models import Message
from stafeta.outbox.services.deliver import Channels
from stafeta.outbox.services.queue import Draft, enqueue
from stafeta.worker.loop import Worker, run
from stafeta.worker.parts import Instant
from tests.make import NOON
from tests.world import RecordingChannel

pytestmark = pytest.mark.django_db(transaction=True)

REST_S = 0.05
RUN_S_MAX = 20.0


@dataclass
class Scripted(Worker):
    """A worker whose rounds and deliveries do what the test says before what they always do."""

    before_round: Callable[[int], None] = lambda _number: None
    before_delivery: Callable[[int], None] = lambda _number: None
    rounds: int = 0
    deliveries: int = 0
    parts_done: list[str] = field(default_factory=list)
    stop_after: int = 4

    def __post_init__(self) -> None:
        super().__init__(Channels(RecordingChannel(), RecordingChannel()), always=(self.a_part,))

    def a_part(self, _instant: Instant) -> None:
        self.parts_done.append("done")

    def round(self) -> None:
        self.rounds += 1
        self.before_round(self.rounds)
        super().round()

    def deliver(self) -> int:
        self.deliveries += 1
        if self.deliveries >= self.stop_after:
            self.stop.set()
        self.before_delivery(self.deliveries)
        return super().deliver()

    def work(self) -> bool:
        """Run until `stop_after` deliveries were begun; fail the test when that takes too long."""
        alarm = threading.Timer(RUN_S_MAX, self.stop.set)
        alarm.start()
        try:
            return run(stop=self.stop, worker=self, pause_s=REST_S)
        finally:
            alarm.cancel()


@pytest.fixture(autouse=True)
def _a_fast_loop(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.TICK_EVERY_S = 0.01
    settings.SITE_URL = "http://127.0.0.1:9"
    monkeypatch.setattr(kinds, "_RENDERERS", dict(kinds._RENDERERS))
    kinds.register("test.hello", lambda message: Rendered(to=str(message.params["to"]), text="Dobrý den", subject="s"))


def queue(*names: str) -> None:
    drafts = [Draft(name, "test.hello", "email", None, {"to": f"{name}@example.org"}) for name in names]
    enqueue(drafts, now=NOON)


def fail_once(error: Exception) -> Callable[[int], None]:
    def act(number: int) -> None:
        if number == 1:
            raise error

    return act


def test_a_part_that_raises_keeps_none_of_the_others_from_its_work(caplog: pytest.LogCaptureFixture) -> None:
    """Invariant 12."""
    done: list[str] = []

    def broken(_instant: Instant) -> None:
        raise KeyError("a row nobody can read")

    def sound(_instant: Instant) -> None:
        done.append("sound")

    Worker(Channels(RecordingChannel(), RecordingChannel()), always=(broken, sound, broken, sound)).round()
    assert done == ["sound", "sound"]
    assert "broken failed; the rest of the round goes on" in caplog.text


def test_parts_that_need_the_owner_to_be_heard_do_nothing_while_nobody_is(caplog: pytest.LogCaptureFixture) -> None:
    """Invariant 2: no page answers here, so nobody climbs, and the log says where to look."""
    done: list[str] = []
    channels = Channels(RecordingChannel(), RecordingChannel())
    worker = Worker(channels, while_hearing=(lambda _instant: done.append("climbed"),), always=())
    worker.round()
    assert done == []
    assert "nobody climbs: the confirmation page does not answer" in caplog.text
    assert "STAFETA_SITE_URL" in caplog.text


def test_a_round_that_fails_stops_no_delivery(caplog: pytest.LogCaptureFixture) -> None:
    queue("ema")

    def always_broken(_number: int) -> None:
        raise RuntimeError("a round nobody can do")

    worker = Scripted(before_round=always_broken)
    assert worker.work() is False
    assert Message.objects.get().state == Message.State.ACCEPTED
    assert worker.rounds > 1
    assert "a round failed through a fault of the program" in caplog.text


def test_a_delivery_that_raises_what_nobody_expected_does_not_end_the_worker(caplog: pytest.LogCaptureFixture) -> None:
    queue("ema")
    worker = Scripted(before_delivery=fail_once(RuntimeError("nobody expected this")))
    assert worker.work() is True
    assert Message.objects.get().state == Message.State.ACCEPTED
    assert "a delivery failed through a fault of the program" in caplog.text
    assert worker.parts_done


def test_what_fails_for_ever_is_never_tried_in_a_busy_loop() -> None:
    def always_broken(_number: int) -> None:
        raise RuntimeError("for ever")

    worker = Scripted(before_delivery=always_broken, before_round=always_broken, stop_after=6)
    began_s = time.monotonic()
    worker.work()
    assert time.monotonic() - began_s >= 5 * REST_S
    assert worker.rounds <= 6


def test_a_database_that_fails_is_tried_again_over_a_new_connection(caplog: pytest.LogCaptureFixture) -> None:
    queue("ema")
    used: list[object] = []

    def remember(number: int) -> None:
        connection.ensure_connection()
        used.append(connection.connection)
        if number == 1:
            raise OperationalError("database or disk is full")

    worker = Scripted(before_delivery=remember)
    assert worker.work() is True
    assert used[1] is not used[0]
    assert Message.objects.get().state == Message.State.ACCEPTED
    assert "a delivery failed: The disk is full: free space" in caplog.text


def test_a_stop_lets_the_message_in_hand_be_the_last_and_gives_the_rest_back() -> None:
    """Invariant 11: what was leased and not sent is free at once for whoever comes next."""
    queue("ema", "ivo", "jan")
    stop = threading.Event()
    email = RecordingChannel()

    def stop_while_sending(_to: str) -> None:
        stop.set()

    email.fail = stop_while_sending
    run(stop=stop, worker=Worker(Channels(email, RecordingChannel()), stop=stop, always=()))
    assert len(email.sent) == 1
    assert sorted(Message.objects.values_list("state", flat=True)) == ["accepted", "queued", "queued"]
    assert not Message.objects.exclude(lease_until=None).exists()


def test_one_round_says_whether_it_went_well() -> None:
    assert run(once=True, worker=Scripted()) is True
    assert run(once=True, worker=Scripted(before_round=fail_once(OperationalError("database is locked")))) is False
