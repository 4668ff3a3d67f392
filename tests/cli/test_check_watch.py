"""`stafeta check` says who watches: the heartbeat, and what the canary says."""

from __future__ import annotations

from tests.cli.conftest import Stafeta

OWNER = ("createowner", "--email=dana@example.com", "--name=Dana", "--phone=601123456", "--password-stdin")


def test_without_a_watch_it_says_so_and_is_content(stafeta: Stafeta) -> None:
    stafeta("init")
    done = stafeta("check")
    assert done.returncode == 0, done.stdout
    assert "ok       heartbeat: none; STAFETA_HEARTBEAT_URL is not set" in done.stdout
    assert "ok       canary: none; STAFETA_CANARY is not set" in done.stdout


def test_the_address_of_the_watchdog_stays_a_secret_and_is_not_called(stafeta: Stafeta) -> None:
    stafeta("init")
    done = stafeta("check", STAFETA_HEARTBEAT_URL="https://watchdog.invalid/ping/s3cret")
    assert done.returncode == 0, done.stdout
    assert "ok       heartbeat: to watchdog.invalid; it was not tried" in done.stdout
    assert "s3cret" not in done.stdout + done.stderr


def test_a_canary_that_shows_nothing_yet_is_a_warning(stafeta: Stafeta) -> None:
    stafeta("init")
    missing = stafeta("check", STAFETA_CANARY="dana@example.com")
    assert missing.returncode == 0, missing.stdout
    assert "warning  canary: There is no account with the canary's address" in missing.stdout
    stafeta(*OWNER, stdin="correct horse battery\n")
    resting = stafeta("check", STAFETA_CANARY="dana@example.com")
    assert resting.returncode == 0, resting.stdout
    assert "warning  canary: The canary's switch is not armed" in resting.stdout


def test_before_init_the_canary_is_no_traceback(stafeta: Stafeta) -> None:
    done = stafeta("check", STAFETA_CANARY="dana@example.com")
    assert done.returncode == 1
    assert "warning  canary: it cannot be looked at before the database is right" in done.stdout
    assert "Traceback" not in done.stdout + done.stderr
