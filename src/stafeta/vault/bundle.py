"""Everything of some handovers as one zip that is written while it is sent: each part is verified before it begins.

A part that cannot be opened hides no other: a note in the zip names it. Memory holds one text or one piece of a file,
the disk one file without a name (storage.passing_file), however much there is.
"""

from __future__ import annotations

import logging
import zipfile
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime
from io import BytesIO
from typing import IO, Final

from stafeta.core.errors import ConfigurationError, VaultError
from stafeta.vault.bundle_names import FOLDER_CHARS_MAX, Names

log = logging.getLogger(__name__)

PIECE_BYTES: Final = 256 * 1024
TEXT_LEVEL: Final = 6
# "Deflated" without compressing: what reads a zip as it comes wants a method that knows its own end.
FILE_LEVEL: Final = 0
ZIP_YEAR_MIN: Final = 1980
_UNREADABLE: Final = (VaultError, ConfigurationError, OSError)


class Withdrawn(Exception):
    """A part may not be given any more; raised by what opens it."""


@dataclass(frozen=True, slots=True)
class Part:
    """One file of the zip. name: what it was called. at: its date, in the reader's zone.

    opened: returns its bytes, verified. Raises VaultError, ConfigurationError or OSError where it cannot be opened,
    Withdrawn where it may not be given any more.
    """

    name: str
    at: datetime
    opened: Callable[[], AbstractContextManager[IO[bytes]]]
    is_text: bool = False


@dataclass(frozen=True, slots=True)
class Folder:
    """What belongs together. name: of its folder; there is none where a zip holds one only."""

    name: str
    parts: tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class Note:
    """The file that says what is missing. intro: its first sentences, in the reader's language."""

    name: str
    intro: str
    at: datetime


def text_part(name: str, at: datetime, read: Callable[[], str]) -> Part:
    """Return a text as a part: UTF-8, its lines ended as every editor takes them."""
    return Part(f"{name}.md", at, lambda: BytesIO(read().encode()), is_text=True)


def stream_zip(folders: Iterable[Folder], note: Note) -> Iterator[bytes]:
    """Yield a zip of all parts, piece by piece. It always ends as a whole zip; what is missing is noted in it."""
    outlet = Outlet()
    folders = list(folders)
    outer, missing = Names(), list[str]()
    # Streamed, so written as it comes: sizes follow the data.
    with zipfile.ZipFile(outlet, "w", zipfile.ZIP_DEFLATED, allowZip64=True) as archive:
        for folder in folders:
            is_apart = len(folders) > 1
            prefix = outer.give(folder.name, chars_max=FOLDER_CHARS_MAX) + "/" if is_apart else ""
            names = Names() if is_apart else outer
            for part in folder.parts:
                place = prefix + names.give(part.name)
                if not (yield from _written(archive, outlet, place, part)):
                    missing.append(place)
        if missing:
            text = note.intro + "\n\n" + "".join(f"- {name}\n" for name in missing)
            archive.writestr(entry(outer.give(note.name), note.at), text.encode(), compresslevel=TEXT_LEVEL)
        yield from outlet.taken()
    yield from outlet.taken()


def _written(archive: zipfile.ZipFile, outlet: Outlet, place: str, part: Part) -> Generator[bytes, None, bool]:
    """Yield one part and return whether it is there."""
    try:
        opened = part.opened()
    except Withdrawn:
        return False
    except _UNREADABLE as error:
        log.error("a part of a zip cannot be opened: %s", type(error).__name__)
        return False
    with opened as source, archive.open(entry(place, part.at, is_text=part.is_text), "w", force_zip64=True) as member:
        while piece := source.read(PIECE_BYTES):
            member.write(piece)
            yield from outlet.taken()
    yield from outlet.taken()
    return True


def entry(name: str, at: datetime, *, is_text: bool = True) -> zipfile.ZipInfo:
    """Return what a zip says about one file; a text is made smaller, a file is taken as it is."""
    moment = max(at.timetuple()[:6], (ZIP_YEAR_MIN, 1, 1, 0, 0, 0))
    made = zipfile.ZipInfo(name, moment)
    made.compress_type = zipfile.ZIP_DEFLATED
    made._compresslevel = TEXT_LEVEL if is_text else FILE_LEVEL  # type: ignore[attr-defined]  # public from 3.13 on
    made.external_attr = 0o600 << 16
    return made


@dataclass(slots=True)
class Outlet:
    """What a zip is written to: it keeps what was written until it is taken, and cannot go back."""

    _pieces: list[bytes] = field(default_factory=list)

    def write(self, data: bytes, /) -> int:
        self._pieces.append(bytes(data))
        return len(data)

    def flush(self) -> None:
        """Keep nothing back."""

    def close(self) -> None:
        """Stay as it is."""

    def taken(self) -> Iterator[bytes]:
        """Yield what was written since the last time."""
        pieces, self._pieces = self._pieces, []
        yield from pieces
