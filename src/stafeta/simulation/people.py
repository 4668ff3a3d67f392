"""What people do with what they get: owners press buttons, contacts say what they know, recipients read.

Everybody acts through the same services, and now and then the same pages, as in life. Somebody whose action fails (the
page is down, the process died under it) tries again within the hour.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final, Protocol

from stafeta.accounts.signed_links import link_from
from stafeta.channels.base import EmailMessage
from stafeta.core.errors import BadLink, CodeError, LadderError, NotReady, PolicyError
from stafeta.core.links import Link, Purpose
from stafeta.core.states import Evidence
from stafeta.simulation.browser import press_button, scan
from stafeta.simulation.founding import CONTENT, Household
from stafeta.simulation.providers import Mail
from stafeta.simulation.script import Temper, Trait
from stafeta.switches.models import Switch
from stafeta.switches.selectors import service_second
from stafeta.switches.services.arm import arm
from stafeta.switches.services.checkin import record_checkin
from stafeta.switches.services.contact_says import ask_to_wait, give_go_ahead, vouch
from stafeta.vault.models import ConsentState, Recipient
from stafeta.vault.selectors import read_content, release_behind
from stafeta.vault.services.consent import give_consent, record_phone
from stafeta.vault.services.reading import ask_code, open_by_code, record_reading

TRIES_MAX: Final = 1500
RETRY: Final = timedelta(minutes=55)
SLOW_H, QUICK_H = (2.0, 8.0), (0.02, 2.0)
BROWSES_RATE: Final = 0.04
PLAYS_RATE: Final = 0.5
ASKS_MAX: Final = 40
SAID_FOR: Final = timedelta(hours=30)
_LINK: Final = re.compile(r"/l/([A-Za-z0-9_-]+)/")
_CODE: Final = re.compile(r"\b(\d{4} ?\d{4})\b")
DIDNT_WORK: Final = (LadderError, PolicyError, BadLink, CodeError, NotReady)


class Place(Protocol):
    """What a person needs of the world they live in."""

    now: datetime

    def wall(self) -> datetime:
        """What the service's clock shows."""

    def later(self, wait: timedelta, deed: Callable[[], None]) -> None:
        """Let `deed` happen after `wait`."""

    def by_web(self, deed: Callable[[], None]) -> bool:
        """Do `deed` in a web process, and return whether it came through; what the domain refuses is raised."""

    def look(self) -> None:
        """Let the service look at its clock."""

    def saw(self, what: str) -> None:
        """Note that something happened at all."""

    def told(self, life: int, what: str) -> None:
        """Write it into the story of that life."""


class Person:
    """Somebody with a mailbox and a phone. gone: when they can do nothing, as (from, until or None)."""

    def __init__(self, place: Place, life: int, name: str, gone: tuple[tuple[datetime, datetime | None], ...]) -> None:
        self.place = place
        self.life = life
        self.name = name
        self.gone = gone
        self.rng = random.Random(f"{life}/{name}")  # noqa: S311  # a story, not a secret

    def is_there(self, at: datetime) -> bool:
        """Whether they can read and press anything at that moment."""
        return not any(since <= at and (until is None or at < until) for since, until in self.gone)

    def was_there_for(self, span: timedelta) -> bool:
        """Whether nothing kept them from anything in all that time until now."""
        return all(since > self.place.now or (until and until < self.place.now - span) for since, until in self.gone)

    def receive(self, message: Mail) -> None:
        """A message has come: one look at what its link is for."""
        found = _LINK.search(message.text)
        if found is None:
            return
        try:
            link = link_from(found[1])
        except BadLink:
            return
        self.reads(link, message)

    def reads(self, link: Link, message: Mail) -> None:
        """What this person does about that link."""

    def tries(self, wait: timedelta, deed: Callable[[], None], *, left: int = TRIES_MAX) -> None:
        """Do it after `wait`, or when they are back, and again every hour until it came through or was refused."""

        def now() -> None:
            if not self.is_there(self.place.now):
                back = [until for since, until in self.gone if until and since <= self.place.now < until]
                if back:
                    self.tries(back[0] - self.place.now + wait, deed, left=left)
                return
            try:
                done = self.place.by_web(deed)
            except DIDNT_WORK as refused:
                self.place.told(self.life, f"{self.name} was told {type(refused).__name__}")
                return
            if not done and left:
                self.tries(RETRY, deed, left=left - 1)

        self.place.later(wait, now)

    def hours(self, between: tuple[float, float]) -> timedelta:
        return timedelta(hours=self.rng.uniform(*between))


class Owner(Person):
    """Presses the button within eight hours of any message that reaches them, wherever they can.

    has_left: they have stood down for good.
    """

    def __init__(self, place: Place, home: Household, gone: tuple[tuple[datetime, datetime | None], ...]) -> None:
        super().__init__(place, home.life.number, "the owner", gone)
        self.home = home
        self.heard: Callable[[], object] = lambda: None
        self.plays: Callable[[int], object] = lambda _cycle: None
        self.was_scanned: Callable[[int, int], object] = lambda _before, _after: None
        self.asked: tuple[int, datetime] | None = None
        self.has_left = False
        self._overlooked: int | None = None
        self._decided: int | None = None
        self._is_playing = False

    def reads(self, link: Link, message: Mail) -> None:
        traits = self.home.life.traits
        if link.purpose is not Purpose.CHECKIN:
            return
        if Trait.SCANNER in traits and isinstance(message, EmailMessage) and self.rng.random() < BROWSES_RATE * 4:
            self._is_scanned(message.text)
        if Trait.AUTO_REPLY in traits:
            self.place.saw(Trait.AUTO_REPLY.value)  # it goes to the sender's mailbox, which nobody reads
        if Trait.DEAF_AT_FIRST in traits and self._overlooked != link.cycle:
            self._overlooked = link.cycle
            self.place.saw(Trait.DEAF_AT_FIRST.value)
            if self.home.life.choices.email_attempts > 1:
                return
        if Trait.AT_THE_LAST_MOMENT in traits and self._plays_in(link.cycle):
            return
        if self.asked is None or self.asked[0] != link.cycle:
            self.asked = (link.cycle, self.place.now)
        wait = self.hours(SLOW_H if Trait.SLOW in traits else QUICK_H)
        self.tries(wait, lambda: self.presses(link))
        if Trait.PRESSES_TWICE in traits:
            self.place.saw(Trait.PRESSES_TWICE.value)
            self.tries(wait + timedelta(minutes=2), lambda: self.presses(link))

    def forgets(self) -> None:
        """What they were asked before belongs to a history that is lost; what they will be asked is new to them."""
        self.asked = self._overlooked = self._decided = None

    def _plays_in(self, cycle: int) -> bool:
        """Whether this cycle is one in which they wait for the very last moment, decided at its first message."""
        if self._decided != cycle:
            self._decided, self._is_playing = cycle, self.rng.random() < PLAYS_RATE
            if self._is_playing:
                self.plays(cycle)
        return self._is_playing

    def _is_scanned(self, text: str) -> None:
        before = Switch.objects.get(pk=self.home.switch_id).cycle
        self.place.by_web(lambda: scan(text))
        self.was_scanned(before, Switch.objects.get(pk=self.home.switch_id).cycle)
        self.place.saw(Trait.SCANNER.value)

    def presses(self, link: Link) -> None:
        """Press the button behind the link, on the real page now and then."""
        if self.rng.random() < BROWSES_RATE:
            if press_button(link):
                self._was_heard("on the page")
            return
        result = record_checkin(owner=self.home.owner, evidence=Evidence.LINK, cycle=link.cycle, now=self.place.wall())
        if result.counted:
            self._was_heard("by link")

    def signs_in(self) -> None:
        """Sign in, which counts, and arm again what a release has left unarmed."""
        result = record_checkin(owner=self.home.owner, evidence=Evidence.SIGN_IN, now=self.place.wall())
        if result.counted:
            self._was_heard("by signing in")
        if not self.has_left and Switch.objects.get(pk=self.home.switch_id).phase == "Resting":
            arm(owner=self.home.owner, now=self.place.wall())
            self._was_heard("and armed again")

    def _was_heard(self, how: str) -> None:
        self.heard()
        self.place.told(self.life, f"the owner was heard {how}")


class Contact(Person):
    """Knows how the owner is and says so, each after their own temper."""

    def __init__(self, place: Place, home: Household, number: int, owner: Owner) -> None:
        super().__init__(place, home.life.number, f"contact {number}", ())
        self.temper = home.life.contacts[number]
        self.owner = owner
        self.said_go_ahead: Callable[[int], object] = lambda _cycle: None
        self._spoke_at: datetime | None = None

    def reads(self, link: Link, message: Mail) -> None:
        del message
        if link.purpose is not Purpose.TRUSTED or self._has_just_spoken():
            return
        self.place.saw(self.temper.value)
        if self.temper not in (Temper.SILENT, Temper.BOUNCES):
            self.tries(self.hours((1.0, 20.0)), lambda: self.says(link))

    def _has_just_spoken(self) -> bool:
        """Two messages of one asking, or news of what they said themselves, ask nothing new."""
        is_old = self._spoke_at is None or self.place.now - self._spoke_at > SAID_FOR
        if is_old:
            self._spoke_at = self.place.now
        return not is_old

    def says(self, link: Link) -> None:
        """Say what their temper has them say."""
        self.place.look()
        now = self.place.now
        is_well = self.owner.is_there(now)
        if self.temper is Temper.HASTY:
            self._goes_ahead(link)
        elif self.temper is Temper.FOREVER or is_well:
            vouch(link=link, now=self.place.wall())
            self.place.told(self.life, f"{self.name} vouched")
        elif any(until and now < until for _since, until in self.owner.gone):
            ask_to_wait(link=link, days=14, now=self.place.wall())
            self.place.told(self.life, f"{self.name} asked to wait")
        else:
            self._goes_ahead(link)

    def _goes_ahead(self, link: Link) -> None:
        """Say "go ahead"; NotAsked where the owner does not allow it."""
        give_go_ahead(link=link, now=self.place.wall())
        self.said_go_ahead(link.cycle)
        self.place.told(self.life, f"{self.name} said go ahead")


class Reader(Person):
    """Reads what a release opens: consent where it is missing, then the code, then the text."""

    def __init__(self, place: Place, home: Household, number: int) -> None:
        super().__init__(place, home.life.number, f"recipient {number}", ())
        self.home = home
        self.pk = home.recipients[number].pk
        self.stance = home.life.recipients[number]
        self.read: Callable[[], object] = lambda: None
        self.has_read: datetime | None = None
        self.got_news: datetime | None = None
        self._link: Link | None = None
        self._asked = 0

    def receive(self, message: Mail) -> None:
        code = _CODE.search(message.text)
        if code and self._link is not None and not isinstance(message, EmailMessage):
            link, digits = self._link, code[1]
            self.tries(timedelta(minutes=3), lambda: self._types(link, digits), left=0)
            return
        super().receive(message)

    def reads(self, link: Link, message: Mail) -> None:
        del message
        if link.purpose is not Purpose.RELEASE:
            return
        self.got_news = self.place.now
        self._link, self._asked = link, 0  # who had given up tries again when they are reminded
        self.tries(self.hours((0.5, 30.0)), lambda: self._asks(link))

    def _asks(self, link: Link) -> None:
        if self.has_read or self._asked >= ASKS_MAX:
            return
        self._asked += 1
        self.place.look()
        release = release_behind(link, service_s=service_second())
        if release.recipient.consent != ConsentState.GIVEN:
            give_consent(recipient=release.recipient, now=self.place.wall())
            release = release_behind(link, service_s=service_second())
        ask_code(release=release, now=self.place.wall(), real_now=self.place.wall())
        self.tries(timedelta(hours=7), lambda: self._asks(link))  # should the code not come

    def _types(self, link: Link, digits: str) -> None:
        release = release_behind(link, service_s=service_second())
        open_by_code(release=release, digits=digits, real_now=self.place.wall())
        record_phone(recipient=Recipient.objects.get(pk=self.pk), now=self.place.wall())
        for grant in record_reading(grants=release.grants, now=self.place.wall()):
            if read_content(grant.handover) != CONTENT.format(number=self.life):
                raise AssertionError(f"{self.name} read something else")
        self.has_read = self.place.now
        self.read()
        self.place.told(self.life, f"{self.name} has read it")
