"""What befalls the service as a whole, when each episode begins and ends."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Final

from stafeta.core.states import LAST_CALL_RUNG, Climbing
from stafeta.simulation.backups import Backups
from stafeta.simulation.crashes import REFUSALS
from stafeta.simulation.poison import cure, poison
from stafeta.simulation.script import Episode, Trouble, outage_at
from stafeta.switches.models import Switch
from stafeta.switches.services.confirm_clock import confirm_clock
from stafeta.worker.loop import Worker

if TYPE_CHECKING:
    from stafeta.simulation.world import World

STOPPED: Final = (Trouble.WORKER_DOWN, Trouble.ALL_DOWN)
OUTAGES: Final = (*STOPPED, Trouble.WEB_DOWN, Trouble.ASLEEP)
NOTICED_AFTER: Final = timedelta(days=2)
CLOCKS: Final = (Trouble.CLOCK_MINUTES, Trouble.CLOCK_DAY, Trouble.CLOCK_YEAR, Trouble.CLOCK_BACK)


class Troubles:
    """Begins and ends the episodes of a script; `unreachable`: nobody gets through to the page; `deafening`: or nothing
    that is pressed there can be kept."""

    unreachable: Final = {Trouble.WEB_DOWN, Trouble.ALL_DOWN}
    deafening: Final = unreachable | {Trouble.LOCKED, Trouble.READ_ONLY, Trouble.FULL}

    def __init__(self, world: World) -> None:
        self._world = world
        self._running: Counter[Trouble] = Counter()
        self._episodes: list[Episode] = []
        self._asleep: list[Worker] = []
        self._backups = Backups(world)

    def plan(self) -> None:
        """Put every episode into the agenda."""
        for episode in self._world.script.episodes:
            self._world.later(timedelta(hours=episode.begin_h), partial(self._begin, episode))

    def end_all(self) -> None:
        """The faults are over."""
        for episode in tuple(self._episodes):
            self._end(episode)

    def _begin(self, episode: Episode) -> None:
        world, trouble = self._world, episode.trouble
        world.work()
        world.told(-1, f"{trouble.value} begins, for {episode.hours:g} h")
        self._episodes.append(episode)
        self._running[trouble] += 1
        world.troubles.add(trouble)
        match trouble:
            case Trouble.WORKER_DOWN | Trouble.ALL_DOWN:
                world.workers.clear()
            case Trouble.ASLEEP:
                self._asleep += world.workers
                world.workers.clear()
            case Trouble.TWO_WORKERS if not self.is_closed:
                world.hire()
            case Trouble.POISON:
                with world.wire.by_hand():
                    poison(now=world.wall())
            case Trouble.RESTORED:
                self._backups.make()
            case _ if trouble in CLOCKS:
                world.offset += self._jump(episode)
            case _ if trouble in REFUSALS:
                world.wire.refuses.add(trouble)
            case _:
                pass
        if trouble in OUTAGES:
            self._note_rungs(episode)
        if trouble not in REFUSALS and trouble not in (Trouble.CRASHES, Trouble.RESTORED):
            world.saw(trouble.value)
        world.work()
        world.later(timedelta(hours=episode.hours), partial(self._end, episode))

    def _end(self, episode: Episode) -> None:
        if episode not in self._episodes:
            return
        world, trouble = self._world, episode.trouble
        self._episodes.remove(episode)
        self._note_pauses(episode)
        world.work()
        self._running[trouble] -= 1
        if not self._running[trouble]:
            world.troubles.discard(trouble)
            world.wire.refuses.discard(trouble)
        match trouble:
            case Trouble.ASLEEP if not self.is_closed:
                world.workers += self._asleep
                self._asleep.clear()
                world.skip()
            case Trouble.TWO_WORKERS if len(world.workers) > 1:
                world.workers.pop()
            case Trouble.POISON:
                with world.wire.by_hand():
                    cure()
            case Trouble.RESTORED:
                self._restore()
            case _ if trouble in CLOCKS:
                world.offset -= self._jump(episode)
                if trouble is Trouble.CLOCK_YEAR:
                    world.later(NOTICED_AFTER, self._confirm)
            case _:
                pass
        if not world.workers and not self.is_closed:
            world.hire()
        world.told(-1, f"{trouble.value} is over")
        world.work()

    def _restore(self) -> None:
        """The workers of before stop themselves (`core.errors.Superseded`); new ones are started."""
        if not self._backups.bring_back():
            return
        world = self._world
        world.saw(Trouble.RESTORED.value)
        self._asleep.clear()
        world.workers.clear()
        world.people.begin_anew()
        world.judge.begin_anew()

    def _confirm(self) -> None:
        """The operator has put the clock right, and says so."""
        if not self._world.by_web(lambda: confirm_clock(now=self._world.wall(), pace=1.0)):
            self._world.later(timedelta(hours=6), self._confirm)

    @property
    def is_closed(self) -> bool:
        """Whether no worker can run now."""
        return any(self._running[trouble] for trouble in (*STOPPED, Trouble.ASLEEP))

    def _jump(self, episode: Episode) -> timedelta:
        sign = 1 if episode.size < 0.5 else -1
        return {
            Trouble.CLOCK_MINUTES: timedelta(minutes=5) * sign,
            Trouble.CLOCK_DAY: timedelta(days=1) * sign,
            Trouble.CLOCK_YEAR: timedelta(days=365),
            Trouble.CLOCK_BACK: -timedelta(hours=1 + 47 * episode.size),
        }[episode.trouble]

    def _note_rungs(self, episode: Episode) -> None:
        """On which rungs an outage of this length finds somebody."""
        for switch in Switch.objects.filter(phase="Climbing"):
            state = switch.ladder_state
            if isinstance(state, Climbing) and state.rung != LAST_CALL_RUNG:
                self._world.saw(outage_at(episode.hours, switch.ladder_policy.rungs[state.rung].kind))

    def _note_pauses(self, episode: Episode) -> None:
        """A pause that ran out while nobody could have noticed."""
        if episode.trouble not in OUTAGES:
            return
        ended = Switch.objects.filter(phase="Paused", due_at__lte=self._world.wall())
        if ended.exists():
            self._world.saw("pause_ends_in_an_outage")
