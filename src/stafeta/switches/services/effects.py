"""Carry out what the core decided: effects become outbox rows and grants, in the same transaction."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import assert_never

from stafeta.core.policy import Audience, By
from stafeta.core.states import Ask, AskByOtherChannel, AskOtherwise, CloseGrants, Effect, OpenHandovers, Tell
from stafeta.outbox.services.queue import LADDER, Draft, enqueue
from stafeta.switches.models import Switch, TrustedContact
from stafeta.vault.models import ConsentState
from stafeta.vault.services.release import close_grants, open_handovers


def carry_out(work: Sequence[tuple[Switch, Sequence[Effect]]], *, now: datetime, service_s: int) -> None:
    """Queue every message and open or close every grant that the effects ask for."""
    contacts = _contacts_of([switch.pk for switch, effects in work if any(map(_is_for_contacts, effects))])
    drafts: list[Draft] = []
    for switch, effects in work:
        for effect in effects:
            match effect:
                case Ask() | AskByOtherChannel() | AskOtherwise():
                    drafts += _prompts(switch, effect, contacts.get(switch.pk, []))
                case Tell():
                    drafts += _news(switch, effect, contacts.get(switch.pk, []))
                case OpenHandovers():
                    open_handovers(
                        owner_id=switch.owner_id,
                        switch_id=switch.pk,
                        cycle=effect.cycle,
                        now=now,
                        service_s=service_s,
                    )
                case CloseGrants():
                    close_grants(owner_id=switch.owner_id, switch_id=switch.pk, cycle=effect.cycle, now=now)
                case _:
                    assert_never(effect)
    enqueue(drafts, now=now)


def asked_contacts() -> dict[str, object]:
    """Return the lookup of contacts the ladder asks: everybody entered who did not decline."""
    return {"consent__in": [ConsentState.DRAFT, ConsentState.INVITED, ConsentState.GIVEN]}


def _is_for_contacts(effect: Effect) -> bool:
    return isinstance(effect, (Ask, AskOtherwise, Tell)) and effect.audience is Audience.TRUSTED


def _contacts_of(switch_ids: list[int]) -> dict[int, list[int]]:
    found: dict[int, list[int]] = {}
    if not switch_ids:
        return found
    rows = TrustedContact.objects.filter(switch__in=switch_ids, **asked_contacts())
    for switch_id, contact_id in rows.order_by("position", "pk").values_list("switch_id", "pk"):
        found.setdefault(switch_id, []).append(contact_id)
    return found


def _prompts(switch: Switch, effect: Ask | AskByOtherChannel | AskOtherwise, contacts: list[int]) -> Iterator[Draft]:
    people = [switch.owner_id] if effect.audience is Audience.OWNER else contacts
    if isinstance(effect, AskByOtherChannel):
        people = [effect.person]
    channels = (effect.by,) if isinstance(effect, AskByOtherChannel) else effect.by
    attempt, attempts = (effect.attempt, effect.attempts) if isinstance(effect, Ask) else (1, 1)
    kind = "switches.ask_owner" if effect.audience is Audience.OWNER else "switches.ask_contact"
    for person in people:
        for by in channels:
            yield Draft(
                key=f"{switch.pk}:{effect.cycle}:{effect.rung}:{effect.round}:{effect.audience}:{person}:{by}",
                kind=kind,
                channel=by.value,
                owner_id=switch.owner_id,
                priority=LADDER,
                params={
                    "switch": switch.pk,
                    "cycle": effect.cycle,
                    "rung": effect.rung,
                    "round": effect.round,
                    "rung_kind": effect.kind.value,
                    "attempt": attempt,
                    "attempts": attempts,
                    "audience": effect.audience.value,
                    "person": person,
                    "fallback": not isinstance(effect, Ask),
                },
            )


def _news(switch: Switch, effect: Tell, contacts: list[int]) -> Iterator[Draft]:
    to_owner = effect.audience is Audience.OWNER
    for person in [switch.owner_id] if to_owner else contacts:
        cause = {} if effect.contact is None else {"contact": effect.contact}
        yield Draft(
            key=f"{switch.pk}:{effect.cycle}:{effect.told}:{switch.events_count}:{effect.audience}:{person}",
            kind="switches.tell_owner" if to_owner else "switches.tell_contact",
            channel=By.EMAIL.value,
            owner_id=switch.owner_id,
            priority=LADDER,
            params={
                "switch": switch.pk,
                "cycle": effect.cycle,
                "told": effect.told.value,
                "person": person,
                **cause,
            },
        )
