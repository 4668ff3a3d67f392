"""What an attached file is called and what it is: read from the file, never believed."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

NAME_CHARS_MAX: Final = 150
SNIFFED_BYTES: Final = 16
UNKNOWN_TYPE: Final = "application/octet-stream"
_SUFFIX_CHARS_MAX: Final = 12
_RESERVED: Final = re.compile(r'[<>:"|?*\\/]')

_ZIP: Final = b"PK\x03\x04"
_BEGINNINGS: Final = (
    (b"%PDF-", "application/pdf"),
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
)
# What these begin with says only that they are archives; their name says of what.
_ZIPPED: Final = {
    "zip": "application/zip",
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "pptx": "application/vnd.openxmlformats-officedocument.presentationml.presentation",
    "odt": "application/vnd.oasis.opendocument.text",
    "ods": "application/vnd.oasis.opendocument.spreadsheet",
    "odp": "application/vnd.oasis.opendocument.presentation",
}


def clean_name(name: str) -> str:
    """Return a name that any system can keep and that shows what it is: no path, nothing invisible, not too long.

    Characters that change the direction of writing go, too: with them a program can look like a picture.
    """
    last = name.replace("\\", "/").rpartition("/")[2]
    seen = "".join(char for char in unicodedata.normalize("NFC", last) if unicodedata.category(char)[0] != "C")
    kept = " ".join(_RESERVED.sub("-", seen).split()).strip(". ")
    if len(kept) > NAME_CHARS_MAX:
        stem, dot, suffix = kept.rpartition(".")
        ending = dot + suffix if stem and len(suffix) <= _SUFFIX_CHARS_MAX else ""
        kept = kept[: NAME_CHARS_MAX - len(ending)].rstrip(". ") + ending
    return kept or "file"


def media_type_of(beginning: bytes, *, name: str) -> str:
    """Return what a file is by its first `SNIFFED_BYTES`: one of a few harmless kinds, or unknown.

    An archive is told from a document by its name.
    """
    for start, kind in _BEGINNINGS:
        if beginning.startswith(start):
            return kind
    if beginning[:4] == b"RIFF" and beginning[8:12] == b"WEBP":
        return "image/webp"
    if beginning.startswith(_ZIP):
        return _ZIPPED.get(name.rpartition(".")[2].lower(), UNKNOWN_TYPE)
    return UNKNOWN_TYPE
