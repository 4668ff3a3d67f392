"""How the service stands, for its operator: one reading, for the page and for `stafeta status`.

Each section is a function of the moment in `SECTIONS`; whoever knows something more adds a function there. It names no
owner and no content, and it only reads. What counts as wrong is measured by the bounds of `wellbeing`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from django.db.models import Min, Q
from django.utils import dateformat
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from stafeta.accounts.models import Instance
from stafeta.outbox.models import ChannelHealth, Message
from stafeta.switches.models import Hold, Outage, ServiceClock, Switch
from stafeta.switches.outage_words import outage_words
from stafeta.switches.selectors import breaker_counts, service_second, standing_hold
from stafeta.switches.wellbeing import OVERDUE_MAX, UNSENT_MAX, keys_words, pace_here
from stafeta.vault.closed import closed_handovers

SHOWN_MAX: Final = 20

Value = int | str | bool | None


@dataclass(frozen=True, slots=True)
class Line:
    """One thing that is known. key, value: for machines, never translated. label, text: for people."""

    key: str
    label: str
    text: str
    value: Value
    is_wrong: bool = False


@dataclass(frozen=True, slots=True)
class Section:
    """Lines that belong together. is_list: rows of one sort, the newest first, of which there may be none."""

    key: str
    title: str
    lines: tuple[Line, ...]
    is_list: bool = False


@dataclass(frozen=True, slots=True)
class View:
    """From where one looks: aware UTC now, and the zone in which moments are told."""

    now: datetime
    zone: str

    def when(self, at: datetime) -> str:
        """Return a moment as it stands in a list."""
        # Translators: letters of Django's `date` filter.
        letters = pgettext("date and time in a list", "j M Y, G:i")
        return dateformat.format(at.astimezone(ZoneInfo(self.zone)), letters)

    def span(self, begin: datetime, end: datetime) -> str:
        """Return a beginning and an end."""
        return f"{self.when(begin)} – {self.when(end)}"


def standing(*, now: datetime, zone: str) -> tuple[Section, ...]:
    """Return every section, in the language that is active. Newest entries first, `SHOWN_MAX` of each list."""
    view = View(now, zone)
    return tuple(section(view) for section in SECTIONS)


def is_well(sections: tuple[Section, ...]) -> bool:
    """Whether no line of any section says that something is wrong."""
    return not any(line.is_wrong for section in sections for line in section.lines)


def _service(view: View) -> Section:
    return Section("service", _("The service"), tuple(_service_lines(view)))


def _service_lines(view: View) -> Iterator[Line]:
    clock = ServiceClock.objects.first()
    label = _("Service time")
    if clock is None:
        yield Line("service_s", label, _("No worker has run yet."), None, is_wrong=True)
    else:
        hours = clock.counted_ms // 3_600_000
        words = ngettext("%(hours)d hour counted", "%(hours)d hours counted", hours) % {"hours": hours}
        yield Line("service_s", label, words, clock.counted_ms // 1000)
        yield _latest_reading(clock, view)
        yield _hearing(clock, view)
    instance = Instance.objects.first()
    if instance is not None:
        text = _("%(epoch)s, never restored from a backup") % {"epoch": instance.epoch}
        if instance.restored_at:
            text = _("%(epoch)s, restored from a backup: %(when)s") % {
                "epoch": instance.epoch,
                "when": view.when(instance.restored_at),
            }
        yield Line("epoch", _("Epoch"), text, instance.epoch)


def _latest_reading(clock: ServiceClock, view: View) -> Line:
    ahead = clock.wall > view.now + timedelta(minutes=1)
    old = view.now - clock.wall > pace_here().late
    words = "%s"
    if ahead:
        words = _("%s, which is in the future: this machine's clock is behind, or another was ahead")
    elif old:
        words = _("%s: no worker is running, or none reaches the database")
    text = words % view.when(clock.wall)
    return Line("read_at", _("Last reading"), text, clock.wall.isoformat(), is_wrong=ahead or old)


def _hearing(clock: ServiceClock, view: View) -> Line:
    label, hold = _("Can it hear owners?"), standing_hold(now=view.now)
    if hold is not None:
        words = _("Held until %(until)s at the latest") % {"until": view.when(hold.until)}
        return Line("hears", label, words, value=False, is_wrong=hold.kind == Hold.Kind.BREAKER)
    if clock.deaf_since is None:
        return Line("hears", label, _("Yes"), value=True)
    facts = {"since": view.when(clock.deaf_since), "reason": outage_words(clock.deaf_reason)}
    return Line("hears", label, _("Not since %(since)s: %(reason)s") % facts, value=False, is_wrong=True)


def _due(view: View) -> Section:
    """What the ladders wait for. What is due while nobody may climb is none of their faults."""
    second = service_second()
    rows = Switch.objects.filter(retry_at=None)
    at_wall, at_second = rows.filter(due_at__lte=view.now), rows.filter(due_s__lte=second)
    count = rows.filter(Q(due_at__lte=view.now) | Q(due_s__lte=second)).count()
    first_at = at_wall.aggregate(first=Min("due_at"))["first"]
    first_s = at_second.aggregate(first=Min("due_s"))["first"]
    overdue = max(
        view.now - first_at if first_at else timedelta(),
        timedelta(seconds=second - first_s) if first_s is not None else timedelta(),
    )
    hears = ServiceClock.objects.filter(deaf_since=None).exists() and standing_hold(now=view.now) is None
    overdue_s = int(overdue.total_seconds())
    is_late = overdue > pace_here().stretched(OVERDUE_MAX)
    minutes = overdue_s // 60
    late = ngettext("%(n)d minute late", "%(n)d minutes late", minutes) % {"n": minutes} if count else "–"
    upcoming = _next_due(view.now, second)
    return Section(
        "due",
        _("What is due"),
        (
            Line("armed", _("Armed switches"), str(_armed()), _armed()),
            Line("due", _("Switches due now"), str(count), count),
            Line("overdue_s", _("The oldest of them"), late, overdue_s, is_wrong=hears and is_late),
            Line(
                "next_due_at",
                _("The next one"),
                view.when(upcoming) if upcoming else "–",
                upcoming.isoformat() if upcoming else None,
            ),
        ),
    )


def _armed() -> int:
    return Switch.objects.exclude(phase__in=("Resting", "Released")).count()


def _next_due(now: datetime, second: int) -> datetime | None:
    """Return when the next switch is due, if nothing is interrupted."""
    found = Switch.objects.filter(due_at__gt=now).aggregate(at=Min("due_at"))["at"]
    s = Switch.objects.filter(due_s__gt=second).aggregate(s=Min("due_s"))["s"]
    moments = [found] if found else []
    if s is not None:
        moments.append(now + timedelta(seconds=s - second))
    return min(moments, default=None)


def _messages(view: View) -> Section:
    return Section("messages", _("Messages"), tuple(_message_lines(view)))


def _message_lines(view: View) -> Iterator[Line]:
    names = {"email": _("E-mail"), "sms": _("SMS")}
    for health in ChannelHealth.objects.order_by("channel"):
        name = names.get(health.channel, health.channel)
        if health.failing_since is None:
            yield Line(health.channel, name, _("Working"), value=True)
        else:
            facts = {"since": view.when(health.failing_since), "reason": health.reason}
            words = _("Failing since %(since)s: %(reason)s") % facts
            yield Line(health.channel, name, words, value=False, is_wrong=True)
    queued = Message.objects.filter(state=Message.State.QUEUED)
    count, oldest = queued.count(), queued.aggregate(at=Min("queued_at"))["at"]
    yield Line("waiting", _("Messages waiting"), str(count), count)
    late = oldest is not None and view.now - oldest > pace_here().stretched(UNSENT_MAX)
    text = view.when(oldest) if oldest else "–"
    yield Line("oldest_at", _("The oldest waits since"), text, oldest.isoformat() if oldest else None, is_wrong=late)
    dead = Message.objects.filter(state__in=[Message.State.DEAD, Message.State.BOUNCED]).count()
    yield Line("dead", _("Not delivered"), str(dead), dead)


def _vault(view: View) -> Section:
    closed = closed_handovers(now=view.now)
    count = closed.unopened + closed.given_up
    line = Line("closed", _("Handovers that no key opens"), str(count), count, is_wrong=bool(closed.unopened))
    return Section("vault", _("The vault"), (line, Line("keys", _("Keys"), keys_words(closed), not closed.unopened)))


def _aside(_view: View) -> Section:
    rows = Switch.objects.filter(faults__gt=0).order_by("-faults", "pk")[:SHOWN_MAX]
    lines = [
        Line(f"switch_{row.pk}", _("Switch %(pk)s") % {"pk": row.pk}, f"{row.faults}× {row.fault}", row.fault, True)
        for row in rows
    ]
    return Section("aside", _("Switches set aside by a fault"), tuple(lines), is_list=True)


def _holds(view: View) -> Section:
    lines = [
        Line(
            f"hold_{hold.pk}",
            view.span(hold.began_at, hold.ended_at or hold.until),
            _hold_text(hold),
            "standing" if hold.ended_at is None and hold.until > view.now else "ended",
        )
        for hold in Hold.objects.order_by("-began_at", "-pk")[:SHOWN_MAX]
    ]
    return Section("holds", _("Holds"), tuple(lines), is_list=True)


def _hold_text(hold: Hold) -> str:
    if hold.kind != Hold.Kind.BREAKER:
        return _("Maintenance: %(reason)s") % {"reason": hold.reason or "–"}
    counts = breaker_counts(hold)
    words = _("Breaker: %(releases)d releases within 24 hours, %(armed)d armed switches")
    return words % {"releases": counts.releases, "armed": counts.armed}


def _outages(view: View) -> Section:
    rows = Outage.objects.order_by("-began_at", "-pk")[:SHOWN_MAX]
    lines = [
        Line(
            f"outage_{row.pk}",
            view.span(row.began_at, row.ended_at)
            if row.ended_at
            else _("since %(when)s") % {"when": view.when(row.began_at)},
            outage_words(row.reason),
            row.reason,
        )
        for row in rows
    ]
    return Section("outages", _("Outages"), tuple(lines), is_list=True)


def _dead(_view: View) -> Section:
    dead = Message.objects.filter(state__in=[Message.State.DEAD, Message.State.BOUNCED])
    lines = [
        Line(f"message_{row.pk}", row.kind, f"{row.channel.upper()} · {row.problem}", row.problem)
        for row in dead.order_by("-settled_at", "-pk")[:SHOWN_MAX]
    ]
    return Section("dead_letters", _("Messages that were not delivered"), tuple(lines), is_list=True)


SECTIONS: Final[tuple[Callable[[View], Section], ...]] = (
    _service,
    _due,
    _messages,
    _vault,
    _aside,
    _holds,
    _outages,
    _dead,
)
