"""Make an account by hand, where somebody with a shell vouches for it."""

from __future__ import annotations

from allauth.account.models import EmailAddress
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.utils.translation import gettext as _

from stafeta.accounts.addresses import BadPhone, parse_phone
from stafeta.accounts.models import User

NAME_CHARS_MAX = 120


def create_owner(*, email: str, name: str, phone: str, language: str, password: str) -> User:
    """Return a saved owner whose e-mail counts as proved; the phone they prove themselves.

    phone: as people write it, Czech without a prefix. Raises ValidationError with every problem found.
    """
    email = email.strip().lower()
    problems: list[ValidationError] = []
    number = ""
    try:
        validate_email(email)
    except ValidationError as error:
        problems.append(error)
    try:
        number = parse_phone(phone)
    except BadPhone:
        problems.append(ValidationError(_("This is not the number of a mobile phone: %(phone)s") % {"phone": phone}))
    try:
        validate_password(password, User(email=email, name=name))
    except ValidationError as error:
        problems.append(error)
    if not 0 < len(name.strip()) <= NAME_CHARS_MAX:
        problems.append(ValidationError(_("A name is needed.")))
    if User.objects.filter(email__iexact=email).exists():
        problems.append(ValidationError(_("There already is an account with this e-mail.")))
    if problems:
        raise ValidationError([message for problem in problems for message in problem.messages])
    with transaction.atomic():
        user = User.objects.create_user(email, password, name=name.strip(), phone=number, language=language)
        EmailAddress.objects.create(user=user, email=email, verified=True, primary=True)
    return user
