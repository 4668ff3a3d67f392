"""What the documents say is so: every setting is there, and every link leads somewhere."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import unquote

from stafeta.config.environment import SETTINGS, as_markdown
from tests.contracts.house import ROOT, documents, name, python_files

LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#{1,6}\s+(.+?)\s*$", re.MULTILINE)
SETTING = re.compile(r"\bSTAFETA_[A-Z_]+[A-Z]\b")
FOREIGN = re.compile(r"^(https?|mailto):")
FENCE = re.compile(r"```.*?```", re.DOTALL)


def test_the_manual_lists_every_setting_as_the_program_knows_it() -> None:
    manual = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    assert as_markdown() in manual, "paste what stafeta.config.environment.as_markdown() returns"


def test_nobody_speaks_of_a_setting_that_does_not_exist() -> None:
    known = {setting.name for setting in SETTINGS} | {"STAFETA_TEST_DATABASE"}
    for path in [*documents(), *(path for path in python_files() if "src" in path.parts)]:
        assert set(SETTING.findall(path.read_text(encoding="utf-8"))) <= known, name(path)


def test_every_link_leads_somewhere() -> None:
    broken = [
        f"{name(document)}: {target}"
        for document in documents()
        for target in LINK.findall(FENCE.sub("", document.read_text(encoding="utf-8")))
        if not FOREIGN.match(target) and not _leads_somewhere(document, target)
    ]
    assert broken == []


def test_architecture_decisions_are_numbered_without_gaps() -> None:
    numbers = [int(path.name[:4]) for path in sorted((ROOT / "docs" / "adr").glob("*.md"))]
    assert numbers == list(range(1, len(numbers) + 1))


def _leads_somewhere(document: Path, target: str) -> bool:
    place, _, anchor = unquote(target).partition("#")
    path = (document.parent / place).resolve() if place else document
    if not path.exists():
        return False
    return not anchor or anchor in {_anchor(heading) for heading in HEADING.findall(path.read_text(encoding="utf-8"))}


def _anchor(heading: str) -> str:
    kept = re.sub(r"[^\w\- ]", "", heading.lower())
    return kept.replace(" ", "-")
