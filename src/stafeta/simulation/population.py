"""Everybody in a world: founded at its beginning, found by their addresses, and what they do of their own accord."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Final

from stafeta.core.states import Climbing, Released, Resting
from stafeta.simulation.founding import Household, found
from stafeta.simulation.people import Contact, Owner, Person, Reader
from stafeta.simulation.providers import Mail
from stafeta.simulation.script import ZONES, Fate, Life, Temper, Trait
from stafeta.simulation.summer_time import oddity
from stafeta.switches.models import Switch, TrustedContact
from stafeta.switches.selectors import service_second
from stafeta.switches.services.arm import stand_down
from stafeta.switches.services.change_choices import change_choices
from stafeta.switches.services.contact_consent import decline
from stafeta.switches.services.pause import pause

if TYPE_CHECKING:
    from stafeta.simulation.world import World

DAY: Final = timedelta(days=1)
SIGN_IN_DAYS: Final = 70.0


class Population:
    """The people of one world."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.homes: list[Household] = []
        self.owners: dict[int, Owner] = {}
        self.readers: dict[int, list[Reader]] = {}
        self.gone_for_good: dict[int, datetime] = {}
        self.playing: dict[int, tuple[int, bool]] = {}
        self._by_address: dict[str, Person] = {}
        self.began = world.now

    def settle_in(self) -> None:
        """Make everybody, and put what they will do into the agenda."""
        for life in self.world.script.lives:
            self._settle(life)

    def deliver(self, message: Mail) -> None:
        """Bring a message to whoever has that address or number."""
        person = self._by_address.get(message.to)
        if person is not None:
            person.receive(message)

    def begin_anew(self) -> None:
        """A backup was brought back: what people were asked since is forgotten, and so is what they had armed."""
        self.playing.clear()
        resting = set(Switch.objects.filter(phase="Resting").values_list("pk", flat=True))
        for home in self.homes:
            self.owners[home.life.number].forgets()
            if home.switch_id in resting:
                self.gone_for_good.pop(home.life.number, None)

    def complains(self, address: str) -> bool:
        """Whether whoever lives there calls our mails spam."""
        person = self._by_address.get(address)
        return isinstance(person, Owner) and Trait.COMPLAINS in person.home.life.traits

    def last_days(self) -> None:
        """The faults are over: every second of those who are still there falls silent for good, the others say so."""
        for home in self.homes:
            owner = self.owners[home.life.number]
            if home.life.fate is Fate.LIVES and home.life.number % 2:
                owner.gone = (*owner.gone, (self.world.now, None))
                self._dies(home)
            elif home.life.fate is not Fate.DIES:
                owner.has_left = True
                stand_down(owner=home.owner, now=self.world.wall())

    def look(self) -> None:
        """Whoever plays with fire presses the button in the very moment of the release."""
        for number, (cycle, is_set) in tuple(self.playing.items()):
            owner = self.owners[number]
            switch = Switch.objects.get(pk=owner.home.switch_id)
            state = switch.ladder_state
            if switch.cycle != cycle or isinstance(state, (Released, Resting)):
                del self.playing[number]
            elif (
                isinstance(state, Climbing)
                and not is_set
                and state.accepted_at_s
                and state.rung == len(switch.ladder_policy.rungs) - 1
            ):
                left = timedelta(seconds=(switch.due_s or 0) - service_second())
                self.playing[number] = (cycle, True)
                self.world.later(left + timedelta(seconds=owner.rng.choice((-30, 0, 45, 90))), self._at_the_last(owner))

    # One life

    def _settle(self, life: Life) -> None:
        home = found(life, now=self.world.now)
        self.homes.append(home)
        gone_at = self.began + life.gone_day * DAY
        back_at = None if life.back_day is None else self.began + life.back_day * DAY
        gone = () if life.fate is Fate.LIVES else ((gone_at, back_at),)
        owner = Owner(self.world, home, gone)
        judge = self.world.judge
        owner.heard = partial(self._was_heard, home)
        owner.was_scanned = lambda before, after: judge.was_scanned(life.number, before=before, after=after)
        owner.plays = lambda cycle: self.playing.setdefault(life.number, (cycle, False))
        self.owners[life.number] = owner
        self._live_at(owner, home.owner.email, home.owner.phone)
        for place, row in enumerate(home.contacts):
            contact = Contact(self.world, home, place, owner)
            contact.said_go_ahead = partial(self._said, life.number, contact.name)
            self._live_at(contact, row.email, row.phone)
        self.readers[life.number] = []
        for place, recipient in enumerate(home.recipients):
            reader = Reader(self.world, home, place)
            reader.read = partial(judge.was_read, life.number, reader)
            self.readers[life.number].append(reader)
            self._live_at(reader, recipient.email, recipient.phone)
        self._plan(home, owner, gone_at, back_at)
        self._look_at_hour(home)

    def _was_heard(self, home: Household) -> None:
        self.world.judge.heard(home.life.number)
        self._look_at_hour(home)

    def _look_at_hour(self, home: Household) -> None:
        switch = Switch.objects.get(pk=home.switch_id)
        if switch.phase == "Waiting" and switch.due_at and (odd := oddity(switch.due_at, switch.owner_choices)):
            self.world.saw(odd)

    def _said(self, life: int, name: str, cycle: int) -> None:
        self.world.judge.said_go_ahead(life, cycle, name)

    def _live_at(self, person: Person, *addresses: str) -> None:
        for address in addresses:
            self._by_address[address] = person

    def _plan(self, home: Household, owner: Owner, gone_at: datetime, back_at: datetime | None) -> None:
        life, rng = home.life, owner.rng
        if life.fate is Fate.DIES:
            self._on(gone_at, lambda: self._dies(home))
        if back_at is not None:
            self._on(back_at, lambda: owner.tries(timedelta(hours=2), owner.signs_in))
        day = rng.expovariate(1 / SIGN_IN_DAYS)
        while day < self.world.script.years * 365:
            self._on(self.began + day * DAY, lambda: owner.tries(timedelta(), owner.signs_in))
            day += rng.expovariate(1 / SIGN_IN_DAYS)
        some_day = self.began + rng.uniform(1, self.world.script.years * 365) * DAY
        if Trait.PAUSES in life.traits:
            self._on(some_day, lambda: owner.tries(timedelta(), self._pauses(home, rng)))
        if Trait.MOVES in life.traits:
            self._on(some_day, lambda: owner.tries(timedelta(), self._moves(home, rng)))
        if Trait.CHANGES_CONTACT in life.traits and home.contacts:
            self._on(some_day, lambda: self.world.by_web(self._declines(home)))
        self._close_addresses(home, some_day)

    def _on(self, moment: datetime, deed: Callable[[], object]) -> None:
        self.world.later(moment - self.world.now, deed)

    def _close_addresses(self, home: Household, some_day: datetime) -> None:
        refuses, life = self.world.ledger.refuses, home.life
        closed: list[tuple[str, bool]] = []
        if Trait.MAILBOX_CLOSED in life.traits:
            closed.append((home.owner.email, True))
        elif Trait.MAILBOX_BOUNCES in life.traits:
            closed.append((home.owner.email, False))
        if Trait.PHONE_LOST in life.traits:
            closed.append((home.owner.phone, True))
        closed += [
            (row.email, bool(place % 2))
            for place, row in enumerate(home.contacts)
            if life.contacts[place] is Temper.BOUNCES
        ]
        for address, at_the_door in closed:
            self._on(some_day, partial(refuses.__setitem__, address, at_the_door))

    def _dies(self, home: Household) -> None:
        """From now on nothing will be heard; a switch that is not armed now promises nothing."""
        if Switch.objects.filter(pk=home.switch_id).exclude(phase__in=["Resting", "Released"]).exists():
            self.gone_for_good[home.life.number] = self.world.now
        self.world.told(home.life.number, "the owner is gone for good")

    def _pauses(self, home: Household, rng: random.Random) -> Callable[[], None]:
        def deed() -> None:
            now = self.world.wall()
            days = rng.choice((rng.uniform(1, 5), rng.uniform(2, 60)))
            pause(owner=home.owner, until=now + days * DAY, now=now)
            self.world.judge.heard(home.life.number)
            self.world.saw(Trait.PAUSES.value)

        return deed

    def _moves(self, home: Household, rng: random.Random) -> Callable[[], None]:
        def deed() -> None:
            choices = Switch.objects.get(pk=home.switch_id).owner_choices
            change_choices(owner=home.owner, choices=replace(choices, zone=rng.choice(ZONES)), now=self.world.wall())
            self.world.judge.heard(home.life.number)
            self.world.saw(Trait.MOVES.value)

        return deed

    def _declines(self, home: Household) -> Callable[[], None]:
        def deed() -> None:
            decline(contact=TrustedContact.objects.get(pk=home.contacts[0].pk), now=self.world.wall())
            self.world.saw(Trait.CHANGES_CONTACT.value)

        return deed

    def _at_the_last(self, owner: Owner) -> Callable[[], None]:
        def deed() -> None:
            self.world.saw(Trait.AT_THE_LAST_MOMENT.value)
            owner.tries(timedelta(), owner.signs_in, left=2)
            owner.tries(timedelta(days=1), owner.signs_in)

        return deed
