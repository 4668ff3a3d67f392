"""A world: true time, the service in it, and what happens to both.

Time jumps from one moment at which something can happen to the next. In between the service is as it was: a worker that
runs would have looked every few seconds and found nothing due, so its next reading stands for all of them; one that did
not run, or could not write, gets no more than the tolerance of a single reading, as in life.
"""

from __future__ import annotations

import heapq
import random
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from datetime import datetime, timedelta
from functools import partial
from itertools import count
from typing import Final

from django.conf import settings
from django.db import DatabaseError

from stafeta import clock
from stafeta.channels.base import ChannelKind
from stafeta.outbox.services.deliver import DELIVER_BATCH_MAX, LEASE_S, Channels
from stafeta.simulation.agenda import Agenda, agenda
from stafeta.simulation.crashes import REFUSALS, Crash, Wire
from stafeta.simulation.judge import Judge
from stafeta.simulation.population import Population
from stafeta.simulation.providers import Ledger, Mail, SimChannel, Taken
from stafeta.simulation.reports import Reports
from stafeta.simulation.script import Script, Trouble
from stafeta.simulation.troubles import Troubles
from stafeta.switches.services.probe import ProbeResult
from stafeta.worker.loop import TOLERANCE_TICKS, Worker

STEP_LEAST, STEP_STUCK, STEP_MOST = timedelta(minutes=1), timedelta(hours=3), timedelta(days=10)
HOPELESS: Final = {Trouble.EMAIL_AWAY, Trouble.SMS_AWAY, Trouble.ALL_AWAY, *REFUSALS} - {Trouble.DEADLOCKS}
TICK_EVERY_S: Final = 10.0
DELIVERIES_MAX: Final = 60
CRASH_RATE: Final = 0.3
RESTART: Final = timedelta(minutes=3)
Deed = Callable[[], object]


class World:
    """One simulated world. `live` plays its script; afterwards `judge` has the verdict."""

    def __init__(self, script: Script, *, with_story: bool = False, until_broken: bool = False) -> None:
        self.script = script
        self._until_broken = until_broken
        self.now = script.begins
        self.offset = timedelta()
        self.heard_s = 0.0
        self.seen: Counter[str] = Counter()
        self.story: list[tuple[datetime, int, str]] | None = [] if with_story else None
        self.rng = random.Random(script.seed)  # noqa: S311  # a story, not a secret
        self.troubles: set[Trouble] = set()
        self.ledger = Ledger()
        self.wire = Wire(self.rng, fired=self.saw)
        self.workers: list[Worker] = []
        self._deeds: list[tuple[datetime, int, Deed]] = []
        self._numbers = count()
        self._stale = self._failed = False
        self._looked_at = self._worked_at = script.begins
        self.reports = Reports(self, self.rng)
        self.channels = Channels(email=self._channel(ChannelKind.EMAIL), sms=self._channel(ChannelKind.SMS))
        self.people = Population(self)
        self.judge = Judge(self)
        self.befall = Troubles(self)

    # Life

    def live(self) -> None:
        """Play the script, then let the faults be over and see it all through to its end."""
        every_s = settings.TICK_EVERY_S
        with ExitStack() as stack:
            stack.enter_context(clock.virtual(Shown(self)))
            stack.enter_context(self.wire.laid())
            stack.callback(setattr, settings, "TICK_EVERY_S", every_s)
            self.hire()
            self.people.settle_in()
            self.befall.plan()
            self.run_until(self.script.begins + timedelta(days=self.script.years * 365.25))
            self.befall.end_all()
            self.people.last_days()
            self.run_until(self.judge.horizon(), enough=self.judge.is_finished)
            self.judge.close()

    def run_until(self, end: datetime, *, enough: Callable[[], bool] = lambda: False) -> None:
        """Let time pass until `end`, or until it is enough."""
        while self.now < end and not enough() and not (self._until_broken and self.judge.violations):
            ahead = self._ahead()
            self._pass_to(min(end, self._next_moment(min(ahead.round_at, ahead.send_at))))
            if self._act():
                ahead = self._ahead()
            if self._is_time(ahead.round_at) or self.now - self._worked_at >= STEP_MOST:
                self.work()
            elif self._is_time(ahead.send_at):
                self.work(only_post=True)

    def _ahead(self) -> Agenda:
        """What comes next; time that nobody worked through is not counted, so what is left of it begins now."""
        return agenda(now=self.now, counted_at=self.now if self._stale else self._looked_at, offset=self.offset)

    def _is_time(self, due: datetime) -> bool:
        """Whether to look at it now; what was due at the last look already is looked at some hours later."""
        return due <= self.now and (due > self._worked_at or self.now - self._worked_at >= STEP_STUCK)

    def _act(self) -> bool:
        """Let everything happen whose time has come, and return whether that was anything."""
        acted = False
        while self._deeds and self._deeds[0][0] <= self.now:
            heapq.heappop(self._deeds)[2]()
            acted = True
        return acted

    def work(self, *, only_post: bool = False) -> None:
        """Let every worker do a round and send what is due; `only_post` where a round would find nothing to decide."""
        self._failed, self._worked_at = False, self.now
        for worker in tuple(self.workers):
            self._in_process(partial(self._round, worker, only_post=only_post), worker)
        if self.workers and not self._failed:
            self._stale, self._looked_at = False, self.now
        self.judge.look()

    def look(self) -> None:
        """Let a worker look at the clock, as one does every few seconds, before somebody acts upon it."""
        for worker in tuple(self.workers[:1]):
            self._in_process(partial(self._read, worker), worker)

    # Time

    def wall(self) -> datetime:
        """What the service's clock shows."""
        return self.now + self.offset

    def monotonic_s(self) -> float:
        """Seconds since the beginning, on a clock that nothing disturbs."""
        return (self.now - self.script.begins).total_seconds()

    def later(self, wait: timedelta, deed: Deed) -> None:
        """Let `deed` happen after `wait` of true time."""
        heapq.heappush(self._deeds, (self.now + wait, next(self._numbers), deed))

    def skip(self) -> None:
        """What has passed since the last reading was not spent working: the next reading is a single one."""
        self._stale = self._failed = True

    def _next_moment(self, due: datetime) -> datetime:
        """Return when something can happen; for what has something in its way, some hours from now."""
        is_stuck = due <= self.now or self.troubles & HOPELESS
        moments = [max(due, self.now + STEP_STUCK) if is_stuck else due, self.now + STEP_MOST]
        moments += [self._deeds[0][0]] if self._deeds else []
        return max(min(moments), self.now + STEP_LEAST)

    def _pass_to(self, moment: datetime) -> None:
        if self.hears():
            self.heard_s += (moment - self.now).total_seconds()
        self.now = moment

    def hears(self) -> bool:
        """The truth: somebody works, and the page could be pressed."""
        return bool(self.workers) and not self.troubles & self.befall.deafening

    # The service

    def hire(self) -> None:
        """One more worker process starts."""
        self.workers.append(Worker(self.channels, probe=self._probe))

    def dismiss(self, worker: Worker) -> None:
        """It is gone, with all it remembered."""
        if worker in self.workers:
            self.workers.remove(worker)

    def by_web(self, deed: Deed) -> bool:
        """Do `deed` in a web process, and return whether it came through."""
        if self.troubles & self.befall.unreachable:
            return False
        done: list[bool] = []

        def work() -> None:
            deed()
            done.append(True)

        self._in_process(work, None)
        return bool(done)

    def _in_process(self, work: Deed, worker: Worker | None) -> None:
        if Trouble.CRASHES in self.troubles and self.rng.random() < CRASH_RATE:
            self.wire.will_crash()
        try:
            work()
        except Crash:
            self.wire.bury()
            if worker is not None:
                self.dismiss(worker)
                self.later(RESTART, self.hire)
        except DatabaseError:
            self.skip()  # the loop tries again; a person sees an error page
        finally:
            self.wire.survives()

    def _round(self, worker: Worker, *, only_post: bool) -> None:
        if only_post:
            self._read(worker)
        else:
            self._set_pace()
            worker.round()
        for _ in range(DELIVERIES_MAX):
            if worker.deliver() < DELIVER_BATCH_MAX:
                return

    def _read(self, worker: Worker) -> None:
        self._set_pace()
        worker.read_clock()
        self._stale, self._looked_at = False, self.now

    def _set_pace(self) -> None:
        """A worker that has worked all the time since has looked again and again; one that has not, looks once."""
        span_s = 0.0 if self._stale else (self.now - self._looked_at).total_seconds()
        settings.TICK_EVERY_S = max(TICK_EVERY_S, span_s / TOLERANCE_TICKS)
        if self._stale:
            self.heard_s += TICK_EVERY_S * TOLERANCE_TICKS

    def _probe(self, identity: str) -> ProbeResult:
        del identity
        if self.troubles & self.befall.unreachable:
            return ProbeResult(False, "the confirmation page does not answer")
        return ProbeResult(True)

    # The post

    def _channel(self, kind: ChannelKind) -> SimChannel:
        return SimChannel(
            kind,
            troubles=self.troubles,
            ledger=self.ledger,
            rng=self.rng,
            clocks=lambda: (self.now, self.heard_s),
            arrives=self._arrives,
            bounces=self.reports.bounced,
            loses=self.reports.lost,
            door=self.wire.at_door,
            stall=self._stall,
            fired=self.saw,
        )

    def _arrives(self, message: Mail, taken: Taken) -> None:
        self.later(timedelta(seconds=self.rng.uniform(1, 600)), lambda: self.people.deliver(message))
        self.reports.arrived(message, taken, complains=self.people.complains(message.to))

    def _stall(self) -> None:
        """The worker that sends this hangs for longer than its lease, and another takes its work over meanwhile."""
        if self.wire.is_armed:
            return
        self.saw(Trouble.STALLED.value)
        self.troubles.discard(Trouble.STALLED)
        self._pass_to(self.now + timedelta(seconds=LEASE_S + 60))
        self.skip()
        other = Worker(self.channels, probe=self._probe)
        for _ in range(DELIVERIES_MAX):
            if not other.deliver():
                break
        self.troubles.add(Trouble.STALLED)

    # What is remembered

    def saw(self, what: str) -> None:
        """Note that something happened at all."""
        self.seen[what] += 1

    def told(self, life: int, what: str) -> None:
        """Write it into the story of that life; -1 is everybody's."""
        if self.story is not None:
            self.story.append((self.now, life, what))


class Shown:
    """The clock that the service reads."""

    def __init__(self, world: World) -> None:
        self._world = world

    def now(self) -> datetime:
        """Return what the wall clock shows."""
        return self._world.wall()

    def monotonic_s(self) -> float:
        """Return the true seconds since the beginning."""
        return self._world.monotonic_s()
