"""After a restore nothing climbs, opens or is sent before its owner has been asked anew (invariant 10)."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from stafeta.accounts.models import User
from stafeta.accounts.selectors import current_epoch
from stafeta.channels.base import EmailMessage
from stafeta.core.links import Link, Purpose
from stafeta.core.states import Climbing, Evidence, Held, Paused, Resting, Waiting
from stafeta.outbox.models import Message
from stafeta.switches.models import Event, TrustedContact
from stafeta.switches.services.adopt import adopt
from stafeta.switches.services.checkin import record_checkin
from stafeta.switches.services.contact_says import ask_to_wait
from stafeta.switches.services.pause import pause
from stafeta.switches.services.tick import tick
from stafeta.vault.models import Grant
from stafeta.vault.services.reading import record_reading
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


def test_an_owner_at_the_last_rung_is_asked_from_the_first_and_released_only_after_the_whole_ladder(
    world: World, dana: User, file: Path
) -> None:
    """Invariants 10, 2 and 18."""
    world.until(dana, rung=5)
    world.wait(hours=47)
    backup(file, now=world.now)
    world.wait(days=30)
    go_back(world, file)
    world.outage(days=1)
    world.tick()
    state = world.state(dana)
    assert isinstance(state, Climbing)
    assert state.rung == 0
    assert world.sent(DANA), "asked at once"
    assert world.sent(KAREL) == world.sent(EMA) == []
    began_s = world.service_s()
    world.until_phase(dana, "Released")
    assert world.service_s() - began_s >= (4 + 2 * 2) * 86400
    world.tick()
    assert world.sent(EMA)
    switch = world.switch(dana)
    assert replay(switch)[0] == switch.ladder_state


def test_an_owner_who_answers_the_first_question_after_a_restore_is_well(world: World, dana: User, file: Path) -> None:
    world.until(dana, rung=5)
    backup(file, now=world.now)
    go_back(world, file)
    world.tick()
    record_checkin(owner=dana, evidence=Evidence.LINK, cycle=world.switch(dana).cycle, now=world.now)
    world.wait(days=5)
    assert isinstance(world.state(dana), Waiting)
    assert world.sent(EMA) == []


def test_nobody_climbs_before_they_were_adopted(world: World, dana: User, file: Path) -> None:
    """Invariant 10: the tick claims only switches of the present epoch, however long overdue."""
    world.until(dana, rung=5)
    backup(file, now=world.now)
    go_back(world, file)
    assert tick(now=world.now + timedelta(days=99), service_s=world.service_s() + 99 * 86400).claimed == 0
    assert adopt(now=world.now, service_s=world.service_s()).claimed == 1
    assert tick(now=world.now, service_s=world.service_s() + 99 * 86400).claimed == 1


def test_no_old_message_leaves_before_its_switch_was_adopted(world: World, dana: User, file: Path) -> None:
    """Karel would be asked about somebody who had been heard long ago."""
    world.until(dana, rung=4)
    Message.objects.filter(kind="switches.ask_contact").update(state="queued", next_attempt_at=world.now)
    backup(file, now=world.now)
    go_back(world, file)
    world.deliver()
    assert world.sent() == []
    world.tick()
    assert {message.to for message in world.sent()} == {DANA}
    assert set(Message.objects.filter(kind="switches.ask_contact").values_list("state", flat=True)) == {"cancelled"}
    assert not Message.objects.filter(state="queued", next_attempt_at=None).exists()


def test_a_message_of_nobodys_switch_is_not_kept_back(world: World, file: Path) -> None:
    Message.objects.create(
        key="stranger", kind="web.nothing", channel="email", queued_at=world.now, next_attempt_at=world.now
    )
    backup(file, now=world.now)
    go_back(world, file)
    assert Message.objects.get().next_attempt_at == world.now


def test_the_same_question_has_another_message_id_after_a_restore(world: World, dana: User, file: Path) -> None:
    """A mailbox that has seen the id in the lost history would drop the new message as a duplicate."""
    backup(file, now=world.now)
    world.until(dana, rung=0)
    before = [message.message_id for message in world.email.sent if isinstance(message, EmailMessage)]
    key = Message.objects.get(kind="switches.ask_owner").key
    go_back(world, file)
    world.until(dana, rung=0)
    assert Message.objects.get(kind="switches.ask_owner").key == key
    after = [message.message_id for message in world.email.sent if isinstance(message, EmailMessage)]
    assert before
    assert after
    assert set(before) & set(after) == set()


def test_a_message_of_the_backup_keeps_its_message_id(world: World, dana: User, file: Path) -> None:
    """It may have gone out in the lost history; a second one is then seen to be the same (invariant 14)."""
    world.until_phase(dana, "Released")
    news = Message.objects.filter(kind="switches.tell_contact", params__told="released")
    [before] = [m.message_id for m in world.email.sent if isinstance(m, EmailMessage) and m.to == KAREL][-1:]
    news.update(state="queued", next_attempt_at=world.now)
    backup(file, now=world.now)
    go_back(world, file)
    world.tick()
    assert before in [m.message_id for m in world.email.sent if isinstance(m, EmailMessage)]


# A release that was open in the backup ------------------------------------------------------------------------------


def test_a_release_of_the_backup_opens_nothing_until_its_owner_had_the_whole_ladder_to_answer(
    world: World, dana: User, file: Path
) -> None:
    """Invariant 10: the owner may have come back in the history that was lost."""
    world.until_phase(dana, "Released")
    world.wait(hours=1)
    backup(file, now=world.now)
    switch = world.switch(dana)
    assert opens(world, switch)
    go_back(world, file)
    assert not opens(world, switch), "not even before the switch was adopted"
    began_s = world.service_s()
    world.tick()
    assert world.sent(DANA)
    assert world.sent(DANA_PHONE)
    while not opens(world, switch):
        assert world.sent(EMA) == world.sent(EMA_PHONE) == []
        world.wait(hours=6)
    assert world.service_s() - began_s >= 8 * 86400
    assert len(world.sent(DANA)) >= 3, "asked more than once"
    assert len(world.sent(EMA)) == len(world.sent(EMA_PHONE)) == 1


def test_an_owner_who_answers_while_the_release_is_suspended_closes_it_and_everybody_is_told(
    world: World, dana: User, file: Path
) -> None:
    """Invariant 4: Ema had been told before the backup."""
    world.until_phase(dana, "Released")
    world.wait(hours=1)
    backup(file, now=world.now)
    go_back(world, file)
    world.tick()
    record_checkin(owner=dana, evidence=Evidence.LINK, cycle=world.switch(dana).cycle, now=world.now)
    world.tick()
    world.wait(days=20)
    assert isinstance(world.state(dana), Resting)
    assert not Grant.objects.filter(closed_at=None).exists()
    assert len(world.sent(EMA)) == len(world.sent(KAREL)) == 1


def test_what_was_read_before_the_backup_stays_open(world: World, dana: User, file: Path) -> None:
    """It cannot be unread; nor does it close when the owner returns."""
    world.until_phase(dana, "Released")
    world.wait(hours=1)
    record_reading(grants=Grant.objects.all(), now=world.now)
    backup(file, now=world.now)
    go_back(world, file)
    assert opens(world, world.switch(dana))


def test_news_of_a_release_that_were_waiting_do_not_leave_while_it_is_suspended(
    world: World, dana: User, file: Path
) -> None:
    world.until_phase(dana, "Released")
    Message.objects.filter(kind__startswith="vault.").update(state="queued", next_attempt_at=world.now)
    backup(file, now=world.now)
    go_back(world, file)
    world.tick()
    world.wait(days=7)
    assert world.sent(EMA) == world.sent(EMA_PHONE) == []
    world.wait(days=3)
    assert len(world.sent(EMA)) == len(world.sent(EMA_PHONE)) == 1


def test_grants_that_had_expired_do_not_come_back_to_life(world: World, dana: User, file: Path) -> None:
    """Invariant 1."""
    world.until_phase(dana, "Released")
    world.wait(days=95)
    backup(file, now=world.now)
    go_back(world, file)
    world.tick()
    world.wait(days=20)
    assert not opens(world, world.switch(dana))
    assert world.sent(EMA) == []


# The other states ---------------------------------------------------------------------------------------------------


def test_a_hold_runs_to_its_end_and_then_the_owner_is_asked_first(world: World, dana: User, file: Path) -> None:
    world.until(dana, rung=5)
    karel = TrustedContact.objects.get()
    cycle = world.switch(dana).cycle
    link = Link(Purpose.TRUSTED, karel.pk, karel.switch_id, cycle)
    ask_to_wait(link=link, days=5, now=world.now)
    backup(file, now=world.now)
    go_back(world, file)
    world.tick()
    assert isinstance(world.state(dana), Held)
    world.wait(days=5, hours=1)
    state = world.state(dana)
    assert isinstance(state, Climbing)
    assert state.rung == 0


@pytest.mark.parametrize("state", [Waiting, Paused, Resting])
def test_who_was_asked_nothing_is_adopted_as_they_were_and_told(
    world: World, dana: User, file: Path, state: type
) -> None:
    """A switch armed in the lost history rests again: its owner must learn of it, or nothing would ever be released."""
    if state is Paused:
        pause(owner=dana, until=world.now + timedelta(days=30), now=world.now)
    if state is Resting:
        make.owner("eva@example.org", name="Eva")
    owner = User.objects.get(email="eva@example.org") if state is Resting else dana
    before = world.state(owner)
    assert isinstance(before, state)
    backup(file, now=world.now)
    go_back(world, file)
    world.tick()
    switch = world.switch(owner)
    assert switch.ladder_state == before
    assert switch.epoch == current_epoch()
    [mail] = world.sent(owner.email)
    assert isinstance(mail, EmailMessage)
    assert "zálohy" in mail.subject
    assert Event.objects.filter(switch=switch).latest("number").kind == "InstallationRestored"
    assert Event.objects.filter(switch=switch).latest("number").number == switch.events_count
    world.wait(days=1)
    assert len(world.sent(owner.email)) == 1


def test_an_account_made_after_a_restore_is_told_of_none(world: World, file: Path) -> None:
    backup(file, now=world.now)
    go_back(world, file)
    eva = make.owner("eva@example.org", name="Eva")
    world.tick()
    assert world.switch(eva).epoch == current_epoch()
    assert world.sent() == []
