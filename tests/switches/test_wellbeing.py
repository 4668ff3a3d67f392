"""Is all well? Each check turns red when its part of the world breaks, and green again when it is mended."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from django.utils.translation import override

from stafeta.accounts.models import User
from stafeta.core.errors import ChannelUnavailable, DeliveryRefused
from stafeta.core.service_time import Reading
from stafeta.core.states import Evidence
from stafeta.outbox.models import Message, Receipt
from stafeta.outbox.services.queue import LADDER, ORDINARY
from stafeta.switches.canary import Canary
from stafeta.switches.models import Hold, Outage, ServiceClock, Switch
from stafeta.switches.services.checkin import record_checkin
from stafeta.switches.services.service_clock import read_service_clock
from stafeta.switches.wellbeing import DEAF_MAX, LATE_MIN, OVERDUE_MAX, UNSENT_MAX, Pace, keys_words, span, wellbeing
from stafeta.vault.models import WrappedKey
from stafeta.vault.sealing import HOLDER_LOST
from tests.make import NOON, armed_owner
from tests.world import World

ORDINARY_PACE = Pace(tick_every_s=10, scale=1)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


def wrong(world: World, pace: Pace = ORDINARY_PACE) -> tuple[str, ...]:
    return wellbeing(now=world.now, canary="", pace=pace).wrong


def only_read_the_clock(world: World, *, later: timedelta) -> None:
    """A worker that lives and hears, and does nothing else."""
    world.now += later
    world._read_at = world.now
    ms = later // timedelta(milliseconds=1)
    read_service_clock(reading=Reading(world.now, ms, True, ms), deaf_reason="")


def message(key: str, *, state: str = "accepted", priority: int = LADDER, ago: timedelta = HOUR) -> Message:
    at = NOON - ago
    return Message.objects.create(
        key=key, kind="switches.ask_owner", channel="email", state=state, priority=priority, queued_at=at, settled_at=at
    )


@pytest.fixture
def dana(world: World) -> User:
    return armed_owner()


class TestWorker:
    def test_before_any_worker_has_run_nothing_is_well(self, db: None) -> None:
        assert wellbeing(now=NOON, canary="", pace=ORDINARY_PACE).wrong == ("worker",)

    def test_a_worker_that_stopped_is_missed_after_minutes(self, world: World) -> None:
        world.now += LATE_MIN
        assert wrong(world) == ()
        world.now += MINUTE
        assert wrong(world) == ("worker",)
        world.tick()
        assert wrong(world) == ()

    def test_a_worker_that_seldom_looks_is_missed_later(self, world: World) -> None:
        world.now += 11 * MINUTE
        assert wrong(world, Pace(tick_every_s=60, scale=1)) == ()
        assert wrong(world, Pace(tick_every_s=20, scale=1)) == ("worker",)

    def test_on_a_fast_clock_it_is_missed_after_as_many_real_minutes(self, world: World) -> None:
        fast = Pace(tick_every_s=0.5, scale=8640)
        world.now += 8640 * LATE_MIN
        assert "worker" not in wrong(world, fast)
        world.now += 8640 * MINUTE
        assert "worker" in wrong(world, fast)

    def test_a_clock_behind_the_last_round_is_not_well_until_it_has_caught_up(self, world: World) -> None:
        world.now -= 10 * MINUTE
        assert wrong(world) == ("worker",)
        world.now += 10 * MINUTE
        assert wrong(world) == ()

    def test_machines_whose_clocks_differ_by_seconds_are_well(self, world: World) -> None:
        world.now -= timedelta(seconds=20)
        assert wrong(world) == ()


class TestHearing:
    def test_a_service_that_cannot_hear_is_not_well_after_minutes_and_says_why(self, world: World) -> None:
        world.now += MINUTE
        world.tick(hears=False)
        assert wrong(world) == ()
        world.now += DEAF_MAX + MINUTE
        world.tick(hears=False)
        found = wellbeing(now=world.now, canary="", pace=ORDINARY_PACE)
        assert found.wrong == ("hearing",)
        assert "the test says so" in found.reasons
        world.tick()
        assert wrong(world) == ()

    def test_a_hold_for_maintenance_is_well_and_an_outage_during_it_is_not(self, world: World) -> None:
        Hold.objects.create(kind=Hold.Kind.MAINTENANCE, reason="disks", began_at=NOON, until=NOON + DAY)
        ServiceClock.objects.update(deaf_since=NOON, deaf_reason="held")
        world.now += DEAF_MAX - MINUTE
        assert wrong(world) == ()
        ServiceClock.objects.update(wall=world.now + HOUR, deaf_since=NOON)
        world.now += HOUR
        assert wrong(world) == ()
        Outage.objects.create(began_at=NOON, reason="the page does not answer")
        assert wrong(world) == ("hearing",)

    def test_a_breaker_that_tripped_is_not_well_until_its_hold_is_over(self, world: World) -> None:
        hold = Hold.objects.create(kind=Hold.Kind.BREAKER, reason="7/9", began_at=NOON, until=NOON + DAY)
        assert wrong(world) == ("breaker",)
        hold.ended_at = NOON
        hold.save()
        assert wrong(world) == ()


class TestSwitches:
    def test_a_switch_that_is_due_and_takes_no_step_is_not_well(self, world: World, dana: User) -> None:
        due_at = world.switch(dana).due_at
        assert due_at is not None
        only_read_the_clock(world, later=due_at - world.now + OVERDUE_MAX)
        assert wrong(world) == ()
        only_read_the_clock(world, later=MINUTE)
        assert wrong(world) == ("switches",)
        world.tick()
        assert wrong(world) == ()

    def test_a_window_that_has_passed_counts_like_a_day_that_is_due(self, world: World, dana: User) -> None:
        world.until(dana, rung=1)
        only_read_the_clock(world, later=DAY + OVERDUE_MAX + MINUTE)
        assert wrong(world) == ("switches",)
        world.tick()
        assert wrong(world) == ()

    def test_what_came_due_while_nobody_could_climb_is_not_late(self, world: World, dana: User) -> None:
        due_at = world.switch(dana).due_at
        assert due_at is not None
        world.now = due_at + DAY
        world.tick(hears=False)
        assert "switches" not in wrong(world)
        only_read_the_clock(world, later=MINUTE)
        Outage.objects.create(began_at=due_at, ended_at=world.now, reason="the page did not answer")
        only_read_the_clock(world, later=OVERDUE_MAX)
        assert wrong(world) == ()
        only_read_the_clock(world, later=MINUTE)
        assert wrong(world) == ("switches",)

    def test_what_came_due_while_the_clock_was_behind_is_not_late(self, world: World, dana: User) -> None:
        Switch.objects.update(due_at=world.now - HOUR)
        ServiceClock.objects.update(wall=world.now + DAY)
        assert wrong(world) == ("worker",)

    @pytest.mark.parametrize("ended", [True, False])
    def test_what_came_due_during_a_hold_is_late_only_after_it(self, world: World, dana: User, ended: bool) -> None:
        due_at = world.switch(dana).due_at
        assert due_at is not None
        until = due_at + DAY
        Hold.objects.create(
            kind=Hold.Kind.MAINTENANCE, reason="", began_at=NOON, until=until, ended_at=until if ended else None
        )
        only_read_the_clock(world, later=until - world.now + OVERDUE_MAX)
        assert wrong(world) == ()
        only_read_the_clock(world, later=MINUTE)
        assert wrong(world) == ("switches",)

    def test_a_switch_set_aside_is_not_well_until_it_is_taken_up_again(self, world: World, dana: User) -> None:
        row = Switch.objects.get(owner=dana)
        Switch.objects.filter(pk=row.pk).update(state={"is": "Nonsense"}, due_at=world.now)
        world.tick()
        assert wrong(world) == ("aside",)
        Switch.objects.filter(pk=row.pk).update(state=row.state, due_at=row.due_at)
        world.until(dana, rung=0)
        assert wrong(world) == ()


class TestMessages:
    def test_a_message_that_nobody_attempts_is_not_well(self, world: World) -> None:
        message("x", state="queued")
        Message.objects.update(next_attempt_at=NOON, settled_at=None)
        only_read_the_clock(world, later=UNSENT_MAX)
        assert wrong(world) == ()
        only_read_the_clock(world, later=MINUTE)
        assert wrong(world) == ("outbox",)
        Message.objects.update(lease_until=world.now + MINUTE)
        assert wrong(world) == ()
        Message.objects.update(lease_until=world.now - MINUTE)
        assert wrong(world) == ("outbox",)
        Message.objects.update(state="accepted")
        assert wrong(world) == ()

    def test_a_provider_that_takes_nothing_is_not_well(self, world: World, dana: User) -> None:
        world.email.fail = lambda _to: ChannelUnavailable("connection refused")
        world.until(dana, rung=0)
        assert wrong(world) == ()
        world.wait(hours=0.2)
        found = wellbeing(now=world.now, canary="", pace=ORDINARY_PACE)
        assert found.wrong == ("hearing", "providers")
        assert "connection refused" in found.reasons
        world.email.fail = lambda _to: None
        world.wait(hours=1)
        assert wrong(world) == ()

    def test_a_provider_that_fails_alone_is_not_well_even_when_the_ladder_goes_on_without_it(
        self, world: World, dana: User
    ) -> None:
        world.email.fail = lambda _to: ChannelUnavailable("the account has lapsed")
        world.until(dana, rung=0)
        world.wait(days=4)
        assert "providers" in wrong(world)
        assert "hearing" not in wrong(world)

    def test_in_a_small_house_every_question_that_reached_nobody_is_told(self, world: World, dana: User) -> None:
        world.email.fail = lambda _to: DeliveryRefused("no such mailbox", permanent=True)
        world.until(dana, rung=0)
        world.wait(hours=1)
        assert wrong(world) == ("letters",)
        world.email.fail = lambda _to: None
        record_checkin(owner=dana, evidence=Evidence.BUTTON, now=world.now)
        world.wait(hours=25)
        assert wrong(world) == ()

    def test_among_many_owners_some_mailbox_is_always_gone(self, world: World) -> None:
        for number in range(19):
            message(f"taken {number}")
        message("gone", state="dead")
        assert wrong(world) == ()
        message("gone too", state="dead")
        assert wrong(world) == ("letters",)

    def test_a_bounce_counts_on_the_day_it_is_heard(self, world: World) -> None:
        bounced = message("bounced", state="bounced", ago=3 * DAY)
        assert wrong(world) == ()
        Receipt.objects.create(
            event="x", channel="email", verdict="bounced", message=bounced, at=NOON - 2 * DAY, heard_at=NOON
        )
        assert wrong(world) == ("letters",)
        Receipt.objects.update(heard_at=NOON - 2 * DAY)
        assert wrong(world) == ()

    def test_an_invitation_to_a_mistyped_address_is_its_senders_business_alone(self, world: World) -> None:
        message("invitation", state="dead", priority=ORDINARY)
        assert wrong(world) == ()


def test_the_manual_says_of_every_check_what_to_do(world: World) -> None:
    manual = (Path(__file__).parents[2] / "docs" / "operations.md").read_text(encoding="utf-8")
    found = wellbeing(now=world.now, canary="dana@example.org", pace=ORDINARY_PACE)
    for check in found.checks:
        assert f"\n| `{check.name}` | " in manual, check.name
    for canary in Canary:
        assert f"`{canary.value}`" in manual, canary


def test_a_whole_life_with_its_release_is_well_throughout(world: World, dana: User) -> None:
    while world.switch(dana).phase != "Released":
        world.wait(hours=12)
        assert wrong(world) == ()
    world.wait(days=31)
    assert wrong(world) == ()


@pytest.mark.parametrize(
    ("length", "words"),
    [(40 * MINUTE / 60, "40 s"), (12 * MINUTE, "12 min"), (5 * HOUR, "5 h"), (3 * DAY, "3 d"), (0 * DAY, "0 s")],
)
def test_lengths_are_told_in_units_that_every_language_knows(length: timedelta, words: str) -> None:
    assert span(length) == words


class TestKeys:
    def test_a_handover_that_no_key_opens_is_told_with_the_command(self, world: World, dana: User) -> None:
        WrappedKey.objects.update(blob=b"junk")
        world.now += MINUTE
        found = wellbeing(now=world.now, canary="", pace=ORDINARY_PACE)
        assert found.wrong == ("keys",)
        with override("en"):
            assert keys_words(found.signs.closed) == "No key at hand opens 1 handover; `stafeta keys list` names it."

    def test_what_was_given_up_is_said_and_is_no_alarm(self, world: World, dana: User) -> None:
        WrappedKey.objects.update(holder=HOLDER_LOST)
        world.now += MINUTE
        found = wellbeing(now=world.now, canary="", pace=ORDINARY_PACE)
        (check,) = [one for one in found.checks if one.name == "keys"]
        assert (check.ok, check.is_doubt) == (True, True)

    def test_keys_that_cannot_be_read_are_an_alarm(self, world: World, dana: User, keys_file: Path) -> None:
        keys_file.unlink()
        assert wrong(world) == ("keys",)
