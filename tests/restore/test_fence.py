"""What belongs to another history or to another installation changes nothing here (invariant 13)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from pytest_django.fixtures import Settings
from pytest_django.live_server_helper import LiveServer

from stafeta import clock
from stafeta.accounts.models import Instance, User
from stafeta.accounts.selectors import Installation, current_epoch, home_here, installation
from stafeta.accounts.services.installation import settle_home
from stafeta.channels.base import Accepted, EmailMessage, SmsMessage
from stafeta.core.errors import Superseded
from stafeta.outbox.models import Attempt, Message
from stafeta.outbox.services.claim import claim
from stafeta.outbox.services.deliver import Channels, deliver
from stafeta.outbox.services.settle import Outcome, settle
from stafeta.switches.models import ServiceClock, Switch
from stafeta.switches.services.adopt import adopt
from stafeta.switches.services.delivery import record_delivery
from stafeta.switches.services.tick import tick
from stafeta.vault.services.follow_up import follow_up
from stafeta.worker.loop import Worker
from stafeta.worker.loop import run as run_worker
from tests import make
from tests.contracts.domain import domain
from tests.restore.history import backup, restore
from tests.world import RecordingChannel, World

LEASE = timedelta(minutes=5)


@pytest.fixture
def dana(world: World) -> User:
    return make.armed_owner()


# An old worker, after a restore in place ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "act",
    [
        lambda world, epoch, service_s: tick(now=world.now, service_s=service_s, epoch=epoch),
        lambda world, epoch, service_s: adopt(now=world.now, service_s=service_s, epoch=epoch),
        lambda world, epoch, service_s: follow_up(now=world.now, service_s=service_s, epoch=epoch),
        lambda world, epoch, _s: claim(channel="email", now=world.now, lease=LEASE, limit=9, epoch=epoch),
    ],
    ids=["tick", "adopt", "follow_up", "claim"],
)
def test_a_worker_of_before_the_restore_changes_nothing(
    world: World, dana: User, file: Path, act: Callable[[World, int, int], object]
) -> None:
    """Invariant 13: it knows a service second of the lost history, at which everybody would be overdue."""
    world.until(dana, rung=5)
    backup(file, now=world.now)
    epoch, service_s = current_epoch(), world.service_s() + 400 * 86400
    restore(file, now=world.now)
    for adopted in (False, True):
        if adopted:
            adopt(now=world.now, service_s=world.service_s())
        before = domain()
        try:
            found = act(world, epoch, service_s)
        except Superseded:
            found = None
        assert domain() == before
        assert not found or getattr(found, "claimed", None) == 0


def test_what_was_being_sent_during_the_restore_settles_nothing(world: World, dana: User, file: Path) -> None:
    """Invariant 13: its acceptance would start a window of a rung that nobody was asked on in this history."""
    world.until(dana, rung=0)
    Message.objects.update(state="queued", next_attempt_at=world.now)
    Attempt.objects.all().delete()
    backup(file, now=world.now)
    [message] = claim(channel="email", now=world.now, lease=LEASE, limit=1)
    epoch = current_epoch()
    restore(file, now=world.now)
    before = domain()
    with pytest.raises(Superseded):
        settle(
            message,
            Outcome(Attempt.Outcome.ACCEPTED, to="dana@example.org"),
            now=world.now,
            pace=1.0,
            on_settled=record_delivery,
            epoch=epoch,
        )
    assert domain() == before


def test_a_delivery_ends_with_the_message_during_which_the_restore_came(world: World, dana: User, file: Path) -> None:
    world.until(dana, rung=4)
    Message.objects.update(state="queued", next_attempt_at=world.now)
    backup(file, now=world.now)
    sent: list[str] = []

    class DuringIt(RecordingChannel):
        def send(self, message: EmailMessage | SmsMessage) -> Accepted:
            sent.append(message.id)
            restore(file, now=world.now)
            return Accepted("1")

    channels = Channels(email=DuringIt(), sms=RecordingChannel())
    with pytest.raises(Superseded):
        deliver(channels=channels, now=lambda: world.now, pace=1.0, on_settled=record_delivery)
    assert len(sent) == 1
    assert set(Message.objects.values_list("state", flat=True)) == {"queued"}
    assert not Message.objects.exclude(lease_until=None).exists()


@pytest.fixture
def worker(world: World, live_server: LiveServer, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Worker:
    """A worker in the world's time, whose public address is a real server on the same database."""
    settings.SITE_URL = live_server.url
    monkeypatch.setattr(clock, "now", lambda: world.now)
    return Worker(Channels(email=world.email, sms=world.sms))


def test_a_worker_stops_itself_once_the_installation_was_restored(
    world: World, dana: User, file: Path, worker: Worker
) -> None:
    worker.round()
    worker.deliver()
    backup(file, now=world.now)
    restore(file, now=world.now)
    before = domain()
    for act in (worker.round, worker.deliver):
        with pytest.raises(Superseded):
            act()
    assert domain() == before


def test_the_worker_that_is_started_then_adopts_and_goes_on(
    world: World, dana: User, file: Path, worker: Worker
) -> None:
    world.until(dana, rung=5)
    backup(file, now=world.now)
    restore(file, now=world.now)
    world.forget()
    worker.round()
    worker.deliver()
    assert Switch.objects.get().epoch == current_epoch()
    assert [message.to for message in world.email.sent][:1] == ["dana@example.org"]


def test_the_loop_ends_when_the_installation_moved_on(
    world: World, dana: User, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever supervises it starts another; going on for ever would only look like working."""
    Instance.objects.update(home="0" * 64)
    with pytest.raises(Superseded, match="another address"):
        run_worker()


# Two installations --------------------------------------------------------------------------------------------------


def test_a_copy_neither_climbs_nor_sends_while_another_installation_answers(
    world: World, dana: User, worker: Worker
) -> None:
    """The old machine wakes after a move: on the new one the owner may have answered long ago."""
    world.until(dana, rung=5)
    Message.objects.filter(kind="switches.ask_contact").update(state="queued", next_attempt_at=world.now)
    world.forget()
    state = world.state(dana)
    with another_database_answers():
        for _ in range(3):
            world.now += timedelta(days=9)
            worker.round()
            assert worker.deliver() == 0
        assert ServiceClock.objects.get().deaf_reason == "another installation answers at the public address"
    assert world.sent() == []
    assert world.state(dana) == state
    worker.round()
    assert worker.deliver() > 0, "it was found again at its own address"


@contextmanager
def another_database_answers() -> Iterator[None]:
    """Let the public server read another database than this worker: both are in one process here."""
    with pytest.MonkeyPatch.context() as patch:
        theirs = Installation("f" * 32, 7, home_here())
        patch.setattr("stafeta.web.views.probe.installation", lambda: theirs)
        yield


def test_an_installation_is_at_home_where_it_first_was(world: World, settings: Settings) -> None:
    settings.SITE_IS_LOCAL, settings.SITE_URL = False, "https://one.example.org"
    Instance.objects.update(home="")
    assert settle_home()
    before = installation()
    settings.SITE_URL = "https://two.example.org"
    assert not settle_home()
    assert installation() == before
    assert settle_home(move=True)
    moved = installation()
    assert moved.home == home_here()
    assert moved.identity != before.identity, "the copy that was left behind finds somebody else"
    assert moved.epoch == before.epoch
    assert settle_home(move=True)
    assert installation() == moved, "moving to where one is changes nothing"


def test_another_secret_is_another_home(world: World, settings: Settings) -> None:
    assert settle_home()
    settings.SECRET_KEY = "another secret of the tests, of more than thirty-two letters"
    assert not settle_home()


def test_a_local_site_may_change_its_port(world: World, settings: Settings) -> None:
    settings.SITE_URL = "http://localhost:8000"
    assert settle_home()
    settings.SITE_URL = "http://127.0.0.1:9000"
    assert settle_home()


def test_a_database_without_its_row_gets_one_at_start_and_is_read_without(world: World) -> None:
    Instance.objects.all().delete()
    assert (current_epoch(), installation().identity) == (0, "")
    assert not Instance.objects.exists(), "looking makes nothing"
    settle_home()
    assert len(Instance.objects.get().identity) == 32
