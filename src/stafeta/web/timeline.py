"""The timeline picture: what would happen, to whom and when, if the owner fell silent now.

`draw` turns points in time into what `web/components/timeline.html` shows: a strip (SVG, not to scale: long waits are
drawn shorter than they are) and steps in words. It reads no clock and no database, and knows nothing of ladders.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby, pairwise
from math import log2
from typing import Literal

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

PointKind = Literal["checkin", "prompt", "trusted", "cooling", "release", "delay"]

STRIP_WIDTH = 1000  # units of the strip's view box; the style sheet gives it its real size
STRIP_MARGIN = 16
_DAY = timedelta(days=1)

_TITLES: dict[PointKind, Promise] = {
    "checkin": _("You are asked"),
    "prompt": _("You are asked again"),
    "trusted": _("People close to you are asked"),
    "cooling": _("The last wait"),
    "release": _("Handover"),
    "delay": _("Later handovers"),
}
_ICONS: dict[PointKind, str] = {
    "checkin": "mail",
    "prompt": "phone",
    "trusted": "people",
    "cooling": "hourglass",
    "release": "baton",
    "delay": "baton",
}


@dataclass(frozen=True, slots=True)
class TimelinePoint:
    """One thing that would happen: when, what, by which channels (``email``, ``sms``), to whom (names)."""

    at: datetime
    kind: PointKind
    label: str
    channels: tuple[str, ...] = ()
    people: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Step:
    """Neighbouring points of one kind, to the same people by the same channels, told in one sentence."""

    kind: PointKind
    title: str | Promise
    icon: str
    points: tuple[TimelinePoint, ...]

    @property
    def first(self) -> TimelinePoint:
        """Return the earliest point."""
        return self.points[0]

    @property
    def last(self) -> TimelinePoint:
        """Return the latest point."""
        return self.points[-1]

    @property
    def same_day(self) -> bool:
        """Return whether one date says it all."""
        return self.first.at.date() == self.last.at.date()


@dataclass(frozen=True, slots=True)
class Dot:
    """A point on the strip."""

    kind: PointKind
    x: str


@dataclass(frozen=True, slots=True)
class Band:
    """The stretch of the strip before a point; ``calm`` is the wait until the first one."""

    kind: PointKind | Literal["calm"]
    x: str
    width: str


@dataclass(frozen=True, slots=True)
class Timeline:
    """Everything the template needs. Without points, ``steps`` is empty."""

    now: datetime
    points: tuple[TimelinePoint, ...]
    steps: tuple[Step, ...]
    bands: tuple[Band, ...]
    dots: tuple[Dot, ...]


def draw(points: Iterable[TimelinePoint], *, now: datetime) -> Timeline:
    """Lay the points out from ``now`` on; those that came before it are drawn at its place. Both are aware times."""
    ordered = tuple(sorted(points, key=lambda point: point.at))
    places = _places([max(point.at, now) for point in ordered], now=now)
    return Timeline(
        now=now,
        points=ordered,
        steps=tuple(_steps(ordered)),
        bands=tuple(_bands(ordered, places)),
        dots=tuple(Dot(kind=point.kind, x=f"{x:.1f}") for point, x in zip(ordered, places[1:], strict=True)),
    )


def _steps(points: Sequence[TimelinePoint]) -> Iterable[Step]:
    for (kind, _channels, _people), group in groupby(points, key=lambda p: (p.kind, p.channels, p.people)):
        members = tuple(group)
        labels = {point.label for point in members}
        title = members[0].label if len(labels) == 1 and members[0].label else _TITLES[kind]
        icon = "mail" if kind == "prompt" and "sms" not in members[0].channels else _ICONS[kind]
        yield Step(kind=kind, title=title, icon=icon, points=members)


def _places(times: Sequence[datetime], *, now: datetime) -> list[float]:
    """Return the x of now and of each time: further in time is further right, but a year does not hide a day."""
    weights = [log2(1 + (later - earlier) / _DAY) for earlier, later in pairwise([now, *times])]
    unit = (STRIP_WIDTH - 2 * STRIP_MARGIN) / (sum(weights) or 1)
    places = [float(STRIP_MARGIN)]
    for weight in weights:
        places.append(places[-1] + weight * unit)
    return places


def _bands(points: Sequence[TimelinePoint], places: Sequence[float]) -> Iterable[Band]:
    kinds: list[PointKind | Literal["calm"]] = ["calm", *(point.kind for point in points)]
    for kind, (start, end) in zip(kinds, pairwise(places), strict=False):
        yield Band(kind=kind, x=f"{start:.1f}", width=f"{end - start:.1f}")
