"""What will happen in one world, drawn from a seed before it begins: lives, and episodes of trouble.

A script is data. The same script plays the same way, and one with fewer lives or episodes is a smaller story: that is
how a failure is made short (`shrink`).
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import UTC, datetime, time
from enum import StrEnum
from typing import Final

from stafeta.core.policy import DAY_S, HOUR_S, WINDOW_S_MIN, Choices, RungKind

EPISODES_PER_YEAR: Final = 9
DAYS_A_YEAR: Final = 365.25
USUAL_DAYS: Final = (1, 7, 14, 14, 30, 30, 60, 60, 90, 180, 365)
CALM_DAYS: Final = (90, 180, 365, 365)
SPRING: Final = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)  # a week before New York puts its clocks forward
AUTUMN: Final = datetime(2026, 10, 17, 12, 0, tzinfo=UTC)  # a week before Prague puts them back
ZONES: Final = ("Europe/Prague", "Europe/Prague", "America/New_York", "Pacific/Auckland", "UTC")
NIGHT: Final = time(2, 30)  # does not exist on one day of the year in most zones, and comes twice on another


class Trouble(StrEnum):
    """What befalls the whole service for a while (ladder.md, "Faults the simulator injects")."""

    WORKER_DOWN = "worker_down"
    WEB_DOWN = "web_down"
    ALL_DOWN = "all_down"
    ASLEEP = "worker_asleep"
    TWO_WORKERS = "two_workers"
    STALLED = "worker_stalled_beyond_its_lease"
    CRASHES = "crashes"
    CLOCK_MINUTES = "clock_off_by_minutes"
    CLOCK_DAY = "clock_off_by_a_day"
    CLOCK_YEAR = "clock_off_by_a_year"
    CLOCK_BACK = "clock_set_back"
    EMAIL_AWAY = "email_provider_away"
    SMS_AWAY = "sms_provider_away"
    ALL_AWAY = "all_providers_away"
    FOR_NOW = "provider_refuses_for_now"
    LOSES = "provider_accepts_and_loses"
    TIMES_OUT = "provider_times_out_after_acceptance"
    LOCKED = "database_locked"
    READ_ONLY = "database_read_only"
    DEADLOCKS = "database_deadlocks"
    FULL = "disk_full"
    POISON = "poison_row"
    RESTORED = "old_backup_restored"


class Kind(StrEnum):
    """What sort of lives are drawn. calm: long intervals, for many years in little time. brief: short ladders and few
    people, for many lives in little time."""

    USUAL = "usual"
    CALM = "calm"
    BRIEF = "brief"


class Fate(StrEnum):
    """What becomes of an owner."""

    LIVES = "lives"
    DIES = "dies"
    RETURNS = "is away and returns"


class Trait(StrEnum):
    """What is so, or goes wrong, with one owner or their people."""

    SLOW = "slow"
    DEAF_AT_FIRST = "overlooks_the_first_mail"
    MAILBOX_CLOSED = "mailbox_refuses"
    MAILBOX_BOUNCES = "mailbox_bounces_later"
    PHONE_LOST = "phone_lost"
    SCANNER = "link_scanner"
    AUTO_REPLY = "vacation_reply"
    PRESSES_TWICE = "presses_twice"
    AT_THE_LAST_MOMENT = "confirms_in_the_moment_of_release"
    MOVES = "moves_to_another_zone"
    PAUSES = "pauses"
    CHANGES_CONTACT = "changes_a_contact_in_mid_ladder"
    COMPLAINS = "marks_mail_as_spam"


class Temper(StrEnum):
    """What a trusted contact does when asked."""

    SILENT = "contact_silent"
    HONEST = "contact_honest"
    FOREVER = "contact_confirms_for_ever"
    HASTY = "contact_says_go_ahead_at_once"
    BOUNCES = "contact_bounces"


class Stance(StrEnum):
    """How a recipient stands to it all."""

    AGREED = "agreed"
    SILENT = "never_answered"
    DECLINED = "declined"


@dataclass(frozen=True, slots=True)
class Life:
    """One owner and the people around them.

    gone_day, back_day: days after the beginning; back_day is None for who never returns.
    """

    number: int
    choices: Choices
    fate: Fate
    gone_day: float
    back_day: float | None
    traits: frozenset[Trait]
    contacts: tuple[Temper, ...]
    recipients: tuple[Stance, ...]
    delay_days: int


@dataclass(frozen=True, slots=True)
class Episode:
    """A trouble from `begin_h` on, for `hours`. size: how bad, from 0 to 1, where it can be more or less so."""

    trouble: Trouble
    begin_h: float
    hours: float
    size: float


@dataclass(frozen=True, slots=True)
class Script:
    """A world: who lives in it for how long, and what happens to all of them."""

    seed: int
    years: float
    lives: tuple[Life, ...]
    episodes: tuple[Episode, ...]
    begins: datetime = SPRING


LIVES_PER_WORLD: Final = {Kind.USUAL: 25, Kind.CALM: 200, Kind.BRIEF: 25}  # more share its rounds, and its troubles
CONTACTS: Final = {Kind.USUAL: (0, 1, 1, 2, 2, 3), Kind.CALM: (0, 1, 1, 2, 2, 3), Kind.BRIEF: (0, 1, 1, 2)}
RECIPIENTS: Final = {Kind.USUAL: (1, 1, 2, 3), Kind.CALM: (1, 1, 2, 3), Kind.BRIEF: (1, 1, 1, 2)}


def draw(*, seed: int, number: int, lives: int, years: float, troubles: tuple[Trouble, ...], kind: Kind) -> Script:
    """Return the script of world `number` of a run with `seed`."""
    rng = random.Random(f"{seed}/{number}")  # noqa: S311  # a story, not a secret
    first = number * LIVES_PER_WORLD[kind]
    drawn = tuple(_life(rng, first + place, years=years, kind=kind) for place in range(lives))
    episodes = tuple(_episodes(rng, number, years=years, troubles=troubles))
    return Script(rng.randrange(2**32), years, drawn, episodes, AUTUMN if number % 2 else SPRING)


def _life(rng: random.Random, number: int, *, years: float, kind: Kind) -> Life:
    days = years * DAYS_A_YEAR
    fate = rng.choices((Fate.LIVES, Fate.DIES, Fate.RETURNS), (5, 4, 3))[0]
    gone_day = rng.uniform(0.02, 0.98) * days
    back_day = gone_day + rng.choice((3.0, 10.0, 21.0, 60.0, 200.0)) if fate is Fate.RETURNS else None
    contacts = tuple(rng.choices(tuple(Temper), (5, 6, 1, 1, 1), k=rng.choice(CONTACTS[kind])))
    recipients = tuple(rng.choices(tuple(Stance), (6, 2, 1), k=rng.choice(RECIPIENTS[kind])))
    if not set(recipients) - {Stance.DECLINED}:
        recipients = (Stance.AGREED,)
    return Life(
        number=number,
        choices=_choices(rng, days, kind=kind, asks_others=bool(contacts)),
        fate=fate,
        gone_day=gone_day,
        back_day=back_day,
        traits=_traits(rng),
        contacts=contacts,
        recipients=recipients,
        delay_days=rng.choice((0, 0, 0, 2, 30)),
    )


def _traits(rng: random.Random) -> frozenset[Trait]:
    traits = {trait for trait in Trait if rng.random() < 0.12}
    if Trait.MAILBOX_CLOSED in traits or Trait.MAILBOX_BOUNCES in traits:  # one of the two ways stays open
        traits -= {Trait.PHONE_LOST, Trait.DEAF_AT_FIRST}
    return frozenset(traits)


def _choices(rng: random.Random, days: float, *, kind: Kind, asks_others: bool) -> Choices:
    windows = (WINDOW_S_MIN, DAY_S, DAY_S, 2 * DAY_S, 5 * DAY_S)
    intervals = CALM_DAYS if kind is Kind.CALM else [interval for interval in USUAL_DAYS if interval <= days]
    most = 2 if kind is Kind.BRIEF else 5  # attempts of a kind
    sms_attempts = rng.choice((0, 1, 1, 1, 2)) if asks_others else 1
    return Choices(
        zone=rng.choice(ZONES),
        at=rng.choice((time(9, 0), NIGHT, time(rng.randrange(24), 0))),
        interval_days=rng.choice(intervals),
        email_attempts=min(most, rng.choice((1, 2, 3, 3, 5))),
        email_window_s=rng.choice(windows),
        sms_attempts=sms_attempts,
        sms_window_s=rng.choice((*windows, 13 * HOUR_S)),
        trusted_attempts=min(most, rng.choice((1, 1, 2, 3) if kind is Kind.BRIEF else (1, 2, 2, 3))),
        trusted_window_s=rng.choice(windows[1:]),
        cooling_off_days=rng.choice((0, 0, 0, 2, 7)),
        may_go_ahead=rng.random() < 0.5,
    )


HOURS: Final = (1 / 6, 1.0, 72.0, 720.0)  # ten minutes, an hour, three days, thirty days
LENGTHS: Final = dict(zip(HOURS, ("ten_minutes", "an_hour", "three_days", "thirty_days"), strict=True))


def outage_at(hours: float, kind: RungKind) -> str:
    """Return what an outage that finds somebody on such a rung counts as."""
    return f"outage_of_{LENGTHS.get(hours, f'{hours:g}_hours')}_at_{kind.value}"


SHORT: Final = frozenset(
    {Trouble.CLOCK_MINUTES, Trouble.CLOCK_DAY, Trouble.CLOCK_YEAR, Trouble.CLOCK_BACK, Trouble.DEADLOCKS}
)
LONG: Final = frozenset(
    {Trouble.TWO_WORKERS, Trouble.CRASHES, Trouble.STALLED, Trouble.LOSES, Trouble.TIMES_OUT, Trouble.FOR_NOW}
)


def _episodes(rng: random.Random, number: int, *, years: float, troubles: tuple[Trouble, ...]) -> list[Episode]:
    """Return episodes one after another; each world begins with another trouble, so that none is left out."""
    if not troubles:
        return []
    count = max(1, round(years * EPISODES_PER_YEAR))
    hours_all = years * DAYS_A_YEAR * 24
    found = []
    for place in range(count):
        trouble = troubles[(number * count + place) % len(troubles)]
        hours = rng.choice(HOURS)
        if trouble in SHORT:
            hours = rng.choice((1.0, 5.0, 30.0))
        elif trouble in LONG:
            hours = rng.choice((24.0, 240.0, 720.0))
        begin_h = (place + rng.random()) / count * hours_all
        found.append(Episode(trouble, begin_h, hours, rng.random()))
    return found
