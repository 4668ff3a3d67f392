"""Time passes: decide for every switch that is due (house.md, "The way of a tick")."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q

from stafeta.accounts.selectors import epoch_now, is_epoch, require_epoch
from stafeta.core.errors import Superseded
from stafeta.core.states import Ticked
from stafeta.outbox.faults import database_failed
from stafeta.switches.models import Switch
from stafeta.switches.selectors import standing_hold
from stafeta.switches.services.breaker import within_breaker
from stafeta.switches.services.decide import Decision, decide, locked_switch, write

log = logging.getLogger(__name__)

TICK_BATCH_MAX = 500
RETRY_S_FIRST, RETRY_S_MAX = 60, 3600
FAULT_CHARS_MAX = 300


@dataclass(frozen=True, slots=True)
class TickResult:
    """claimed: switches that were due. changed: those that took a step. set_aside: those that raised.

    Nobody is claimed while a hold stands; a release that the breaker keeps back was claimed and does not change.
    """

    claimed: int
    changed: int
    set_aside: int


def tick(*, now: datetime, service_s: int, limit: int = TICK_BATCH_MAX, epoch: int | None = None) -> TickResult:
    """Decide for at most `limit` due switches and commit states, events and messages together.

    Safe to run from any number of workers: a batch is claimed, not shared. No network. A switch that raises is set
    aside with its error and delays nobody (invariant 12). Raises what the database raises when it fails itself.
    epoch: the installation's when `service_s` was read; in another one nobody is claimed (invariant 13).
    """
    try:
        with transaction.atomic():
            if standing_hold(now=now):
                return TickResult(0, 0, 0)
            due = claim_due(now=now, service_s=service_s, limit=limit, epoch=epoch)
            decided = _decided(due, now=now, service_s=service_s)
            kept = _carry_out(decided, now=now, service_s=service_s)
    except Exception as fault:
        if database_failed(fault):
            raise
        log.exception("a switch in the batch raised; deciding one by one")
        return _one_by_one(now=now, service_s=service_s, limit=limit, epoch=epoch)
    changed = sum(decision.event is not None for decision in kept)
    return TickResult(len(due), changed, len(due) - len(decided))


def _carry_out(decisions: Sequence[Decision], *, now: datetime, service_s: int) -> list[Decision]:
    """Write what the breaker lets through (invariant 20), and return it."""
    kept = within_breaker(decisions, now=now)
    write(kept, now=now, service_s=service_s)
    return kept


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


def _decided(due: Sequence[Switch], *, now: datetime, service_s: int) -> list[Decision]:
    """Decide for all but those that nobody can decide for, which are set aside: the others stay one batch."""
    decisions = []
    for switch in due:
        try:
            decisions.append(decide(switch=switch, event=Ticked(), now=now, service_s=service_s))
        except Exception as fault:
            if database_failed(fault):
                raise
            set_aside(switch, fault, now=now)
    return decisions


def _one_by_one(*, now: datetime, service_s: int, limit: int, epoch: int | None) -> TickResult:
    with transaction.atomic():
        if standing_hold(now=now):
            return TickResult(0, 0, 0)
        due = claim_due(now=now, service_s=service_s, limit=limit, epoch=epoch)
    changed = aside = 0
    for switch in due:
        try:
            with transaction.atomic():
                require_epoch(epoch)
                locked = locked_switch(pk=switch.pk)
                decision = decide(switch=locked, event=Ticked(), now=now, service_s=service_s)
                kept = _carry_out([decision], now=now, service_s=service_s)
            changed += sum(decision.event is not None for decision in kept)
        except Superseded:
            raise
        except Exception as fault:
            if database_failed(fault):
                raise
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
