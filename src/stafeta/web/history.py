"""The event log in plain sentences: the ladder, people, consents, readings and dead letters in one list.

The log says what happened, not what followed; for that the ladder itself is driven again through the cycles on a page.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import CharField, F, QuerySet, Value
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from stafeta.accounts.models import User
from stafeta.outbox.models import Message
from stafeta.switches.models import Event, Switch
from stafeta.vault.models import Consent, Reading
from stafeta.web.dead_letters import dead_letter
from stafeta.web.history_words import Names, consent_sentence, event_sentence, reading_sentence
from stafeta.web.replay import steps_of

PAGE_ENTRIES = 50
CSV_ENTRIES_MAX = 20_000

Keys = QuerySet[Any, Any]  # rows of any table, as (source, pk, at)

# Name in the address, words, kinds of event; consents, readings and letters join by name below.
YOU, LADDER, PEOPLE, READINGS, PROBLEMS = "you", "ladder", "people", "readings", "problems"
FILTERS: dict[str, Promise] = {
    YOU: _("What you did"),
    LADDER: _("Questions and answers"),
    PEOPLE: _("People"),
    READINGS: _("Reading"),
    PROBLEMS: _("Problems"),
}
_EVENTS: dict[str, tuple[str, ...]] = {
    YOU: ("Armed", "StoodDown", "CheckedIn", "PauseBegan", "PauseEnded", "ScheduleChanged"),
    LADDER: ("Ticked", "PromptAccepted", "Vouched", "AskedToWait", "GaveGoAhead", "Restored"),
    READINGS: (),
    PROBLEMS: ("PromptRefused", "PromptBounced", "AddressUnreached", "AddressReached"),
}
_TONES = {
    "PromptRefused": "danger",
    "PromptBounced": "danger",
    "AddressUnreached": "danger",
    "GaveGoAhead": "warning",
    "AskedToWait": "warning",
}


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that happened, in words. tone: how it is marked."""

    at: datetime
    source: str
    text: str
    tone: str = ""


def count_of(owner: User, switch: Switch, *, kind: str = "") -> int:
    """Return how many entries a filter leaves; no filter leaves all."""
    return sum(rows.count() for rows in _sources(owner, switch, kind))


def entries_of(
    owner: User, switch: Switch, *, kind: str = "", start: int = 0, limit: int = PAGE_ENTRIES
) -> list[Entry]:
    """Return `limit` entries from the `start`-th newest on, in the active language."""
    first, *others = _sources(owner, switch, kind)
    keys = first.union(*others, all=True).order_by("-at", "source", "-pk")[start : start + limit]
    wanted: dict[str, list[int]] = {}
    for row in keys:
        wanted.setdefault(row["source"], []).append(row["pk"])
    told = _told(owner, switch, wanted)
    return [told[row["source"], row["pk"]] for row in keys]


def _sources(owner: User, switch: Switch, kind: str) -> list[Keys]:
    """Return the rows of every table that has a part in the history, as (source, pk, at)."""
    letters = Message.objects.filter(
        owner=owner, state__in=[Message.State.DEAD, Message.State.BOUNCED], settled_at__isnull=False
    )
    tables: dict[str, tuple[QuerySet[Any], str]] = {
        "event": (_events(switch, kind), "at"),
        "consent": (Consent.objects.filter(recipient__owner=owner), "at"),
        "reading": (Reading.objects.filter(grant__handover__owner=owner), "at"),
        "letter": (letters, "settled_at"),
    }
    of_kind = {PEOPLE: ["event", "consent"], READINGS: ["event", "reading"], PROBLEMS: ["event", "letter"]}
    names = of_kind.get(kind, ["event"] if kind else list(tables))
    return [_keys(name, *tables[name]) for name in names]


def _keys(source: str, rows: QuerySet[Any], moment: str) -> Keys:
    named = rows.order_by().annotate(source=Value(source, output_field=CharField()))
    if moment != "at":
        named = named.annotate(at=F(moment))
    keys: Keys = named.values("source", "pk", "at")
    return keys


def _events(switch: Switch, kind: str) -> QuerySet[Any]:
    rows = Event.objects.filter(switch=switch)
    if kind == PEOPLE:
        return rows.filter(on_ladder=False).exclude(kind__in=_EVENTS[YOU])
    return rows.filter(kind__in=_EVENTS[kind]) if kind else rows


def _told(owner: User, switch: Switch, wanted: dict[str, list[int]]) -> dict[tuple[str, int], Entry]:
    names = Names(switch)
    told: dict[tuple[str, int], Entry] = {}
    events = list(Event.objects.filter(switch=switch, pk__in=wanted.get("event", [])))
    for event, step in steps_of(events):
        try:
            text = event_sentence(event, step, names=names, zone=owner.zone)
        except (KeyError, TypeError, ValueError):  # a damaged row must not hide the others
            text = str(_("An entry that cannot be read."))
        told["event", event.pk] = Entry(event.at, "event", text, _TONES.get(event.kind, ""))
    for consent in Consent.objects.filter(pk__in=wanted.get("consent", [])).select_related("recipient"):
        told["consent", consent.pk] = Entry(consent.at, "consent", consent_sentence(consent))
    readings = Reading.objects.filter(pk__in=wanted.get("reading", []))
    for reading in readings.select_related("grant__recipient", "grant__handover"):
        told["reading", reading.pk] = Entry(reading.at, "reading", reading_sentence(reading))
    for message in Message.objects.filter(owner=owner, pk__in=wanted.get("letter", [])):
        letter = dead_letter(message)
        to = f" ({letter.to})" if letter.to else ""
        at = message.settled_at or message.queued_at
        told["letter", message.pk] = Entry(at, "letter", f"{letter.about}{to}: {letter.problem}", "danger")
    return told
