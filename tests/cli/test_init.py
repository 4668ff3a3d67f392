"""`stafeta init` makes what is missing, for its own user only, and never replaces what opens something."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from tests.cli.conftest import Stafeta


@pytest.fixture
def data(environ: dict[str, str]) -> Path:
    return Path(environ["STAFETA_DATA_DIR"])


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_it_makes_everything_private_and_says_so(stafeta: Stafeta, data: Path) -> None:
    done = stafeta("init")
    assert done.returncode == 0, done.stderr
    assert mode(data) == 0o700
    for name in ("secret-key", "keys.txt", "stafeta.sqlite3"):
        assert mode(data / name) == 0o600
        assert (data / name).stat().st_size > 0
    for words in ("data directory", "secret key", "keys file", "tables"):
        assert words in done.stdout
    secret = (data / "secret-key").read_text().strip()
    assert secret not in done.stdout + done.stderr


def test_repeating_it_changes_nothing(stafeta: Stafeta, data: Path) -> None:
    stafeta("init")
    before = {name: (data / name).read_bytes() for name in ("secret-key", "keys.txt")}
    again = stafeta("init")
    assert again.returncode == 0, again.stderr
    assert again.stdout.startswith("Ready.")
    assert {name: (data / name).read_bytes() for name in before} == before


def test_a_directory_open_to_others_is_closed(stafeta: Stafeta, data: Path) -> None:
    data.mkdir()
    data.chmod(0o755)
    done = stafeta("init")
    assert mode(data) == 0o700
    assert "Closed the data directory" in done.stdout


def test_a_secret_open_to_others_stops_the_start(stafeta: Stafeta, data: Path) -> None:
    stafeta("init")
    (data / "secret-key").chmod(0o644)
    done = stafeta("web")
    assert done.returncode == 2
    assert f"chmod 600 {data / 'secret-key'}" in done.stderr


def test_a_place_that_cannot_be_written_to_is_named(stafeta: Stafeta, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    done = stafeta("init", STAFETA_DATA_DIR=str(tmp_path / "file" / "data"))
    assert done.returncode == 2
    assert "STAFETA_DATA_DIR" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_lost_secret_is_not_replaced_in_silence(stafeta: Stafeta, data: Path) -> None:
    """A new one would end every link under way and every second factor, and nobody would know why."""
    stafeta("init")
    stafeta(
        "createowner", "--email=dana@example.com", "--name=Dana", "--phone=601123456", "--password-stdin",
        stdin="correct horse battery\n",
    )  # fmt: skip
    (data / "secret-key").unlink()
    done = stafeta("init")
    assert done.returncode == 2
    assert "Bring back your copy" in done.stderr
    assert not (data / "secret-key").exists()


def test_check_is_content_after_init_and_not_before(stafeta: Stafeta) -> None:
    before = stafeta("check")
    assert before.returncode == 1
    assert "PROBLEM" in before.stdout
    assert "stafeta init" in before.stdout
    stafeta("init")
    after = stafeta("check")
    assert after.returncode == 0, after.stdout + after.stderr
    assert "PROBLEM" not in after.stdout


def test_check_names_a_channel_that_cannot_be(stafeta: Stafeta) -> None:
    stafeta("init")
    done = stafeta("check", STAFETA_SMS_URL="pigeon://coop")
    assert done.returncode == 1
    assert "STAFETA_SMS_URL" in done.stdout


def test_check_names_where_providers_report_to_without_the_secret(stafeta: Stafeta) -> None:
    stafeta("init")
    assert "receipts: none are taken in; set STAFETA_RECEIPTS_SECRET" in stafeta("check").stdout
    secret, site = "of-the-receipts-0123456789abc", "https://stafeta.example.com"
    here = {"STAFETA_RECEIPTS_SECRET": secret, "STAFETA_SITE_URL": site}
    mail = {"STAFETA_EMAIL_URL": "anymail+postmark://TOKEN@", "STAFETA_SMS_URL": "twilio://AC1:token@+420600000001"}
    done = stafeta("check", **here, **mail)
    assert f"postmark reports to {site}/receipts/postmark/<STAFETA_RECEIPTS_SECRET>/" in done.stdout
    assert f"twilio reports to {site}/receipts/twilio/<STAFETA_RECEIPTS_SECRET>/ by itself" in done.stdout
    own = {"STAFETA_EMAIL_URL": "smtp://mail.example.com", "STAFETA_SMS_URL": "webhook+https://gateway.example.com"}
    signed = stafeta("check", **here, **own)
    assert f"smtp reports to {site}/receipts/smtp/; webhook reports to {site}/receipts/webhook/" in signed.stdout
    assert secret not in done.stdout + done.stderr + signed.stdout + signed.stderr


def test_check_names_a_service_whose_reports_could_not_be_verified(stafeta: Stafeta) -> None:
    stafeta("init")
    done = stafeta(
        "check",
        STAFETA_RECEIPTS_SECRET="of-the-receipts-0123456789abc",
        STAFETA_EMAIL_URL="anymail+mailersend://TOKEN@",
    )
    assert done.returncode == 1
    assert "PROBLEM  receipts: STAFETA_EMAIL_URL: its web hook cannot be verified" in done.stdout
    assert "?webhook_key=" in done.stdout


def test_check_names_a_database_that_does_not_answer(stafeta: Stafeta, port: int) -> None:
    stafeta("init")
    done = stafeta("check", STAFETA_DATABASE_URL=f"postgres://u:hunter2@127.0.0.1:{port}/stafeta")
    assert done.returncode == 1
    assert "the database cannot be reached" in done.stdout
    assert "hunter2" not in done.stdout + done.stderr
