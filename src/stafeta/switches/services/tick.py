"""Time passes: decide for every switch that is due (house.md, "The way of a tick")."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import OperationalError, transaction
from django.db.models import Q

from stafeta.accounts.selectors import epoch_now, is_epoch, require_epoch
from stafeta.core.errors import Superseded
from stafeta.core.states import Ticked
from stafeta.switches.models import Switch
from stafeta.switches.services.decide import decide, decide_now, write

log = logging.getLogger(__name__)

TICK_BATCH_MAX = 500
RETRY_S_FIRST, RETRY_S_MAX = 60, 3600
FAULT_CHARS_MAX = 300


@dataclass(frozen=True, slots=True)
class TickResult:
    """claimed: switches that were due. changed: those that took a step. set_aside: those that raised."""

    claimed: int
    changed: int
    set_aside: int


def tick(*, now: datetime, service_s: int, limit: int = TICK_BATCH_MAX, epoch: int | None = None) -> TickResult:
    """Decide for at most `limit` due switches and commit states, events and messages together.

    Safe to run from any number of workers: a batch is claimed, not shared. No network. A switch that raises is set
    aside with its error and delays nobody (invariant 12). Raises OperationalError when the database itself fails.
    epoch: the installation's when `service_s` was read; in another one nobody is claimed (invariant 13).
    """
    try:
        with transaction.atomic():
            due = claim_due(now=now, service_s=service_s, limit=limit, epoch=epoch)
            decisions = [decide(switch=switch, event=Ticked(), now=now, service_s=service_s) for switch in due]
            write(decisions, now=now, service_s=service_s)
    except OperationalError:
        raise
    except Exception:
        log.exception("a switch in the batch raised; deciding one by one")
        return _one_by_one(now=now, service_s=service_s, limit=limit, epoch=epoch)
    return TickResult(len(due), sum(decision.event is not None for decision in decisions), 0)


def claim_due(*, now: datetime, service_s: int, limit: int, epoch: int | None = None) -> list[Switch]:
    """Lock at most `limit` switches whose time has come; on PostgreSQL those another worker holds are skipped.

    Only those that belong to the installation's present epoch: the others wait to be adopted (invariant 10).
    """
    due = Q(due_at__lte=now) | Q(due_s__lte=service_s)
    welcome = Q(retry_at__isnull=True) | Q(retry_at__lte=now)
    rows = Switch.objects.select_for_update(skip_locked=True, of=("self",)).filter(due & welcome, epoch=epoch_now())
    if epoch is not None:
        rows = rows.filter(is_epoch(epoch))
    return list(rows.order_by("pk")[:limit])


def _one_by_one(*, now: datetime, service_s: int, limit: int, epoch: int | None) -> TickResult:
    with transaction.atomic():
        due = claim_due(now=now, service_s=service_s, limit=limit, epoch=epoch)
    changed = aside = 0
    for switch in due:
        try:
            with transaction.atomic():
                require_epoch(epoch)
                decision = decide_now(switch_id=switch.pk, event=Ticked(), now=now, service_s=service_s)
            changed += decision.event is not None
        except (OperationalError, Superseded):
            raise
        except Exception as fault:
            set_aside(switch, fault, now=now)
            aside += 1
    return TickResult(len(due), changed, aside)


def set_aside(switch: Switch, fault: Exception, *, now: datetime) -> None:
    """Let a poison row wait, ever longer up to an hour, and say so to the operator."""
    faults = switch.faults + 1
    wait_s = min(RETRY_S_MAX, RETRY_S_FIRST * 2 ** min(faults - 1, 10))
    log.error("switch %s is set aside for %s s after %s faults: %r", switch.pk, wait_s, faults, fault)
    Switch.objects.filter(pk=switch.pk).update(
        faults=faults,
        fault=f"{type(fault).__name__}: {fault}"[:FAULT_CHARS_MAX],
        retry_at=now + timedelta(seconds=wait_s),
    )
