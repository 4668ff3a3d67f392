"""The outbox: every message is attempted until it is settled; none vanishes, none delays another."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from stafeta.core.errors import ChannelUnavailable, DeliveryError, DeliveryRefused, Obsolete
from stafeta.outbox import kinds
from stafeta.outbox.kinds import Rendered
from stafeta.outbox.models import ChannelHealth, Message
from stafeta.outbox.selectors import ALONE_MAX, OUTAGE_MAX, outage
from stafeta.outbox.services.claim import claim
from stafeta.outbox.services.deliver import DELIVER_BATCH_MAX, LEASE_S, Channels, deliver
from stafeta.outbox.services.queue import LADDER, REMINDER, URGENT, Draft, enqueue
from stafeta.outbox.services.settle import BACKOFF_S, MESSAGE_AGE_MAX, REFUSED_AGE_MAX
from tests.make import NOON
from tests.world import RecordingChannel

pytestmark = pytest.mark.django_db

LEASE = timedelta(seconds=LEASE_S)


@pytest.fixture(autouse=True)
def _test_kinds(monkeypatch: pytest.MonkeyPatch) -> None:
    def obsolete(_message: Message) -> Rendered:
        raise Obsolete("the owner answered")

    def poison(_message: Message) -> Rendered:
        raise RuntimeError("a row nobody can render")

    monkeypatch.setattr(kinds, "_RENDERERS", dict(kinds._RENDERERS))
    kinds.register("test.hello", lambda message: Rendered(to=str(message.params["to"]), text="Dobrý den", subject="s"))
    kinds.register("test.obsolete", obsolete)
    kinds.register("test.poison", poison)


class Outbox:
    """Deliveries at moments that the test chooses."""

    def __init__(self) -> None:
        self.now = NOON
        self.email, self.sms = RecordingChannel(), RecordingChannel()
        self.settled: list[str] = []
        self.poisoned = ""

    def queue(self, key: str, *, kind: str = "test.hello", channel: str = "email", priority: int = LADDER) -> Message:
        params = {"to": f"{key}@example.org"}
        enqueue([Draft(key, kind, channel, None, params, priority)], now=self.now)
        return Message.objects.get(key=key)

    def deliver(self) -> int:
        return deliver(
            channels=Channels(self.email, self.sms),
            now=lambda: self.now,
            pace=1.0,
            on_settled=self._on_settled,
        )

    def _on_settled(self, message: Message, _now: datetime) -> None:
        if message.key == self.poisoned:
            raise KeyError("a switch nobody can read")
        self.settled.append(f"{message.key} {message.state}")

    def refuse(self, error: DeliveryError) -> None:
        self.email.fail = lambda _to: error


@pytest.fixture
def outbox() -> Outbox:
    return Outbox()


def test_a_queued_message_is_sent_once_and_recorded(outbox: Outbox) -> None:
    outbox.queue("ema")
    assert outbox.deliver() == 1
    assert outbox.deliver() == 0
    message = Message.objects.get()
    assert (message.state, message.to, message.settled_at) == ("accepted", "ema@example.org", NOON)
    assert [attempt.outcome for attempt in message.tries.all()] == ["accepted"]
    assert outbox.settled == ["ema accepted"]


def test_queueing_the_same_message_twice_is_harmless(outbox: Outbox) -> None:
    """Invariant 14."""
    outbox.queue("ema")
    outbox.deliver()
    outbox.queue("ema")
    assert outbox.deliver() == 0
    assert len(outbox.email.sent) == 1


def test_urgent_messages_go_before_the_ladder_and_reminders_last(outbox: Outbox) -> None:
    outbox.queue("reminder", priority=REMINDER)
    outbox.queue("ladder", priority=LADDER)
    outbox.queue("code", priority=URGENT)
    outbox.deliver()
    assert [message.to.split("@")[0] for message in outbox.email.sent] == ["code", "ladder", "reminder"]


def test_an_outage_is_retried_with_growing_pauses_and_never_kills_a_message_within_its_age(outbox: Outbox) -> None:
    """Invariant 11: queued, being retried, or dead-lettered and shown."""
    outbox.queue("ema")
    outbox.refuse(ChannelUnavailable("connection refused"))
    for _ in range(40):
        outbox.deliver()
        outbox.now += timedelta(hours=1)
    message = Message.objects.get()
    assert (message.state, message.attempts) == ("queued", 40)
    outbox.email.fail = lambda _to: None
    outbox.deliver()
    assert Message.objects.get().state == "accepted"


def test_a_message_refused_for_good_is_a_dead_letter_that_says_why(outbox: Outbox) -> None:
    outbox.queue("ema")
    outbox.refuse(DeliveryRefused("no such mailbox", permanent=True))
    outbox.deliver()
    message = Message.objects.get()
    assert (message.state, message.problem, message.to) == ("dead", "no such mailbox", "ema@example.org")
    assert outbox.settled == ["ema dead"]


def test_a_message_refused_for_now_is_tried_for_three_days_and_then_dead_lettered(outbox: Outbox) -> None:
    outbox.queue("ema")
    outbox.refuse(DeliveryRefused("try later", permanent=False))
    outbox.deliver()
    assert Message.objects.get().next_attempt_at == NOON + timedelta(seconds=BACKOFF_S[0])
    outbox.now = NOON + REFUSED_AGE_MAX - timedelta(minutes=1)
    outbox.deliver()
    assert Message.objects.get().state == "queued"
    outbox.now = NOON + REFUSED_AGE_MAX + timedelta(hours=2)
    outbox.deliver()
    assert Message.objects.get().state == "dead"


def test_an_outage_longer_than_any_message_makes_sense_ends_in_a_dead_letter(outbox: Outbox) -> None:
    outbox.queue("ema")
    outbox.refuse(ChannelUnavailable("gone"))
    outbox.now = NOON + MESSAGE_AGE_MAX
    outbox.deliver()
    assert Message.objects.get().state == "dead"


def test_a_poison_message_delays_no_other_and_ends_as_a_dead_letter(outbox: Outbox) -> None:
    """Invariant 12."""
    outbox.queue("poison", kind="test.poison", priority=URGENT)
    outbox.queue("ema")
    outbox.deliver()
    assert [message.to for message in outbox.email.sent] == ["ema@example.org"]
    for number in range(ALONE_MAX + 1):
        outbox.now += timedelta(days=1)
        outbox.queue(f"another-{number}")
        outbox.deliver()
    poison = Message.objects.get(key="poison")
    assert (poison.state, poison.problem) == ("dead", "RuntimeError")


def test_a_message_of_an_unknown_kind_is_kept_and_shown_rather_than_lost(outbox: Outbox) -> None:
    outbox.queue("future", kind="nobody.renders")
    outbox.deliver()
    message = Message.objects.get()
    assert (message.state, message.problem) == ("queued", "KeyError")


def test_messages_that_nobody_can_render_are_an_outage_of_ours_not_a_refusal(outbox: Outbox) -> None:
    """A faulty release of ours must not let ladders climb with nobody asked (docs/adr/0004)."""
    outbox.queue("ladder", kind="test.poison")
    outbox.queue("sms", kind="test.poison", channel="sms")
    for _ in range(60):
        outbox.deliver()
        assert outage(now=outbox.now) is not None
        outbox.now += timedelta(days=1)
    assert outbox.settled == []


def test_a_message_that_lost_its_sense_is_cancelled(outbox: Outbox) -> None:
    """Invariant 13."""
    outbox.queue("late", kind="test.obsolete")
    outbox.deliver()
    message = Message.objects.get()
    assert (message.state, message.problem) == ("cancelled", "the owner answered")
    assert outbox.email.sent == []


def test_a_leased_message_is_nobody_elses_until_the_lease_runs_out(outbox: Outbox) -> None:
    """Invariant 11: a worker killed between claiming and sending loses nothing."""
    outbox.queue("ema")
    assert len(claim(channel="email", now=outbox.now, lease=LEASE, limit=10)) == 1
    assert outbox.deliver() == 0
    outbox.now += LEASE
    assert outbox.deliver() == 1
    assert len(outbox.email.sent) == 1


def test_one_provider_away_does_not_delay_the_other(outbox: Outbox) -> None:
    outbox.queue("a")
    outbox.queue("b")
    outbox.queue("c", channel="sms")
    outbox.refuse(ChannelUnavailable("smtp is down"))
    outbox.deliver()
    assert len(outbox.sms.sent) == 1
    untouched = Message.objects.get(key="b")
    assert (untouched.attempts, untouched.lease_until) == (0, None)


def test_an_outage_is_known_while_messages_wait_and_over_when_the_provider_answers(outbox: Outbox) -> None:
    outbox.queue("ema")
    outbox.refuse(ChannelUnavailable("smtp is down"))
    outbox.deliver()
    assert outage(now=outbox.now) == "email: smtp is down"
    outbox.now += timedelta(minutes=5)
    outbox.refuse(DeliveryRefused("no such mailbox", permanent=True))
    outbox.deliver()
    assert outage(now=outbox.now) is None
    assert ChannelHealth.objects.get(channel="email").failing_since is None


def test_one_provider_alone_stops_the_ladder_for_three_days_at_most(outbox: Outbox) -> None:
    """A lapsed SMS account must not keep a release from ever coming."""
    outbox.queue("ema")
    outbox.refuse(ChannelUnavailable("account suspended"))
    outbox.deliver()
    assert outage(now=NOON + OUTAGE_MAX - timedelta(seconds=1)) is not None
    assert outage(now=NOON + OUTAGE_MAX) is None


def test_both_providers_away_stop_the_ladder_for_as_long_as_it_takes(outbox: Outbox) -> None:
    outbox.queue("ema")
    outbox.queue("sms", channel="sms")
    outbox.refuse(ChannelUnavailable("network down"))
    outbox.sms.fail = outbox.email.fail
    outbox.deliver()
    assert outage(now=NOON + timedelta(days=300)) is not None


def test_an_outage_nobody_waits_for_is_none(outbox: Outbox) -> None:
    """Otherwise a service that stopped asking would never find out that it may go on."""
    outbox.queue("ema")
    outbox.refuse(ChannelUnavailable("smtp is down"))
    outbox.deliver()
    Message.objects.update(state="cancelled")
    assert outage(now=NOON) is None


def test_nothing_a_provider_says_keeps_its_answer_from_being_recorded(outbox: Outbox) -> None:
    """Invariant 12: an odd answer that no database holds would come again and again, and those behind it never."""
    outbox.queue("ema")
    outbox.queue("ivo")
    outbox.refuse(DeliveryRefused("550 no\x00such\ud800user " + "x" * 999, permanent=True))
    outbox.email.fail = lambda to, refusal=outbox.email.fail: refusal(to) if to.startswith("ema") else None
    outbox.email.next_id = "\x00\ud800" + "9" * 999
    outbox.deliver()
    states = dict(Message.objects.values_list("key", "state"))
    assert states == {"ema": "dead", "ivo": "accepted"}


def test_what_settling_leads_to_may_fail_without_the_message_or_any_other(outbox: Outbox) -> None:
    """Invariant 12: a switch that cannot be decided must not let its prompt go out for ever, nor stop the others."""
    outbox.queue("ema")
    outbox.queue("ivo")
    outbox.poisoned = "ema"
    assert outbox.deliver() == 2
    assert set(Message.objects.values_list("state", flat=True)) == {"accepted"}
    assert outbox.settled == ["ivo accepted"]


def test_a_provider_away_never_lets_the_other_wait_behind_its_queue(outbox: Outbox) -> None:
    for number in range(DELIVER_BATCH_MAX + 10):
        outbox.queue(f"sms-{number}", channel="sms", priority=URGENT)
    outbox.queue("ema")
    outbox.sms.fail = lambda _to: ChannelUnavailable("no credit")
    outbox.deliver()
    assert [message.to for message in outbox.email.sent] == ["ema@example.org"]


def test_a_message_that_alone_finds_no_provider_stops_nobody(outbox: Outbox) -> None:
    """Invariant 12: a number at which the gateway always stumbles is that number's fault once others got through."""
    outbox.queue("poison")
    outbox.email.fail = lambda to: ChannelUnavailable("answered 500") if to.startswith("poison") else None
    heard = []
    for number in range(ALONE_MAX + 3):
        outbox.deliver()
        heard.append(outage(now=outbox.now) is None)
        outbox.queue(f"ema-{number}")
        outbox.now += timedelta(hours=1)
        outbox.email.fail, poisoned = (lambda _to: None), outbox.email.fail
        Message.objects.filter(key="poison").update(lease_until=outbox.now + timedelta(minutes=1))
        outbox.deliver()
        outbox.now += timedelta(hours=1)
        outbox.email.fail = poisoned
    assert heard == [False] * ALONE_MAX + [True] * 3
    outbox.now = NOON + REFUSED_AGE_MAX + timedelta(hours=2)
    outbox.deliver()
    assert Message.objects.get(key="poison").state == "dead"


def test_an_outage_begins_anew_when_nobody_has_waited_since_the_last(outbox: Outbox) -> None:
    """What failed once, weeks ago, and was not asked since must not count as having failed for weeks."""
    outbox.queue("dana")
    outbox.refuse(ChannelUnavailable("smtp is down"))
    outbox.deliver()
    Message.objects.update(state="cancelled")
    outbox.now += timedelta(days=14)
    outbox.queue("ema")
    outbox.deliver()
    assert outage(now=outbox.now) is not None
    assert outage(now=outbox.now + OUTAGE_MAX) is None
