"""What is said about a handover: what it lacks, who it goes to, and when it opens."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from stafeta.accounts.models import User
from stafeta.accounts.moments import Moment
from stafeta.vault.models import ConsentState, Handover, Recipient
from stafeta.vault.selectors import BLOCKING, Gap, gaps_of


@dataclass(frozen=True, slots=True)
class Badge:
    """A short state in its colour."""

    label: str
    tone: str


@dataclass(frozen=True, slots=True)
class Card:
    """A handover as lists show it."""

    handover: Handover
    badge: Badge
    gaps: tuple[str, ...]
    goes_to: str
    opens: str
    changed: Moment


def card_of(handover: Handover, *, owner: User, now: datetime) -> Card:
    """Return what a list says about a handover whose recipients are prefetched."""
    gaps = gaps_of(handover)
    return Card(
        handover=handover,
        badge=readiness_badge(gaps),
        gaps=tuple(gap_sentence(gap) for gap in gaps),
        goes_to=", ".join(
            person.name for person in handover.recipients.all() if person.consent != ConsentState.DECLINED
        ),
        opens=opening_sentence(handover),
        changed=Moment(handover.updated_at, owner.zone, now),
    )


def readiness_badge(gaps: tuple[Gap, ...]) -> Badge:
    """Return one word on whether a release would hand it over."""
    if BLOCKING.intersection(gaps):
        return Badge(_("not ready"), "danger")
    if gaps:
        return Badge(_("almost ready"), "warning")
    return Badge(_("ready"), "success")


def gap_sentence(gap: Gap) -> str:
    """Return what is missing and what it would mean."""
    return {
        Gap.EMPTY: _("There is no text yet."),
        Gap.NO_RECIPIENTS: _("It has no recipient yet."),
        Gap.ALL_DECLINED: _("All its recipients have declined."),
        Gap.NOT_INVITED: _("Somebody has not been invited yet; they would be asked only when it matters."),
        Gap.NO_ANSWER: _("Somebody has not answered the invitation yet."),
        Gap.PHONE_UNVERIFIED: _("Somebody's phone is not verified: the code might not reach them."),
        Gap.NOBODY_OPENS: _("None of its recipients could open it yet: it is sealed, and no key of theirs opens it."),
        Gap.NO_KEY: _("Somebody has not chosen their passphrase yet; until they do, it cannot be sealed for them."),
        Gap.KEY_CHANGED: _("Somebody's key has changed. Compare the words with them, then acknowledge it."),
        Gap.CLOSED: _("Nobody can read it: the key to it is missing. Open it to see what you can do."),
        Gap.FILES_CLOSED: _("Some of its files cannot be opened: their key is missing. Please add them again."),
        Gap.NOT_SEALED: _("Somebody could not open it yet: unlock it once, and it is sealed for them too."),
    }[gap]


def opening_sentence(handover: Handover) -> str:
    """Return when it opens, counted from the release."""
    if not handover.delay_days:
        return _("opens at once")
    days = handover.delay_days
    return ngettext("opens after %(days)d day", "opens after %(days)d days", days) % {"days": days}


def recipient_badge(person: Recipient) -> Badge:
    """Return how far a recipient is on the way to being reachable."""
    match person.consent:
        case ConsentState.GIVEN if person.phone_verified_at is None:
            return Badge(_("agreed, phone not verified"), "warning")
        case ConsentState.GIVEN:
            return Badge(_("agreed"), "success")
        case ConsentState.DECLINED:
            return Badge(_("declined"), "danger")
        case ConsentState.INVITED:
            return Badge(_("no answer yet"), "warning")
        case _:
            return Badge(_("not invited yet"), "secondary")


def trail_to(handover: Handover, *more: str) -> list[tuple[str, str]]:
    """Return the breadcrumbs of a page of one handover."""
    trail = [(_("Handovers"), reverse("handovers")), (handover.title, reverse("handover", args=[handover.pk]))]
    return [*trail, *((label, "") for label in more)]
