"""Random lives: people, providers and clocks do whatever they like; the judge watches every step."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta

from hypothesis import strategies as st

from stafeta.core.errors import LadderError, PolicyError
from stafeta.core.ladder import advance
from stafeta.core.moves import Decision, due, rung_of
from stafeta.core.policy import Audience, By, Policy
from stafeta.core.states import (
    Armed,
    AskedToWait,
    CheckedIn,
    Climbing,
    Event,
    Evidence,
    GaveGoAhead,
    PauseBegan,
    PauseEnded,
    PromptAccepted,
    PromptBounced,
    PromptRefused,
    Released,
    Resting,
    Restored,
    State,
    StoodDown,
    Ticked,
    Vouched,
)
from tests.core.judge import Judge, Place
from tests.core.ladders import DAY_S, NOON

Step = tuple[str, int]
PEOPLE = 5
WALL_SPAN_DAYS = 800
WEIGHTS = {
    "until_due": 30,
    "accept": 24,
    "wait": 8,
    "bounce": 5,
    "refuse": 3,
    "late": 3,
    "go_ahead": 5,
    "vouch": 2,
    "ask_to_wait": 6,
    "wall": 2,
    "arm": 3,
    "check_in": 1,
    "old_link": 1,
    "pause": 1,
    "end_pause": 1,
    "stand_down": 1,
    "restore": 1,
}
KINDS = [kind for kind, weight in WEIGHTS.items() for _ in range(weight)]
ALL_WALKS: st.SearchStrategy[list[Step]] = st.lists(
    st.tuples(st.sampled_from(KINDS), st.integers(0, 2**20)), min_size=20, max_size=120
)


@dataclass
class Life:
    """One switch, its judge, and what happened so far."""

    policy: Policy
    state: State = field(default_factory=lambda: Resting(0))
    service_s: int = 0
    now_s: int = 0
    said: list[Event] = field(default_factory=list)
    seen: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self.judge = Judge(self.policy)

    def live(self, script: list[Step]) -> None:
        """Let every step of the script happen."""
        self.happens(Armed())
        for kind, number in script:
            deed: Callable[[int], Event | None] = getattr(self, f"_{kind}")
            event = deed(number)
            if event is not None:
                self.happens(event)

    def happens(self, event: Event) -> None:
        """Let one event happen, be judged, and happen once more where twice must be as good as once."""
        before = self.state
        try:
            self.state, effects = self._advance(event)
        except (LadderError, PolicyError) as error:
            self.seen[type(error).__name__] += 1
            return
        self.said.append(event)
        self.judge.watch(before, event, self.state, effects, service_s=self.service_s)
        self.seen[type(self.state).__name__] += 1
        self._happens_again(event)

    def _happens_again(self, event: Event) -> None:
        """Invariant 14."""
        if isinstance(event, (PauseBegan, Restored)) or (isinstance(event, CheckedIn) and event.cycle is None):
            return  # three things that may be said anew in earnest
        try:
            again, _effects = self._advance(event)
        except LadderError:
            return
        assert again == self.state, f"{event} said twice changed {self.state} to {again}"

    def _advance(self, event: Event) -> Decision:
        now = NOON + timedelta(seconds=self.now_s)
        return advance(self.state, event, self.policy, now=now, service_s=self.service_s)

    # Time

    def _until_due(self, number: int) -> Event:
        """Wait until a tick has something to decide, or a second less, or far too long; or begin again."""
        due_at, due_s = due(self.state, self.policy)
        if isinstance(self.state, (Resting, Released)) and number % 4:
            return Armed() if isinstance(self.state, Resting) else CheckedIn(Evidence.SIGN_IN)
        slip_s = (0, 0, 0, -1, 1, 40 * DAY_S)[number % 6]
        if due_at is not None:
            self.now_s = int((due_at - NOON).total_seconds()) + slip_s
        if due_s is not None:
            self._pass(max(0, due_s - self.service_s + slip_s))
        return Ticked()

    def _wait(self, number: int) -> Event:
        self._pass(number % (4 * DAY_S))
        return Ticked()

    def _wall(self, number: int) -> Event:
        """The wall clock jumps, forwards or backwards."""
        self.now_s = (number % WALL_SPAN_DAYS - WALL_SPAN_DAYS // 2) * DAY_S
        return Ticked()

    def _pass(self, seconds: int) -> None:
        self.service_s += seconds
        self.now_s += seconds

    # Providers

    def _prompt(self, number: int) -> tuple[Climbing, Audience, int, By] | None:
        if not isinstance(self.state, Climbing):
            return None
        asks = rung_of(self.state, self.policy).asks
        person = 1 if asks is Audience.OWNER else 11 + number % max(1, self.policy.contacts)
        return self.state, asks, person, (By.EMAIL, By.SMS)[number // PEOPLE % 2]

    def _accept(self, number: int) -> Event | None:
        if (prompt := self._prompt(number)) is None:
            return None
        climbing, asks, person, by = prompt
        return PromptAccepted(climbing.cycle, climbing.rung, climbing.round, asks, person, by)

    def _refuse(self, number: int) -> Event | None:
        if (prompt := self._prompt(number)) is None:
            return None
        climbing, asks, person, by = prompt
        return PromptRefused(climbing.cycle, climbing.rung, climbing.round, asks, person, by)

    def _bounce(self, number: int) -> Event | None:
        if (prompt := self._prompt(number)) is None:
            return None
        climbing, asks, person, by = prompt
        place = Place(climbing.cycle, climbing.rung, climbing.round)
        others = self.judge.others_reached(place, (person, by))
        return PromptBounced(climbing.cycle, climbing.rung, climbing.round, asks, person, by, others)

    def _late(self, number: int) -> Event | None:
        """A report of long ago comes once more; it must change nothing (invariants 13 and 14)."""
        reports = [event for event in self.said if isinstance(event, (PromptAccepted, PromptBounced, PromptRefused))]
        if not reports:
            return None
        report = reports[number % len(reports)]
        try:
            again, _effects = self._advance(report)
        except LadderError:
            return None
        assert again == self.state, f"{report}, reported late, changed {self.state} to {again}"
        self.seen["late"] += 1
        return None

    # People

    def _vouch(self, number: int) -> Event:
        return Vouched(self.state.cycle, 11 + number % PEOPLE)

    def _ask_to_wait(self, number: int) -> Event:
        days = number // PEOPLE % 33 if number % 2 else 30
        return AskedToWait(self.state.cycle, 11 + number % PEOPLE, days)

    def _go_ahead(self, number: int) -> Event:
        return GaveGoAhead(self.state.cycle, 11 + number % PEOPLE)

    def _check_in(self, number: int) -> Event:
        cycle = self.state.cycle if number % 2 else None
        return CheckedIn(list(Evidence)[number % len(Evidence)], cycle)

    def _old_link(self, number: int) -> Event:
        return CheckedIn(Evidence.LINK, self.state.cycle - 1 - number % 3)

    def _pause(self, number: int) -> Event:
        return PauseBegan(NOON + timedelta(seconds=self.now_s, days=number % 400 - 10))

    def _end_pause(self, number: int) -> Event:
        return PauseEnded()

    def _arm(self, number: int) -> Event:
        return Armed()

    def _stand_down(self, number: int) -> Event:
        return StoodDown()

    def _restore(self, number: int) -> Event:
        return Restored()

    @property
    def is_released(self) -> bool:
        return isinstance(self.state, Released)
