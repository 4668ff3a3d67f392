"""What the operator is told when somebody has to look. It names no owner and no content."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import override

from stafeta.accounts.models import ZONE_DEFAULT, User
from stafeta.accounts.moments import Moment
from stafeta.core.errors import Obsolete
from stafeta.outbox.kinds import Rendered
from stafeta.outbox.models import Message
from stafeta.outbox.render import render_mail
from stafeta.switches.messages import facts
from stafeta.switches.messages.sms import one_sms
from stafeta.switches.models import Hold, Outage, ServiceClock
from stafeta.switches.selectors import breaker_counts
from stafeta.switches.services.page_operator import Alarm

OPERATOR_PATH: Final = "/operator/"


@dataclass(frozen=True, slots=True)
class Reader:
    """Who reads it. to: an e-mail address, or a number for an SMS."""

    to: str
    language: str
    zone: str


def page_operator(message: Message) -> Rendered:
    """Render what the operator is told. Raises Obsolete once it is over."""
    reader = _reader(message)
    alarm = Alarm(message.params["alarm"])
    with override(reader.language):
        context = _CONTEXTS[alarm](message, reader)
        url = f"{settings.SITE_URL}{OPERATOR_PATH}"
        if message.channel == Message.Channel.SMS:
            return Rendered(to=reader.to, text=one_sms(_sms_words(alarm), link=url), language=reader.language)
    context |= {"alarm": alarm.value, "button_url": url}
    mail = render_mail("switches/mail/page_operator", context, language=reader.language)
    return Rendered(to=reader.to, subject=mail.subject, text=mail.text, html=mail.html, language=reader.language)


def _reader(message: Message) -> Reader:
    """Return whom it goes to: an operator's account, or the address of the settings, in the first operator's words."""
    operators = User.objects.filter(is_staff=True, is_active=True).order_by("pk")
    if message.params["person"] == 0:
        if not settings.OPERATOR_EMAIL:
            raise Obsolete("no address for the operator is set any more")
        first = operators.filter(email__iexact=settings.OPERATOR_EMAIL).first() or operators.first()
        language, zone = (first.language, first.zone) if first else (settings.LANGUAGE_CODE, ZONE_DEFAULT)
        return Reader(settings.OPERATOR_EMAIL, language, zone)
    operator = operators.filter(pk=message.params["person"]).first()
    if operator is None:
        raise Obsolete("this account is no operator any more")
    by_sms = message.channel == Message.Channel.SMS
    return Reader(facts.require_phone(operator.phone) if by_sms else operator.email, operator.language, operator.zone)


def _hold(message: Message, reader: Reader) -> dict[str, object]:
    hold = Hold.objects.filter(pk=message.params["about"]).first()
    if hold is None:
        raise Obsolete("the hold is forgotten")
    counts = breaker_counts(hold)
    now = message.queued_at
    return {
        "is_breaker": hold.kind == Hold.Kind.BREAKER,
        "reason": hold.reason,
        "releases": counts.releases,
        "armed": counts.armed,
        "until": Moment(hold.until, reader.zone, now),
        "ended": Moment(hold.ended_at, reader.zone, now) if hold.ended_at else None,
    }


def _standing_hold(message: Message, reader: Reader) -> dict[str, object]:
    context = _hold(message, reader)
    if context["ended"]:
        raise Obsolete("the hold has ended")
    return context


def _clock(message: Message, reader: Reader) -> dict[str, object]:
    clock = ServiceClock.objects.first()
    if clock is None or int(clock.wall.timestamp()) != message.params["about"]:
        raise Obsolete("the clock was put right")
    return {"latest": Moment(clock.wall, reader.zone, message.queued_at)}


def _outage(message: Message, reader: Reader) -> dict[str, object]:
    outage = Outage.objects.filter(pk=message.params["about"], ended_at=None).first()
    if outage is None:
        raise Obsolete("the service can hear again")
    return {"since": Moment(outage.began_at, reader.zone, message.queued_at), "reason": outage.reason}


_CONTEXTS: Final[dict[Alarm, Callable[[Message, Reader], dict[str, object]]]] = {
    Alarm.BREAKER: _standing_hold,
    Alarm.HOLD_BEGAN: _standing_hold,
    Alarm.HOLD_ENDED: _hold,
    Alarm.CLOCK_BEHIND: _clock,
    Alarm.OUTAGE: _outage,
}


def _sms_words(alarm: Alarm) -> str:
    match alarm:
        case Alarm.BREAKER:
            # Translators: an SMS to the operator; at most 90 characters.
            return _("Stafeta: too many handovers were about to open at once. All is held. Please look:")
        case Alarm.CLOCK_BEHIND:
            # Translators: an SMS to the operator; at most 90 characters.
            return _("Stafeta: the clock is behind, so nobody is asked. Please look:")
        case _:
            # Translators: an SMS to the operator; at most 90 characters.
            return _("Stafeta: the service cannot hear its owners. Please look:")
