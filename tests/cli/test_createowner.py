"""An owner's account from the command line."""

from __future__ import annotations

import io

import pytest
from allauth.account.models import EmailAddress

from stafeta.accounts.models import User
from stafeta.cli import main

PASSWORD = "correct horse battery staple"

pytestmark = pytest.mark.django_db


def create(monkeypatch: pytest.MonkeyPatch, *, password: str = PASSWORD, **facts: str) -> int:
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{password}\n"))
    facts = {"email": "Dana@Example.com", "name": "Dana", "phone": "601 123 456"} | facts
    return main(["createowner", "--password-stdin", *(f"--{name}={value}" for name, value in facts.items())])


def test_the_owner_can_sign_in_and_the_phone_waits_for_its_code(monkeypatch: pytest.MonkeyPatch) -> None:
    assert create(monkeypatch) == 0
    dana = User.objects.get()
    assert (dana.email, dana.name, dana.phone) == ("dana@example.com", "Dana", "+420601123456")
    assert dana.check_password(PASSWORD)
    assert not dana.has_verified_phone
    address = EmailAddress.objects.get(user=dana)
    assert address.verified
    assert address.primary


def test_every_problem_is_named_and_nothing_is_made(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert create(monkeypatch, email="dana", phone="112233", password="short") == 1
    said = capsys.readouterr().err
    assert "valid email address" in said
    assert "112233" in said
    assert "too short" in said
    assert not User.objects.exists()


def test_an_address_has_one_account(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    create(monkeypatch)
    assert create(monkeypatch, email="DANA@example.com") == 1
    assert "already" in capsys.readouterr().err
    assert User.objects.count() == 1


def test_two_different_passwords_make_nothing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    typed = iter(["correct horse battery", "correct horse batery"])
    monkeypatch.setattr("getpass.getpass", lambda _: next(typed))
    assert main(["createowner", "--email=dana@example.com", "--name=Dana", "--phone=601123456"]) == 1
    assert "differ" in capsys.readouterr().err
    assert not User.objects.exists()


def test_where_nobody_can_type_a_password_it_says_how_to_pass_one(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(""))
    monkeypatch.setattr("getpass.getpass", lambda _: input())
    assert main(["createowner", "--email=dana@example.com", "--name=Dana", "--phone=601123456"]) == 1
    assert "--password-stdin" in capsys.readouterr().err
