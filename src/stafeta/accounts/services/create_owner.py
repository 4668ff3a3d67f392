"""Make an owner's account without the sign-up pages: for whoever holds the server."""

from __future__ import annotations

from collections.abc import Callable

from allauth.account.models import EmailAddress
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import transaction

from stafeta.accounts.addresses import BadPhone, parse_phone
from stafeta.accounts.models import User


@transaction.atomic
def create_owner(*, email: str, name: str, phone: str, language: str, password: str) -> User:
    """Return a saved owner whose e-mail is verified and whose phone is not.

    Raises ValidationError with every problem at once, in the active language; nothing is saved then.
    """
    user = User(email=User.objects.normalize_email(email).lower(), name=name, language=language)
    problems: list[str] = []

    def look(check: Callable[[], None]) -> None:
        try:
            check()
        except ValidationError as error:
            problems.extend(error.messages)

    try:
        user.phone = parse_phone(phone)
    except BadPhone as error:
        problems.append(f"{phone}: {error}")
    look(lambda: user.clean_fields(exclude=["password"]))
    look(user.validate_unique)
    look(lambda: validate_password(password, user))
    if problems:
        raise ValidationError(problems)
    user.set_password(password)
    user.save()
    EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)
    return user
