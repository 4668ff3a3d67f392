"""Bugs of the release and of the owner's return."""

from __future__ import annotations

from contextlib import AbstractContextManager
from datetime import datetime
from typing import Any
from unittest.mock import patch

from stafeta.core.states import Ticked
from stafeta.simulation.script import Fate, Trait, Trouble
from stafeta.switches.models import Switch
from stafeta.switches.services import effects, tick
from stafeta.switches.services.decide import decide
from stafeta.vault.models import Grant
from stafeta.vault.services import follow_up
from tests.simulation.lives import GONE, episode, life, script
from tests.simulation.mutants.mutant import FALSE_RELEASE, LEAK, LOST_MESSAGE, MISSED_RELEASE, Mutant


def release_is_not_rechecked() -> AbstractContextManager[object]:
    """The worker decides on rows it read a round ago, and writes over what happened since."""
    claims = tick.claim_due
    known: dict[int, Switch] = {}

    def claim_due(**due: Any) -> list[Switch]:
        found = claims(**due)
        stale = [known.get(switch.pk, switch) for switch in found]
        ahead = {switch.pk: switch for switch in Switch.objects.select_related("owner")}
        gone_by = [old for old in known.values() if old.due_s is not None and old.due_s <= due["service_s"]]
        for old in (*stale, *gone_by):
            old.events_count = ahead[old.pk].events_count  # the log's numbers would betray it
        known.clear()
        known.update(ahead)
        return [*stale, *[old for old in gone_by if old.pk not in {switch.pk for switch in stale}]]

    return patch.object(tick, "claim_due", claim_due)


def grants_stay_open() -> AbstractContextManager[object]:
    """The owner is back, and what nobody had opened can still be read."""
    return patch.object(effects, "close_grants", lambda **_: None)


def the_delay_is_forgotten() -> AbstractContextManager[object]:
    """The letter that was to wait a month opens with the rest."""
    opens = effects.open_handovers

    def open_handovers(**of: Any) -> None:
        opens(**of)
        Grant.objects.filter(cycle=of["cycle"], switch=of["switch_id"]).update(opens_at_s=of["service_s"])

    return patch.object(effects, "open_handovers", open_handovers)


def told_without_a_message() -> AbstractContextManager[object]:
    """A grant is marked as told, and the news is never queued."""
    return patch.object(follow_up, "enqueue", lambda *_args, **_more: None)


def poison_stops_everybody() -> AbstractContextManager[object]:
    """One row that cannot be read ends the round for all."""

    def ticks(*, now: datetime, service_s: int, limit: int = 500) -> tick.TickResult:
        due = tick.claim_due(now=now, service_s=service_s, limit=limit)
        for switch in due:
            decide(switch=switch, event=Ticked(), now=now, service_s=service_s)
        return whole(now=now, service_s=service_s, limit=limit)

    whole = tick.tick
    from stafeta.worker import parts

    return patch.object(parts, "tick", _in_a_transaction(ticks))


def _in_a_transaction(work: Any) -> Any:
    from django.db import transaction

    return transaction.atomic(work)


AWAY = {"fate": Fate.RETURNS, "gone_day": 1.0, "back_day": 12.0, "contacts": (), "delay_days": 5}
MUTANTS = (
    Mutant(
        "release_is_not_rechecked",
        frozenset({FALSE_RELEASE}),
        release_is_not_rechecked,
        script(*[life(n, Trait.AT_THE_LAST_MOMENT) for n in range(0, 16, 2)], days=60),
    ),
    Mutant(
        "grants_stay_open",
        frozenset({LEAK}),
        grants_stay_open,
        script(*[life(n, **AWAY) for n in range(8)], days=40),
    ),
    Mutant(
        "the_delay_is_forgotten",
        frozenset({LEAK}),
        the_delay_is_forgotten,
        script(life(1, delay_days=30, **GONE)),
    ),
    Mutant(
        "told_without_a_message",
        frozenset({MISSED_RELEASE, LOST_MESSAGE}),
        told_without_a_message,
        script(life(1, **GONE)),
    ),
    Mutant(
        "poison_stops_everybody",
        frozenset({MISSED_RELEASE}),
        poison_stops_everybody,
        script(life(1, **GONE), episodes=(episode(Trouble.POISON, day=9, days=15),)),
    ),
)
