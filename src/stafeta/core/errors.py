"""Every error of the house: one tree, each leaf carrying the facts a person or a caller needs.

StafetaError
├── ConfigurationError      a setting is wrong, and what to do about it
├── DeliveryError           a message did not get through
│   ├── DeliveryRefused     this message or this address was refused
│   └── ChannelUnavailable  the provider as a whole could not be reached, or refuses us
├── ReceiptError            a report about a message that is not taken in
│   ├── ForgedReceipt       it does not prove who wrote it
│   └── UnreadableReceipt   it is nothing that its service is known to send
├── PolicyError             the owner's choices break a limit
├── NotReady                a switch may not be armed yet, and why
├── LadderError             an event that the ladder does not accept
│   ├── WrongCycle          it belongs to a cycle that has ended
│   ├── NotAsked            this person was not asked (yet), or may not say this
│   └── HoldExhausted       no more waiting can be granted in this cycle
├── BadLink                 a link that we did not make, or that was damaged
├── Obsolete                a message that has lost its sense before it was sent
├── Conflict                two tabs disagree; nothing was overwritten
├── UploadError             a part of a file that is not taken in
│   ├── WrongPart           another one is due
│   └── UploadBroken        it cannot be made whole; the file is to be sent anew
├── CodeError               an SMS code that does not open anything
│   ├── WrongCode           not this one; so many tries are left
│   ├── CodeExpired         too old, used, or replaced by a newer one
│   └── CodeThrottled       too many: wait until a given time
├── VaultError              ciphertext that cannot be opened
│   ├── KeyMissing          no key of the ring opens it
│   ├── FileMissing         it is not where it was stored
│   ├── SealedAway          only people hold its key, never the server
│   └── Tampered            it is not what was stored
├── NotSealed               what a browser should have encrypted is not what it should be
├── Superseded              this process belongs to an installation that has moved on
└── ArchiveError            a backup that cannot be made or brought back, and what to do about it

Views translate them into sentences; nothing is swallowed and nothing returns None for failure (house.md, style 6).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


class StafetaError(Exception):
    """The root: catching it catches what the house itself raises, and nothing else."""


@dataclass
class ConfigurationError(StafetaError):
    """`setting` has `problem`; `remedy` says in one sentence what to do. Never carries a secret."""

    setting: str
    problem: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.setting}: {self.problem}. {self.remedy}"


class DeliveryError(StafetaError):
    """A provider did not accept a message."""


@dataclass
class DeliveryRefused(DeliveryError):
    """This one message or address was refused; `permanent` means trying again is pointless."""

    reason: str
    permanent: bool

    def __str__(self) -> str:
        return f"refused ({'permanently' if self.permanent else 'for now'}): {self.reason}"


@dataclass
class ChannelUnavailable(DeliveryError):
    """The provider as a whole failed us: an outage of ours, never the addressee's fault (ladder.md)."""

    reason: str

    def __str__(self) -> str:
        return f"channel unavailable: {self.reason}"


class ReceiptError(StafetaError):
    """A report of what became of a message that is not taken in; nothing of it is believed."""


class ForgedReceipt(ReceiptError):
    """The report is not signed by who should have sent it."""


class UnreadableReceipt(ReceiptError):
    """The report is nothing that its service is known to send."""


@dataclass
class PolicyError(StafetaError):
    """`field` must lie between `least` and `most` (both inclusive, in the unit of the field); it was `value`."""

    field: str
    value: float
    least: float
    most: float

    def __str__(self) -> str:
        return f"{self.field} is {self.value}; it must lie between {self.least} and {self.most}"


@dataclass
class NotReady(StafetaError):
    """Arming is refused; `missing` names every unmet condition by its `core.policy.Missing` value."""

    missing: tuple[str, ...]

    def __str__(self) -> str:
        return "not ready: " + ", ".join(self.missing)


class LadderError(StafetaError):
    """An event that the ladder does not accept in its present state."""


@dataclass
class WrongCycle(LadderError):
    """The event speaks of cycle `got`; the switch is in cycle `current`."""

    got: int
    current: int

    def __str__(self) -> str:
        return f"cycle {self.got} has ended; this is cycle {self.current}"


class NotAsked(LadderError):
    """The person was not asked in this cycle, or the owner did not allow them to say this."""


@dataclass
class HoldExhausted(LadderError):
    """At most `left_s` service seconds of waiting are left in this cycle."""

    left_s: int

    def __str__(self) -> str:
        return f"only {self.left_s} s of waiting are left in this cycle"


class BadLink(StafetaError):
    """The token was not made by us or has been damaged; it says nothing about what exists."""


@dataclass
class Obsolete(StafetaError):
    """The message makes no sense any more; `why` is written to the outbox row and it is cancelled."""

    why: str

    def __str__(self) -> str:
        return f"obsolete: {self.why}"


class CodeError(StafetaError):
    """An SMS code that does not open anything."""


@dataclass
class WrongCode(CodeError):
    """The digits differ; `tries_left` may still be made with the present code."""

    tries_left: int


class CodeExpired(CodeError):
    """The code is too old, was used, or none was asked for: a new one helps."""


@dataclass
class CodeThrottled(CodeError):
    """Too many codes or tries; the next one is welcome at `retry_at` (aware UTC). Never a permanent lock."""

    retry_at: datetime


@dataclass
class Conflict(StafetaError):
    """Somebody saved in the meantime; the present revision is `revision`. Nothing was overwritten."""

    revision: int


class UploadError(StafetaError):
    """A file that arrives in parts cannot go on like this."""


@dataclass
class WrongPart(UploadError):
    """Part number `due` is the next one, counted from 0; this was another one, or not all of it."""

    due: int


class UploadBroken(UploadError):
    """The parts do not make a whole, and never will: the file has to be sent from its beginning."""


class VaultError(StafetaError):
    """Ciphertext that cannot be opened."""


class KeyMissing(VaultError):
    """No key of the instance ring opens this wrapped key."""


class FileMissing(VaultError):
    """The ciphertext of an attachment is not where it was stored; only a backup has it."""


class SealedAway(VaultError):
    """The handover is sealed: only people hold its key, and the server neither opens it nor takes plaintext for it."""


class Tampered(VaultError):
    """The ciphertext is damaged or was made for another key; nothing of it may be shown."""


@dataclass
class NotSealed(StafetaError):
    """What a browser should have encrypted has `problem`; nothing of it was stored. Never quotes it."""

    problem: str

    def __str__(self) -> str:
        return self.problem


@dataclass
class Superseded(StafetaError):
    """The database was restored or moved since this process began: what it knows may be of a history that is lost."""

    why: str

    def __str__(self) -> str:
        return self.why


@dataclass
class ArchiveError(StafetaError):
    """A backup has `problem`; `remedy` says in one sentence what to do. Nothing was changed."""

    problem: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.problem}. {self.remedy}"
