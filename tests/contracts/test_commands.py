"""Every command can be asked what it does, and answers without loading Django."""

from __future__ import annotations

import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

from stafeta.cli import COMMANDS, main
from tests.contracts.house import PACKAGE


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main([command, "--help"])
    assert ended.value.code == 0
    said = " ".join(capsys.readouterr().out.split())
    promised = " ".join((import_module(f"stafeta.cli.{command}").__doc__ or "").split())
    assert promised
    assert promised[:40] in said


@pytest.mark.parametrize("command", COMMANDS)
def test_every_argument_is_explained(command: str) -> None:
    import argparse

    parser = argparse.ArgumentParser()
    import_module(f"stafeta.cli.{command}").configure(parser)
    assert [action.dest for action in parser._actions if not action.help] == []


def test_help_is_instant() -> None:
    """Loading Django takes a second; a typing mistake should not cost it."""
    code = "import sys, stafeta.cli; stafeta.cli.main([]); sys.exit('django' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, check=False).returncode == 0


def test_every_command_of_the_operations_manual_exists_and_the_reverse() -> None:
    manual = Path(PACKAGE.parents[1] / "docs" / "operations.md").read_text(encoding="utf-8")
    for command in COMMANDS:
        assert f"`stafeta {command}`" in manual
