"""`stafeta keys` as an operator meets it, and what a start with the wrong keys says."""

from __future__ import annotations

import tarfile
from pathlib import Path

import pytest

from tests import make
from tests.cli.conftest import Stafeta
from tests.cli.test_backup import in_python

HANDOVER = """
from tests import make
make.handover(make.owner(), title="Weby klientů")
"""
READ = """
from stafeta.vault.models import Handover
from stafeta.vault.selectors import read_content
print(read_content(Handover.objects.get()))
"""
NAMED = "handover 1 “Weby klientů” of dana@example.org"
SECRET = "AGE-SECRET-KEY-"


@pytest.fixture
def keys(stafeta: Stafeta, environ: dict[str, str]) -> Path:
    """The keys file of an installation that holds one handover."""
    assert stafeta("init").returncode == 0
    in_python(HANDOVER, environ)
    return Path(environ["STAFETA_DATA_DIR"]) / "keys.txt"


@pytest.fixture
def foreign(stafeta: Stafeta, tmp_path: Path) -> str:
    """The content of another installation's keys file."""
    other = tmp_path / "other"
    assert stafeta("init", STAFETA_DATA_DIR=str(other)).returncode == 0
    return (other / "keys.txt").read_text()


# From the old key to a new one --------------------------------------------------------------------------------------


def test_the_way_from_an_old_key_to_a_new_one(stafeta: Stafeta, environ: dict[str, str], keys: Path) -> None:
    old = keys.read_text()
    new = stafeta("keys", "new")
    assert new.returncode == 0, new.stderr
    assert "make a new copy of the keys now" in new.stdout
    assert keys.read_text().endswith(old)
    rotated = stafeta("keys", "rotate")
    assert rotated.returncode == 0, rotated.stderr
    assert "Wrapped anew: 1. The first key opens 1." in rotated.stdout
    (old_key,) = [line.split()[-1] for line in old.splitlines() if "public key" in line]
    assert f"may be removed, once `stafeta keys list` says so a day later still:\n  {old_key}\n" in rotated.stdout
    assert "Older backups still need them" in rotated.stdout
    listed = stafeta("keys", "list")
    assert listed.returncode == 0
    assert "opens 1, and wraps what is new" in listed.stdout
    assert f"{old_key}  opens 0\n" in listed.stdout
    keys.write_text("\n".join(keys.read_text().splitlines()[:2]) + "\n")
    assert in_python(READ, environ).strip() == make.SECRET_TEXT
    again = stafeta("keys", "rotate")
    assert "Wrapped anew: 0." in again.stdout
    assert "may be removed" not in again.stdout
    for done in (new, rotated, listed, again):
        assert SECRET not in done.stdout + done.stderr


# From the environment -----------------------------------------------------------------------------------------------


def test_keys_from_the_environment_serve_a_whole_installation(
    stafeta: Stafeta, environ: dict[str, str], keys: Path, tmp_path: Path
) -> None:
    text = keys.read_text()
    keys.unlink()
    environ["STAFETA_KEYS"] = text
    assert in_python(READ, environ).strip() == make.SECRET_TEXT
    assert stafeta("init").returncode == 0
    assert not keys.exists()
    checked = stafeta("check")
    assert checked.returncode == 0, checked.stdout
    assert "ok       keys: 1 from the environment variable" in checked.stdout
    copy = tmp_path / "apart" / "keys.tar"
    copy.parent.mkdir()
    assert stafeta("backup", str(tmp_path / "b.zip"), "--with-keys", str(copy)).returncode == 0
    with tarfile.open(copy) as tar:
        assert tar.extractfile("keys.txt").read().decode().strip() == text.strip()  # type: ignore[union-attr]
    for done in (stafeta("keys", "list"), checked):
        assert SECRET not in done.stdout + done.stderr


def test_a_new_key_for_the_environment_is_shown_and_not_written(stafeta: Stafeta, keys: Path) -> None:
    text = keys.read_text()
    keys.unlink()
    done = stafeta("keys", "new", STAFETA_KEYS=text)
    assert done.returncode == 1
    assert "the first line" in done.stderr
    assert done.stdout.startswith(SECRET)
    assert not keys.exists()
    rotated = stafeta("keys", "rotate", STAFETA_KEYS=f"{done.stdout}{text}")
    assert "Wrapped anew: 1." in rotated.stdout


def test_keys_from_two_places_at_once_are_refused(stafeta: Stafeta, keys: Path) -> None:
    done = stafeta("check", STAFETA_KEYS=keys.read_text(), STAFETA_KEYS_FILE=str(keys))
    assert done.returncode == 2
    assert "STAFETA_KEYS: STAFETA_KEYS_FILE is set as well" in done.stderr
    assert SECRET not in done.stdout + done.stderr


# A wrong key, and none ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("command", [("web",), ("worker", "--once"), ("run",)], ids=" ".join)
def test_nothing_starts_with_keys_that_open_nothing(
    stafeta: Stafeta, keys: Path, foreign: str, port: int, command: tuple[str, ...]
) -> None:
    """It would tell people of a release that nobody could read, and let owners write what is lost at once."""
    keys.write_text(foreign)
    words = command if command[0] == "worker" else (*command, "--port", str(port))
    done = stafeta(*words)
    assert done.returncode == 2, done.stdout
    assert f"STAFETA_KEYS_FILE: no key from {keys} opens what the database holds" in done.stderr
    assert "1 handover of 1 owner" in done.stderr
    assert "Bring back the keys that belong to this database" in done.stderr
    assert "`stafeta keys list` names the handovers" in done.stderr
    assert "Traceback" not in done.stderr


def test_check_and_list_name_what_a_wrong_key_closes(stafeta: Stafeta, keys: Path, foreign: str) -> None:
    keys.write_text(foreign)
    checked = stafeta("check")
    assert checked.returncode == 1
    assert "PROBLEM  keys: STAFETA_KEYS_FILE: no key from" in checked.stdout
    listed = stafeta("keys", "list")
    assert listed.returncode == 1
    assert NAMED in listed.stdout
    for done in (checked, listed):
        assert make.SECRET_TEXT not in done.stdout + done.stderr
        assert SECRET not in done.stdout + done.stderr


def test_a_title_cannot_speak_to_the_operators_terminal(
    stafeta: Stafeta, environ: dict[str, str], keys: Path, foreign: str
) -> None:
    keys.write_text(foreign)
    in_python("from stafeta.vault.models import Handover; Handover.objects.update(title='a\\n\\x1b[2Jb')", environ)
    listed = stafeta("keys", "list")
    assert "“a\N{REPLACEMENT CHARACTER}\N{REPLACEMENT CHARACTER}[2Jb”" in listed.stdout
    assert "\x1b" not in listed.stdout


def test_a_missing_keys_file_says_what_is_affected(stafeta: Stafeta, keys: Path) -> None:
    keys.unlink()
    for command in ("init", "web", "worker"):
        done = stafeta(command)
        assert done.returncode == 2
        assert "1 handover of 1 owner" in done.stderr
        assert "Bring back your copy" in done.stderr
    assert not keys.exists()
    listed = stafeta("keys", "list")
    assert listed.returncode == 1
    assert NAMED in listed.stdout


def test_a_key_that_is_missing_for_some_is_a_warning_and_a_problem_for_check(
    stafeta: Stafeta, environ: dict[str, str], keys: Path, foreign: str
) -> None:
    """The others must not wait for these."""
    keys.write_text(foreign)
    in_python("from tests import make; make.handover(make.owner('karel@example.org'))", environ)
    worked = stafeta("worker", "--once")
    assert "WARNING: of 2 handovers that were looked at, no key opens 1" in worked.stderr
    checked = stafeta("check")
    assert checked.returncode == 1
    assert "PROBLEM  keys: STAFETA_KEYS_FILE: of 2 handovers" in checked.stdout


def test_an_installation_goes_on_after_its_key_was_given_up(
    stafeta: Stafeta, environ: dict[str, str], keys: Path
) -> None:
    kept = keys.read_text()
    keys.unlink()
    unsure = stafeta("keys", "lost", stdin="yes\n")
    assert unsure.returncode == 1
    assert NAMED in unsure.stdout
    assert "Nothing was changed." in unsure.stderr
    assert stafeta("init").returncode == 2
    given_up = stafeta("keys", "lost", stdin="lost\n")
    assert given_up.returncode == 0, given_up.stderr
    assert "Given up: 1." in given_up.stdout
    assert stafeta("init").returncode == 0
    assert stafeta("check").returncode == 0
    assert f"{NAMED} (given up as lost)" in stafeta("keys", "list").stdout
    keys.write_text(f"{keys.read_text()}{kept}")
    assert "Wrapped anew: 1." in stafeta("keys", "rotate").stdout
    assert in_python(READ, environ).strip() == make.SECRET_TEXT


def test_nothing_is_given_up_that_can_be_opened(stafeta: Stafeta, keys: Path) -> None:
    done = stafeta("keys", "lost", "--yes")
    assert done.returncode == 0
    assert "Nothing is lost" in done.stdout
    assert "opens 1" in stafeta("keys", "list").stdout
