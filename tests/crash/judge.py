"""Count what people received against what the database says must have been sent: `python -m tests.crash.judge`.

Reads from standard input what the providers took, as `{"mails": [[Message-ID, to], …], "texts": [[id, to], …]}`, and
writes `{"problems": [...], "figures": {...}}`. It derives what had to be sent from the event log alone, by the rules
of docs/ladder.md.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Iterator
from typing import Any, Final

from stafeta.cli.ready import start_django
from tests.crash.seed import CONFIRMING, SILENT

# Why a message may rightly not have left: somebody was heard, or a later one asks the same people.
RIGHTLY_NOT_SENT: Final = (
    "a later prompt asks",
    "nobody is asked any more",
    "cycle ",
    "the owner is back",
    "everything",
)
PROBLEMS_SHOWN_MAX: Final = 30


def main() -> None:
    start_django()
    received = json.load(sys.stdin)
    problems = [
        *_receipts(received),
        *_switches(),
        *_recipients(received),
    ]
    json.dump({"problems": problems[:PROBLEMS_SHOWN_MAX], "figures": _figures(received)}, sys.stdout)


def _receipts(received: dict[str, list[list[str]]]) -> Iterator[str]:
    """Every accepted message arrived, at the right person, and nothing came that nobody queued."""
    from stafeta.outbox.message_ids import message_id
    from stafeta.outbox.models import Message

    known = {message_id(message.key, message.epoch): message for message in Message.objects.all()}
    for channel, arrivals in (("email", received["mails"]), ("sms", received["texts"])):
        came = {identity for identity, _to in arrivals}
        for identity, message in known.items():
            if message.channel == channel and message.state == Message.State.ACCEPTED and identity not in came:
                yield f"{message.key} counts as accepted and never came"
        for identity, to in arrivals:
            message = known.get(identity)
            if message is None or message.channel != channel:
                yield f"{identity} came to {to}, and nobody queued it"
            elif message.to and message.to != to:
                yield f"{message.key} was for {message.to} and came to {to}"


def _switches() -> Iterator[str]:
    """No switch is lost, every log replays to its state, and every message that it asks for is queued and settled."""
    from stafeta.outbox.models import Message
    from stafeta.switches.models import Switch

    messages = {message.key: message for message in Message.objects.all()}
    for switch in Switch.objects.select_related("owner").order_by("pk"):
        name = switch.owner.name
        is_silent = name.startswith(SILENT)
        rows = list(switch.events.order_by("number"))
        if [row.number for row in rows] != list(range(1, switch.events_count + 1)):
            yield f"{name}: the log has a gap"
        states, asked = _replay(switch, rows)
        if states[-1] != switch.ladder_state:
            yield f"{name}: the log replays to {states[-1]}, the row says {switch.ladder_state}"
        kinds = [type(state).__name__ for state in states]
        if is_silent and kinds[-1] != "Released":
            yield f"{name} fell silent and is {kinds[-1]}"
        if name.startswith(CONFIRMING) and "Released" in kinds:
            yield f"{name} kept confirming and was released"
        for key in asked:
            message = messages.get(key)
            if message is None:
                yield f"{key} was decided and never queued"
            elif not _is_settled(message, is_silent):
                yield f"{key} is {message.state} ({message.problem})"


def _is_settled(message: Any, is_silent: bool) -> bool:
    if message.state == "queued":
        return not is_silent  # who confirms goes on being asked; for the silent all is over
    return message.state == "accepted" or (
        message.state == "cancelled" and message.problem.startswith(RIGHTLY_NOT_SENT)
    )


def _replay(switch: Any, rows: list[Any]) -> tuple[list[Any], list[str]]:
    """Return every state of the log, and the key of every message that its decisions ask for."""
    from stafeta.core.codec import decode_event, decode_policy
    from stafeta.core.ladder import advance
    from stafeta.core.states import Ask, Resting, Tell

    contacts = list(switch.contacts.values_list("pk", flat=True))
    states: list[Any] = [Resting(cycle=0)]
    policy = None
    keys = []
    for row in rows:
        begins = decode_policy(row.policy) if row.policy else None
        if not row.on_ladder:
            continue  # a fact beside the ladder, such as a release that the breaker stopped
        event = decode_event(row.event)
        after, effects = advance(
            states[-1], event, policy or begins, now=row.at, service_s=row.service_s, next_policy=begins
        )
        policy = begins or policy
        states.append(after)
        for effect in effects:
            if not isinstance(effect, Ask | Tell):
                continue
            people = [switch.owner_id] if effect.audience == "owner" else contacts
            for person in people:
                if isinstance(effect, Ask):
                    about = f"{switch.pk}:{effect.cycle}:{effect.rung}:{effect.round}:{effect.audience}:{person}"
                    keys += [f"{about}:{by}" for by in effect.by]
                else:
                    keys.append(f"{switch.pk}:{effect.cycle}:{effect.told}:{row.number}:{effect.audience}:{person}")
    return states, keys


def _recipients(received: dict[str, list[list[str]]]) -> Iterator[str]:
    """Whoever was to be handed something was told by e-mail and SMS, and nobody else was."""
    from stafeta.outbox.message_ids import message_id
    from stafeta.outbox.models import Message
    from stafeta.switches.models import Switch
    from stafeta.vault.models import Grant, Recipient

    grants = {grant.recipient_id: grant for grant in Grant.objects.all()}
    if Grant.objects.count() != len(grants):
        yield "somebody was granted the same handover twice"
    released = set(Switch.objects.filter(phase="Released").values_list("owner", flat=True))
    mails = Counter(identity for identity, _to in received["mails"])
    texts = Counter(identity for identity, _to in received["texts"])
    accepted = set(Message.objects.filter(state=Message.State.ACCEPTED).values_list("key", flat=True))
    for person in Recipient.objects.all():
        grant = grants.get(person.pk)
        if person.owner_id not in released:
            if grant is not None:
                yield f"{person.name} was granted something of an owner who is well"
            continue
        if grant is None or not grant.news:
            yield f"{person.name} was granted nothing, or never told"
            continue
        for key, came in ((f"{grant.news}:email", mails), (f"{grant.news}:sms", texts)):
            if key not in accepted or not came[message_id(key)]:
                yield f"{person.name} never got {key}"


def _figures(received: dict[str, list[list[str]]]) -> dict[str, int]:
    """Return how much there was. unrecorded: what was taken and no worker lived to note."""
    from stafeta.outbox.models import Attempt, Message
    from stafeta.switches.models import Event, Switch

    arrivals = Counter(identity for kind in ("mails", "texts") for identity, _to in received[kind])
    return {
        "switches": Switch.objects.count(),
        "messages": Message.objects.count(),
        "arrived": sum(arrivals.values()),
        "duplicates": sum(arrivals.values()) - len(arrivals),
        "unrecorded": sum(arrivals.values()) - Attempt.objects.filter(outcome=Attempt.Outcome.ACCEPTED).count(),
        "attempts": Attempt.objects.count(),
        "accepted": Message.objects.filter(state=Message.State.ACCEPTED).count(),
        "cancelled": Message.objects.filter(state=Message.State.CANCELLED).count(),
        "dead": Message.objects.filter(state=Message.State.DEAD).count(),
        "released": Switch.objects.filter(phase="Released").count(),
        "checkins": Event.objects.filter(kind="CheckedIn").count(),
    }


if __name__ == "__main__":
    main()
