"""Is all well, and if not, what is it? One answer for the heartbeat, `/readyz`, `/metrics` and the operator's page.

`judge` is a pure function of the vital signs; the bounds it measures them by stand here, each with its reason.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from stafeta.switches.canary import Canary, judge_canary
from stafeta.switches.models import Hold
from stafeta.switches.outage_words import outage_words
from stafeta.switches.vital_signs import AHEAD_MAX, VitalSigns, vital_signs
from stafeta.vault.closed import Closed

ROUNDS_LATE_MAX: Final = 12
"""The service clock forgives six rounds (worker.loop); at twice as many no worker is alive."""
LATE_MIN: Final = timedelta(minutes=5)
"""A deployment, a restart or a migration takes less, and nobody should be woken for one."""
DEAF_MAX: Final = timedelta(minutes=5)
"""Nothing is lost meanwhile, for no window runs; but nobody can confirm."""
OVERDUE_MAX: Final = timedelta(minutes=15)
"""One round climbs ten thousand switches; what is still due after so many rounds is stuck."""
UNSENT_MAX: Final = timedelta(minutes=15)
"""A worker that died leaves its lease for five minutes; a queue that long behind does not keep up."""
DEAD_SHARE_MAX: Final = 0.05
"""Among many owners some mailbox is always gone, and the ladder has other ways; one message in twenty is no mailbox.
In a small house this means every single one."""


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at.

    name: for machines. says: for people, in the language that is active. is_doubt: nothing is wrong, and nothing shown.
    """

    name: str
    ok: bool
    says: str
    is_doubt: bool = False


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast the service runs. scale: how much faster than life its clock is; the bounds grow with it."""

    tick_every_s: float
    scale: float

    def stretched(self, span: timedelta) -> timedelta:
        return span * max(1.0, self.scale)

    @property
    def late(self) -> timedelta:
        """How old the latest reading of the service clock may be."""
        return self.stretched(max(LATE_MIN, timedelta(seconds=ROUNDS_LATE_MAX * self.tick_every_s)))


def pace_here() -> Pace:
    """Return how fast this service runs, by its settings."""
    return Pace(tick_every_s=settings.TICK_EVERY_S, scale=settings.CLOCK_SCALE)


@dataclass(frozen=True, slots=True)
class Wellbeing:
    """What was looked at. signs: what it was judged by. canary: what it says; None where none is named."""

    signs: VitalSigns
    checks: tuple[Check, ...]
    canary: Canary | None

    @property
    def ok(self) -> bool:
        return all(check.ok for check in self.checks)

    @property
    def wrong(self) -> tuple[str, ...]:
        """The names of what is not well."""
        return tuple(check.name for check in self.checks if not check.ok)

    @property
    def reasons(self) -> str:
        """What is not well, in one line."""
        return " ".join(f"{check.name}: {check.says}" for check in self.checks if not check.ok)


def wellbeing(*, now: datetime, canary: str, pace: Pace) -> Wellbeing:
    """Read the vital signs and judge them. Raises DatabaseError."""
    return judge(vital_signs(now=now, canary=canary), pace=pace)


def judge(signs: VitalSigns, *, pace: Pace) -> Wellbeing:
    """Return what those signs mean."""
    checks = [check(signs, pace) for check in CHECKS]
    said = None
    if signs.canary is not None:
        since = signs.hearing.climbing_since
        said = judge_canary(signs.canary, now=signs.now, climbing_since=since, slack=pace.stretched(OVERDUE_MAX))
        checks.append(Check("canary", not said.is_alarm, canary_words(said), said.is_doubt))
    return Wellbeing(signs, tuple(checks), said)


def _worker(signs: VitalSigns, pace: Pace) -> Check:
    read_at = signs.hearing.read_at
    if read_at is None:
        return Check("worker", False, _("No worker has run yet."))
    if read_at - signs.now > pace.stretched(AHEAD_MAX):
        words = _("This clock is behind the last round's by %(span)s; all waits stand still until it has caught up.")
        return Check("worker", False, words % {"span": span(read_at - signs.now)})
    age = max(timedelta(), signs.now - read_at)
    words = _("The last round of a worker was %(span)s ago.")
    return Check("worker", age <= pace.late, words % {"span": span(age)})


def _hearing(signs: VitalSigns, pace: Pace) -> Check:
    hearing = signs.hearing
    if hearing.deaf_since is None:
        return Check("hearing", True, _("Owners can be heard."))
    deaf = signs.now - hearing.deaf_since
    words = _("Nobody has been heard for %(span)s: %(reason)s")
    facts = {"span": span(deaf), "reason": outage_words(hearing.reason)}
    return Check("hearing", deaf <= pace.stretched(DEAF_MAX), words % facts)


def _breaker(signs: VitalSigns, _pace: Pace) -> Check:
    if signs.hearing.hold == Hold.Kind.BREAKER:
        return Check("breaker", False, _("Too many releases at once: everything is held until somebody has looked."))
    if signs.hearing.hold:
        return Check("breaker", True, _("Everything is held, as its operator wishes."))
    return Check("breaker", True, _("Nothing is held."))


def _switches(signs: VitalSigns, pace: Pace) -> Check:
    words = _("The oldest switch that is due has been so for %(span)s.") if signs.overdue else _("No switch is late.")
    return Check("switches", signs.overdue <= pace.stretched(OVERDUE_MAX), words % {"span": span(signs.overdue)})


def _aside(signs: VitalSigns, _pace: Pace) -> Check:
    words = ngettext("%(n)d switch is set aside by a fault.", "%(n)d switches are set aside by a fault.", signs.aside)
    return Check("aside", not signs.aside, words % {"n": signs.aside} if signs.aside else _("No switch is set aside."))


def _outbox(signs: VitalSigns, pace: Pace) -> Check:
    late = max((waiting.late for waiting in signs.waiting.values()), default=timedelta())
    count = sum(waiting.count for waiting in signs.waiting.values())
    if late > pace.stretched(UNSENT_MAX):
        return Check("outbox", False, _("A message should have left %(span)s ago.") % {"span": span(late)})
    words = ngettext("%(n)d message is waiting.", "%(n)d messages are waiting.", count)
    return Check("outbox", True, words % {"n": count})


def _providers(signs: VitalSigns, pace: Pace) -> Check:
    bound = pace.stretched(DEAF_MAX)
    facts = [(one, signs.now - one.since) for one in signs.failing if signs.now - one.since > bound]
    if not facts:
        return Check("providers", True, _("The providers take what they are given."))
    words = "; ".join(f"{one.channel}, {span(since)}: {one.reason}" for one, since in facts)
    return Check("providers", False, _("A provider takes nothing (%(facts)s).") % {"facts": words})


def _letters(signs: VitalSigns, _pace: Pace) -> Check:
    words = _("Questions and releases in 24 hours: %(n)d messages, %(dead)d of them reached nobody.")
    ok = signs.dead <= signs.settled * DEAD_SHARE_MAX
    return Check("letters", ok, words % {"dead": signs.dead, "n": signs.settled})


def _keys(signs: VitalSigns, _pace: Pace) -> Check:
    closed = signs.closed
    ok = not closed.unopened
    return Check("keys", ok, keys_words(closed), is_doubt=ok and bool(closed.given_up))


CHECKS: Final[tuple[Callable[[VitalSigns, Pace], Check], ...]] = (
    _worker,
    _hearing,
    _breaker,
    _switches,
    _aside,
    _outbox,
    _providers,
    _letters,
    _keys,
)


def keys_words(closed: Closed) -> str:
    """Return what the keys at hand do not open, as a sentence, with the command that says more."""
    if closed.is_keyless:
        words = ngettext(
            "The keys cannot be read, and %(n)d handover needs them; `stafeta check` says what is wrong.",
            "The keys cannot be read, and %(n)d handovers need them; `stafeta check` says what is wrong.",
            closed.missing,
        )
        return words % {"n": closed.missing}
    if closed.unopened:
        words = ngettext(
            "No key at hand opens %(n)d handover; `stafeta keys list` names it.",
            "No key at hand opens %(n)d handovers; `stafeta keys list` names them.",
            closed.unopened,
        )
        return words % {"n": closed.unopened}
    if closed.given_up:
        words = ngettext(
            "%(n)d handover was given up as lost and cannot be read; `stafeta keys list` names it.",
            "%(n)d handovers were given up as lost and cannot be read; `stafeta keys list` names them.",
            closed.given_up,
        )
        return words % {"n": closed.given_up}
    return _("The keys at hand open every handover.")


def canary_words(said: Canary) -> str:
    """Return what the canary says, as a sentence."""
    return {
        Canary.WELL: _("The canary is well."),
        Canary.MISSED: _("The canary should have been asked by now and was not: the worker does not work."),
        Canary.UNSENT: _("The canary was asked, and no provider took the question: sending does not work."),
        Canary.UNANSWERED: _("The canary was asked and has not answered for a day: it does not get it or is not read."),
        Canary.UNKNOWN: _("There is no account with the canary's address, so it shows nothing."),
        Canary.UNARMED: _("The canary's switch is not armed, or paused, so it shows nothing."),
        Canary.SELDOM: _("The canary is not asked every day, so it shows little."),
        Canary.IDLE: _("The canary was always answered before it was asked, so it shows nothing about asking."),
    }[said]


def span(length: timedelta) -> str:
    """Return a length in a unit that is the same in every language: "40 s", "12 min", "5 h", "3 d"."""
    seconds = int(length.total_seconds())
    for unit, unit_s, most_s in (("s", 1, 120), ("min", 60, 7200), ("h", 3600, 172800)):
        if seconds < most_s:
            return f"{seconds // unit_s} {unit}"
    return f"{seconds // 86400} d"
