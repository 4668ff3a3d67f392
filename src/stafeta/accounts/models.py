"""Who somebody is: the owner's account, the one-time codes that prove a phone, and which installation this is."""

from __future__ import annotations

from typing import ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.db import models
from django.utils.translation import gettext_lazy as _

ZONE_DEFAULT = "Europe/Prague"


class Language(models.TextChoices):
    """The languages the house speaks, each named in itself."""

    CZECH = "cs", "Čeština"
    ENGLISH = "en", "English"


class UserManager(BaseUserManager["User"]):
    """Makes accounts whose name is the e-mail address."""

    def create_user(self, email: str, password: str | None = None, **facts: object) -> User:
        """Return a saved user; without a password they cannot sign in by one."""
        user = self.model(email=self.normalize_email(email).lower(), **facts)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **facts: object) -> User:
        """Return a saved operator."""
        return self.create_user(email, password, is_staff=True, is_superuser=True, **facts)


class User(AbstractBaseUser, PermissionsMixin):
    """An owner. The e-mail is the login; verification of it is allauth's EmailAddress.

    phone: E.164; it counts only while `phone_verified_at` is set.
    """

    email = models.EmailField(_("e-mail"), unique=True)
    name = models.CharField(_("name"), max_length=120)
    phone = models.CharField(_("phone"), max_length=16, blank=True)
    phone_verified_at = models.DateTimeField(null=True, blank=True)
    language = models.CharField(_("language"), max_length=5, choices=Language, default=Language.CZECH)
    zone = models.CharField(_("time zone"), max_length=64, default=ZONE_DEFAULT)
    is_staff = models.BooleanField(default=False)
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField(auto_now_add=True)

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = ["name"]

    objects = UserManager()

    def __str__(self) -> str:
        return self.name or self.email

    @property
    def has_verified_phone(self) -> bool:
        return bool(self.phone) and self.phone_verified_at is not None


class CodeChallenge(models.Model):
    """The counter behind the SMS codes of one subject; a code itself is computed and never stored (vault.md).

    subject: what a right code proves, e.g. "phone:12:+420601123456".
    counter: HOTP moving factor of the newest code (RFC 4226).
    tries: wrong answers to the newest code. wrong_codes: codes in a row that ran out of tries; delays grow by it.
    """

    subject = models.CharField(max_length=120, unique=True)
    phone = models.CharField(max_length=16)
    counter = models.PositiveBigIntegerField(default=0)
    issued_at = models.DateTimeField(null=True)
    used_at = models.DateTimeField(null=True)
    tries = models.PositiveSmallIntegerField(default=0)
    wrong_codes = models.PositiveSmallIntegerField(default=0)
    blocked_until = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"code challenge {self.pk}"


class CodeIssue(models.Model):
    """One code that was sent: what the caps per number, per country and per day count.

    number: a keyed hash of the phone, for the caps need to know it again and nobody needs to read it.
    """

    number = models.CharField(max_length=64)
    country = models.CharField(max_length=4)
    at = models.DateTimeField()

    class Meta:
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["number", "at"], name="codeissue_number_at"),
            models.Index(fields=["country", "at"], name="codeissue_country_at"),
        ]

    def __str__(self) -> str:
        return f"code issue {self.pk}"


class Instance(models.Model):
    """The one row that says which installation this database belongs to (docs/adr/0008).

    identity: random, made anew by every restore, so that a copy of the database is somebody else.
    epoch: grows with every restore; what was decided or claimed in an earlier one counts no more.
    restored_at: when the present epoch began; None where nothing was ever restored.
    home: the keyed hash of the site's address that its processes share; empty before the first of them started.
    """

    identity = models.CharField(max_length=32)
    home = models.CharField(max_length=64, blank=True)
    epoch = models.PositiveIntegerField(default=0)
    restored_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"epoch {self.epoch}"
