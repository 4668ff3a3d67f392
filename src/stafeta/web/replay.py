"""What each event of the log led to, found by driving the ladder again through the cycles it belongs to."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from stafeta.core.codec import decode_event, decode_policy
from stafeta.core.errors import StafetaError
from stafeta.core.ladder import advance
from stafeta.core.policy import Policy
from stafeta.core.states import State, Ticked, Waiting
from stafeta.switches.models import Event

Step = tuple[State, State, Policy]


def steps_of(events: Sequence[Event]) -> Iterator[tuple[Event, Step | None]]:
    """Yield each event with the state before it, the one after it, and the policy it was judged by.

    None stands for a fact beside the ladder, and for an event of a cycle in which nobody had been asked yet: it speaks
    for itself. All events belong to one switch. The whole cycle of each is read, so that a page costs a few cycles,
    never the whole life of a switch.
    """
    cycles = {event.cycle for event in events if event.on_ladder}
    found: dict[int, Step] = {}
    if cycles:
        rows = Event.objects.filter(switch=events[0].switch_id, on_ladder=True, cycle__in=cycles).order_by("number")
        by_cycle: dict[int, list[Event]] = {}
        for row in rows:
            by_cycle.setdefault(row.cycle, []).append(row)
        for members in by_cycle.values():
            found.update(_replayed(members))
    for event in events:
        yield event, found.get(event.number)


def _replayed(cycle: Sequence[Event]) -> Iterable[tuple[int, Step]]:
    first = next((place for place, row in enumerate(cycle) if row.kind == Ticked.__name__), None)
    if first is None:
        return
    policy = _policy_before(cycle[0])
    if policy is None:
        return
    state: State = Waiting(cycle[first].cycle, due=cycle[first].at)
    for row in cycle[first:]:
        try:
            begins = decode_policy(row.policy) if row.policy else None
            after, _effects = advance(
                state, decode_event(row.event), policy, now=row.at, service_s=row.service_s, next_policy=begins
            )
        except (StafetaError, KeyError, TypeError, ValueError):
            return  # a log that does not replay is the tests' business; the page still tells the rest
        yield row.number, (state, after, policy)
        if after.cycle != state.cycle:
            return
        state = after


def _policy_before(first: Event) -> Policy | None:
    began = Event.objects.filter(switch=first.switch_id, on_ladder=True, number__lt=first.number, policy__isnull=False)
    row = began.order_by("-number").first()
    return decode_policy(row.policy) if row and row.policy else None
