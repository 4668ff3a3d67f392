"""Adopting, whatever happens meanwhile: crashes, poison rows, large numbers (docs/adr/0008)."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.db import connection

from stafeta.accounts.models import User
from stafeta.accounts.selectors import current_epoch
from stafeta.channels.base import EmailMessage
from stafeta.core.states import Released
from stafeta.outbox.models import Message
from stafeta.switches.models import ServiceClock, Switch
from stafeta.switches.services.adopt import ADOPT_BATCH_MAX, adopt
from tests import make
from tests.restore.history import backup, go_back, opens
from tests.world import World, replay

DANA, DANA_PHONE, EMA, EMA_PHONE, KAREL = (
    "dana@example.org",
    "+420601000001",
    "ema@example.org",
    "+420601000002",
    "karel@example.org",
)


@pytest.fixture
def dana(world: World) -> User:
    return make.armed_owner()


def test_a_switch_that_cannot_be_adopted_keeps_no_other_waiting(world: World, dana: User, file: Path) -> None:
    """Invariant 12."""
    mallory = make.owner("mallory@example.org", name="Mallory")
    world.until(dana, rung=3)
    Switch.objects.filter(owner=mallory).update(state={"is": "Nonsense"})
    Message.objects.create(
        key="x", kind="web.x", channel="email", owner=mallory, queued_at=world.now, next_attempt_at=world.now
    )
    backup(file, now=world.now)
    go_back(world, file)
    world.tick()
    assert world.switch(dana).epoch == current_epoch()
    poison = world.switch(mallory)
    assert poison.epoch != current_epoch()
    assert poison.faults == 1
    assert Message.objects.get(key="x").next_attempt_at is None


def test_an_unreadable_release_stays_closed(world: World, dana: User, file: Path) -> None:
    """Invariant 1, where the row that would say how long to wait is broken."""
    world.until_phase(dana, "Released")
    Switch.objects.update(policy={"is": "Nonsense"})
    backup(file, now=world.now)
    go_back(world, file)
    world.outage(days=1)
    assert not opens(world, Switch.objects.get())


def test_adopting_goes_on_where_a_crash_has_ended_it(
    world: World, dana: User, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Invariant 11: a switch is adopted whole, with its question and its log, or not at all."""
    world.until(dana, rung=5)
    backup(file, now=world.now)
    go_back(world, file)
    left = 0
    for statement in range(60):
        try:
            with connection.execute_wrapper(Crash(after=statement)):
                adopt(now=world.now, service_s=world.service_s())
        except KeyboardInterrupt:
            left += 1
            switch = world.switch(dana)
            assert switch.epoch != current_epoch()
            assert not Message.objects.filter(epoch=current_epoch()).exists()
            assert replay(switch)[0] == switch.ladder_state
        else:
            break
    assert left > 5
    world.tick()
    switch = world.switch(dana)
    assert switch.epoch == current_epoch()
    assert replay(switch)[0] == switch.ladder_state
    assert len(world.sent(DANA)) == 2, "the question and the news"


def test_adopting_comes_in_batches(world: World, dana: User, file: Path) -> None:
    for number in range(3):
        make.owner(f"o{number}@example.org", name="O")
    backup(file, now=world.now)
    go_back(world, file)
    assert adopt(now=world.now, service_s=0, limit=3).claimed == 3
    assert adopt(now=world.now, service_s=0, limit=3).claimed == 1
    assert adopt(now=world.now, service_s=0, limit=3).claimed == 0
    assert ADOPT_BATCH_MAX >= 100


def test_service_time_goes_on_from_the_backup_and_counts_nothing_of_the_gap(
    world: World, dana: User, file: Path
) -> None:
    world.wait(days=2)
    backup(file, now=world.now)
    counted = world.service_s()
    world.wait(days=3)
    go_back(world, file)
    assert world.service_s() == counted
    assert not ServiceClock.objects.get().heard
    world.tick()
    assert world.service_s() == counted


def test_released_twice_in_two_histories_is_told_in_each(world: World, dana: User, file: Path) -> None:
    """Whoever saw the news in the lost history gets them again: another Message-ID, the same link."""
    backup(file, now=world.now)
    world.until_phase(dana, "Released")
    world.tick()
    lost = [m for m in world.email.sent if isinstance(m, EmailMessage) and m.to == EMA]
    go_back(world, file)
    world.until_phase(dana, "Released")
    world.tick()
    again = [m for m in world.email.sent if isinstance(m, EmailMessage) and m.to == EMA]
    assert isinstance(world.state(dana), Released)
    assert {m.message_id for m in lost} & {m.message_id for m in again} == set()
    assert len(again) == 1


class Crash:
    """Lets a process die after so many statements."""

    def __init__(self, *, after: int) -> None:
        self._left = after

    def __call__(self, execute: object, sql: str, params: object, many: bool, context: object) -> object:
        if self._left == 0 and not sql.startswith(("SAVEPOINT", "ROLLBACK", "RELEASE")):
            raise KeyboardInterrupt
        self._left -= 1
        return execute(sql, params, many, context)  # type: ignore[operator]
