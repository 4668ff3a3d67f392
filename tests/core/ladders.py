"""Dana's ladder in the hand of a test: one line drives it, nothing but the core decides."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from stafeta.core.ladder import advance
from stafeta.core.moves import due, rung_of
from stafeta.core.policy import Audience, By, Choices, Policy, compile_policy
from stafeta.core.states import (
    Armed,
    Ask,
    Climbing,
    Effect,
    Event,
    PromptAccepted,
    Resting,
    State,
    Tell,
    Ticked,
)

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
HOUR_S = 3600
DAY_S = 24 * HOUR_S
DANA, KAREL, EVA, MALLORY = 1, 11, 12, 66
STANDARD = compile_policy(Choices(), contacts=2)
OUTSPOKEN = compile_policy(Choices(may_go_ahead=True), contacts=2)
STEPS_MAX = 500


def told(effects: list[Effect]) -> list[tuple[str, str]]:
    """Return who is told what, in order."""
    return [(effect.audience.value, effect.told.value) for effect in effects if isinstance(effect, Tell)]


def asked(effects: list[Effect]) -> list[Ask]:
    """Return the prompts among the effects."""
    return [effect for effect in effects if isinstance(effect, Ask)]


@dataclass
class Ladder:
    """One switch and the two clocks its owner's test moves."""

    policy: Policy = STANDARD
    state: State = field(default_factory=lambda: Resting(0))
    now: datetime = NOON
    service_s: int = 0
    effects: list[Effect] = field(default_factory=list)

    def event(self, event: Event, *, next_policy: Policy | None = None) -> list[Effect]:
        """Let `event` happen now and return what is to be done."""
        self.state, self.effects = advance(
            self.state, event, self.policy, now=self.now, service_s=self.service_s, next_policy=next_policy
        )
        return self.effects

    def wait(self, *, seconds: int = 0, days: float = 0) -> list[Effect]:
        """Let both clocks run, then tick once."""
        span_s = seconds + int(days * DAY_S)
        self.now += timedelta(seconds=span_s)
        self.service_s += span_s
        return self.event(Ticked())

    def accept(self, person: int | None = None, by: By | None = None) -> list[Effect]:
        """Let a provider accept a prompt of the present rung."""
        rung = rung_of(self.climbing, self.policy)
        default = DANA if rung.asks is Audience.OWNER else KAREL
        return self.event(self.prompt(PromptAccepted, person or default, by or rung.by[0]))

    def prompt(self, verdict: type, person: int, by: By, **more: object) -> Event:
        """Return the verdict about a prompt of the present rung."""
        climbing = self.climbing
        asks = rung_of(climbing, self.policy).asks
        made: Event = verdict(climbing.cycle, climbing.rung, climbing.round, asks, person, by, **more)
        return made

    def until_due(self) -> list[Effect]:
        """Wait until a tick has something to decide, and let it decide."""
        due_at, due_s = due(self.state, self.policy)
        if due_at is not None:
            return self.wait(seconds=int((due_at - self.now).total_seconds()))
        assert due_s is not None
        return self.wait(seconds=due_s - self.service_s)

    def until(self, rung: int, *, accepted: bool = True) -> None:
        """Be silent until that rung is asked, every earlier prompt accepted at once."""
        for _ in range(STEPS_MAX):
            if isinstance(self.state, Climbing):
                if self.state.rung == rung:
                    break
                self.accept()
            self.until_due()
        else:
            raise AssertionError(f"rung {rung} was never reached")
        if accepted:
            self.accept()

    @property
    def climbing(self) -> Climbing:
        assert isinstance(self.state, Climbing), self.state
        return self.state


def armed(policy: Policy = STANDARD) -> Ladder:
    """Return Dana's ladder, armed at NOON."""
    ladder = Ladder(policy)
    ladder.event(Armed())
    return ladder


def on_rung(rung: int, policy: Policy = STANDARD, *, accepted: bool = True) -> Ladder:
    """Return Dana's ladder on that rung (0 is the first)."""
    ladder = armed(policy)
    ladder.until(rung, accepted=accepted)
    return ladder
