"""The owner's choices, their limits and the rungs they become (docs/ladder.md, "The ladder as data")."""

from __future__ import annotations

from dataclasses import fields, replace
from datetime import UTC, time
from typing import Any

import pytest

from stafeta.core.errors import NotReady, PolicyError
from stafeta.core.policy import (
    LAST_CALL,
    LIMITS,
    PRESETS,
    WINDOW_S_MAX,
    WINDOW_S_MIN,
    Audience,
    By,
    Choices,
    Limits,
    Missing,
    Policy,
    Readiness,
    RungKind,
    compile_policy,
    known_zone,
    missing_for_arming,
    require_ready,
)
from tests.core.ladders import DAY_S, HOUR_S

READY = Readiness(handovers=1, email_verified=True, phone_verified=True)


def shape(policy: Policy) -> list[tuple[str, int]]:
    return [(rung.kind.value, rung.window_s) for rung in policy.rungs]


def chosen(name: str, value: Any) -> Choices:
    return Choices(**{name: value})


# Limits -----------------------------------------------------------------------------------------------------------


def test_every_number_the_owner_chooses_has_a_limit() -> None:
    numbers = {field.name for field in fields(Choices)} - {"zone", "at", "may_go_ahead"}
    assert numbers == LIMITS.keys()


def test_the_limits_are_those_the_owner_is_promised() -> None:
    assert {
        "interval_days": Limits(1, 365),
        "email_attempts": Limits(1, 10),
        "email_window_s": Limits(12 * HOUR_S, 30 * DAY_S),
        "sms_attempts": Limits(0, 3),
        "sms_window_s": Limits(12 * HOUR_S, 30 * DAY_S),
        "trusted_attempts": Limits(0, 5),
        "trusted_window_s": Limits(12 * HOUR_S, 30 * DAY_S),
        "cooling_off_days": Limits(0, 14),
    } == LIMITS


@pytest.mark.parametrize("name", LIMITS)
def test_both_ends_of_a_limit_are_welcome_and_nothing_beyond(name: str) -> None:
    limits = LIMITS[name]
    for value in (limits.least, limits.most):
        assert getattr(chosen(name, value), name) == value
    for value in (limits.least - 1, limits.most + 1):
        with pytest.raises(PolicyError) as raised:
            chosen(name, value)
        assert raised.value == PolicyError(name, value, limits.least, limits.most)


@pytest.mark.parametrize("value", [1.5, float("nan"), "3"])
def test_a_number_that_is_not_whole_is_refused(value: object) -> None:
    with pytest.raises(PolicyError, match="interval_days"):
        chosen("interval_days", value)


def test_no_choice_makes_a_window_shorter_than_twelve_hours() -> None:
    """Invariant 8."""
    shortest = Choices(
        email_window_s=WINDOW_S_MIN, sms_window_s=WINDOW_S_MIN, trusted_window_s=WINDOW_S_MIN, cooling_off_days=1
    )
    rungs = (*compile_policy(shortest, contacts=5).rungs, LAST_CALL)
    assert min(rung.window_s for rung in rungs) == 12 * HOUR_S
    assert WINDOW_S_MAX == 30 * DAY_S


@pytest.mark.parametrize("zone", ["", "Mars/Olympus", "../../etc/passwd", "/etc/localtime", "Europe", "Praha", "a\0b"])
def test_a_zone_that_is_none_is_refused(zone: str) -> None:
    with pytest.raises(ValueError, match="IANA"):
        Choices(zone=zone)


def test_a_time_of_day_belongs_to_the_owners_zone_and_brings_none_of_its_own() -> None:
    with pytest.raises(ValueError, match="zone of its own"):
        Choices(at=time(9, 0, tzinfo=UTC))


def test_known_zone_returns_the_zone_of_that_name() -> None:
    assert known_zone("Europe/Prague").key == "Europe/Prague"


@pytest.mark.parametrize("contacts", [-1, 6])
def test_a_ladder_has_at_most_five_contacts(contacts: int) -> None:
    with pytest.raises(PolicyError, match="contacts"):
        compile_policy(Choices(), contacts=contacts)


# Rungs ------------------------------------------------------------------------------------------------------------


def test_the_standard_ladder_is_the_one_in_the_book() -> None:
    policy = compile_policy(PRESETS["standard"], contacts=2)
    assert (policy.interval_days, policy.at, policy.zone) == (14, time(9, 0), "Europe/Prague")
    assert shape(policy) == [("email", DAY_S)] * 3 + [("sms", DAY_S)] + [("trusted", 2 * DAY_S)] * 2
    assert not policy.may_go_ahead


def test_the_calm_ladder_gives_more_time_and_cools_off() -> None:
    policy = compile_policy(PRESETS["calm"], contacts=1)
    assert policy.interval_days == 30
    assert shape(policy) == [
        *[("email", 2 * DAY_S)] * 5,
        *[("sms", 2 * DAY_S)] * 2,
        *[("trusted", 3 * DAY_S)] * 2,
        ("cooling_off", 2 * DAY_S),
    ]


def test_the_alert_ladder_asks_every_three_days_and_is_done_in_three_and_a_half() -> None:
    policy = compile_policy(PRESETS["alert"], contacts=1)
    assert policy.interval_days == 3
    assert shape(policy) == [("email", 12 * HOUR_S)] * 2 + [("sms", 12 * HOUR_S)] + [("trusted", DAY_S)] * 2


@pytest.mark.parametrize("contacts", range(6))
@pytest.mark.parametrize("preset", PRESETS)
def test_every_preset_makes_a_ladder_that_may_be_armed(preset: str, contacts: int) -> None:
    policy = compile_policy(PRESETS[preset], contacts=contacts)
    assert missing_for_arming(policy, READY) == ()


def test_rungs_know_which_attempt_they_are() -> None:
    policy = compile_policy(Choices(), contacts=1)
    assert [(rung.attempt, rung.attempts) for rung in policy.rungs] == [(1, 3), (2, 3), (3, 3), (1, 1), (1, 2), (2, 2)]


def test_each_kind_of_rung_asks_its_people_by_its_channels() -> None:
    policy = compile_policy(Choices(cooling_off_days=1), contacts=1)
    both = (By.EMAIL, By.SMS)
    assert {rung.kind: (rung.asks, rung.by) for rung in (*policy.rungs, LAST_CALL)} == {
        RungKind.EMAIL: (Audience.OWNER, (By.EMAIL,)),
        RungKind.SMS: (Audience.OWNER, both),
        RungKind.TRUSTED: (Audience.TRUSTED, both),
        RungKind.COOLING_OFF: (Audience.OWNER, both),
        RungKind.LAST_CALL: (Audience.OWNER, both),
    }


def test_without_contacts_the_rungs_that_would_ask_nobody_are_left_out() -> None:
    policy = compile_policy(Choices(may_go_ahead=True), contacts=0)
    assert {rung.asks for rung in policy.rungs} == {Audience.OWNER}
    assert (policy.contacts, policy.go_aheads_needed) == (0, 0)


def test_contacts_whom_the_ladder_never_asks_do_not_count() -> None:
    policy = compile_policy(Choices(trusted_attempts=0), contacts=3)
    assert (policy.contacts, policy.go_aheads_needed) == (0, 0)


@pytest.mark.parametrize(("contacts", "needed"), [(1, 1), (2, 2), (3, 2), (5, 2)])
def test_go_ahead_needs_all_contacts_or_two_of_them(contacts: int, needed: int) -> None:
    assert compile_policy(Choices(may_go_ahead=True), contacts=contacts).go_aheads_needed == needed


def test_each_channel_has_another() -> None:
    assert (By.EMAIL.other, By.SMS.other) == (By.SMS, By.EMAIL)


# Arming -----------------------------------------------------------------------------------------------------------


def test_a_switch_arms_when_something_can_be_released_and_the_owner_can_be_asked_twice_over() -> None:
    require_ready(compile_policy(Choices(), contacts=0), READY)


@pytest.mark.parametrize(
    ("readiness", "missing"),
    [
        (replace(READY, handovers=0), Missing.HANDOVER),
        (replace(READY, email_verified=False), Missing.EMAIL),
        (replace(READY, phone_verified=False), Missing.PHONE),
    ],
)
def test_each_unmet_condition_of_arming_is_named(readiness: Readiness, missing: Missing) -> None:
    with pytest.raises(NotReady) as raised:
        require_ready(compile_policy(Choices(), contacts=1), readiness)
    assert raised.value.missing == (missing,)


def test_all_unmet_conditions_are_named_at_once() -> None:
    only_email = compile_policy(Choices(sms_attempts=0), contacts=0)
    assert missing_for_arming(only_email, Readiness(0, False, False)) == tuple(Missing)


def test_a_ladder_of_one_person_on_one_channel_may_not_be_armed() -> None:
    only_email = compile_policy(Choices(sms_attempts=0), contacts=0)
    assert missing_for_arming(only_email, READY) == (Missing.SECOND_WAY,)


@pytest.mark.parametrize(
    ("choices", "contacts"),
    [(Choices(sms_attempts=1), 0), (Choices(sms_attempts=0), 1), (Choices(sms_attempts=0, cooling_off_days=1), 0)],
)
def test_a_second_channel_or_a_second_person_makes_a_ladder_that_may_be_armed(choices: Choices, contacts: int) -> None:
    assert missing_for_arming(compile_policy(choices, contacts=contacts), READY) == ()
