"""Which files are shown in the page: pictures by the browser, PDFs by PDF.js; everything else is only downloaded.

What a file is was recognised by its first bytes (vault/file_names.py). A picture stands in an <img>, where nothing in
it can run, and SVG is never one; its address answers like every file's, as a download in a sandbox.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from stafeta.vault.models import Attachment

PICTURES: Final = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp"})
PDF_TYPE: Final = "application/pdf"
PICTURE_BYTES_MAX: Final = 20 * 1024 * 1024
# A phone has to hold it whole, and what PDF.js makes of it.
PDF_BYTES_MAX: Final = 64 * 1024 * 1024


class Shown(StrEnum):
    """How a file is shown."""

    PICTURE = "picture"
    PDF = "pdf"
    NOT = ""


def how_shown(one: Attachment) -> Shown:
    """Return how a file is shown; a sealed one not at all, for only its reader's browser could open it."""
    if one.handover.is_sealed:
        return Shown.NOT
    if one.media_type in PICTURES and one.size_bytes <= PICTURE_BYTES_MAX:
        return Shown.PICTURE
    if one.media_type == PDF_TYPE and one.size_bytes <= PDF_BYTES_MAX:
        return Shown.PDF
    return Shown.NOT
