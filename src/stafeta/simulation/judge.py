"""A naive judge of a world: it knows the promises and what really happened, and never asks the ladder what it thinks.

What really happened is what the providers took, when the page could be pressed, and who was there. From that alone:

- nobody who could be heard, and was asked, is released; no window ran out sooner than the owner was promised;
- whoever is gone for good is released within the ladder's length and a bound, and everybody who should read, reads;
- no message is lost: what counts as sent was taken by a provider, and nothing waits for ever.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from stafeta.core.policy import DAY_S, Choices
from stafeta.outbox.models import Message
from stafeta.simulation.agenda import oldest_due_s, released
from stafeta.simulation.climb import Climb, identity_of
from stafeta.simulation.founding import Household
from stafeta.simulation.people import Reader
from stafeta.simulation.script import Stance, Temper, Trait
from stafeta.switches.models import Switch

if TYPE_CHECKING:
    from stafeta.simulation.world import World

FALSE_RELEASE, MISSED_RELEASE, LOST_MESSAGE, LEAK, FAST_CLOCK = (
    "false_release",
    "missed_release",
    "lost_message",
    "leak",
    "fast_clock",
)
REACTION_S: Final = 10 * 3600
SLACK_S: Final = 900
ALL_ALONG: Final = timedelta(days=14)
ONE_WAY_LEFT: Final = frozenset({Trait.MAILBOX_CLOSED, Trait.MAILBOX_BOUNCES, Trait.PHONE_LOST})
KEPT_WAITING_S: Final = 2 * DAY_S
CLOCK_SLACK_S: Final = 120
UNREACHABLE_S: Final = 3 * DAY_S
READS_WITHIN_DAYS: Final = 12
BOUND_DAYS: Final = 8
HELD_DAYS_MAX: Final = 60
VOUCHED_CYCLES_MAX: Final = 3
WAITS_MAX: Final = timedelta(days=4)


@dataclass(frozen=True, slots=True)
class Violation:
    """A broken promise, in whose life, and how it showed."""

    kind: str
    life: int
    at: datetime
    what: str


def windows_s(choices: Choices, *, contacts: int) -> list[int]:
    """Return how long an owner was promised to be waited for, asking by asking, contacts included where there are any.

    Written from docs/ladder.md, not from the code that climbs.
    """
    windows = [choices.email_window_s] * choices.email_attempts + [choices.sms_window_s] * choices.sms_attempts
    if contacts:
        windows += [choices.trusted_window_s] * choices.trusted_attempts
    if choices.cooling_off_days:
        windows.append(choices.cooling_off_days * DAY_S)
    return windows


class Judge:
    """Watches one world."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.violations: list[Violation] = []
        self.forgotten: set[str] = set()
        self.released: dict[int, dict[int, datetime]] = {}
        self._heard_s: dict[int, float] = {}
        self._heard_at: dict[int, datetime] = {}
        self._go_aheads: dict[int, set[tuple[int, str]]] = {}

    # What happens

    def heard(self, life: int) -> None:
        """The owner was heard: whatever had passed until now counts for nothing."""
        self._heard_s[life] = self._world.heard_s
        self._heard_at[life] = self._world.now

    def said_go_ahead(self, life: int, cycle: int, name: str) -> None:
        """A contact said that the handovers may open."""
        self._go_aheads.setdefault(life, set()).add((cycle, name))

    def was_scanned(self, life: int, *, before: int, after: int) -> None:
        """A link scanner has been at a mail of the owner's; the cycle before and after."""
        if before != after:
            self._accuse(MISSED_RELEASE, life, "a link scanner confirmed")

    def begin_anew(self) -> None:
        """After a restore nobody remembers anything: every ladder has to be climbed from its first rung, and what was
        released since then is released again."""
        self._heard_s = dict.fromkeys(self._world.people.owners, self._world.heard_s)
        self._heard_at.clear()
        self.forgotten = set(self._world.ledger.taken)
        open_now = set(Switch.objects.filter(phase="Released").values_list("pk", flat=True))
        for home in self._world.people.homes:
            if home.switch_id not in open_now:
                self.released.pop(home.life.number, None)

    def was_read(self, life: int, reader: Reader) -> None:
        """A recipient has read."""
        releases = self.released.get(life)
        if not releases:
            self._accuse(LEAK, life, f"{reader.name} read without a release")
        elif self._world.now < min(releases.values()) + timedelta(days=reader.home.life.delay_days):
            self._accuse(LEAK, life, f"{reader.name} read before the delay was over")
        elif life in self._heard_at and self._heard_at[life] > max(releases.values()):
            self._accuse(LEAK, life, f"{reader.name} read after the owner had come back")
        if reader.stance is Stance.DECLINED:
            self._accuse(LEAK, life, f"{reader.name} had declined and read")

    def look(self) -> None:
        """Look at the service as it is now."""
        world = self._world
        second, open_now = released()
        if second > world.heard_s + CLOCK_SLACK_S:
            self._accuse(FAST_CLOCK, -1, f"{second} s counted, {world.heard_s:.0f} s could be heard")
            world.heard_s = float(second)
        waits_s = second - oldest_due_s(second)
        if waits_s > KEPT_WAITING_S:
            self._accuse(MISSED_RELEASE, -1, f"a switch has been due for {waits_s} s")
        for pk, cycle in open_now:
            home = self._home(pk)
            if home is not None and cycle not in self.released.setdefault(home.life.number, {}):
                self.released[home.life.number][cycle] = world.now
                world.told(home.life.number, f"the handover opens (cycle {cycle})")
                self._judge_release(home, cycle)
        world.people.look()

    # Safety

    def _judge_release(self, home: Household, cycle: int) -> None:
        world, life = self._world, home.life
        owner = world.people.owners[life.number]
        was_playing = world.people.playing.pop(life.number, (None,))[0] == cycle
        was_asked = bool(owner.asked and owner.asked[0] == cycle)
        long_ago = world.now - timedelta(seconds=REACTION_S)
        if not was_playing and owner.is_there(long_ago) and owner.is_there(world.now):
            if was_asked and owner.asked and owner.asked[1] <= long_ago:
                self._accuse(FALSE_RELEASE, life.number, "the owner was there, was asked and could have answered")
            elif not was_asked and not life.traits & ONE_WAY_LEFT and owner.was_there_for(ALL_ALONG):
                self._accuse(FALSE_RELEASE, life.number, "the owner was there, could be reached, and was never asked")
        switch = Switch.objects.get(pk=home.switch_id)
        climb = Climb.of(switch, world.ledger, released_s=world.heard_s)
        promised = windows_s(switch.owner_choices, contacts=0 if climb.was_called_last else climb.contacts)
        if climb.was_called_last:
            said = [name for said_in, name in self._go_aheads.get(life.number, ()) if said_in == cycle]
            if not switch.owner_choices.may_go_ahead or len(said) < min(2, climb.contacts):
                self._accuse(FALSE_RELEASE, life.number, f"only {said} said to go ahead")
            promised = [*promised[: climb.owner_rungs], DAY_S]
        waited_s = world.heard_s - max(self._heard_s.get(life.number, 0.0), climb.began_s)
        if waited_s < sum(promised) - SLACK_S:
            what = f"waited for {waited_s / DAY_S:.2f} days, promised {sum(promised) / DAY_S:.2f}"
            self._accuse(FALSE_RELEASE, life.number, what)
        for complaint in climb.complaints():
            self._accuse(FALSE_RELEASE, life.number, complaint)

    # Liveness

    def horizon(self) -> datetime:
        """Return by when everything that was promised must have happened, the faults being over now."""
        bounds = [self._release_by(home) for home in self._world.people.homes if self._is_due(home)]
        latest = max(bounds, default=self._world.now)
        return latest + timedelta(days=max((home.life.delay_days for home in self._world.people.homes), default=0) + 40)

    def is_finished(self) -> bool:
        """Whether nothing that was promised is left to come."""
        due = [home for home in self._world.people.homes if self._is_due(home)]
        return all(self._is_released(home) and not self._unserved(home) for home in due)

    def close(self) -> None:
        """Pronounce what was promised and did not happen."""
        for home in self._world.people.homes:
            if self._is_due(home):
                self._judge_absence(home)
        self._judge_messages()

    def _judge_absence(self, home: Household) -> None:
        life = home.life
        if not self._is_released(home):
            state = Switch.objects.get(pk=home.switch_id).state
            self._accuse(MISSED_RELEASE, life.number, f"gone, and never released; the switch is {state}")
            return
        for reader in self._unserved(home):
            self._accuse(MISSED_RELEASE, life.number, f"{reader.name} never read (news: {reader.got_news})")

    def _is_due(self, home: Household) -> bool:
        return home.life.number in self._world.people.gone_for_good

    def _is_released(self, home: Household) -> bool:
        since = self._world.people.gone_for_good[home.life.number]
        return any(at >= since for at in self.released.get(home.life.number, {}).values())

    def _unserved(self, home: Household) -> list[Reader]:
        readers = self._world.people.readers[home.life.number]
        return [reader for reader in readers if reader.stance is not Stance.DECLINED and reader.has_read is None]

    def _release_by(self, home: Household) -> datetime:
        """The longest way there can be: every rung unreachable and doubled, every hold and every vouching used up."""
        choices = Switch.objects.get(pk=home.switch_id).owner_choices
        windows = [*windows_s(choices, contacts=len(home.contacts)), DAY_S]
        ladder_s = sum(UNREACHABLE_S + 2 * window_s for window_s in windows)
        cycles = 1 + VOUCHED_CYCLES_MAX * (Temper.FOREVER in home.life.contacts)
        days = cycles * (choices.interval_days + ladder_s / DAY_S) + HELD_DAYS_MAX + BOUND_DAYS
        paused = Switch.objects.filter(pk=home.switch_id, phase="Paused").values_list("due_at", flat=True).first()
        begins = max(self._world.now, paused or self._world.now)
        return begins + timedelta(days=days)

    # Messages

    def _judge_messages(self) -> None:
        world = self._world
        overdue = Message.objects.filter(state=Message.State.QUEUED, queued_at__lt=world.wall() - WAITS_MAX)
        for key in overdue.values_list("key", flat=True)[:10]:
            self._accuse(LOST_MESSAGE, -1, f"{key} waits for ever")
        known = set()
        for message in Message.objects.iterator():
            known.add(identity_of(message))
            if message.state == Message.State.ACCEPTED and not world.ledger.taken.get(identity_of(message)):
                self._accuse(LOST_MESSAGE, -1, f"{message.key} counts as sent, and no provider has it")
        if strangers := self._world.ledger.taken.keys() - known - self.forgotten:
            self._accuse(LOST_MESSAGE, -1, f"{len(strangers)} messages left under a name that nobody knows")

    def _home(self, switch_id: int) -> Household | None:
        return next((home for home in self._world.people.homes if home.switch_id == switch_id), None)

    def _accuse(self, kind: str, life: int, what: str) -> None:
        self.violations.append(Violation(kind, life, self._world.now, what))
        self._world.told(life, f"VIOLATION {kind}: {what}")
