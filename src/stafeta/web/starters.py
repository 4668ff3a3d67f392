"""What a new handover may start from: a skeleton with the questions that the recipients will have."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from django.template.loader import render_to_string
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

LANGUAGES: Final = ("cs", "en")


@dataclass(frozen=True, slots=True)
class Starter:
    """A skeleton. label: also the title of what is made from it."""

    label: Promise
    about: Promise
    icon: str
    file: str = ""

    def content(self, language: str) -> str:
        """Return its Markdown in that language, English where there is none."""
        if not self.file:
            return ""
        spoken = language if language in LANGUAGES else "en"
        return str(render_to_string(f"web/handovers/starters/{spoken}/{self.file}.md"))


STARTERS: Final[dict[str, Starter]] = {
    "website": Starter(
        _("Website and hosting"),
        _("Domains, hosting, backups, who to call when the site is down."),
        "key",
        "website",
    ),
    "company": Starter(
        _("Company in an emergency"),
        _("The first day, the first week, money, contracts, people to tell."),
        "people",
        "company",
    ),
    "duties": Starter(
        _("Recurring duties"),
        _("What has to be done every week, month and year, and how."),
        "clock",
        "duties",
    ),
    "empty": Starter(_("Empty"), _("A blank page."), "file"),
}
