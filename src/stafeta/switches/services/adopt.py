"""After a restore: every switch is taken into the new epoch, and its owner is asked anew, from rung 1 (invariant 10).

Until then it does not climb, and no message of its owner's leaves (docs/adr/0008).
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.db import transaction
from django.db.models import Q

from stafeta.accounts.selectors import current_epoch, require_epoch
from stafeta.core.errors import Superseded
from stafeta.core.policy import By
from stafeta.core.states import Released, Restored, Told
from stafeta.outbox.faults import database_failed
from stafeta.outbox.models import Message
from stafeta.outbox.services.queue import LADDER, Draft, enqueue
from stafeta.switches.models import Event, Switch
from stafeta.switches.services.decide import Decision, decide, locked_switch, write
from stafeta.switches.services.delivery import PROMPTS
from stafeta.switches.services.record_fact import next_number
from stafeta.switches.services.tick import set_aside
from stafeta.vault.services.release import suspend_grants

log = logging.getLogger(__name__)

ADOPT_BATCH_MAX: Final = 200
NEWS: Final = ("switches.tell_owner", "switches.tell_contact")
ASKED_TIMES: Final = 4  # while a release is suspended; evenly spread over that time


@dataclass(frozen=True, slots=True)
class Adopted:
    """claimed: switches of an earlier epoch that were found. aside: those of them that raised."""

    claimed: int
    aside: int


def adopt(*, now: datetime, service_s: int, limit: int = ADOPT_BATCH_MAX, epoch: int | None = None) -> Adopted:
    """Take at most `limit` switches of earlier epochs into the present one.

    Each is committed whole or not at all, so whatever dies on the way leaves the rest to the next round. One that
    raises is set aside and delays nobody (invariant 12). Raises Superseded where `epoch` is not the present one.
    """
    present = current_epoch()
    require_epoch(epoch)
    try:
        with transaction.atomic():
            require_epoch(present)
            switches = _of_earlier_epochs(present, now=now, limit=limit)
            if switches:
                _take(switches, epoch=present, now=now, service_s=service_s)
        return Adopted(len(switches), 0)
    except Superseded:
        raise
    except Exception as fault:
        if database_failed(fault):
            raise
        log.exception("a switch in the batch raised; adopting one by one")
        return _one_by_one(present, now=now, service_s=service_s, limit=limit)


def suspend_release(switch: Switch, *, service_s: int) -> None:
    """Let an open release of the backup wait for as long as its whole ladder would take from now."""
    if isinstance(switch.ladder_state, Released):
        suspend_grants(
            owner_id=switch.owner_id,
            switch_id=switch.pk,
            cycle=switch.cycle,
            service_s=service_s,
            until_s=service_s + suspended_s(switch),
        )


def suspended_s(switch: Switch) -> int:
    """Return how many seconds of service time a restore suspends a release: those of all its windows."""
    return sum(rung.window_s for rung in switch.ladder_policy.rungs)


def _of_earlier_epochs(epoch: int, *, now: datetime, limit: int) -> list[Switch]:
    welcome = Q(retry_at__isnull=True) | Q(retry_at__lte=now)
    rows = Switch.objects.select_for_update(skip_locked=True, of=("self",)).exclude(epoch=epoch)
    return list(rows.filter(welcome).order_by("pk")[:limit])


def _one_by_one(epoch: int, *, now: datetime, service_s: int, limit: int) -> Adopted:
    with transaction.atomic():
        require_epoch(epoch)
        switches = _of_earlier_epochs(epoch, now=now, limit=limit)
    aside = 0
    for switch in switches:
        try:
            with transaction.atomic():
                require_epoch(epoch)
                _take([locked_switch(pk=switch.pk)], epoch=epoch, now=now, service_s=service_s)
        except Switch.DoesNotExist:
            continue  # its owner has gone in the meantime
        except Superseded:
            raise
        except Exception as fault:
            if database_failed(fault):
                raise
            set_aside(switch, fault, now=now)
            aside += 1
    return Adopted(len(switches), aside)


def _take(switches: Sequence[Switch], *, epoch: int, now: datetime, service_s: int) -> None:
    """Adopt locked switches: the ladder hears of it, their messages may leave again, their owners are told."""
    waiting = [switch for switch in switches if switch.epoch != epoch]
    decisions = [decide(switch=switch, event=Restored(), now=now, service_s=service_s) for switch in waiting]
    write(decisions, now=now, service_s=service_s)
    _note([decision for decision in decisions if decision.event is None], now=now, service_s=service_s)
    for switch in waiting:
        suspend_release(switch, service_s=service_s)
    _let_go([switch.owner_id for switch in waiting], epoch=epoch, now=now)
    enqueue([draft for switch in waiting for draft in _news(switch, epoch=epoch, now=now)], now=now)
    Switch.objects.filter(pk__in=[switch.pk for switch in waiting]).update(epoch=epoch)


def _let_go(owner_ids: Sequence[int], *, epoch: int, now: datetime) -> None:
    """Let what was kept back leave, but nothing that speaks of the ladder as it stood before it began anew."""
    old = Message.objects.filter(state=Message.State.QUEUED, epoch__lt=epoch, owner__in=owner_ids)
    overtaken = Q(kind__in=PROMPTS) | Q(kind__in=NEWS, params__told__in=[Told.CONTACTS_ASKED, Told.GO_AHEAD])
    old.filter(overtaken).update(
        state=Message.State.CANCELLED, settled_at=now, problem="after a restore the ladder has begun anew"
    )
    old.filter(next_attempt_at=None).update(next_attempt_at=now)


def _note(unmoved: Sequence[Decision], *, now: datetime, service_s: int) -> None:
    """Let the log of those whose ladder stays as it was say, too, that the service came back from a backup."""
    switches = [decision.switch for decision in unmoved]
    facts = [
        Event(
            switch=switch,
            number=next_number(switch),
            cycle=switch.cycle,
            kind="InstallationRestored",
            on_ladder=False,
            event={},
            at=now,
            service_s=service_s,
        )
        for switch in switches
    ]
    Event.objects.bulk_create(facts)
    Switch.objects.bulk_update(switches, ["events_count"])


def _news(switch: Switch, *, epoch: int, now: datetime) -> Iterator[Draft]:
    """Yield what the owner is told by e-mail; where a release is suspended, they are asked on every channel, often."""
    asks = isinstance(switch.ladder_state, Released)
    step = timedelta(seconds=suspended_s(switch) / ASKED_TIMES)
    for number in range(ASKED_TIMES if asks else 1):
        for by in By if asks else (By.EMAIL,):
            yield Draft(
                key=f"{switch.pk}:{switch.cycle}:restored:{epoch}:{number}:owner:{by}",
                kind="switches.tell_restored",
                channel=by.value,
                owner_id=switch.owner_id,
                priority=LADDER,
                params={"switch": switch.pk, "cycle": switch.cycle, "epoch": epoch, "asks": asks},
                not_before=now + number * step,
            )
