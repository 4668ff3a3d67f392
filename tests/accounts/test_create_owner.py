"""An account made by hand, for `stafeta createowner`."""

from __future__ import annotations

import pytest
from allauth.account.models import EmailAddress
from django.core.exceptions import ValidationError

from stafeta.accounts.models import User
from stafeta.accounts.services.create_owner import create_owner
from tests import make

pytestmark = pytest.mark.django_db

DANA = {
    "email": "Dana@Example.org",
    "name": " Dana ",
    "phone": "601 000 001",
    "language": "cs",
    "password": make.PASSWORD,
}


def test_owner_can_sign_in_and_proves_the_phone_herself() -> None:
    """The e-mail counts as proved, the phone does not."""
    dana = create_owner(**DANA)
    assert (dana.email, dana.name, dana.phone) == ("dana@example.org", "Dana", "+420601000001")
    assert dana.check_password(make.PASSWORD)
    assert not dana.has_verified_phone
    assert EmailAddress.objects.get(user=dana, primary=True).verified


def test_every_problem_is_named_at_once() -> None:
    """And nothing is made."""
    with pytest.raises(ValidationError) as refused:
        create_owner(email="dana", name="", phone="12", language="cs", password="1")
    assert len(refused.value.messages) >= 4
    assert not User.objects.exists()


def test_an_address_is_taken_once() -> None:
    """Whatever its capitals."""
    create_owner(**DANA)
    with pytest.raises(ValidationError):
        create_owner(**{**DANA, "email": "dana@example.ORG"})
    assert User.objects.count() == 1
