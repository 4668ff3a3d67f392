"""What needs the owner's attention, the gravest first; an empty list is the good news."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from stafeta.accounts.models import User
from stafeta.accounts.moments import Moment
from stafeta.core.policy import By, Missing
from stafeta.core.states import Resting
from stafeta.outbox.models import ChannelHealth
from stafeta.switches.models import Hold, ServiceClock, Switch, TrustedContact
from stafeta.switches.selectors import dead_letters_of, standing_hold
from stafeta.switches.unreached import Unreached, unreached_of
from stafeta.vault.holders import changed_keys_of, waiting_for, without_key
from stafeta.vault.models import ConsentState, Recipient
from stafeta.vault.sealing import is_closed
from stafeta.web.dead_letters import DeadLetter, dead_letter
from stafeta.web.doubts import doubted_people
from stafeta.web.unreached_words import unreached_sentence

DEAD_LETTERS_SHOWN = 5
UNREACHED_SHOWN = 5
CLOSED_SHOWN = 5
DEAD_LETTER_AGE_MAX = timedelta(days=30)
NAMES_SHOWN = 3


@dataclass(frozen=True, slots=True)
class Attention:
    """One thing to look at. letter: a message that may be tried again. works_url: where a button says that it works."""

    tone: str
    text: str
    url: str = ""
    action: str = ""
    letter: DeadLetter | None = None
    works_url: str = ""


def attention_of(owner: User, switch: Switch, *, missing: tuple[Missing, ...], now: datetime) -> tuple[Attention, ...]:
    """Return what needs attention now. While the switch rests, what arming needs stands in its own list."""
    items = [*_of_service(owner, switch, now=now), *_of_unreached(owner, now=now), *_of_letters(owner, now=now)]
    if not isinstance(switch.ladder_state, Resting):
        items += _of_account(missing)
    items += [*_of_closed(owner), *_of_sealed(owner), *_of_people(owner, switch), *_of_addresses(owner, switch)]
    return tuple(items)


def _of_service(owner: User, switch: Switch, *, now: datetime) -> Iterator[Attention]:
    if switch.faults:
        yield Attention(
            "danger",
            _("The service stumbled over your switch and keeps trying. Nothing opens meanwhile; its operator knows."),
        )
    names = {"email": _("E-mail"), "sms": _("SMS")}
    for health in ChannelHealth.objects.filter(failing_since__isnull=False):
        on = Moment(health.failing_since or now, owner.zone, now).on
        text = _("%(channel)s: the provider takes no messages; it began %(on)s. They wait and are tried again.")
        yield Attention("warning", text % {"channel": names.get(health.channel, health.channel), "on": on})
    hold = standing_hold(now=now)
    if hold is not None:
        yield Attention("warning", _of_hold(hold, owner, now=now))
    clock = ServiceClock.objects.filter(deaf_since__isnull=False).first() if hold is None else None
    if clock and clock.deaf_since and now - clock.deaf_since > timedelta(hours=1):
        on = Moment(clock.deaf_since, owner.zone, now).on
        yield Attention(
            "warning", _("The service cannot hear you, so all waits stand still; it began %(on)s.") % {"on": on}
        )


def _of_hold(hold: Hold, owner: User, *, now: datetime) -> str:
    on = Moment(hold.until, owner.zone, now).on
    if hold.kind == Hold.Kind.BREAKER:
        words = _(
            "Unusually many handovers were about to open at once, so I have stopped all waits until the operator has "
            "looked; they continue %(on)s at the latest. If you confirm that you are well, it counts as always."
        )
    elif hold.reason:
        words = _(
            "The operator has stopped all waits (%(reason)s); they continue %(on)s at the latest. Nobody is asked and "
            "nothing opens meanwhile; if you confirm that you are well, it counts as always."
        )
    else:
        words = _(
            "The operator has stopped all waits; they continue %(on)s at the latest. Nobody is asked and nothing opens "
            "meanwhile; if you confirm that you are well, it counts as always."
        )
    return words % {"on": on, "reason": hold.reason}


def _of_unreached(owner: User, *, now: datetime) -> Iterator[Attention]:
    unreached = unreached_of(owner)
    for one in unreached[:UNREACHED_SHOWN]:
        works_url = reverse("address-works", args=[one.suppression.pk])
        yield Attention(
            "danger", unreached_sentence(one, zone=owner.zone, now=now), *_where_to_change(one), works_url=works_url
        )
    if len(unreached) > UNREACHED_SHOWN:
        more = len(unreached) - UNREACHED_SHOWN
        text = ngettext("%(n)d more address is not reached.", "%(n)d more addresses are not reached.", more)
        yield Attention("danger", text % {"n": more}, reverse("people"), _("People"))


def _where_to_change(one: Unreached) -> tuple[str, str]:
    match one.place.role:
        case "contact" | "recipient" as role:
            return reverse(f"{role}-edit", args=[one.place.pk]), _("Change")
        case _:
            page = "account_email" if one.place.channel == By.EMAIL else "account-phone"
            return reverse(page), _("Change")


def _of_letters(owner: User, *, now: datetime) -> Iterator[Attention]:
    newest: dict[tuple[str, str], DeadLetter] = {}
    for message in dead_letters_of(owner):
        if message.settled_at and now - message.settled_at < DEAD_LETTER_AGE_MAX:
            letter = dead_letter(message)
            newest.setdefault((letter.about, letter.to), letter)
    letters = list(newest.values())
    for letter in letters[:DEAD_LETTERS_SHOWN]:
        to = f" ({letter.to})" if letter.to else ""
        yield Attention("danger", f"{letter.about}{to}: {letter.problem}", letter=letter)
    if len(letters) > DEAD_LETTERS_SHOWN:
        more = len(letters) - DEAD_LETTERS_SHOWN
        text = ngettext("%(n)d more message was not delivered.", "%(n)d more messages were not delivered.", more)
        yield Attention("danger", text % {"n": more}, reverse("history") + "?kind=problems", _("History"))


def _of_account(missing: tuple[Missing, ...]) -> Iterator[Attention]:
    if Missing.EMAIL in missing:
        yield Attention("danger", _("Your e-mail is not verified."), reverse("account_email"), _("Verify"))
    if Missing.PHONE in missing:
        yield Attention("danger", _("Your phone is not verified."), reverse("account-phone"), _("Verify"))
    if Missing.HANDOVER in missing:
        text = _("There is nothing to hand over: no handover has both a text and a recipient.")
        yield Attention("danger", text, reverse("handovers"), _("Handovers"))


def _of_sealed(owner: User) -> Iterator[Attention]:
    """Whatever is not sealed for somebody would not be readable to them after a release."""
    page = reverse("sealing")
    for key in changed_keys_of(owner):
        name = {"name": key.recipient.name if key.recipient else ""}
        text = _("The key of %(name)s has changed. Call them and compare the words before you acknowledge it.") % name
        yield Attention("danger", text, page, _("Compare"))
    waiting = waiting_for(owner)
    if waiting:
        text = ngettext(
            "Somebody could not open a sealed handover yet: it waits for your unlock.",
            "Somebody could not open %(n)d sealed handovers yet: they wait for your unlock.",
            len(waiting),
        )
        yield Attention("warning", text % {"n": len(waiting)}, page, _("Seal for everybody"))
    without = [person.name for person in without_key(owner)]
    if without:
        text = ngettext(
            "%(names)s has not chosen a passphrase yet, so nothing can be sealed for them.",
            "%(names)s have not chosen their passphrases yet, so nothing can be sealed for them.",
            len(without),
        )
        yield Attention("warning", text % {"names": _names(without)}, reverse("people"), _("People"))


def _of_closed(owner: User) -> Iterator[Attention]:
    closed = [handover for handover in owner.handovers.filter(deleted_at=None) if is_closed(handover)]
    for handover in closed[:CLOSED_SHOWN]:
        text = _("Nobody can read “%(title)s” now: the key to it is missing.") % {"title": handover.title}
        yield Attention("danger", text, reverse("handover", args=[handover.pk]), _("What can I do?"))
    if len(closed) > CLOSED_SHOWN:
        more = len(closed) - CLOSED_SHOWN
        text = ngettext("So it is with %(n)d more handover.", "So it is with %(n)d more handovers.", more)
        yield Attention("danger", text % {"n": more}, reverse("handovers"), _("Handovers"))


def _of_people(owner: User, switch: Switch) -> Iterator[Attention]:
    people = reverse("people")
    contacts = list(switch.contacts.all())
    if not any(contact.consent != ConsentState.DECLINED for contact in contacts):
        text = _(
            "Nobody close to you is asked before the handovers open. One person who could ring your bell helps most."
        )
        yield Attention("warning", text, reverse("contact-new"), _("Add"))
    used = list(Recipient.objects.filter(owner=owner, handovers__deleted_at=None, handovers__isnull=False).distinct())
    by_state: dict[str, list[str]] = {}
    everybody: list[TrustedContact | Recipient] = [*contacts, *used]
    for person in everybody:
        by_state.setdefault(person.consent, []).append(person.name)
    declined, silent, draft = (
        by_state.get(state, []) for state in (ConsentState.DECLINED, ConsentState.INVITED, ConsentState.DRAFT)
    )
    if declined:
        text = ngettext("%(names)s declined and gets nothing.", "%(names)s declined and get nothing.", len(declined))
        yield Attention("warning", text % {"names": _names(declined)}, people, _("People"))
    if silent:
        text = ngettext("%(names)s has not answered yet.", "%(names)s have not answered yet.", len(silent))
        yield Attention("info", text % {"names": _names(silent)}, people, _("People"))
    if draft:
        text = ngettext("%(names)s is not invited yet.", "%(names)s are not invited yet.", len(draft))
        yield Attention("info", text % {"names": _names(draft)}, people, _("Invite"))


def _of_addresses(owner: User, switch: Switch) -> Iterator[Attention]:
    doubted = doubted_people(owner, switch)
    if doubted:
        text = _("Please check what is entered: %(names)s.") % {"names": _names(doubted)}
        yield Attention("warning", text, reverse("people"), _("People"))


def _names(names: list[str]) -> str:
    if len(names) <= NAMES_SHOWN:
        return ", ".join(names)
    return _("%(names)s and %(more)d more") % {
        "names": ", ".join(names[:NAMES_SHOWN]),
        "more": len(names) - NAMES_SHOWN,
    }
