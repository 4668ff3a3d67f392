"""A database that fails: nothing is lost, nothing is released by it, the log says what to do, and then all goes on."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from django.db import DatabaseError, InterfaceError, connection
from django.test import Client
from pytest_django.fixtures import Settings
from pytest_django.live_server_helper import LiveServer

from stafeta import clock
from stafeta.accounts.models import User
from stafeta.accounts.signed_links import url_for
from stafeta.core.links import Link, Purpose
from stafeta.core.states import Climbing
from stafeta.outbox.models import Attempt, Message
from stafeta.outbox.services.deliver import Channels
from stafeta.switches.models import Event, ServiceClock, Switch
from stafeta.switches.selectors import service_second
from stafeta.switches.services.tick import tick
from stafeta.worker import trouble
from stafeta.worker.loop import Worker, run
from stafeta.worker.parts import Instant
from tests import make
from tests.on_both import on_postgresql_too
from tests.worker.hostile import CONNECTING, cut_off, full, locked, read_only
from tests.world import RecordingChannel, World, replay

ON_SQLITE = connection.vendor == "sqlite"
FAILED = (DatabaseError, InterfaceError)

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def world(keys_file: object) -> World:
    world = World()
    world.now = clock.now()  # so that a real worker may look at the same rows
    return world


@pytest.fixture
def dana(world: World) -> User:
    return make.armed_owner(now=world.now)


@contextmanager
def hostility(kind: str) -> Iterator[str]:
    """Let the database fail in one way, and yield what the operator is to be told."""
    match kind:
        case "read-only":
            with read_only():
                yield trouble.READ_ONLY
        case "locked":
            with locked():
                yield trouble.LOCKED
        case _:
            with full(Switch.objects.get(owner=make.owner("mallory@example.org", name="Mallory"))):
                yield trouble.FULL


@pytest.mark.parametrize("kind", ["read-only", *(["full", "locked"] if ON_SQLITE else [])])
def test_nothing_climbs_nothing_is_lost_and_the_log_says_what_to_do(
    kind: str, world: World, dana: User, caplog: pytest.LogCaptureFixture
) -> None:
    """Invariants 2 and 11: the window is over, and yet nothing happens before it can be written down."""
    world.until(dana, rung=4)
    window_is_over(dana)
    stood, prompts, service_s = world.state(dana), Message.objects.count(), service_second()
    world.forget()

    def climb(_instant: Instant) -> None:
        tick(now=world.now, service_s=service_s)

    with hostility(kind) as sentence:
        for _ in range(3):
            with pytest.raises(FAILED):
                tick(now=world.now, service_s=service_s)
            connection.close()
        worker = Worker(Channels(world.email, world.sms), always=(climb,))
        assert run(once=True, worker=worker) is False
        assert world.state(dana) == stood
    assert world.sent() == []
    assert Message.objects.count() == prompts
    assert sentence in caplog.text
    world.until_phase(dana, "Released")
    assert replay(world.switch(dana))[0] == world.state(dana)


@pytest.mark.parametrize("kind", ["read-only", *(["full", "locked"] if ON_SQLITE else [])])
def test_no_time_passes_while_no_check_in_could_be_written(
    kind: str, world: World, live_server: LiveServer, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    """Invariant 2: the page answers, the button fails, and the owner must not be taken for silent."""
    make.armed_owner(now=world.now)
    settings.SITE_URL = live_server.url
    settings.TICK_EVERY_S = 3600
    channels = Channels(RecordingChannel(), RecordingChannel())
    worker = Worker(channels, while_hearing=(), always=())
    worker.round()
    before_ms = ServiceClock.objects.get().counted_ms
    with hostility(kind):
        for _ in range(3):
            run(once=True, worker=worker)
        assert ServiceClock.objects.get().counted_ms == before_ms
    assert "a check-in could not be written" in caplog.text


def test_a_disk_that_is_full_for_the_log_alone_lets_no_time_pass(
    world: World, dana: User, live_server: LiveServer, settings: Settings
) -> None:
    """The clock's own row still finds room, and the page shows its button: the worst of it is what looks well."""
    settings.SITE_URL = live_server.url
    settings.TICK_EVERY_S = 3600
    worker = Worker(Channels(RecordingChannel(), RecordingChannel()), while_hearing=(), always=())
    worker.round()
    worker.round()
    counted_ms = ServiceClock.objects.get().counted_ms
    assert ServiceClock.objects.get().heard
    with log_without_room():
        worker.round()
        worker.round()
        clock_row = ServiceClock.objects.get()
        assert (clock_row.counted_ms, clock_row.heard) == (counted_ms, False)
        assert "could not be written" in clock_row.deaf_reason
    worker.round()
    worker.round()
    assert ServiceClock.objects.get().heard
    assert ServiceClock.objects.get().counted_ms > counted_ms
    assert not Event.objects.filter(kind="Rehearsed").exists()


def test_a_press_that_could_not_be_written_says_so_and_counts_when_it_can(world: World, dana: User) -> None:
    world.until(dana, rung=4)
    switch = world.switch(dana)
    client = Client(raise_request_exception=False)
    landing = client.get(url_for(Link(Purpose.CHECKIN, dana.pk, switch.pk, switch.cycle)), follow=True)
    assert landing.status_code == 200
    with read_only():
        assert client.post("/checkin/").status_code == 500
        assert isinstance(world.state(dana), Climbing)
    assert client.post("/checkin/").status_code == 302
    assert world.switch(dana).phase == "Waiting"


def test_what_a_provider_took_is_noted_when_the_database_is_back_and_not_sent_again(
    world: World, dana: User, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    """Invariant 14: the database goes in the very moment in which the provider says yes."""
    world.until(dana, rung=3)
    window_is_over(dana)
    tick(now=world.now, service_s=service_second())
    world.forget()
    email, stop = RecordingChannel(), threading.Event()

    def go_away(_to: str) -> None:
        if not email.sent:
            cut_off()

    email.fail = go_away
    worker = Worker(Channels(email, world.sms), stop=stop, while_hearing=(), always=())
    Message.objects.filter(state=Message.State.QUEUED).update(next_attempt_at=clock.now())
    assert run(once=True, worker=worker) is False
    assert len(email.sent) == 1
    assert run(once=True, worker=worker) is True
    assert sorted(message.to for message in email.sent) == ["dana@example.org", "karel@example.org"]
    assert not Message.objects.filter(state=Message.State.QUEUED).exists()
    assert Attempt.objects.filter(message__state=Message.State.QUEUED).count() == 0
    assert "a delivery failed: " in caplog.text


@pytest.mark.skipif(ON_SQLITE, reason="SQLite lets one write after another, so none can wait for each other")
def test_a_deadlock_takes_one_back_and_both_go_on(world: World, dana: User, caplog: pytest.LogCaptureFixture) -> None:
    """A page locks the switch and then wants the message; the worker settles the message and then wants the switch."""
    import psycopg

    world.until(dana, rung=3)
    prompt = Message.objects.filter(kind="switches.ask_owner", channel="email").latest("pk")
    Message.objects.filter(pk=prompt.pk).update(
        state=Message.State.QUEUED, next_attempt_at=clock.now(), settled_at=None, lease_until=None
    )
    Message.objects.exclude(pk=prompt.pk).filter(state=Message.State.QUEUED).delete()
    facts = {key: value for key, value in connection.get_connection_params().items() if key in CONNECTING}
    other = psycopg.connect(**facts)
    other.execute("SET deadlock_timeout = '60s'")  # so that the worker is the one who is taken back
    other.execute("SELECT 1 FROM switches_switch WHERE owner_id = %s FOR UPDATE", [dana.pk])
    email = RecordingChannel()
    worker = Worker(Channels(email, RecordingChannel()), while_hearing=(), always=())
    done: list[bool] = []

    def work() -> None:
        done.append(run(once=True, worker=worker))
        connection.close()

    at_work = threading.Thread(target=work)
    at_work.start()
    wait_until(waits_for_a_lock)
    other.execute("UPDATE outbox_message SET priority = priority WHERE id = %s", [prompt.pk])
    other.commit()
    other.close()
    at_work.join(30)
    assert done == [False]
    assert trouble.DEADLOCK in caplog.text
    assert run(once=True, worker=worker) is True
    assert Message.objects.get(pk=prompt.pk).state == Message.State.ACCEPTED
    assert len(email.sent) == 1


def window_is_over(dana: User) -> None:
    """Let the service clock stand at the second in which Dana's present rung has had its time."""
    due_s = Switch.objects.get(owner=dana).due_s
    assert due_s is not None
    ServiceClock.objects.update(counted_ms=due_s * 1000)


@contextmanager
def log_without_room() -> Iterator[None]:
    """Let the event log alone take nothing more, as when its file cannot grow."""
    if ON_SQLITE:
        trigger = (
            "CREATE TRIGGER no_room BEFORE INSERT ON switches_event "
            "BEGIN SELECT RAISE(ABORT, 'database or disk is full'); END"
        )
        undo = "DROP TRIGGER no_room"
    else:
        trigger = (
            "CREATE FUNCTION no_room() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION "
            "'could not extend file' USING ERRCODE = 'disk_full'; END $$; "
            "CREATE TRIGGER no_room BEFORE INSERT ON switches_event FOR EACH ROW EXECUTE FUNCTION no_room()"
        )
        undo = "DROP TRIGGER no_room ON switches_event; DROP FUNCTION no_room"
    with connection.cursor() as cursor:
        cursor.execute(trigger)
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute(undo)


def waits_for_a_lock() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'")
        return bool(cursor.fetchone()[0])


def wait_until(happened: object) -> None:
    """Wait until it is so, for ten seconds at most."""
    assert callable(happened)
    for _ in range(200):
        if happened():
            return
        threading.Event().wait(0.05)
    raise AssertionError("it never happened")


test_all_this_holds_on_postgresql_too = on_postgresql_too(__file__)
