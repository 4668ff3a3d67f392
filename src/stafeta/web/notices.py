"""Mails about changes that an intruder could have made, so that the owner hears of them (invariant 15).

What changed is read from the event log when the mail is sent; the queue holds ids, and an address only where it is no
longer stored anywhere else.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from django.conf import settings
from django.urls import reverse
from django.utils import translation

from stafeta.accounts.models import User
from stafeta.accounts.moments import Moment
from stafeta.core.errors import Obsolete
from stafeta.core.states import Resting
from stafeta.outbox.kinds import Rendered, register
from stafeta.outbox.models import Message
from stafeta.outbox.render import render_mail
from stafeta.outbox.services.queue import Draft, enqueue
from stafeta.switches.models import Event, Switch
from stafeta.web.history_words import Names, event_sentence

SWITCH_CHANGED: Final = "web.switch_changed"
PERSON_CHANGED: Final = "web.person_changed"
# What is told in words of its own.
_TEMPLATES: Final = {"HandoverCopied": "copy_taken"}


def register_notices() -> None:
    """Tell the outbox who renders these; doing it twice is harmless."""
    register(SWITCH_CHANGED, _switch_changed)
    register(PERSON_CHANGED, _person_changed)


def tell_owner(*, switch: Switch, now: datetime, even_resting: bool = False) -> None:
    """Queue a mail to the owner about the newest event of the log, in the transaction that wrote it.

    While the switch rests there is nothing an intruder could gain, and an owner who is setting up is left in peace.
    """
    present = Switch.objects.get(pk=switch.pk)
    if isinstance(present.ladder_state, Resting) and not even_resting:
        return
    event = Event.objects.filter(switch=switch).order_by("-number").first()
    if event is None:
        return
    params = {"person": switch.owner_id, "event": event.pk}
    _queue(f"web:changed:{event.pk}", SWITCH_CHANGED, switch.owner_id, params, now=now)


def tell_address(*, owner: User, email: str, language: str, now: datetime) -> None:
    """Queue a mail to an address that the owner has just replaced by another."""
    params = {"person": owner.pk, "to": email, "language": language}
    _queue(f"web:replaced:{owner.pk}:{now.timestamp():.6f}", PERSON_CHANGED, owner.pk, params, now=now)


def _queue(key: str, kind: str, owner_id: int, params: dict[str, Any], *, now: datetime) -> None:
    enqueue([Draft(key=key, kind=kind, channel="email", owner_id=owner_id, params=params)], now=now)


def _switch_changed(message: Message) -> Rendered:
    event = Event.objects.select_related("switch__owner").filter(pk=message.params["event"]).first()
    if event is None:
        raise Obsolete("the switch is gone")
    owner, switch = event.switch.owner, event.switch
    with translation.override(owner.language):
        change = event_sentence(event, None, names=Names(switch), zone=owner.zone)
        when = Moment(event.at, owner.zone, event.at)
        context = {"change": change, "when": when.on, "to": owner.email}
    name = _TEMPLATES.get(event.kind, "switch_changed")
    return _mail(name, context, to=owner.email, language=owner.language, page="account_reset_password")


def _person_changed(message: Message) -> Rendered:
    owner = User.objects.filter(pk=message.params["person"]).first()
    if owner is None:
        raise Obsolete("the owner is gone")
    to, language = message.params["to"], message.params["language"]
    return _mail("person_changed", {"owner": owner.name, "email": owner.email}, to=to, language=language)


def _mail(name: str, context: dict[str, Any], *, to: str, language: str, page: str = "") -> Rendered:
    url = {"button_url": f"{settings.SITE_URL}{reverse(page)}"} if page else {}
    mail = render_mail(f"web/people/mail/{name}", {**context, **url}, language=language)
    return Rendered(to=to, subject=mail.subject, text=mail.text, html=mail.html, language=language)
