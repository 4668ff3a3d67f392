"""What became of a prompt, told to the ladder in the transaction that settles the message or hears its receipt."""

from __future__ import annotations

from datetime import datetime
from typing import assert_never

from django.db import transaction

from stafeta.core.errors import WrongCycle
from stafeta.core.policy import Audience, By
from stafeta.core.states import PromptAccepted, PromptBounced, PromptRefused
from stafeta.outbox.models import Message
from stafeta.outbox.selectors import is_suppressed, suppressions_of
from stafeta.outbox.services.receive_receipt import News
from stafeta.switches.models import Switch
from stafeta.switches.selectors import service_second
from stafeta.switches.services.decide import decide, decide_now, locked_switch, write
from stafeta.switches.services.tell_unreached_address import address_reached_again, address_unreached

PROMPTS = ("switches.ask_owner", "switches.ask_contact")


def record_delivery(message: Message, now: datetime) -> None:
    """Let an accepted prompt start its window, and a dead one be tried on the other channel (ladder.md, "accepted").

    One that has been refused for now for too long is tried there as well, and so is one that was accepted for an
    address its provider no longer delivers to: that acceptance may be worth nothing, so no window counts from it.
    Anything but a prompt is none of the ladder's business; a prompt of a finished cycle changes nothing (invariant
    13). Delivery never counts as a sign of life (invariant 6).
    """
    if message.kind not in PROMPTS or message.state in (Message.State.CANCELLED, Message.State.BOUNCED):
        return
    if message.state == Message.State.QUEUED and _is_asked(message, By(message.channel).other):
        return  # it is asked there already
    counts = message.state == Message.State.ACCEPTED and not is_suppressed(message.channel, message.to)
    _decide(message, PromptAccepted if counts else PromptRefused, now=now)


def record_news(message: Message, news: News, now: datetime) -> None:
    """Act upon what a receipt changed. What came back restarts its rung or its window; an address that is reached no
    more is shown and told to its owner; one that is reached again lets the prompt count that has just reached it."""
    match news:
        case News.BOUNCED:
            _bounced(message, now=now)
        case News.SUPPRESSED:
            address_unreached(message=message, now=now)
        case News.DELIVERED_AGAIN:
            address_reached_again(message=message, now=now)
            if message.kind in PROMPTS and message.state == Message.State.ACCEPTED:
                _decide(message, PromptAccepted, now=now)
        case _:
            assert_never(news)


def _decide(message: Message, verdict: type[PromptAccepted | PromptRefused], *, now: datetime) -> None:
    params = message.params
    event = verdict(
        cycle=params["cycle"],
        rung=params["rung"],
        round=params["round"],
        audience=Audience(params["audience"]),
        person=params["person"],
        by=By(message.channel),
    )
    try:
        decide_now(switch_id=params["switch"], event=event, now=now, service_s=service_second())
    except (WrongCycle, Switch.DoesNotExist):
        return  # the owner answered, or is gone: this prompt has nothing more to say


@transaction.atomic
def _bounced(message: Message, *, now: datetime) -> None:
    """Tell the ladder that a prompt came back. Whether others stand is asked under the switch's lock: of two that come
    back in the same moment, the second has to see the first."""
    if message.kind not in PROMPTS:
        return
    params = message.params
    try:
        switch = locked_switch(pk=params["switch"])
    except Switch.DoesNotExist:
        return  # the owner is gone
    event = PromptBounced(
        cycle=params["cycle"],
        rung=params["rung"],
        round=params["round"],
        audience=Audience(params["audience"]),
        person=params["person"],
        by=By(message.channel),
        others_reached=_others_stand(message),
    )
    service_s = service_second()
    try:
        decision = decide(switch=switch, event=event, now=now, service_s=service_s)
    except WrongCycle:
        return  # the owner answered meanwhile: however late a bounce is, an old cycle changes nothing
    write([decision], now=now, service_s=service_s)


def _others_stand(message: Message) -> bool:
    """Whether another prompt of the same rung and round, to anybody it asks, was accepted and stands."""
    accepted = Message.objects.filter(
        kind=message.kind, key__startswith=_rung_key(message), state=Message.State.ACCEPTED, owner=message.owner_id
    ).exclude(pk=message.pk)
    places = list(accepted.values_list("channel", "to"))
    return len(suppressions_of(places)) < len(set(places))


def _is_asked(message: Message, by: By) -> bool:
    """Whether the same person is asked by that channel, too, in the same rung and round."""
    return Message.objects.filter(key=f"{_rung_key(message)}{message.params['person']}:{by}").exists()


def _rung_key(message: Message) -> str:
    """Return how the keys of all prompts of the same rung and round begin (services.effects)."""
    return "{switch}:{cycle}:{rung}:{round}:{audience}:".format(**message.params)
