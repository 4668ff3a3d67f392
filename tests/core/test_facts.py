"""What an effect or a refusal carries is exact: whoever reads it writes a sentence or a link from it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from stafeta.core.errors import HoldExhausted, PolicyError, WrongCycle
from stafeta.core.links import Link, Purpose, make_token, read_token
from stafeta.core.policy import Audience, Choices, compile_policy
from stafeta.core.service_time import Meter, Reading, advance_meter
from stafeta.core.states import (
    AskedToWait,
    CheckedIn,
    CloseGrants,
    Evidence,
    GaveGoAhead,
    OpenHandovers,
    PauseBegan,
    StoodDown,
    Tell,
    Told,
    Vouched,
)
from tests.core.ladders import DAY_S, EVA, KAREL, OUTSPOKEN, Ladder, on_rung
from tests.core.test_taken_back import used_up

KEY = b"k" * 32


def news(ladder: Ladder) -> list[Tell]:
    return [effect for effect in ladder.effects if isinstance(effect, Tell)]


def test_all_news_name_the_cycle_they_are_about() -> None:
    ladder = on_rung(3, OUTSPOKEN)
    ladder.until_due()
    assert news(ladder) == [Tell(Audience.OWNER, Told.CONTACTS_ASKED, 1)]
    ladder.event(GaveGoAhead(1, KAREL))
    ladder.event(GaveGoAhead(1, EVA))
    assert news(ladder) == [Tell(Audience.TRUSTED, Told.GO_AHEAD, 1, EVA)]
    ladder.accept()
    ladder.until_due()
    assert ladder.effects == [
        OpenHandovers(1),
        Tell(Audience.OWNER, Told.RELEASED, 1),
        Tell(Audience.TRUSTED, Told.RELEASED, 1),
    ]


@pytest.mark.parametrize("word", [CheckedIn(Evidence.BUTTON), StoodDown()], ids=["check-in", "stand-down"])
def test_a_false_alarm_names_the_cycle_that_was_released(word: CheckedIn | StoodDown) -> None:
    ladder = on_rung(5)
    ladder.until_due()
    assert ladder.event(word) == [
        CloseGrants(1),
        Tell(Audience.OWNER, Told.FALSE_ALARM, 1),
        Tell(Audience.TRUSTED, Told.FALSE_ALARM, 1),
    ]


def test_relief_names_the_cycle_that_ended() -> None:
    ladder = on_rung(4)
    assert ladder.event(CheckedIn(Evidence.BUTTON)) == [Tell(Audience.TRUSTED, Told.ALL_WELL, 1)]


def test_a_last_call_after_a_hold_names_its_cycle() -> None:
    ladder = on_rung(4, OUTSPOKEN)
    ladder.event(AskedToWait(1, 13, 1))
    ladder.event(GaveGoAhead(1, KAREL))
    ladder.event(GaveGoAhead(1, EVA))
    ladder.until_due()
    assert news(ladder) == [Tell(Audience.TRUSTED, Told.GO_AHEAD, 1)]


def test_a_vouch_that_only_postpones_names_who_said_it() -> None:
    ladder = used_up(left_s=1)
    ladder.event(Vouched(1, KAREL))  # a single second is still granted
    assert news(ladder) == [
        Tell(Audience.OWNER, Told.WAITING, 1, KAREL),
        Tell(Audience.TRUSTED, Told.WAITING, 1, KAREL),
    ]


def test_a_vouch_in_a_hold_counts_the_rest_of_that_hold_as_not_spent() -> None:
    ladder = used_up(left_s=10 * DAY_S)
    ladder.event(AskedToWait(1, EVA, 10))
    before = ladder.state
    assert ladder.event(Vouched(1, KAREL)) == []  # seven days of the ten that still run
    assert ladder.state == before


def test_nothing_left_is_nothing() -> None:
    with pytest.raises(HoldExhausted) as raised:
        used_up().event(AskedToWait(1, KAREL, 1))
    assert raised.value.left_s == 0


@pytest.mark.parametrize("event", [CheckedIn(Evidence.LINK, 0), Vouched(0, KAREL)], ids=["link", "contact"])
def test_a_wrong_cycle_names_both(event: CheckedIn | Vouched) -> None:
    with pytest.raises(WrongCycle) as raised:
        on_rung(4).event(event)
    assert (raised.value.got, raised.value.current) == (0, 1)


def test_a_refused_wait_names_its_limits() -> None:
    with pytest.raises(PolicyError) as raised:
        on_rung(4).event(AskedToWait(1, KAREL, 31))
    assert raised.value == PolicyError("days", 31, 1, 30)


def test_a_refused_pause_names_its_limits_and_rounds_what_was_asked() -> None:
    ladder = on_rung(0)
    with pytest.raises(PolicyError) as raised:
        ladder.event(PauseBegan(ladder.now + timedelta(days=366, hours=3)))
    assert raised.value == PolicyError("pause_days", 366.12, 0, 365)


def test_too_many_contacts_are_named_with_their_limits() -> None:
    with pytest.raises(PolicyError) as raised:
        compile_policy(Choices(), contacts=6)
    assert raised.value == PolicyError("contacts", 6, 0, 5)


@pytest.mark.parametrize("number", [0, 1, 127, 128, 129, 255, 256, 16383, 16384])
def test_a_link_carries_numbers_on_both_sides_of_a_bytes_edge(number: int) -> None:
    """Invariant 7."""
    link = Link(Purpose.CHECKIN, number, number, number)
    assert read_token(make_token(link, key=KEY), key=KEY) == link


def test_a_link_that_happens_to_end_in_any_letter_is_still_whole() -> None:
    """Invariant 7."""
    cycles = range(128, 2128)
    tokens = [make_token(Link(Purpose.CHECKIN, 300, 300, cycle), key=KEY) for cycle in cycles]  # 24 bytes: no padding
    assert len({token[-1] for token in tokens}) == 64
    assert [read_token(token, key=KEY).cycle for token in tokens] == list(cycles)


def test_the_counter_stays_whole_although_the_clock_shows_fractions() -> None:
    """Invariant 9: half a millisecond is never counted."""
    wall = datetime(2026, 3, 1, tzinfo=UTC)
    later = Reading(wall + timedelta(microseconds=1500), monotonic_ms=DAY_S, hears=True, tolerance_ms=DAY_S)
    meter = advance_meter(Meter(7, wall, heard=True), later)
    assert (meter.counted_ms, type(meter.counted_ms)) == (8, int)
