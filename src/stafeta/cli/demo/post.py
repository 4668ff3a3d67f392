"""What reached the people of the story: their e-mails and SMS, as the two receivers took them."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from email.message import EmailMessage
from math import ceil
from typing import Final, TypeVar

from stafeta.cli.demo.cast import Person
from stafeta.cli.receivers import Inbox, ReceivedSms
from stafeta.core.errors import StafetaError

_LINK: Final = re.compile(r"https?://[^\s<>\"]+/(?:l|account/auth/confirm-email)/[^\s<>\"]+")
_CODE: Final = re.compile(r"\b(\d{4}) ?(\d{4})\b")

LOOK_EVERY_S: Final = 1.0

M = TypeVar("M")


class Missing(StafetaError):
    """Something that had to happen did not; the text says what."""


@dataclass(frozen=True, slots=True)
class Mark:
    """How much had come when it was made."""

    mails: int
    texts: int


class Post:
    """Everything that was sent, asked for by person and by what came since a mark."""

    def __init__(
        self, mails: Inbox[EmailMessage], texts: Inbox[ReceivedSms], *, dead: Callable[[], list[str]] = list
    ) -> None:
        """dead: names the processes that have ended and without which nothing more will come."""
        self._mails = mails
        self._texts = texts
        self._dead = dead

    def mark(self) -> Mark:
        """Return a mark of this moment."""
        return Mark(len(self._mails.all()), len(self._texts.all()))

    def after(self, mail: EmailMessage) -> Mark:
        """Return a mark right behind this e-mail, however many have come since; of SMS, all are before it."""
        place = next(number for number, other in enumerate(self._mails.all(), start=1) if other is mail)
        return Mark(place, len(self._texts.all()))

    def mail_to(
        self, person: Person, *, since: Mark, what: str, within_s: float, has_link: bool | None = None
    ) -> EmailMessage:
        """Wait for the first e-mail to the person since the mark, where asked for one with or without a signed link.

        Raises Missing, which names it as `what`.
        """
        old = {id(mail) for mail in self._mails.all()[: since.mails]}
        return self._wait(
            self._mails,
            lambda mail: (
                id(mail) not in old
                and addressee(mail) == person.email
                and has_link in (None, _LINK.search(body(mail)) is not None)
            ),
            what=f"{what} (e-mail to {person.name})",
            within_s=within_s,
        )

    def text_to(self, person: Person, *, since: Mark, what: str, within_s: float) -> ReceivedSms:
        """Wait for the first SMS to the person since the mark. Raises Missing, which names it as `what`."""
        old = {id(text) for text in self._texts.all()[: since.texts]}
        return self._wait(
            self._texts,
            lambda text: id(text) not in old and text.to == person.phone,
            what=f"{what} (SMS to {person.name})",
            within_s=within_s,
        )

    def count_to(self, person: Person, *, since: Mark) -> int:
        """Return how many messages went to the person since the mark."""
        mails = sum(addressee(mail) == person.email for mail in self._mails.all()[since.mails :])
        return mails + sum(text.to == person.phone for text in self._texts.all()[since.texts :])

    def tells(self, secret: str) -> bool:
        """Whether any message holds these words."""
        return any(secret in body(mail) or secret in mail.as_string() for mail in self._mails.all()) or any(
            secret in text.text for text in self._texts.all()
        )

    def _wait(self, inbox: Inbox[M], wanted: Callable[[M], bool], *, what: str, within_s: float) -> M:
        for _ in range(ceil(within_s / LOOK_EVERY_S)):
            try:
                return inbox.wait_for(wanted, timeout_s=LOOK_EVERY_S)
            except TimeoutError:
                if dead := self._dead():
                    raise Missing(f"{what}: {', '.join(dead)} has ended") from None
        raise Missing(f"{what}: nothing within {within_s:g} s")


def addressee(mail: EmailMessage) -> str:
    """Return the address a mail is to."""
    addresses = mail["To"].addresses
    return str(addresses[0].addr_spec) if addresses else ""


def body(mail: EmailMessage) -> str:
    """Return the plain text of a mail."""
    part = mail.get_body(("plain",))
    return str(part.get_content()) if part is not None else ""


def link_in(mail: EmailMessage) -> str:
    """Return the signed link of a mail. Raises Missing."""
    found = _LINK.search(body(mail))
    if found is None:
        raise Missing(f"a link in the e-mail {mail['Subject']!r} to {addressee(mail)}")
    return found[0].rstrip(".,)")


def code_in(text: ReceivedSms) -> str:
    """Return the code of an SMS. Raises Missing."""
    found = _CODE.search(text.text)
    if found is None:
        raise Missing(f"a code in the SMS to {text.to}")
    return found[1] + found[2]
