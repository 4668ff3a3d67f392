"""The floors of the house: imports and foreign keys point down only."""

from __future__ import annotations

import ast
import sys
import tomllib

from django.apps import apps
from importlinter.application.use_cases import lint_imports
from importlinter.configuration import configure

from tests.contracts.house import PACKAGE, ROOT, python_files

# From the ground up; the same order as in pyproject.toml, which is checked below.
APP_FLOORS = ("accounts", "outbox", "vault", "switches", "web")
FOREIGN_APPS = ("auth", "contenttypes")


def test_imports_point_down_only() -> None:
    # Not by its command, which would silence every logger for the tests that follow.
    configure()
    assert lint_imports(config_filename=str(ROOT / "pyproject.toml"), cache_dir=None)


def test_the_linted_floors_are_those_of_the_apps() -> None:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"][
        "contracts"
    ]
    layers = next(contract["layers"] for contract in contracts if contract["type"] == "layers")
    flat = [part.strip() for layer in reversed(layers) for part in layer.split("|")]
    assert [part for part in flat if part in APP_FLOORS] == list(APP_FLOORS)


def test_foreign_keys_point_down_only() -> None:
    upward = [
        f"{model._meta.label}.{field.name} → {field.related_model._meta.label}"
        for label in APP_FLOORS
        for model in apps.get_app_config(label).get_models()
        for field in model._meta.get_fields()
        if field.is_relation and field.concrete and not _is_below_or_here(label, field.related_model._meta.app_label)
    ]
    assert upward == []


def test_pages_and_the_worker_have_no_models() -> None:
    assert list(apps.get_app_config("web").get_models()) == []
    assert not (PACKAGE / "worker" / "models.py").exists()


def test_the_core_imports_nothing_but_the_standard_library() -> None:
    """import-linter forbids what it was told of; this forbids everything else, too."""
    found = set()
    for path in python_files():
        if path.is_relative_to(PACKAGE / "core"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Import):
                    found |= {alias.name for alias in node.names}
                elif isinstance(node, ast.ImportFrom):
                    found.add(node.module or "")
    foreign = {module for module in found if module.split(".")[0] not in sys.stdlib_module_names}
    assert {module for module in foreign if not module.startswith("stafeta.core")} == set()


def _is_below_or_here(label: str, other: str) -> bool:
    return other in FOREIGN_APPS or other in APP_FLOORS[: APP_FLOORS.index(label) + 1]
