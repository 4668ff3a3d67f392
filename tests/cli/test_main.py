"""What the command says before it does anything."""

from __future__ import annotations

import pytest

from stafeta import __version__
from stafeta.cli import COMMANDS, main
from tests.cli.conftest import Stafeta


def test_without_a_command_it_lists_them(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 0
    said = capsys.readouterr().out
    assert all(command in said for command in COMMANDS)


def test_it_knows_its_version(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--version"])
    assert ended.value.code == 0
    assert __version__ in capsys.readouterr().out


def test_an_unknown_command_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["rnu"])
    assert ended.value.code == 2
    assert "rnu" in capsys.readouterr().err


@pytest.mark.parametrize("words", [["web", "--port", "0"], ["web", "--port", "http"], ["run", "--workers", "-1"]])
def test_a_senseless_number_is_refused(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(words)
    assert ended.value.code == 2
    assert "a whole number from 1 to" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["init", "run", "web", "worker", "check"])
def test_wrong_settings_are_all_named_without_a_traceback(command: str, stafeta: Stafeta) -> None:
    done = stafeta(command, STAFETA_SIGNUP="maybe", STAFETA_SITE_ULR="https://x.example")
    assert done.returncode == 2
    assert "STAFETA_SIGNUP" in done.stderr
    assert "Did you mean STAFETA_SITE_URL?" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("command", ["web", "worker", "createowner"])
def test_before_init_the_remedy_is_named(command: str, stafeta: Stafeta) -> None:
    words = ["--email=dana@example.com", "--name=Dana", "--phone=601123456"] if command == "createowner" else []
    done = stafeta(command, *words)
    assert done.returncode == 2
    assert "Run `stafeta init`" in done.stderr
    assert "Traceback" not in done.stderr
