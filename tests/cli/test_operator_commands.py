"""What the operator does from the command line: look, hold, let go on, confirm a clock."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from stafeta import clock
from stafeta.accounts.models import User
from stafeta.cli import main
from stafeta.switches.models import Hold, ServiceClock
from stafeta.switches.selectors import service_second
from tests import make

pytestmark = pytest.mark.django_db


def alive() -> None:
    """A worker has just read the clock."""
    ServiceClock.objects.create(wall=clock.now(), counted_ms=7_200_000, heard=True)


def test_status_says_that_all_is_well(capsys: pytest.CaptureFixture[str]) -> None:
    alive()
    assert main(["status"]) == 0
    said = capsys.readouterr().out
    assert "ok       Service time: 2 hours counted" in said
    assert "ok       Can it hear owners?: Yes" in said
    assert "Everything works." in said


def test_status_names_what_is_wrong_and_returns_1(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["status"]) == 1
    assert "PROBLEM  Service time: No worker has run yet." in capsys.readouterr().out


def test_status_for_machines_is_one_json_object(capsys: pytest.CaptureFixture[str]) -> None:
    alive()
    assert main(["status", "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["ok"] is True
    assert said["service"]["service_s"] == 7200
    assert said["service"]["hears"] is True
    assert said["due"] == {"armed": 0, "due": 0, "overdue_s": 0, "next_due_at": None}
    assert said["holds"] == {}
    ServiceClock.objects.update(deaf_since=clock.now(), deaf_reason="status 502")
    assert main(["status", "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["service"]["hears"] is False


def test_hold_and_unhold(capsys: pytest.CaptureFixture[str]) -> None:
    alive()
    assert main(["hold", "--hours", "3", "--reason", "a new disk"]) == 0
    hold = Hold.objects.get()
    assert timedelta(hours=2, minutes=59) < hold.until - clock.now() <= timedelta(hours=3)
    assert hold.reason == "a new disk"
    assert main(["status"]) == 0
    assert "Held until" in capsys.readouterr().out
    assert main(["unhold"]) == 0
    assert main(["unhold"]) == 1
    assert "Nothing is held." in capsys.readouterr().out


@pytest.mark.parametrize("hours", ["0", "169", "nan", "-3"])
def test_a_hold_out_of_bounds_is_refused_in_words(hours: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["hold", f"--hours={hours}", "--reason", "x"]) == 2
    assert "it must lie between 0 and 168" in capsys.readouterr().err
    assert not Hold.objects.exists()


def test_the_clock_is_shown_and_confirmed(capsys: pytest.CaptureFixture[str]) -> None:
    alive()
    assert main(["clock"]) == 0
    ServiceClock.objects.update(wall=clock.now() + timedelta(days=365))
    assert main(["clock"]) == 1
    assert ServiceClock.objects.get().wall > clock.now()
    assert main(["clock", "confirm"]) == 0
    assert "Brought back: 0 messages, and the dates of 0 switches." in capsys.readouterr().out
    assert ServiceClock.objects.get().wall <= clock.now()
    assert service_second() == 7200


def test_an_account_becomes_an_operators_and_an_ordinary_one_again(capsys: pytest.CaptureFixture[str]) -> None:
    dana = make.owner()
    assert main(["operator", "Dana@Example.org"]) == 0
    dana.refresh_from_db()
    assert dana.is_staff
    assert not dana.is_superuser
    assert main(["operator", "--revoke", dana.email]) == 0
    assert not User.objects.get().is_staff
    assert main(["operator", "nobody@example.org"]) == 1
    assert "There is no account" in capsys.readouterr().err
