"""What every scene of the headless demo stands on: people with browsers, the post, the clock, and words for what
happens. Every wait has a name and a bound."""

from __future__ import annotations

from datetime import datetime
from email.message import EmailMessage
from typing import Final
from zoneinfo import ZoneInfo

from stafeta import clock
from stafeta.cli.demo.browser import Browser, Page
from stafeta.cli.demo.cast import LANGUAGE, ZONE, Person
from stafeta.cli.demo.installation import Plan
from stafeta.cli.demo.post import Mark, Missing, Post, link_in
from stafeta.cli.ready import tell
from stafeta.cli.receivers import ReceivedSms

# Beyond the simulated days a wait may take: a worker's tick, a delivery, a busy machine.
SLACK_S: Final = 20.0
SUBJECT_CHARS: Final = 72


class Telling:
    """One performance. scene: what is being played, for whoever asks what went wrong."""

    def __init__(self, plan: Plan, post: Post, *, start: datetime) -> None:
        self.plan = plan
        self.post = post
        self.scene = ""
        self._start = start
        self._browsers: dict[str, Browser] = {}
        self._marks: dict[str, Mark] = {}

    def browser(self, person: Person) -> Browser:
        """Return the person's own browser."""
        if person.email not in self._browsers:
            self._browsers[person.email] = Browser(self.plan.site_url, language=LANGUAGE)
        return self._browsers[person.email]

    def new_browser(self, person: Person) -> Browser:
        """Return another browser of the person, one that has never been here."""
        if old := self._browsers.pop(person.email, None):
            old.close()
        return self.browser(person)

    def begin(self, scene: str) -> None:
        """Say that a scene begins."""
        self.scene = scene
        tell(f"\n{scene}")

    def say(self, event: str) -> None:
        """Print an event with its simulated time."""
        now = clock.now()
        day = (now - self._start).total_seconds() / (24 * 3600)
        local = now.astimezone(ZoneInfo(ZONE))
        tell(f"  day {day:5.1f}  {local:%a %d %b %H:%M}  {event}")

    def require(self, fact: bool, what: str) -> None:
        """Raises Missing with `what` where it is not a fact."""
        if not fact:
            raise Missing(what)

    def mail_to(
        self, person: Person, *, since: Mark, what: str, days: float = 0, has_link: bool | None = None
    ) -> EmailMessage:
        """Wait for an e-mail that must come within so many simulated days, and say that it came."""
        mail = self.post.mail_to(person, since=since, what=what, within_s=self._bound_s(days), has_link=has_link)
        self.say(f"{what}: e-mail to {person.name}, “{str(mail['Subject']).strip()[:SUBJECT_CHARS]}”")
        return mail

    def text_to(self, person: Person, *, since: Mark, what: str, days: float = 0, aloud: bool = True) -> ReceivedSms:
        """Wait for an SMS that must come within so many simulated days, and say that it came.

        aloud: whether to print the words, too; not those of a code.
        """
        text = self.post.text_to(person, since=since, what=what, within_s=self._bound_s(days))
        words = f", “{text.text.splitlines()[0]}”" if aloud else ""
        self.say(f"{what}: SMS to {person.name}{words}")
        return text

    def open_link(self, person: Person, mail: EmailMessage, *, leads_to: str) -> Page:
        """Open the signed link of a mail in the person's browser; it must lead to this path."""
        page = self.browser(person).get(link_in(mail))
        self.require(page.path == leads_to, f"the link in “{mail['Subject']}” leads to {leads_to}, not {page.path}")
        return page

    def close(self) -> None:
        """Close every browser."""
        for browser in self._browsers.values():
            browser.close()

    def _bound_s(self, days: float) -> float:
        return days * self.plan.day_s + SLACK_S
