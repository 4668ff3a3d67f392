"""A handover as people read it: rendered, with its date and its contents; unreadable ones hide no others."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.http import HttpRequest

from stafeta.accounts.moments import Moment
from stafeta.core.errors import ConfigurationError, SealedAway, VaultError
from stafeta.core.links import Link
from stafeta.vault.markdown import Heading, Page
from stafeta.vault.markdown import render as render_markdown
from stafeta.vault.models import Attachment, Handover
from stafeta.vault.selectors import read_content
from stafeta.vault.services.reading import GATE_OPEN_FOR
from stafeta.web.attachments import FileLine, lines_of

log = logging.getLogger(__name__)

GATE_KEY: Final = "release_gate"
CONTENTS_FROM: Final = 3  # fewer headings need no table of contents
CONTENTS_LEVELS: Final = 2


@dataclass(frozen=True, slots=True)
class Section:
    """One handover on a reading page. page: None where it cannot be opened, which the page says.

    is_sealed: only the reader's browser can open it.
    """

    title: str
    anchor: str
    changed: Moment
    page: Page | None
    grant: int | None = None
    files: tuple[FileLine, ...] = ()
    is_sealed: bool = False

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
    return Section(handover.title, anchor, changed, page, grant, files, is_sealed=handover.is_sealed)


# The second gate ---------------------------------------------------------------------------------------------------
def open_gate(request: HttpRequest, link: Link, *, phone: str, real_now: datetime) -> None:
    """Remember in this browser that `phone` was proved for this link; the session gets a new id."""
    request.session.cycle_key()
    until = real_now + GATE_OPEN_FOR
    request.session[GATE_KEY] = [*_proved(link, phone), until.timestamp()]


def gate_is_open(request: HttpRequest, link: Link, *, phone: str, real_now: datetime) -> bool:
    """Whether this very phone was proved in this browser for this very link within the last hour."""
    kept = request.session.get(GATE_KEY)
    if not kept:
        return False
    *proved, until = kept
    return bool(proved == _proved(link, phone) and real_now.timestamp() < float(until))


def _proved(link: Link, phone: str) -> list[int | str]:
    return [link.person, link.switch, link.cycle, phone]
