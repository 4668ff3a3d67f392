"""What providers report later: heard once, in any order, however late; believed of nothing but our own messages."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from stafeta.channels.receipts import Reported, Verdict
from stafeta.outbox.models import Message, Receipt, Suppression
from stafeta.outbox.selectors import is_suppressed, mark_of, suppressions_of
from stafeta.outbox.services.queue import Draft, enqueue
from stafeta.outbox.services.receive_receipt import (
    PURGE_BATCH_MAX,
    RECEIPTS_KEPT,
    UNKNOWN_KEPT,
    News,
    hear_waiting,
    purge_receipts,
    receive_receipt,
)
from stafeta.outbox.services.settle import Outcome, settle
from tests.make import NOON

pytestmark = pytest.mark.django_db

EMA = "ema@example.org"


class Desk:
    """Where receipts come in, and what they led to."""

    def __init__(self) -> None:
        self.now = NOON
        self.news: list[str] = []

    def accepted(self, provider_id: str = "pm-1", *, to: str = EMA, channel: str = "email") -> Message:
        """Return a message that a provider accepted and calls so."""
        self.under_way(provider_id, channel=channel)
        return self.settled(provider_id, to=to)

    def under_way(self, key: str, *, channel: str = "email") -> None:
        """Queue a message that a worker is just sending."""
        enqueue([Draft(key, "test.hello", channel, None)], now=self.now)
        Message.objects.filter(key=key).update(lease_until=self.now + timedelta(minutes=5))

    def settled(self, key: str, *, to: str = EMA, outcome: str = "accepted") -> Message:
        """Record what came of the message; its provider calls it by its key."""
        message = Message.objects.get(key=key)
        came = Outcome(outcome, to=to, provider_id=key)  # type: ignore[arg-type]
        settle(message, came, now=self.now, pace=1.0, on_settled=lambda _message, _now: None)
        message.refresh_from_db()
        return message

    def hear(
        self,
        verdict: Verdict,
        provider_id: str = "pm-1",
        *,
        event: str = "",
        at: datetime | None = None,
        channel: str = "email",
    ) -> bool:
        reported = Reported(provider_id, event or f"{verdict}-{at}", verdict, at, f"postmark: {verdict}")
        return receive_receipt(reported=reported, channel=channel, now=self.now, on_news=self.on_news)

    def on_news(self, message: Message, news: News, _now: datetime) -> None:
        self.news.append(f"{message.provider_id} {news}")


@pytest.fixture
def desk() -> Desk:
    return Desk()


def test_an_accepted_message_that_came_back_is_bounced_and_told(desk: Desk) -> None:
    message = desk.accepted()
    desk.now += timedelta(hours=2)
    assert desk.hear(Verdict.BOUNCED)
    message.refresh_from_db()
    assert (message.state, message.problem, message.settled_at) == ("bounced", "postmark: bounced", desk.now)
    assert desk.news == ["pm-1 bounced"]
    assert [receipt.verdict for receipt in message.receipts.all()] == ["bounced"]


def test_a_receipt_told_again_is_not_heard_again(desk: Desk) -> None:
    """Invariant 14: duplicates never change state."""
    desk.accepted()
    assert desk.hear(Verdict.BOUNCED)
    Message.objects.update(state="accepted")
    assert not desk.hear(Verdict.BOUNCED)
    assert Message.objects.get().state == "accepted"
    assert (Receipt.objects.count(), desk.news) == (1, ["pm-1 bounced"])


@pytest.mark.parametrize("state", ["dead", "cancelled", "bounced"])
def test_a_bounce_changes_no_message_but_an_accepted_one(desk: Desk, state: str) -> None:
    message = desk.accepted()
    Message.objects.update(state=state)
    assert desk.hear(Verdict.BOUNCED)
    message.refresh_from_db()
    assert (message.state, desk.news) == (state, [])


def test_delivered_after_bounced_revives_nothing(desk: Desk) -> None:
    message = desk.accepted()
    desk.hear(Verdict.BOUNCED)
    desk.now += timedelta(minutes=5)
    desk.hear(Verdict.DELIVERED)
    message.refresh_from_db()
    assert message.state == "bounced"


def test_bounced_after_delivered_counts_for_some_servers_change_their_mind(desk: Desk) -> None:
    message = desk.accepted()
    desk.hear(Verdict.DELIVERED)
    desk.hear(Verdict.BOUNCED, at=NOON + timedelta(days=4))
    message.refresh_from_db()
    assert message.state == "bounced"


def test_a_bounce_that_overtakes_the_record_of_its_acceptance_waits_for_it(desk: Desk) -> None:
    desk.under_way("pm-1")
    assert desk.hear(Verdict.BOUNCED)
    assert hear_waiting(now=desk.now, on_news=desk.on_news) == 0
    assert Message.objects.get().state == "queued"
    desk.settled("pm-1")
    assert hear_waiting(now=desk.now, on_news=desk.on_news) == 1
    assert hear_waiting(now=desk.now, on_news=desk.on_news) == 0
    assert (Message.objects.get().state, desk.news) == ("bounced", ["pm-1 bounced"])


def test_a_bounce_that_waits_is_not_heard_twice_when_it_is_told_again(desk: Desk) -> None:
    desk.under_way("pm-1")
    desk.hear(Verdict.BOUNCED)
    desk.settled("pm-1")
    assert not desk.hear(Verdict.BOUNCED)
    hear_waiting(now=desk.now, on_news=desk.on_news)
    assert desk.news == ["pm-1 bounced"]


def test_a_bounce_of_a_message_that_is_just_tried_again_waits_for_its_end(desk: Desk) -> None:
    desk.accepted()
    Message.objects.update(state="queued", lease_until=desk.now)
    desk.hear(Verdict.BOUNCED)
    assert Message.objects.get().state == "queued"
    desk.settled("pm-1")
    hear_waiting(now=desk.now, on_news=desk.on_news)
    assert Message.objects.get().state == "bounced"


def test_a_report_of_somebody_elses_message_leaves_no_trace(desk: Desk) -> None:
    desk.accepted()
    assert not desk.hear(Verdict.SUPPRESSED, "of-another-application")
    assert not desk.hear(Verdict.BOUNCED, "pm-1", channel="sms")
    assert (Receipt.objects.count(), Suppression.objects.count(), Message.objects.get().state) == (0, 0, "accepted")


@pytest.mark.parametrize("provider_id", ["", "<>", "\x00", "pm\x00-1", "žluťoučký kůň", "x" * 500, "pm-1 or so"])
def test_no_odd_id_is_anybodys(desk: Desk, provider_id: str) -> None:
    desk.accepted()
    desk.under_way("another")
    desk.hear(Verdict.BOUNCED, provider_id)
    assert hear_waiting(now=desk.now, on_news=desk.on_news) == 0
    assert desk.news == []


@pytest.mark.parametrize("told", ["<1.a@stafeta.test>", "1.a@stafeta.test"])
def test_a_message_id_is_known_with_and_without_its_brackets(desk: Desk, told: str) -> None:
    desk.accepted("<1.a@stafeta.test>")
    assert desk.hear(Verdict.BOUNCED, told)
    assert Message.objects.get().state == "bounced"


def test_a_provider_whose_clock_is_ahead_dates_nothing_into_the_future(desk: Desk) -> None:
    desk.accepted()
    desk.hear(Verdict.SUPPRESSED, at=NOON + timedelta(days=400))
    assert Receipt.objects.get().at == NOON
    assert Suppression.objects.get().since == NOON


def test_what_leads_to_an_error_is_heard_all_the_same(desk: Desk) -> None:
    """Invariant 12: a switch nobody can read keeps no receipt from being recorded."""

    def poison(_message: Message, _news: News, _now: datetime) -> None:
        raise KeyError("a switch nobody can read")

    message = desk.accepted()
    reported = Reported("pm-1", "e", Verdict.BOUNCED)
    assert receive_receipt(reported=reported, channel="email", now=desk.now, on_news=poison)
    message.refresh_from_db()
    assert message.state == "bounced"


# Suppression ----------------------------------------------------------------------------------------------------


def test_a_suppressed_message_came_back_and_its_address_is_remembered(desk: Desk) -> None:
    desk.accepted()
    desk.hear(Verdict.SUPPRESSED)
    assert Message.objects.get().state == "bounced"
    assert desk.news == ["pm-1 suppressed", "pm-1 bounced"]
    assert is_suppressed("email", "Ema@Example.org ")
    assert not is_suppressed("sms", EMA)
    assert EMA not in repr(Suppression.objects.values().get())


def test_a_complaint_arrived_so_that_only_the_next_ones_are_suppressed(desk: Desk) -> None:
    desk.accepted()
    desk.hear(Verdict.COMPLAINED)
    assert (Message.objects.get().state, desk.news) == ("accepted", ["pm-1 suppressed"])
    assert is_suppressed("email", EMA)


def test_a_soft_bounce_says_nothing_of_the_address(desk: Desk) -> None:
    desk.accepted()
    desk.hear(Verdict.BOUNCED)
    assert not Suppression.objects.exists()


def test_an_address_known_to_be_suppressed_is_no_news(desk: Desk) -> None:
    desk.accepted("pm-1")
    desk.accepted("pm-2")
    desk.hear(Verdict.COMPLAINED, "pm-1")
    desk.hear(Verdict.COMPLAINED, "pm-2")
    assert desk.news == ["pm-1 suppressed"]


def test_a_later_message_that_is_delivered_lifts_it(desk: Desk) -> None:
    desk.accepted("pm-1")
    desk.hear(Verdict.COMPLAINED, "pm-1", at=NOON)
    desk.now += timedelta(days=1)
    desk.accepted("pm-2")
    assert is_suppressed("email", EMA), "accepted is not delivered"
    desk.hear(Verdict.DELIVERED, "pm-2", at=desk.now)
    assert not is_suppressed("email", EMA)
    assert desk.news == ["pm-1 suppressed", "pm-2 delivered_again"]


def test_a_delivery_of_before_lifts_nothing(desk: Desk) -> None:
    desk.accepted("pm-1")
    desk.now += timedelta(days=1)
    desk.hear(Verdict.COMPLAINED, "pm-1", at=desk.now)
    desk.hear(Verdict.DELIVERED, "pm-1", at=NOON)
    assert is_suppressed("email", EMA)


def test_a_suppression_reported_days_late_does_not_outdo_a_later_delivery(desk: Desk) -> None:
    desk.accepted("pm-1")
    desk.now += timedelta(days=5)
    desk.accepted("pm-2")
    desk.hear(Verdict.DELIVERED, "pm-2", at=desk.now)
    desk.hear(Verdict.SUPPRESSED, "pm-1", at=NOON + timedelta(days=1))
    assert not is_suppressed("email", EMA)
    assert desk.news == ["pm-1 bounced"]


def test_the_address_of_an_erased_person_is_not_marked(desk: Desk) -> None:
    desk.accepted(to="")
    desk.hear(Verdict.SUPPRESSED)
    assert not Suppression.objects.exists()


def test_addresses_are_found_by_channel_and_mark(desk: Desk) -> None:
    Suppression.objects.create(channel="email", mark=mark_of(EMA), since=NOON)
    assert set(suppressions_of([("email", EMA), ("sms", EMA), ("email", "dana@example.org"), ("email", "")])) == {
        ("email", EMA)
    }


# Retention ------------------------------------------------------------------------------------------------------


def test_receipts_are_kept_for_a_while_and_unknown_ones_shorter(desk: Desk) -> None:
    desk.accepted("pm-1")
    desk.hear(Verdict.DELIVERED, "pm-1")
    desk.under_way("pm-2")
    desk.hear(Verdict.DELIVERED, "pm-3")
    assert Receipt.objects.count() == 2
    assert purge_receipts(now=NOON + UNKNOWN_KEPT) == 0
    assert purge_receipts(now=NOON + UNKNOWN_KEPT + timedelta(seconds=1)) == 1
    assert Receipt.objects.get().message is not None
    assert purge_receipts(now=NOON + RECEIPTS_KEPT + timedelta(seconds=1)) == 1


def test_a_purge_takes_a_bounded_number(desk: Desk) -> None:
    message = desk.accepted()
    Receipt.objects.bulk_create(
        Receipt(event=f"e{n}", channel="email", verdict="delivered", message=message, at=NOON, heard_at=NOON)
        for n in range(3)
    )
    later = NOON + timedelta(days=365)
    assert purge_receipts(now=later, limit=2) == 2
    assert purge_receipts(now=later, limit=2) == 1
    assert PURGE_BATCH_MAX > 0
