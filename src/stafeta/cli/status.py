"""Say in plain words how the service stands: what it hears, what is due, what waits, what went wrong. Nothing is
changed. Exit code 1 when something is wrong."""

from __future__ import annotations

import argparse
import json

from stafeta.cli.ready import require_ready, tell

ZONE = "UTC"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add how it is said."""
    parser.add_argument("--json", action="store_true", help="for machines: one JSON object")


def main(args: argparse.Namespace) -> int:
    """Say how everything stands; return 1 where anything is wrong."""
    require_ready()
    from django.utils import translation

    from stafeta import clock
    from stafeta.switches.standing import Section, is_well, standing

    def values(section: Section) -> dict[str, object]:
        return {line.key: line.value for line in section.lines}

    with translation.override("en"):
        sections = standing(now=clock.now(), zone=ZONE)
    well = is_well(sections)
    if args.json:
        tell(json.dumps({"ok": well, **{section.key: values(section) for section in sections}}))
        return 0 if well else 1
    for section in sections:
        tell(section.title)
        for line in section.lines:
            mark = "PROBLEM" if line.is_wrong else "-" if section.is_list else "ok"
            tell(f"  {mark:7}  {line.label}: {line.text}")
        if not section.lines:
            tell("           none")
    tell("\nEverything works." if well else "\nSomething is wrong. All times are UTC.")
    return 0 if well else 1
