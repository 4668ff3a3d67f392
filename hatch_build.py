"""Build hook: the wheel, and an editable installation, carry the compiled translations."""

from __future__ import annotations

import runpy
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class CatalogHook(BuildHookInterface[Any]):
    """Compiles every .po before files are collected."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Make the .mo files in the source tree, where `artifacts` in pyproject.toml picks them up."""
        del version, build_data
        root = Path(self.root)
        runpy.run_path(str(root / "tools" / "catalogs.py"))["compile_catalogs"](root / "src" / "stafeta" / "locale")
