"""House rule 10: what no longer fits on a few screens is two things."""

from __future__ import annotations

import ast
from pathlib import Path

from tests.contracts.house import name, python_files, templates

FUNCTION_LINES_MAX = 60
FILE_LINES_MAX = 400
TEMPLATE_LINES_MAX = 150


def test_no_function_is_longer_than_sixty_lines() -> None:
    long = [
        f"{name(path)}:{node.lineno} {node.name}: {lines} lines"
        for path in python_files()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (lines := (node.end_lineno or node.lineno) - node.lineno + 1) > FUNCTION_LINES_MAX
    ]
    assert long == []


def test_no_file_is_longer_than_four_hundred_lines() -> None:
    assert _longer(python_files(), FILE_LINES_MAX) == []


def test_no_template_is_longer_than_a_hundred_and_fifty_lines() -> None:
    assert templates(), "the templates were not found"
    assert _longer(templates(), TEMPLATE_LINES_MAX) == []


def _longer(paths: list[Path], most: int) -> list[str]:
    counted = ((path, len(path.read_text(encoding="utf-8").splitlines())) for path in paths)
    return [f"{name(path)}: {lines} lines" for path, lines in counted if lines > most]
