"""The owner's choices, their limits, and the rungs they compile to (ladder.md, "The ladder as data")."""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import time
from enum import StrEnum
from zoneinfo import ZoneInfo

from stafeta.core.errors import NotReady, PolicyError

HOUR_S = 3600
DAY_S = 24 * HOUR_S
WINDOW_S_MIN = 12 * HOUR_S
WINDOW_S_MAX = 30 * DAY_S
UNREACHABLE_AFTER_S = 3 * DAY_S
HOLD_DAYS_MAX = 30
HOLD_TOTAL_S_MAX = 60 * DAY_S
VOUCHES_MAX = 3
VOUCH_POSTPONES_S = 7 * DAY_S
GO_AHEADS_NEEDED = 2
LAST_CALL_S = DAY_S
CONTACTS_MAX = 5
PAUSE_DAYS_MAX = 365
BOUNCES_MAX = 2 * CONTACTS_MAX  # prompts of one rung that may come back: both channels of every contact


class Audience(StrEnum):
    """Whom a prompt asks."""

    OWNER = "owner"
    TRUSTED = "trusted"


class By(StrEnum):
    """The channel a prompt goes by."""

    EMAIL = "email"
    SMS = "sms"

    @property
    def other(self) -> By:
        return By.SMS if self is By.EMAIL else By.EMAIL


class RungKind(StrEnum):
    """What a rung is called where people see it."""

    EMAIL = "email"
    SMS = "sms"
    TRUSTED = "trusted"
    COOLING_OFF = "cooling_off"
    LAST_CALL = "last_call"


@dataclass(frozen=True, slots=True)
class Rung:
    """One step of the ladder: a set of prompts, and the reaction window that follows their acceptance.

    asks: the people whose accepted prompt starts the window.
    by: the channels they are prompted on.
    window_s: service seconds.
    attempt, attempts: this is attempt k of n of its kind.
    """

    kind: RungKind
    asks: Audience
    by: tuple[By, ...]
    window_s: int
    attempt: int = 1
    attempts: int = 1


LAST_CALL = Rung(RungKind.LAST_CALL, Audience.OWNER, (By.EMAIL, By.SMS), LAST_CALL_S)


@dataclass(frozen=True, slots=True)
class Limits:
    """Both ends inclusive."""

    least: int
    most: int


LIMITS: dict[str, Limits] = {
    "interval_days": Limits(1, 365),
    "email_attempts": Limits(1, 10),
    "email_window_s": Limits(WINDOW_S_MIN, WINDOW_S_MAX),
    "sms_attempts": Limits(0, 3),
    "sms_window_s": Limits(WINDOW_S_MIN, WINDOW_S_MAX),
    "trusted_attempts": Limits(0, 5),
    "trusted_window_s": Limits(WINDOW_S_MIN, WINDOW_S_MAX),
    "cooling_off_days": Limits(0, 14),
}


def known_zone(name: str) -> ZoneInfo:
    """Return the zone of that IANA name. Raises ValueError for any other text, a path included."""
    try:
        return ZoneInfo(name)
    except Exception as error:
        raise ValueError(f"{name!r} is not an IANA time zone") from error


@dataclass(frozen=True, slots=True)
class Choices:
    """What the owner chooses. A newly made one is the standard ladder.

    Raises PolicyError when a number is not whole or breaks its limit, ValueError when the zone is not an IANA name or
    the time of day brings a zone of its own.
    """

    zone: str = "Europe/Prague"
    at: time = time(9, 0)
    interval_days: int = 14
    email_attempts: int = 3
    email_window_s: int = DAY_S
    sms_attempts: int = 1
    sms_window_s: int = DAY_S
    trusted_attempts: int = 2
    trusted_window_s: int = 2 * DAY_S
    cooling_off_days: int = 0
    may_go_ahead: bool = False

    def __post_init__(self) -> None:
        for field in fields(self):
            limits = LIMITS.get(field.name)
            value = getattr(self, field.name)
            if limits and not (isinstance(value, int) and limits.least <= value <= limits.most):
                raise PolicyError(field.name, value, limits.least, limits.most)
        if self.at.tzinfo is not None:
            raise ValueError(f"{self.at} brings a zone of its own")
        known_zone(self.zone)


PRESETS: dict[str, Choices] = {
    "calm": Choices(
        interval_days=30,
        email_attempts=5,
        email_window_s=2 * DAY_S,
        sms_attempts=2,
        sms_window_s=2 * DAY_S,
        trusted_window_s=3 * DAY_S,
        cooling_off_days=2,
    ),
    "standard": Choices(),
    "alert": Choices(
        interval_days=3,
        email_attempts=2,
        email_window_s=WINDOW_S_MIN,
        sms_window_s=WINDOW_S_MIN,
        trusted_window_s=DAY_S,
    ),
}


@dataclass(frozen=True, slots=True)
class Policy:
    """The ladder one cycle obeys, fixed when the cycle begins (invariant 15).

    contacts: how many trusted contacts it asks.
    """

    zone: str
    at: time
    interval_days: int
    rungs: tuple[Rung, ...]
    contacts: int
    may_go_ahead: bool

    @property
    def go_aheads_needed(self) -> int:
        """All asked contacts, or two of them."""
        return min(GO_AHEADS_NEEDED, self.contacts)


def compile_policy(choices: Choices, *, contacts: int) -> Policy:
    """Return the rungs of `choices` for an owner with `contacts` trusted contacts who did not decline.

    Without contacts the trusted rungs are left out: a rung that asks nobody would only delay.
    """
    if not 0 <= contacts <= CONTACTS_MAX:
        raise PolicyError("contacts", contacts, 0, CONTACTS_MAX)
    both = (By.EMAIL, By.SMS)
    rungs = _repeat(RungKind.EMAIL, Audience.OWNER, (By.EMAIL,), choices.email_window_s, choices.email_attempts)
    rungs += _repeat(RungKind.SMS, Audience.OWNER, both, choices.sms_window_s, choices.sms_attempts)
    if contacts:
        rungs += _repeat(RungKind.TRUSTED, Audience.TRUSTED, both, choices.trusted_window_s, choices.trusted_attempts)
    if choices.cooling_off_days:
        rungs += _repeat(RungKind.COOLING_OFF, Audience.OWNER, both, choices.cooling_off_days * DAY_S, 1)
    asked = contacts if choices.trusted_attempts else 0
    return Policy(
        zone=choices.zone,
        at=choices.at,
        interval_days=choices.interval_days,
        rungs=rungs,
        contacts=asked,
        may_go_ahead=choices.may_go_ahead,
    )


def _repeat(kind: RungKind, asks: Audience, by: tuple[By, ...], window_s: int, attempts: int) -> tuple[Rung, ...]:
    return tuple(Rung(kind, asks, by, window_s, k, attempts) for k in range(1, attempts + 1))


class Missing(StrEnum):
    """Why a switch may not be armed yet."""

    HANDOVER = "handover"
    EMAIL = "email"
    PHONE = "phone"
    SECOND_WAY = "second_way"


@dataclass(frozen=True, slots=True)
class Readiness:
    """The facts arming depends on.

    handovers: how many have content and at least one recipient who did not decline.
    """

    handovers: int
    email_verified: bool
    phone_verified: bool


def missing_for_arming(policy: Policy, readiness: Readiness) -> tuple[Missing, ...]:
    """Return every unmet condition of arming (ladder.md): nothing is asked one at a time."""
    channels = {by for rung in policy.rungs for by in rung.by}
    people = {rung.asks for rung in policy.rungs}
    unmet = {
        Missing.HANDOVER: readiness.handovers < 1,
        Missing.EMAIL: not readiness.email_verified,
        Missing.PHONE: not readiness.phone_verified,
        Missing.SECOND_WAY: len(channels) < 2 and len(people) < 2,
    }
    return tuple(reason for reason, is_unmet in unmet.items() if is_unmet)


def require_ready(policy: Policy, readiness: Readiness) -> None:
    """Raise NotReady with every unmet condition, or return."""
    missing = missing_for_arming(policy, readiness)
    if missing:
        raise NotReady(tuple(missing))
