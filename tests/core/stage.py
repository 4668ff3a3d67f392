"""The stage on which `machine.py` acts: what happens is judged at every step, on it and on copies of it."""

from __future__ import annotations

import json
from copy import deepcopy
from dataclasses import replace
from datetime import datetime, timedelta
from typing import ClassVar

from hypothesis.stateful import RuleBasedStateMachine, invariant

from stafeta.core.codec import decode_event, decode_policy, decode_state, encode
from stafeta.core.errors import LadderError, PolicyError
from stafeta.core.ladder import advance
from stafeta.core.moves import due, rung_of, window_ends_at_s
from stafeta.core.policy import Audience, By, Policy
from stafeta.core.projection import Asked, project
from stafeta.core.states import (
    Armed,
    CheckedIn,
    Climbing,
    Event,
    Held,
    PauseBegan,
    Paused,
    PromptAccepted,
    PromptBounced,
    Released,
    Resting,
    Restored,
    State,
    Ticked,
    Waiting,
)
from tests.core.judge import Judge, Place
from tests.core.ladders import DAY_S, NOON
from tests.core.witness import LADDER, REPORTS, Witness, asks

DANA = 1
STEPS_MAX = 80
SAID_AGAIN_IN_EARNEST = (PauseBegan, Restored)


class Stage(RuleBasedStateMachine):
    """One switch, its providers and its two clocks; judge, witness and log sit in front of it."""

    shortest: ClassVar[list[str]] = []  # of all stories that ended in a broken rule

    def __init__(self) -> None:
        super().__init__()
        self.state: State = Resting(0)
        self.now, self.service_s = NOON, 0
        self.log: list[str] = []
        self.reports: list[Event] = []
        self.story: list[str] = []
        self.foreseen: State | None = None
        self.is_sound = False

    def raise_curtain(self, policy: Policy) -> None:
        """Begin with an armed switch under `policy`."""
        self.policy = self.first_policy = policy
        self.judge, self.witness = Judge(policy), Witness()
        self.happens(Armed())

    # What is judged at every step

    def happens(self, event: Event, *, next_policy: Policy | None = None) -> None:
        """Let one event happen, and let judge and witness say what they think of it."""
        self.is_sound = False
        before, in_force = self.state, self.policy
        expected = self.witness.refuses(before, event, in_force, now=self.now, service_s=self._heard_s(before))
        try:
            after, effects = self._advance(event, next_policy)
        except (LadderError, PolicyError) as error:
            self.witness.refused(error, expected)
            self.is_sound = True
            return
        assert expected is None, f"{event} had to be refused: {expected}"
        self.story.append(repr(event))
        if isinstance(event, REPORTS):
            self.reports.append(event)
        self.state = after
        if after.cycle != before.cycle and next_policy is not None:
            self.policy = next_policy
        self._write_down(event, next_policy)
        service_s = self._heard_s(before)
        self.judge.watch(before, event, after, effects, service_s=service_s)
        self.witness.watch(before, event, after, effects, policy=self.policy, now=self.now, service_s=service_s)
        self.judge.policy = self.policy
        assert _latest_s(after) >= _latest_s(before) or after.cycle != before.cycle, "time ran backwards"
        self._happens_again(event)
        self.is_sound = True

    def _happens_again(self, event: Event) -> None:
        """Invariant 14: what is said twice in one moment is as good as said once."""
        if isinstance(event, SAID_AGAIN_IN_EARNEST) or (isinstance(event, CheckedIn) and event.cycle is None):
            return
        self.must_change_nothing(event)

    def must_change_nothing(self, event: Event) -> None:
        try:
            again, effects = self._advance(event, None)
        except (LadderError, PolicyError):
            return
        assert again == self.state, f"{event}, heard once more, changed {self.state} to {again}"
        assert not asks(effects), f"{event}, heard once more, asked once more"

    def _advance(self, event: Event, next_policy: Policy | None) -> tuple[State, list]:  # type: ignore[type-arg]
        return advance(self.state, event, self.policy, now=self.now, service_s=self.service_s, next_policy=next_policy)

    def _heard_s(self, before: State) -> int:
        """Return the second that counts: the service clock's, but none before what the switch has seen."""
        return max(self.service_s, _latest_s(before))

    def _write_down(self, event: Event, next_policy: Policy | None) -> None:
        policy = None if next_policy is None else encode(next_policy)
        self.log.append(json.dumps([encode(event), policy, self.now.isoformat(), self.service_s]))

    @invariant()
    def state_and_policy_survive_the_database(self) -> None:
        """Invariant 18."""
        assert decode_state(json.loads(json.dumps(encode(self.state)))) == self.state
        assert decode_policy(json.loads(json.dumps(encode(self.policy)))) == self.policy

    @invariant()
    def the_window_ends_no_earlier_than_its_prompts_allow(self) -> None:
        """Invariant 2."""
        if isinstance(self.state, Climbing):
            place = self.place()
            assert place is not None
            asking, window_s = self.judge.askings[place], rung_of(self.state, self.policy).window_s
            least_s = asking.nobody_since_s + 3 * DAY_S
            if self.state.accepted_at_s is not None:
                least_s = asking.earliest_end_s(window_s)
            assert window_ends_at_s(self.state, self.policy) >= least_s, "the window would end too early"

    @invariant()
    def silence_ends_in_a_release_when_the_timeline_says(self) -> None:
        """Invariant 19, on a copy of this life: providers accept from now on, and the owner is silent."""
        if isinstance(self.state, Resting) or self.foreseen is self.state:
            return
        self.foreseen, self.is_sound = self.state, False
        copy = self._copy()
        shown, freed = project(self.state, self.policy, now=self.now, service_s=self.service_s)
        assert freed is not None
        began_s, bound_s = self.service_s, copy._bound_s()
        lived = copy._lives_on(accepting=True)
        assert copy.service_s - began_s <= bound_s, "the release came after its bound"
        assert lived == list(shown), "the timeline is not what happened"
        assert copy.now == freed.at, "the release is not when the timeline said"
        self._silence_that_reaches_nobody_ends_in_a_release()
        self.is_sound = True

    def teardown(self) -> None:
        """Look at the end of a story, or keep it if a rule was broken in it."""
        try:
            if self.is_sound:
                self.is_sound = False
                self._log_tells_this_story()
                self.is_sound = True
        finally:
            if not self.is_sound and self.story:
                Stage.shortest = min([story for story in (Stage.shortest, self.story) if story], key=len)

    def _log_tells_this_story(self) -> None:
        """Invariant 18."""
        state, policy = Resting(0), self.first_policy
        for line in self.log:
            event, began, now, service_s = json.loads(line)
            next_policy = None if began is None else decode_policy(began)
            before: State = state
            state, _effects = advance(
                before,
                decode_event(event),
                policy,
                now=datetime.fromisoformat(now),
                service_s=service_s,
                next_policy=next_policy,
            )
            policy = next_policy if next_policy is not None and state.cycle != before.cycle else policy
        assert (state, policy) == (self.state, self.policy), "the log tells another story"

    def _silence_that_reaches_nobody_ends_in_a_release(self) -> None:
        """Invariant 19: every provider refuses from now on, and so every rung takes three days and twice its window."""
        copy = self._copy()
        began_s, bound_s = self.service_s, copy._bound_s()
        copy._lives_on(accepting=False)
        assert copy.service_s - began_s <= 2 * bound_s + 3 * DAY_S * len(self.policy.rungs), "too late"

    # How a life goes on

    def _copy(self) -> Stage:
        """Return this life in another world, under a judge and a witness of its own."""
        copy = object.__new__(type(self))
        copy.state, copy.now, copy.service_s, copy.policy = self.state, self.now, self.service_s, self.policy
        here = {place: asking for place, asking in self.judge.askings.items() if place.cycle == self.state.cycle}
        copy.judge, copy.witness = deepcopy(replace(self.judge, askings=here)), deepcopy(self.witness)
        copy.log, copy.reports, copy.story = [], [], []
        return copy

    def _lives_on(self, *, accepting: bool) -> list[Asked]:
        """Be silent until the release; return what was asked on the way."""
        seen: list[Asked] = []
        for _ in range(STEPS_MAX):
            if isinstance(self.state, Climbing) and self.state.accepted_at_s is None and accepting:
                self._accept()
            if isinstance(self.state, Released):
                return seen
            place = self.place()
            self.until_due()
            if self.place() not in (None, place):
                rung = rung_of(self.state, self.policy)  # type: ignore[arg-type]
                seen.append(Asked(self.now, rung.kind, rung.asks, rung.by, rung.attempt, rung.attempts))
        raise AssertionError("an owner who is silent for ever is never released")

    def _bound_s(self) -> int:
        """Return how long silence may last: waiting, a hold, the present window doubled, and the whole ladder."""
        wall_s = 0
        if isinstance(self.state, (Waiting, Paused)):
            due_at = self.state.due if isinstance(self.state, Waiting) else self.state.until
            wall_s = max(0, int((due_at - self.now).total_seconds()) + 1)
        hold_s = max(0, self.state.until_s - self.service_s) if isinstance(self.state, Held) else 0
        windows_s = [rung.window_s for rung in self.policy.rungs]
        return wall_s + hold_s + 2 * max(windows_s) + sum(windows_s) + 3 * DAY_S

    def accept_and_pass(self) -> None:
        if isinstance(self.state, Climbing):
            self._accept()
        self.until_due()

    def _accept(self) -> None:
        """A provider accepts a prompt of this rung that has not come back, if there is one."""
        place = self.place()
        assert place is not None
        bounced = self.judge.askings[place].bounced
        ways = [(who, by) for who in (11, 12, 13) for by in By]
        for who, by in ways:
            prompt = self.prompt(who, by)
            if prompt[4:] not in bounced:
                self.happens(PromptAccepted(*prompt))
                return

    def until_due(self, *, slip_s: int = 0) -> None:
        """Let time pass until a tick has something to decide, then tick."""
        due_at, due_s = due(self.state, self.policy)
        wait = (
            max(timedelta(), due_at - self.now) if due_at else timedelta(seconds=max(0, (due_s or 0) - self.service_s))
        )
        self.passes(max(0, int(wait.total_seconds()) + slip_s))

    def passes(self, seconds: int) -> None:
        self.now += timedelta(seconds=seconds)
        self.service_s += seconds
        self.happens(Ticked())

    def is_contacts_turn(self) -> bool:
        return self.witness.asked and isinstance(self.state, LADDER)

    def comes_back(self, who: int, by: By) -> None:
        prompt = self.prompt(who, by)
        reached = self.judge.others_reached(Place(*prompt[:3]), prompt[4:])
        self.happens(PromptBounced(*prompt, others_reached=reached))

    def standing(self) -> list[tuple[int, By]]:
        """Return the ways by which a prompt of the present rung was accepted and has not come back."""
        place = self.place()
        asking = self.judge.askings[place] if place else None
        return [way for way in asking.accepted_at_s if way not in asking.bounced] if asking else []

    def place(self) -> Place | None:
        state = self.state
        return Place(state.cycle, state.rung, state.round) if isinstance(state, Climbing) else None

    def prompt(self, who: int, by: By) -> tuple[int, int, int, Audience, int, By]:
        place = self.place()
        assert place is not None
        asked = self.judge.askings[place].asks
        one_of_them = 11 + (who - 11) % max(1, self.policy.contacts)  # nobody is asked who is not a contact
        return (*place, asked, DANA if asked is Audience.OWNER else one_of_them, by)


def _latest_s(state: State) -> int:
    match state:
        case Climbing():
            return max(state.asked_at_s, state.accepted_at_s or 0)
        case Held():
            return _latest_s(state.climbing)
        case Released():
            return state.released_at_s
        case _:
            return 0
