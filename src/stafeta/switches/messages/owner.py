"""What the owner is asked and told."""

from __future__ import annotations

from collections.abc import Mapping

from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, override

from stafeta.accounts.models import User
from stafeta.accounts.signed_links import url_for
from stafeta.core.errors import Obsolete
from stafeta.core.links import Link, Purpose
from stafeta.core.policy import By, RungKind
from stafeta.core.states import Climbing, Held, Told, Waiting
from stafeta.outbox.kinds import Rendered
from stafeta.outbox.message_ids import thread_headers
from stafeta.outbox.models import Message
from stafeta.outbox.render import render_mail
from stafeta.switches.messages import facts
from stafeta.switches.messages.sms import one_sms
from stafeta.switches.models import Hold, Switch, TrustedContact


def ask_owner(message: Message) -> Rendered:
    """Render a prompt to the owner, by e-mail or SMS. Raises Obsolete once they were heard."""
    switch = facts.switch_behind(message)
    climbing = facts.climbing_of(message, switch)
    facts.require_not_superseded(message, climbing, switch)
    instant = facts.instant_of(message)
    outlook = facts.outlook_of(switch, instant)
    if message.channel == By.SMS:
        return _prompt_by_sms(message, switch, outlook)
    context = {
        "button_url": checkin_url(switch),
        "kind": message.params["rung_kind"],
        "attempt": message.params["attempt"],
        "attempts": message.params["attempts"],
        "outlook": outlook,
        "sms_fails": By.SMS in facts.channels_that_fail(switch, climbing.cycle),
        "said_go_ahead": _names(switch, climbing.go_ahead),
    }
    template = "ask_owner_last" if facts.is_last_call(message) else "ask_owner"
    return _mail(message, switch, template, context)


def tell_owner(message: Message) -> Rendered:
    """Render news for the owner. Raises Obsolete for news that has been overtaken."""
    switch = facts.switch_behind(message)
    told = Told(message.params["told"])
    cause = facts.cause_behind(message, switch)
    context = {"cause": cause.name if cause else "", "button_url": checkin_url(switch)}
    match told:
        case Told.CONTACTS_ASKED:
            more = _contacts_asked(message, switch)
        case Told.VOUCHED:
            more = _vouched(message, switch)
        case Told.WAITING:
            more = _waiting(message, switch)
        case Told.RELEASED:
            facts.require_released(message, switch)
            more = {}
        case Told.FALSE_ALARM:
            more = {"button_url": f"{settings.SITE_URL}/"}
        case _:
            raise Obsolete(f"the owner is not told {told.value!r}")
    return _mail(message, switch, f"owner_{told.value}", context | more)


def call_owner(message: Message) -> Rendered:
    """Render the call to an owner whose release the breaker stopped. Raises Obsolete once they were heard, or it ended.

    It is no prompt: no window waits for it (docs/adr/0011).
    """
    switch = facts.switch_behind(message)
    facts.climbing_of(message, switch)
    hold = Hold.objects.filter(pk=message.params["hold"], ended_at=None).first()
    if hold is None:
        raise Obsolete("the hold has ended")
    owner = switch.owner
    if message.channel == By.SMS:
        with override(owner.language):
            # Translators: an SMS; at most 90 characters.
            words = _("Stafeta: many handovers are about to open at once. If you are all right, confirm:")
        text = one_sms(words, link=checkin_url(switch))
        return Rendered(to=facts.require_phone(owner.phone), text=text, language=owner.language)
    until = facts.moment(hold.until, switch, facts.instant_of(message))
    return _mail(message, switch, "call_owner", {"button_url": checkin_url(switch), "until": until})


def checkin_url(switch: Switch) -> str:
    """Return the check-in link of the running cycle."""
    return url_for(Link(Purpose.CHECKIN, switch.owner_id, switch.pk, switch.cycle))


def _contacts_asked(message: Message, switch: Switch) -> dict[str, object]:
    climbing = facts.climbing_of(message, switch)
    prompts = Message.objects.filter(
        owner_id=switch.owner_id,
        kind="switches.ask_contact",
        key__startswith=f"{switch.pk}:{climbing.cycle}:",
    )
    asked = frozenset(params["person"] for params in prompts.values_list("params", flat=True))
    return {"contacts": _names(switch, asked), "outlook": facts.outlook_of(switch, facts.instant_of(message))}


def _vouched(message: Message, switch: Switch) -> dict[str, object]:
    instant = facts.instant_of(message)
    state = switch.ladder_state
    due = facts.moment(state.due, switch, instant) if isinstance(state, Waiting) else None
    return {"due": due, "is_armed": isinstance(state, (Waiting, Climbing, Held))}


def _waiting(message: Message, switch: Switch) -> dict[str, object]:
    facts.climbing_of(message, switch)
    if not isinstance(switch.ladder_state, Held):
        raise Obsolete("the wait is over")
    return {"outlook": facts.outlook_of(switch, facts.instant_of(message))}


def _prompt_by_sms(message: Message, switch: Switch, outlook: facts.Outlook) -> Rendered:
    owner = switch.owner
    with override(owner.language):
        words = sms_words(message, outlook)
    text = one_sms(words, link=checkin_url(switch))
    return Rendered(to=facts.require_phone(owner.phone), text=text, language=owner.language)


def sms_words(message: Message, outlook: facts.Outlook) -> str:
    """Return what the SMS says before the link: at most 90 characters in any language."""
    when = {"when": outlook.next.at.brief}
    kind = message.params["rung_kind"]
    if kind == RungKind.COOLING_OFF:
        # Translators: an SMS; at most 90 characters with the date in place.
        return _("Stafeta LAST CALL: the handovers open %(when)s. If you are all right, confirm:") % when
    if kind == RungKind.LAST_CALL:
        # Translators: an SMS; at most 90 characters.
        return ngettext(
            "Stafeta LAST CALL: the handovers open in %(hours)s hour. If you are all right, confirm:",
            "Stafeta LAST CALL: the handovers open in %(hours)s hours. If you are all right, confirm:",
            outlook.hours_left,
        ) % {"hours": outlook.hours_left}
    if message.params["fallback"]:
        # Translators: an SMS; at most 90 characters with the date in place.
        return _("Stafeta: e-mail does not reach you. Are you all right? Confirm by %(when)s:") % when
    if outlook.next.kind == RungKind.TRUSTED:
        # Translators: an SMS; at most 90 characters with the date in place.
        return _("Stafeta: are you all right? Confirm by %(when)s, or we ask those close to you:") % when
    if outlook.next.kind == facts.RELEASE:
        # Translators: an SMS; at most 90 characters with the date in place.
        return _("Stafeta: are you all right? Confirm by %(when)s, or the handovers open:") % when
    # Translators: an SMS; at most 90 characters with the date in place.
    return _("Stafeta: are you all right? Please confirm by %(when)s:") % when


def _names(switch: Switch, ids: frozenset[int]) -> list[str]:
    return list(TrustedContact.objects.filter(switch=switch, pk__in=ids).values_list("name", flat=True))


def _mail(message: Message, switch: Switch, template: str, context: Mapping[str, object]) -> Rendered:
    owner: User = switch.owner
    mail = render_mail(f"switches/mail/{template}", {"owner": owner.name, **context}, language=owner.language)
    return Rendered(
        to=owner.email,
        subject=mail.subject,
        text=mail.text,
        html=mail.html,
        headers=thread_headers(switch=switch.pk, cycle=message.params["cycle"], person="owner"),
        language=owner.language,
    )
