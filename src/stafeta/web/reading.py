"""A handover as people read it: rendered, with its date and its contents; unreadable ones hide no others."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from stafeta.accounts.moments import Moment
from stafeta.core.errors import ConfigurationError, SealedAway, VaultError
from stafeta.vault.markdown import Heading, Page
from stafeta.vault.markdown import render as render_markdown
from stafeta.vault.models import Attachment, Handover
from stafeta.vault.selectors import read_content
from stafeta.web.attachments import FileLine, lines_of
from stafeta.web.sealed_reading import Seal

log = logging.getLogger(__name__)

CONTENTS_FROM: Final = 3  # fewer headings need no table of contents
CONTENTS_LEVELS: Final = 2


@dataclass(frozen=True, slots=True)
class Section:
    """One handover on a reading page. page: None where it cannot be opened, which the page says.

    is_sealed: only the reader's browser can open it. seal: whether it can, where that is known.
    """

    title: str
    anchor: str
    changed: Moment
    page: Page | None
    grant: int | None = None
    files: tuple[FileLine, ...] = ()
    is_sealed: bool = False
    seal: Seal | None = None

    @property
    def contents(self) -> tuple[Heading, ...]:
        """The table of contents: the two highest levels of headings, where there are enough of them."""
        headings = self.page.headings if self.page else ()
        levels = sorted({heading.level for heading in headings})[:CONTENTS_LEVELS]
        shown = tuple(heading for heading in headings if heading.level in levels)
        return shown if len(shown) >= CONTENTS_FROM else ()


def section_of(
    handover: Handover,
    *,
    zone: str,
    now: datetime,
    file_url: Callable[[Attachment], str],
    show_url: Callable[[Attachment], str],
    grant: int | None = None,
    seal: Seal | None = None,
) -> Section:
    """Return a handover ready to be read. file_url, show_url: where each of its files is to be had, and is shown."""
    anchor = f"h{handover.pk}"
    try:
        page = render_markdown(read_content(handover), below=2, anchors=anchor)
    except SealedAway:
        page = None
    except (VaultError, ConfigurationError) as error:
        log.error("handover %s cannot be opened: %s", handover.pk, type(error).__name__)
        page = None
    files = lines_of(handover, file_url, show_url)
    changed = Moment(handover.updated_at, zone, now)
    return Section(handover.title, anchor, changed, page, grant, files, is_sealed=handover.is_sealed, seal=seal)
