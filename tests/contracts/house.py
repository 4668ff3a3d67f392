"""Where the house's own files are; what somebody else made (migrations, built front end) does not count."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "src" / "stafeta"
PYTHON_DIRS = ("src", "tests", "tools", "bench")
DOCUMENT_DIRS = ("docs", "deploy", "frontend/src")


def python_files() -> list[Path]:
    """Return every Python file of ours."""
    found = [path for directory in PYTHON_DIRS for path in sorted((ROOT / directory).rglob("*.py"))]
    return [path for path in found if "migrations" not in path.parts]


def templates() -> list[Path]:
    """Return every template of ours."""
    return sorted(path for path in PACKAGE.rglob("*") if "templates" in path.parts and path.is_file())


def documents() -> list[Path]:
    """Return every document of ours."""
    deep = [path for directory in DOCUMENT_DIRS for path in sorted((ROOT / directory).rglob("*.md"))]
    return [*sorted(ROOT.glob("*.md")), *deep]


def name(path: Path) -> str:
    """Return a path as people write it."""
    return str(path.relative_to(ROOT))
