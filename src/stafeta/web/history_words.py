"""One sentence for each thing that can happen to a switch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import assert_never

from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from stafeta.accounts.moments import Moment
from stafeta.core.codec import decode_event
from stafeta.core.moves import rung_of
from stafeta.core.policy import Audience, By, RungKind
from stafeta.core.states import (
    Armed,
    AskedToWait,
    CheckedIn,
    Climbing,
    Evidence,
    GaveGoAhead,
    Held,
    PauseBegan,
    PauseEnded,
    PromptAccepted,
    PromptBounced,
    PromptRefused,
    Released,
    Restored,
    StoodDown,
    Ticked,
    Vouched,
)
from stafeta.switches.models import Event, Switch, TrustedContact
from stafeta.vault.models import Consent, Reading, Recipient
from stafeta.web.replay import Step


class Names:
    """Who the ids in the log are. Somebody removed by the owner keeps the name they had; erased people have none."""

    def __init__(self, switch: Switch) -> None:
        self._switch = switch

    def contact(self, pk: object) -> str:
        """Return the name of a trusted contact."""
        return self._contacts.get(pk) or _("somebody close to you")

    def recipient(self, pk: object) -> str:
        """Return the name of a recipient."""
        return self._recipients.get(pk) or _("a recipient")

    @cached_property
    def _contacts(self) -> dict[object, str]:
        return self._removed("ContactRemoved", "contact") | dict(
            TrustedContact.objects.filter(switch=self._switch).values_list("pk", "name")
        )

    @cached_property
    def _recipients(self) -> dict[object, str]:
        return self._removed("RecipientRemoved", "recipient") | dict(
            Recipient.objects.filter(owner=self._switch.owner_id).values_list("pk", "name")
        )

    def _removed(self, kind: str, who: str) -> dict[object, str]:
        facts = Event.objects.filter(switch=self._switch, kind=kind).values_list("event", flat=True)
        return {fact[who]: fact["name"] for fact in facts}


def event_sentence(event: Event, step: Step | None, *, names: Names, zone: str) -> str:
    """Return what an event of the log was, as its owner would tell it. zone: for the moments inside the sentence."""
    if not event.on_ladder:
        return _fact(event, names)
    happened = decode_event(event.event)
    match happened:
        case Ticked():
            return _ticked(step)
        case CheckedIn(evidence=evidence):
            return _checked_in(evidence, was_released=step is not None and isinstance(step[0], Released))
        case Armed():
            return _("You armed the switch.")
        case StoodDown():
            return _("You disarmed the switch.")
        case PauseBegan(until=until):
            return _("You paused the switch until %(day)s.") % {"day": Moment(until, zone, event.at).day}
        case PauseEnded():
            return _("You ended the pause.")
        case PromptAccepted() | PromptRefused() | PromptBounced():
            return _prompt(happened, names)
        case Vouched() | AskedToWait() | GaveGoAhead():
            return _contact_said(happened, names, counted=event.policy is not None)
        case Restored():
            return _("The service came back from a backup, and I began asking anew.")
        case _ as never:
            assert_never(never)


def _ticked(step: Step | None) -> str:
    if step is None:
        return _("I asked you whether you are all right.")
    before, after, policy = step
    if isinstance(after, Released):
        return _("I heard from nobody, and the handovers opened.")
    if not isinstance(after, Climbing):
        return _("Time passed.")
    if isinstance(before, Climbing) and after.unreachable and not before.unreachable:
        return _("For three days no message could be delivered. The wait is doubled, and I go on.")
    rung = rung_of(after, policy)
    times = {"attempt": rung.attempt, "attempts": rung.attempts}
    match rung.kind:
        case RungKind.EMAIL:
            asked = _("I asked you by e-mail (%(attempt)d of %(attempts)d).") % times
        case RungKind.SMS:
            asked = _("I asked you by SMS and e-mail (%(attempt)d of %(attempts)d).") % times
        case RungKind.TRUSTED:
            asked = _("I asked the people close to you (%(attempt)d of %(attempts)d).") % times
        case RungKind.COOLING_OFF:
            asked = _("I asked you once more; the last wait began.")
        case RungKind.LAST_CALL:
            asked = _("I called you for the last time.")
        case _ as never:
            assert_never(never)
    return " ".join([_("The wait was over."), asked]) if isinstance(before, Held) else asked


def _checked_in(evidence: Evidence, *, was_released: bool) -> str:
    match evidence:
        case Evidence.LINK:
            said = _("You confirmed by a link that you are well.")
        case Evidence.SIGN_IN:
            said = _("You signed in, which counts as a confirmation.")
        case Evidence.BUTTON:
            said = _("You confirmed here that you are well.")
        case Evidence.SCHEDULE:
            said = _("You changed the schedule, which counts as a confirmation.")
        case Evidence.PEOPLE:
            said = _("You changed who is close to you, which counts as a confirmation.")
        case _ as never:
            assert_never(never)
    return " ".join([said, _("What nobody had opened was closed.")]) if was_released else said


def _prompt(event: PromptAccepted | PromptRefused | PromptBounced, names: Names) -> str:
    is_owner = event.audience is Audience.OWNER
    by_email = event.by is By.EMAIL
    match event:
        case PromptAccepted() if is_owner:
            return _("The e-mail to you went out.") if by_email else _("The SMS to you went out.")
        case PromptAccepted():
            words = _("The e-mail to %(name)s went out.") if by_email else _("The SMS to %(name)s went out.")
        case PromptRefused() if is_owner:
            return _("The e-mail to you was refused.") if by_email else _("The SMS to you was refused.")
        case PromptRefused():
            words = _("The e-mail to %(name)s was refused.") if by_email else _("The SMS to %(name)s was refused.")
        case PromptBounced() if is_owner:
            return _("The e-mail to you came back.") if by_email else _("The SMS to you came back.")
        case PromptBounced():
            words = _("The e-mail to %(name)s came back.") if by_email else _("The SMS to %(name)s came back.")
        case _ as never:
            assert_never(never)
    return words % {"name": names.contact(event.person)}


def _contact_said(event: Vouched | AskedToWait | GaveGoAhead, names: Names, *, counted: bool) -> str:
    name = names.contact(event.contact)
    match event:
        case Vouched() if counted:
            return _("%(name)s confirmed that you are well.") % {"name": name}
        case Vouched():
            return _("%(name)s confirmed again that you are well; that only postpones.") % {"name": name}
        case AskedToWait(days=days):
            words = ngettext("%(name)s asked to wait %(days)d day.", "%(name)s asked to wait %(days)d days.", days)
            return words % {"name": name, "days": days}
        case GaveGoAhead():
            return _("%(name)s said that something happened and the handovers may open.") % {"name": name}
        case _ as never:
            assert_never(never)


def _fact(event: Event, names: Names) -> str:
    facts = event.event
    if event.kind in ("AddressUnreached", "AddressReached"):
        return _address(facts, names, is_reached=event.kind == "AddressReached")
    name = names.contact(facts["contact"]) if "contact" in facts else names.recipient(facts.get("recipient"))
    words = {
        "ContactAdded": _("You entered %(name)s as somebody close to you."),
        "ContactChanged": _("You changed what is entered about %(name)s."),
        "ContactMoved": _("You changed the order of the people close to you."),
        "ContactRemoved": _("You removed %(name)s from the people close to you."),
        "ContactInvited": _("You invited %(name)s to be somebody close to you."),
        "ContactAgreed": _("%(name)s agreed to be asked about you."),
        "ContactDeclined": _("%(name)s declined to be asked about you."),
        "ContactPhoneVerified": _("%(name)s verified their phone."),
        "ContactErased": _("Somebody close to you had everything about them erased."),
        "ReleaseStopped": _("Many handovers were about to open at once. I stopped yours and called you once more."),
        "ScheduleChanged": _("You changed the schedule."),
        "RecipientAdded": _("You entered %(name)s as a recipient."),
        "RecipientChanged": _("You changed what is entered about %(name)s."),
        "RecipientRemoved": _("You removed %(name)s from the recipients."),
        "RecipientErased": _("A recipient had everything about them erased."),
        "HandoverCreated": _("You began the handover “%(title)s”."),
        "HandoverTermsChanged": _("You changed who gets “%(title)s” and when."),
        "HandoverDeleted": _("You deleted the handover “%(title)s”."),
        "AttachmentAdded": _("You added the file “%(file)s” to “%(title)s”."),
        "AttachmentRemoved": _("You removed the file “%(file)s” from “%(title)s”."),
        "AttachmentRestored": _("You brought the file “%(file)s” back to “%(title)s”."),
        "HandoverKeyRenewed": _("You wrote “%(title)s” anew under a fresh key, for nobody could open the one before."),
        "HandoverSealed": _("You sealed the handover “%(title)s”."),
        "HandoverSealedAnew": _("You sealed the handover “%(title)s” anew, under a fresh key."),
        "HandoverUnsealed": _("You changed the handover “%(title)s” from sealed to guarded."),
        "HandoverSealedForAll": _("You sealed “%(title)s” for everybody who is to open it."),
        "KeyMade": _("You made your key for sealed handovers."),
        "KeyReplaced": _("You replaced your key for sealed handovers."),
        "PassphraseChanged": _("You changed the passphrase of your key."),
        "PasskeyAdded": _("You let a passkey unlock your key."),
        "PasskeyRemoved": _("You let a passkey unlock your key no more."),
        "KeyAcknowledged": _("You acknowledged the changed key of %(name)s."),
        "KeyAskedFor": _("You asked %(name)s to choose a passphrase."),
        "RecipientKeyMade": _("%(name)s chose a passphrase for what is sealed for them."),
        "RecipientPassphraseChanged": _("%(name)s changed the passphrase of their key."),
        "RecipientKeyReplaced": _("%(name)s made another key for what is sealed for them."),
        "InstallationRestored": _("The service came back from a backup."),
        "HandoverCopied": _("You took a copy of “%(title)s” out; it opens with its card, without us."),
        "HandoverRestored": _("You brought the handover “%(title)s” back."),
    }.get(event.kind)
    words = words or _("Noted: %(kind)s")
    told = {"title": facts.get("title", ""), "file": facts.get("file", ""), "kind": event.kind}
    return words % {"name": name, **told}


def _address(facts: Mapping[str, object], names: Names, *, is_reached: bool) -> str:
    by_email = facts["channel"] == By.EMAIL
    if "owner" in facts:
        if is_reached:
            return _("E-mails to you are delivered again.") if by_email else _("SMS to you are delivered again.")
        return _("E-mails to you are no longer delivered.") if by_email else _("SMS to you are no longer delivered.")
    name = names.contact(facts["contact"]) if "contact" in facts else names.recipient(facts.get("recipient"))
    if is_reached:
        words = _("E-mails to %(name)s are delivered again.") if by_email else _("SMS to %(name)s are delivered again.")
    elif by_email:
        words = _("E-mails to %(name)s are no longer delivered.")
    else:
        words = _("SMS to %(name)s are no longer delivered.")
    return words % {"name": name}


def consent_sentence(consent: Consent) -> str:
    """Return what a recipient was asked or answered."""
    name = {"name": consent.recipient.name}
    match consent.kind:
        case Consent.Kind.ASKED:
            return _("You invited %(name)s to be a recipient.") % name
        case Consent.Kind.GIVEN:
            return _("%(name)s agreed to be a recipient.") % name
        case Consent.Kind.DECLINED:
            return _("%(name)s declined to be a recipient.") % name
        case _:
            return _("%(name)s verified their phone.") % name


def reading_sentence(reading: Reading) -> str:
    """Return who was shown what."""
    facts = {"name": reading.grant.recipient.name, "title": reading.grant.handover.title}
    if reading.how == Reading.How.LOCKED:
        return _("%(name)s was given “%(title)s”, still sealed.") % facts
    if reading.how == Reading.How.MAIL:
        return _("%(name)s had “%(title)s” sent by e-mail.") % facts
    return _("%(name)s read “%(title)s”.") % facts
