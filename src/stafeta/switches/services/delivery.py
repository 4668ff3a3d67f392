"""What became of a prompt, told to the ladder in the transaction that settles the message."""

from __future__ import annotations

from datetime import datetime

from stafeta.core.errors import WrongCycle
from stafeta.core.policy import Audience, By
from stafeta.core.states import PromptAccepted, PromptRefused
from stafeta.outbox.models import Message
from stafeta.switches.models import Switch
from stafeta.switches.selectors import service_second
from stafeta.switches.services.decide import decide_now

PROMPTS = ("switches.ask_owner", "switches.ask_contact")


def record_delivery(message: Message, now: datetime) -> None:
    """Let an accepted prompt start its window, and a dead one be tried on the other channel (ladder.md, "accepted").

    Anything but a prompt is none of the ladder's business; a prompt of a finished cycle changes nothing (invariant
    13). Delivery never counts as a sign of life (invariant 6).
    """
    if message.kind not in PROMPTS:
        return
    if message.state == Message.State.ACCEPTED:
        verdict: type[PromptAccepted | PromptRefused] = PromptAccepted
    elif message.state == Message.State.DEAD:
        verdict = PromptRefused
    else:
        return
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
