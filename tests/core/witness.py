"""A witness who holds the ladder to the words of docs/ladder.md, one step at a time.

The judge (`judge.py`) decides whether a rung was climbed too early and whether a release was earned. The witness knows
the rest: who may say what and when, what each word does to the switch, what is refused, and who is told. Nothing here
asks the ladder what it thinks.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from stafeta.core.errors import HoldExhausted, LadderError, NotAsked, PolicyError, WrongCycle
from stafeta.core.policy import Audience, Policy
from stafeta.core.states import (
    Armed,
    Ask,
    AskByOtherChannel,
    AskedToWait,
    AskOtherwise,
    CheckedIn,
    Climbing,
    CloseGrants,
    Effect,
    Event,
    GaveGoAhead,
    Held,
    PauseBegan,
    Paused,
    PauseEnded,
    PromptAccepted,
    PromptBounced,
    PromptRefused,
    Released,
    Resting,
    Restored,
    State,
    StoodDown,
    Tell,
    Ticked,
    Told,
    Vouched,
    Waiting,
)

DAY_S = 24 * 3600
SAYINGS = (Vouched, AskedToWait, GaveGoAhead)
REPORTS = (PromptAccepted, PromptRefused, PromptBounced)
LADDER = (Climbing, Held)


@dataclass
class Witness:
    """What was said and heard in the running cycle, written down apart from the ladder.

    asked: contacts were asked in this cycle.
    back_at_contacts: and again since the last restore.
    go_ahead: who says "go ahead" and has not taken it back.
    took_back: who took it back when no waiting was left; theirs counts no more in this cycle.
    vouched: cycles in a row that a contact, not the owner, began.
    held_until_s, held_from_s, spent_s: the running hold, and what earlier ones of this cycle lasted.
    """

    asked: bool = False
    back_at_contacts: bool = False
    go_ahead: set[int] = field(default_factory=set)
    took_back: set[int] = field(default_factory=set)
    vouched: int = 0
    held_until_s: int | None = None
    held_from_s: int = 0
    spent_s: int = 0

    # What is refused

    def refuses(self, state: State, event: Event, policy: Policy, *, now: datetime, service_s: int) -> type | None:
        """Return the error that `event` has earned, or None where it must be heard."""
        spoken_of = getattr(event, "cycle", None)
        if spoken_of is not None and spoken_of != state.cycle:
            return WrongCycle
        if isinstance(event, PauseBegan):
            return None if timedelta() < event.until - now <= timedelta(days=365) else PolicyError
        if not isinstance(event, SAYINGS):
            return None
        if not isinstance(state, LADDER) or not self.asked:
            return NotAsked
        if isinstance(event, GaveGoAhead):
            closed = not policy.may_go_ahead or not self.back_at_contacts or event.contact in self.took_back
            return NotAsked if closed else None
        return self._no_waiting(event, service_s=service_s)

    def _no_waiting(self, event: Vouched | AskedToWait, *, service_s: int) -> type | None:
        left_s = self.left_s(service_s=service_s)
        takes_back = event.contact in self.go_ahead
        if isinstance(event, AskedToWait):
            if not 1 <= event.days <= 30:
                return PolicyError
            if event.days * DAY_S <= left_s or (takes_back and left_s < DAY_S):
                return None
            return HoldExhausted
        return None if self.vouched < 3 or left_s >= 1 or takes_back else HoldExhausted

    def left_s(self, *, service_s: int) -> int:
        """Return how many seconds this cycle may still be held, from now."""
        return 60 * DAY_S - self.spent_s - self._running_s(service_s)

    def _running_s(self, service_s: int) -> int:
        return 0 if self.held_until_s is None else min(service_s, self.held_until_s) - self.held_from_s

    def refused(self, error: LadderError | PolicyError, expected: type | None) -> None:
        """Judge a refusal."""
        assert expected is not None, f"refused without a reason: {error!r}"
        assert type(error) is expected, f"refused for the wrong reason: {error!r}, not {expected.__name__}"

    # What is heard

    def watch(
        self,
        before: State,
        event: Event,
        after: State,
        effects: list[Effect],
        *,
        policy: Policy,
        now: datetime,
        service_s: int,
    ) -> None:
        """Judge one step, of which `policy` is what is in force after it."""
        match event:
            case CheckedIn() | StoodDown() | PauseBegan() | PauseEnded() | Armed():
                self._owner(before, event, after, effects)
            case Ticked():
                self._time(before, after, effects, now=now, service_s=service_s)
            case PromptAccepted() | PromptRefused() | PromptBounced():
                self._report(before, event, after, effects)
            case Vouched() | AskedToWait() | GaveGoAhead():
                self._contact(event, before, after, effects, service_s=service_s)
            case Restored():
                self._restored(before, after, effects, now=now)
        self._keep_books(before, after, effects, service_s=service_s)
        if isinstance(after, Waiting) and after.cycle != before.cycle:
            self._due_is_an_interval_away(after, policy, now=now)

    def _owner(self, before: State, event: Event, after: State, effects: list[Effect]) -> None:
        """Any word of the owner ends the cycle, in any rung; nothing else does what these words do."""
        climbs = isinstance(before, LADDER)
        runs = isinstance(before, (Waiting, Climbing, Held))
        match event:
            case CheckedIn():
                heard = Waiting if runs else Resting if isinstance(before, Released) else None
            case StoodDown():
                heard = None if isinstance(before, Resting) else Resting
            case PauseBegan():
                heard = Paused if runs or isinstance(before, Paused) else None
            case PauseEnded():
                heard = Waiting if isinstance(before, Paused) else None
            case _:
                heard = Waiting if isinstance(before, Resting) else None
        if heard is None:
            assert (after, effects) == (before, [])
            return
        assert isinstance(after, heard), f"{event} led from {before} to {after}"
        assert after.cycle == before.cycle + 1, "the owner was heard, and the cycle goes on"
        news = told(effects)
        assert (CloseGrants(before.cycle) in effects) == isinstance(before, Released)
        if isinstance(before, Released):
            assert news == [(Audience.OWNER, Told.FALSE_ALARM), (Audience.TRUSTED, Told.FALSE_ALARM)]
        else:
            assert news == ([(Audience.TRUSTED, Told.ALL_WELL)] if climbs and self.asked else [])
        self.vouched = 0

    def _time(self, before: State, after: State, effects: list[Effect], *, now: datetime, service_s: int) -> None:
        assert after.cycle == before.cycle
        match before:
            case Resting() | Released():
                assert (after, effects) == (before, [])
            case Waiting() | Paused():
                due = before.due if isinstance(before, Waiting) else before.until
                assert isinstance(after, Climbing) == (now >= due), "the first prompt is due on the wall clock alone"
                assert after == before or len(asks(effects)) == 1
            case Held():
                assert self.held_until_s is not None
                assert isinstance(after, Climbing) == (service_s >= self.held_until_s), "a hold lasts as it was told"
                assert after == before or len(asks(effects)) == 1, "after a hold somebody is asked anew"
                assert after == before or after.accepted_at_s is None
                self._last_call_after_hold(before, after)
            case _:
                otherwise = [effect for effect in effects if isinstance(effect, AskOtherwise)]
                assert bool(effects) - bool(otherwise) == (place(after) != place(before)), (
                    "whoever climbs, asks or opens"
                )
                gives_up = isinstance(after, Climbing) and after.unreachable and not before.unreachable
                assert gives_up or not otherwise, "the other channels are asked once nobody could be reached"
                if isinstance(after, Released):
                    assert told(effects) == [(Audience.OWNER, Told.RELEASED), (Audience.TRUSTED, Told.RELEASED)]

    def _last_call_after_hold(self, before: Held, after: State) -> None:
        if isinstance(after, Climbing) and after.rung != -1 and before.climbing.rung != -1:
            assert after.rung == before.climbing.rung, "a hold goes on where it interrupted"

    def _report(self, before: State, event: Event, after: State, effects: list[Effect]) -> None:
        assert isinstance(event, REPORTS)
        concerns = isinstance(before, Climbing) and (event.rung, event.round) == (before.rung, before.round)
        if not concerns:
            assert (after, effects) == (before, []), "a report of another rung changed something"
        if isinstance(event, PromptAccepted):
            assert effects == []
        assert all(isinstance(effect, AskByOtherChannel) for effect in effects), "a report only tries another way"
        if concerns and isinstance(event, PromptRefused):
            assert after == before
            assert [(effect.person, effect.by) for effect in effects] == [(event.person, event.by.other)]

    def _contact(self, event: Event, before: State, after: State, effects: list[Effect], *, service_s: int) -> None:
        assert isinstance(event, SAYINGS)
        if isinstance(event, Vouched) and self.vouched < 3:
            assert isinstance(after, Waiting)
            assert after.cycle == before.cycle + 1
            assert told(effects) == [(Audience.OWNER, Told.VOUCHED), (Audience.TRUSTED, Told.ALL_WELL)]
            self.vouched += 1
            return
        assert after.cycle == before.cycle
        if isinstance(event, GaveGoAhead):
            self.go_ahead.add(event.contact)
            assert isinstance(after, Held) == isinstance(before, Held), "a hold that somebody asked for ends first"
            return
        left_s = self.left_s(service_s=service_s)
        wait_s = event.days * DAY_S if isinstance(event, AskedToWait) else min(7 * DAY_S, left_s)
        if not 1 <= wait_s <= left_s:
            self.took_back.add(event.contact)
        else:
            assert isinstance(after, Held)
            stood_s = self.held_until_s or 0
            assert after.until_s == max(stood_s, service_s + wait_s), "a hold lasts as long as was asked"
            news = [(Audience.OWNER, Told.WAITING), (Audience.TRUSTED, Told.WAITING)]
            assert told(effects) == (news if after.until_s > stood_s else []), "a hold tells somebody"
        self.go_ahead.discard(event.contact)

    def _restored(self, before: State, after: State, effects: list[Effect], *, now: datetime) -> None:
        assert type(after) is type(before)
        assert after.cycle == before.cycle
        match before:
            case Climbing():
                assert [(ask.rung, ask.audience) for ask in asks(effects)] == [(0, Audience.OWNER)]
                assert isinstance(after, Climbing)
                assert after.accepted_at_s is None
            case Held():
                assert isinstance(after, Held)
                assert (after.until_s, after.climbing.rung, effects) == (before.until_s, 0, [])
            case Waiting():
                assert isinstance(after, Waiting)
                assert after.due <= before.due
            case Paused():
                assert isinstance(after, Paused)
                assert after.until == min(before.until, now + timedelta(days=365)), "no pause lasts above a year"
            case _:
                assert (after, effects) == (before, [])
        self.go_ahead, self.back_at_contacts = set(), False

    # Books

    def _keep_books(self, before: State, after: State, effects: list[Effect], *, service_s: int) -> None:
        if isinstance(before, Held) and (not isinstance(after, Held) or after.until_s != before.until_s):
            self.spent_s += self._running_s(service_s)
            self.held_until_s = None
        if isinstance(after, Held) and self.held_until_s is None:
            self.held_from_s, self.held_until_s = service_s, after.until_s
        if after.cycle != before.cycle:
            counted = self.vouched
            self.__init__(vouched=counted)  # type: ignore[misc]
        if any(ask.audience is Audience.TRUSTED for ask in asks(effects)):
            self.asked = self.back_at_contacts = True

    def _due_is_an_interval_away(self, after: Waiting, policy: Policy, *, now: datetime) -> None:
        zone = ZoneInfo(policy.zone)
        day = now.astimezone(zone).date() + timedelta(days=policy.interval_days)
        due = after.due.astimezone(zone)
        assert (due.date() - day).days in (0, 1), "the next prompt is due an interval of local days from now"
        assert due.date() != day or due.time() >= policy.at
        assert after.vouched == self.vouched, "vouches in a row are counted"


def asks(effects: list[Effect]) -> list[Ask]:
    """Return the prompts among the effects."""
    return [effect for effect in effects if isinstance(effect, Ask)]


def told(effects: list[Effect]) -> list[tuple[Audience, Told]]:
    """Return who is told what because of a word, in order."""
    return [(effect.audience, effect.told) for effect in effects if isinstance(effect, Tell)]


def place(state: State) -> tuple[int, int] | None:
    """Return rung and round where the switch climbs."""
    return (state.rung, state.round) if isinstance(state, Climbing) else None
