"""A judge who watches a life and knows the rules on their own: nothing here asks the ladder what it thinks.

It writes down which prompts were asked, accepted and bounced and when, and from that alone decides whether a rung was
climbed too early and whether a release was earned.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from stafeta.core.policy import Audience, By, Policy
from stafeta.core.states import (
    LAST_CALL_RUNG,
    Ask,
    AskedToWait,
    Climbing,
    Effect,
    Event,
    GaveGoAhead,
    Held,
    OpenHandovers,
    Paused,
    PromptAccepted,
    PromptBounced,
    PromptRefused,
    Released,
    Resting,
    Restored,
    State,
    Ticked,
    Vouched,
    Waiting,
)

DAY_S = 24 * 3600
UNREACHABLE_S = 3 * DAY_S
LAST_CALL_S = DAY_S
HELD_S_MAX = 60 * DAY_S
DELIVERIES = (PromptAccepted, PromptRefused, PromptBounced)
LADDER_OF_CYCLE = (Climbing, Held)


class Place(NamedTuple):
    """One asking of one rung: no two in a life are the same."""

    cycle: int
    rung: int
    round: int


@dataclass
class Asking:
    """What became of the prompts of one place."""

    asks: Audience
    nobody_since_s: int
    accepted_at_s: dict[tuple[int, By], int] = field(default_factory=dict)
    bounced: set[tuple[int, By]] = field(default_factory=set)

    def standing(self) -> list[int]:
        return [at_s for way, at_s in self.accepted_at_s.items() if way not in self.bounced]

    def earliest_end_s(self, window_s: int) -> int:
        """Return the second before which nobody may climb on from here."""
        standing = self.standing()
        if standing:
            return min(standing) + window_s
        return self.nobody_since_s + UNREACHABLE_S + 2 * window_s


@dataclass
class Judge:
    """Watches one switch."""

    policy: Policy
    askings: dict[Place, Asking] = field(default_factory=dict)
    passed: set[int] = field(default_factory=set)
    go_ahead: set[int] = field(default_factory=set)
    held_s: int = 0
    held_since_s: int = 0
    releases: int = 0

    def others_reached(self, place: Place, way: tuple[int, By]) -> bool:
        """Return what a truthful outbox says with a bounce."""
        asking = self.askings[place]
        return any(other != way and other not in asking.bounced for other in asking.accepted_at_s)

    def watch(self, before: State, event: Event, after: State, effects: list[Effect], *, service_s: int) -> None:
        """Judge one step."""
        self._cycle_is_ended_only_by_people(before, event, after)
        self._at_most_one_rung(before, event, after, effects)
        self._holds_are_bounded(before, after, service_s=service_s)
        self._hear(before, event, service_s=service_s)
        if isinstance(before, Climbing) and _place(after) != _place(before):
            self._leave(before, event, after, service_s=service_s)
        for effect in effects:
            if isinstance(effect, Ask):
                self._ask(effect, before, service_s=service_s)
        if isinstance(after, Released) and not isinstance(before, Released):
            self._release(before, event, effects)
        if after.cycle != before.cycle:
            self.go_ahead, self.passed, self.held_s = set(), set(), 0

    def _cycle_is_ended_only_by_people(self, before: State, event: Event, after: State) -> None:
        assert after.cycle in (before.cycle, before.cycle + 1), "a cycle is one more than the last"
        if isinstance(event, (Ticked, Restored, AskedToWait, GaveGoAhead, *DELIVERIES)):
            assert after.cycle == before.cycle, f"{event} is no sign of life"
        if isinstance(event, DELIVERIES):
            assert _place(after) == _place(before), "a delivery climbs nothing"
            assert type(after) is type(before)

    def _at_most_one_rung(self, before: State, event: Event, after: State, effects: list[Effect]) -> None:
        assert sum(isinstance(effect, Ask) for effect in effects) <= 1
        if isinstance(before, (Waiting, Paused)) and isinstance(after, Climbing):
            assert isinstance(event, Ticked)
            assert after.rung == 0
        assert not (isinstance(before, (Resting, Waiting, Paused)) and isinstance(after, (Held, Released)))
        if isinstance(before, Climbing) and isinstance(after, Climbing) and after.rung > before.rung >= 0:
            assert after.rung == before.rung + 1
            assert isinstance(event, Ticked)

    def _holds_are_bounded(self, before: State, after: State, *, service_s: int) -> None:
        if isinstance(before, Held) and after is not before:
            self.held_s += max(0, min(service_s, before.until_s) - self.held_since_s)
        if isinstance(after, Held):
            if after is not before:
                self.held_since_s = service_s
            assert after.until_s - service_s <= 30 * DAY_S or after is before
            assert self.held_s + after.until_s - self.held_since_s <= HELD_S_MAX
        assert self.held_s <= HELD_S_MAX

    def _hear(self, before: State, event: Event, *, service_s: int) -> None:
        match event:
            case GaveGoAhead():
                self.go_ahead.add(event.contact)
            case AskedToWait() | Vouched():
                self.go_ahead.discard(event.contact)
            case Restored():
                self.go_ahead, self.passed = set(), set()
            case PromptAccepted() | PromptBounced():
                self._settle(before, event, service_s=service_s)
            case _:
                pass

    def _settle(self, before: State, event: PromptAccepted | PromptBounced, *, service_s: int) -> None:
        place, way = Place(event.cycle, event.rung, event.round), (event.person, event.by)
        if _place(before) != place or event.audience is not self.askings[place].asks:
            return
        asking = self.askings[place]
        if isinstance(event, PromptAccepted):
            asking.accepted_at_s.setdefault(way, service_s)
        elif way not in asking.bounced:
            reached = bool(asking.standing())
            asking.bounced.add(way)
            if reached and not asking.standing():
                asking.nobody_since_s = service_s

    def _ask(self, ask: Ask, before: State, *, service_s: int) -> None:
        place = Place(ask.cycle, ask.rung, ask.round)
        assert place not in self.askings, "every prompt has a key of its own"
        self.askings[place] = Asking(ask.audience, service_s)
        if ask.rung == LAST_CALL_RUNG:
            assert self.policy.may_go_ahead
            assert len(self.go_ahead) >= min(2, self.policy.contacts) > 0
            assert set(range(self._first_trusted())) <= self.passed
        elif isinstance(before, (Waiting, Paused)):
            assert ask.rung == 0

    def _leave(self, before: Climbing, event: Event, after: State, *, service_s: int) -> None:
        """The ladder goes on from a rung: by a tick, and not before that rung had its time."""
        if not isinstance(event, Ticked):
            return
        asking = self.askings[Place(before.cycle, before.rung, before.round)]
        assert service_s >= asking.earliest_end_s(self._window_s(before.rung)), "climbed too early"
        self.passed.add(before.rung)

    def _release(self, before: State, event: Event, effects: list[Effect]) -> None:
        assert isinstance(event, Ticked), "only time releases"
        assert isinstance(before, Climbing)
        assert effects[0] == OpenHandovers(before.cycle)
        if before.rung == LAST_CALL_RUNG:
            assert len(self.go_ahead) >= min(2, self.policy.contacts) > 0
        else:
            assert self.passed >= set(range(len(self.policy.rungs))), f"only {self.passed} were climbed"
        self.releases += 1

    def _window_s(self, rung: int) -> int:
        window_s = LAST_CALL_S if rung == LAST_CALL_RUNG else self.policy.rungs[rung].window_s
        assert window_s >= DAY_S // 2
        return window_s

    def _first_trusted(self) -> int:
        return [rung.asks for rung in self.policy.rungs].index(Audience.TRUSTED)


def _place(state: State) -> Place | None:
    return Place(state.cycle, state.rung, state.round) if isinstance(state, Climbing) else None
