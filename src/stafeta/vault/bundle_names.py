"""What files are called inside a zip: names that every system takes, and no two that any of them takes for one."""

from __future__ import annotations

import re
from typing import Final

from stafeta.vault.file_names import clean_name

# A path that Windows opens has 260 characters at most, the place where it is unpacked included.
FOLDER_CHARS_MAX: Final = 60
NAME_CHARS_MAX: Final = 100
NAME_BYTES_MAX: Final = 200  # file systems of Linux take 255 bytes; the rest is for a number
_SUFFIX_CHARS_MAX: Final = 12
_DEVICES: Final = re.compile(r"(?i)(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])(?=\.|$)")


class Names:
    """The names given so far in one folder of a zip."""

    def __init__(self) -> None:
        self._taken: set[str] = set()

    def give(self, name: str, *, chars_max: int = NAME_CHARS_MAX) -> str:
        """Return a safe name close to `name` that was not given yet: "plan.pdf", then "plan (2).pdf"."""
        stem, suffix = _parted(portable_name(name, chars_max=chars_max))
        number = 1
        given = stem + suffix
        while given.casefold() in self._taken:
            number += 1
            given = f"{stem} ({number}){suffix}"
        self._taken.add(given.casefold())
        return given


def portable_name(name: str, *, chars_max: int = NAME_CHARS_MAX) -> str:
    """Return a name that every system takes: short enough, no path, no name of a device of Windows."""
    stem, suffix = _parted(clean_name(name))
    stem = _DEVICES.sub(r"\1_", stem)
    stem = stem[: max(1, chars_max - len(suffix))]
    while len((stem + suffix).encode()) > NAME_BYTES_MAX and len(stem) > 1:
        stem = stem[:-1]
    return stem.rstrip(". ") + suffix


def _parted(name: str) -> tuple[str, str]:
    """Return what stands before a name's suffix, and the suffix with its dot."""
    stem, dot, suffix = name.rpartition(".")
    if not stem or len(suffix) > _SUFFIX_CHARS_MAX:
        return name, ""
    return stem, dot + suffix
