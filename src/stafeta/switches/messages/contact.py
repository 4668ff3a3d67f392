"""What a trusted contact is asked and told."""

from __future__ import annotations

from collections.abc import Mapping

from django.utils.translation import gettext as _
from django.utils.translation import override

from stafeta import clock
from stafeta.accounts.code_sms import code_sms
from stafeta.accounts.signed_links import url_for
from stafeta.core.errors import Obsolete
from stafeta.core.links import Link, Purpose
from stafeta.core.policy import HOLD_DAYS_MAX, VOUCHES_MAX, By
from stafeta.core.states import Held, Told
from stafeta.outbox.kinds import Rendered
from stafeta.outbox.message_ids import thread_headers
from stafeta.outbox.models import Message
from stafeta.outbox.render import render_mail
from stafeta.switches.messages import facts
from stafeta.switches.messages.sms import one_sms
from stafeta.switches.models import Switch, TrustedContact
from stafeta.vault.models import Recipient


def ask_contact(message: Message) -> Rendered:
    """Render a prompt to a trusted contact, by e-mail or SMS. Raises Obsolete once the owner was heard."""
    switch = facts.switch_behind(message)
    climbing = facts.climbing_of(message, switch)
    facts.require_not_superseded(message, climbing, switch)
    contact = facts.contact_behind(message, switch)
    if message.channel == By.SMS:
        return _prompt_by_sms(switch, contact)
    instant = facts.instant_of(message)
    seen = switch.last_checkin_at
    context = {
        "button_url": trusted_url(switch, contact),
        "attempt": message.params["attempt"],
        "attempts": message.params["attempts"],
        "sms_failed": message.params["fallback"],
        "outlook": facts.outlook_of(switch, instant),
        "last_checkin": facts.moment(seen, switch, instant) if seen else None,
        "owner_fails": facts.channels_that_fail(switch, climbing.cycle),
        "may_go_ahead": switch.ladder_policy.may_go_ahead,
        "only_postpones": climbing.vouched >= VOUCHES_MAX,
        "days_max": HOLD_DAYS_MAX,
    }
    return _mail(message, switch, contact, "ask_contact", context)


def tell_contact(message: Message) -> Rendered:
    """Render news for a trusted contact. Raises Obsolete for news that has been overtaken."""
    switch = facts.switch_behind(message)
    contact = facts.contact_behind(message, switch)
    cause = facts.cause_behind(message, switch)
    context: dict[str, object] = {
        "cause": cause.name if cause else "",
        "is_own": cause == contact,
    }
    told = message.params["told"]
    match told:
        case Told.ALL_WELL | Told.FALSE_ALARM:
            more: dict[str, object] = {}
        case Told.WAITING:
            more = _waiting(message, switch, contact)
        case Told.GO_AHEAD:
            facts.climbing_of(message, switch)
            more = {
                "button_url": trusted_url(switch, contact),
                "outlook": facts.outlook_of(switch, facts.instant_of(message)),
            }
        case Told.RELEASED:
            facts.require_released(message, switch)
            more = {}
        case "unreached":
            facts.require_released(message, switch)
            more = {"recipients": _recipients(message, switch)}
        case _:
            raise Obsolete(f"a trusted contact is not told {told!r}")
    return _mail(message, switch, contact, f"contact_{told}", context | more)


def invite_contact(message: Message) -> Rendered:
    """Render an invitation. Raises Obsolete once they declined or a newer one was sent."""
    switch = facts.switch_behind(message)
    contact = facts.contact_behind(message, switch)
    if contact.invitation != message.params["invitation"]:
        raise Obsolete("a newer invitation was sent")
    link = Link(Purpose.CONTACT_CONSENT, contact.pk, switch.pk, contact.invitation)
    return _mail(message, switch, contact, "invite_contact", {"button_url": url_for(link)})


def contact_code(message: Message) -> Rendered:
    """Render the SMS with the code that proves a contact's phone. Raises Obsolete for a code of the past."""
    contact = TrustedContact.objects.filter(pk=message.params["person"]).first()
    if contact is None:
        raise Obsolete("the trusted contact is gone")
    phone, text = code_sms(
        challenge_id=message.params["challenge"],
        counter=message.params["counter"],
        language=contact.language,
        now=clock.real_now(),
    )
    return Rendered(to=phone, text=text, language=contact.language)


def trusted_url(switch: Switch, contact: TrustedContact) -> str:
    """Return the contact's link of the running cycle."""
    return url_for(Link(Purpose.TRUSTED, contact.pk, switch.pk, switch.cycle))


def _waiting(message: Message, switch: Switch, contact: TrustedContact) -> dict[str, object]:
    facts.climbing_of(message, switch)
    if not isinstance(switch.ladder_state, Held):
        raise Obsolete("the wait is over")
    return {
        "button_url": trusted_url(switch, contact),
        "outlook": facts.outlook_of(switch, facts.instant_of(message)),
    }


def _recipients(message: Message, switch: Switch) -> list[str]:
    """Return the names of those who were to read the handover: what a contact needs to find them, and no more."""
    granted = Recipient.objects.filter(
        grants__handover=message.params["handover"],
        grants__switch=switch.pk,
        grants__cycle=switch.cycle,
        grants__closed_at__isnull=True,
    )
    names = list(granted.distinct().values_list("name", flat=True))
    if not names:
        raise Obsolete("the handover has no recipients any more")
    return names


def _prompt_by_sms(switch: Switch, contact: TrustedContact) -> Rendered:
    with override(contact.language):
        # Translators: an SMS; at most 75 characters beside the name.
        words = _("Stafeta: %(name)s does not answer. Please find out if all is well, and reply:")
    text = one_sms(words, link=trusted_url(switch, contact), name=switch.owner.name)
    return Rendered(to=facts.require_phone(contact.phone), text=text, language=contact.language)


def _mail(
    message: Message, switch: Switch, contact: TrustedContact, template: str, context: Mapping[str, object]
) -> Rendered:
    people = {"owner": switch.owner.name, "contact": contact.name}
    mail = render_mail(f"switches/mail/{template}", {**people, **context}, language=contact.language)
    cycle = message.params.get("cycle", 0)
    return Rendered(
        to=contact.email,
        subject=mail.subject,
        text=mail.text,
        html=mail.html,
        headers=thread_headers(switch=switch.pk, cycle=cycle, person=f"trusted:{contact.pk}"),
        language=contact.language,
    )
