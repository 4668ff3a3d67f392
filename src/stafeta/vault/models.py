"""The server stores only ciphertext: handovers, the people they are for, and who was let in when."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from stafeta.accounts.models import Language
from stafeta.core.protection import Level
from stafeta.vault.append_only import AppendOnly

ACCESS_DAYS_LEAST, ACCESS_DAYS_DEFAULT, ACCESS_DAYS_MOST = 30, 90, 365
DELAY_DAYS_MOST = 365


class ConsentState(models.TextChoices):
    """What a person answered to the question whether they agree to be somebody's recipient or contact."""

    DRAFT = "draft", _("not invited yet")
    INVITED = "invited", _("invited, no answer yet")
    GIVEN = "given", _("agreed")
    DECLINED = "declined", _("declined")


class Invitee(models.Model):
    """Somebody without an account, whom an owner entered and who is asked whether they agree.

    invitation: number of the newest invitation; part of its link, so that an older link ends with it.
    """

    name = models.CharField(_("name"), max_length=120)
    email = models.EmailField(_("e-mail"))
    phone = models.CharField(_("phone"), max_length=16)
    language = models.CharField(_("language"), max_length=5, choices=Language, default=Language.CZECH)
    consent = models.CharField(max_length=8, choices=ConsentState, default=ConsentState.DRAFT)
    invitation = models.PositiveIntegerField(default=0)
    invited_at = models.DateTimeField(null=True)
    phone_verified_at = models.DateTimeField(null=True)

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return self.name


class Recipient(Invitee):
    """A person who may be handed something. E-mail and phone are two different proofs, so both are needed."""

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="recipients")
    created_at = models.DateTimeField()
    key_asked_at = models.DateTimeField(null=True)  # to choose a passphrase for what is sealed

    class Meta:
        ordering: ClassVar[list[str]] = ["name", "pk"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["owner", "email"], name="recipient_once_per_owner"),
        ]


class Handover(models.Model):
    """One text for some recipients. Its title is not encrypted; its content only ever is.

    level: a core.protection.Level. content_bytes: of the plaintext; 0 for blanks alone.
    public_key: age recipient every version is encrypted to.
    delay_days: days of service time between the release and this handover's opening.
    access_days: how long its recipients may read it.
    revision: grows with every saved change; two tabs that disagree are shown, not overwritten.
    """

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="handovers")
    title = models.CharField(_("title"), max_length=200)
    level = models.CharField(max_length=20, default=Level.GUARDED.value)
    public_key = models.CharField(max_length=100)
    recipients = models.ManyToManyField(Recipient, related_name="handovers", blank=True)
    delay_days = models.PositiveSmallIntegerField(default=0, validators=[MaxValueValidator(DELAY_DAYS_MOST)])
    access_days = models.PositiveSmallIntegerField(
        default=ACCESS_DAYS_DEFAULT,
        validators=[MinValueValidator(ACCESS_DAYS_LEAST), MaxValueValidator(ACCESS_DAYS_MOST)],
    )
    revision = models.PositiveIntegerField(default=0)
    content_bytes = models.PositiveIntegerField(default=0)
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()
    deleted_at = models.DateTimeField(null=True)

    class Meta:
        ordering: ClassVar[list[str]] = ["title", "pk"]

    def __str__(self) -> str:
        return self.title

    @property
    def is_sealed(self) -> bool:
        """Whether only people hold its key, and the server never does."""
        return self.level == Level.SEALED


class Version(models.Model):
    """One state of a handover's content: an age file of Markdown in UTF-8.

    number: the handover's revision that it is. at: when it began.
    autosaved: made by the editor by itself; the next such save within ten minutes replaces it (services.save_handover).
    """

    handover = models.ForeignKey(Handover, on_delete=models.CASCADE, related_name="versions")
    number = models.PositiveIntegerField()
    ciphertext = models.BinaryField()
    autosaved = models.BooleanField(default=False)
    at = models.DateTimeField()

    class Meta:
        ordering: ClassVar[list[str]] = ["-number"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["handover", "number"], name="version_number_once"),
        ]

    def __str__(self) -> str:
        return f"version {self.number}"


class StoredFile(models.Model):
    """An age file in the storage, or one that was begun: the row is there before the file, and goes after it.

    So nothing is ever looked for in the storage itself, which may be another database's as well, and whatever a crash
    has left behind is known by name. begun_at: in real time. doomed_at: it is being erased.
    """

    key = models.CharField(max_length=64, unique=True)
    begun_at = models.DateTimeField()
    doomed_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return self.key


class Attachment(models.Model):
    """A file of a handover: encrypted to the handover's key like its text. Its name and its length are not encrypted.

    media_type: as it was recognised, never as a browser said. size_bytes: of the plaintext. deleted_at: taken away; for
    as long as a deleted handover it may be brought back. holder: of the earlier key it is encrypted to, if it is.
    """

    handover = models.ForeignKey(Handover, on_delete=models.CASCADE, related_name="attachments")
    file = models.OneToOneField(StoredFile, on_delete=models.PROTECT, related_name="attachment")
    name = models.CharField(max_length=150)
    media_type = models.CharField(max_length=100)
    size_bytes = models.PositiveBigIntegerField()
    created_at = models.DateTimeField()
    deleted_at = models.DateTimeField(null=True)
    holder = models.CharField(max_length=60, blank=True, default="")

    class Meta:
        ordering: ClassVar[list[str]] = ["name", "pk"]

    def __str__(self) -> str:
        return self.name


class PersonalKey(models.Model):
    """The age key of a person, for sealed handovers: an owner's or a recipient's. Only its public half is known here.

    replaced_at: the person has made another one since; what was wrapped to this one still opens with it.
    accepted_at: when the owner let something be wrapped to it, or acknowledged it as a change; null for an owner's own.
    """

    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="personal_keys", null=True
    )
    recipient = models.ForeignKey(Recipient, on_delete=models.CASCADE, related_name="personal_keys", null=True)
    public_key = models.CharField(max_length=100)
    made_at = models.DateTimeField()
    replaced_at = models.DateTimeField(null=True)
    accepted_at = models.DateTimeField(null=True)

    class Meta:
        ordering: ClassVar[list[str]] = ["-made_at", "-pk"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(
                condition=models.Q(owner__isnull=True) ^ models.Q(recipient__isnull=True), name="key_of_one_person"
            ),
            models.UniqueConstraint(
                fields=["owner"], condition=models.Q(replaced_at__isnull=True), name="one_key_per_owner"
            ),
            models.UniqueConstraint(
                fields=["recipient"], condition=models.Q(replaced_at__isnull=True), name="one_key_per_recipient"
            ),
        ]

    def __str__(self) -> str:
        return self.public_key


class KeyFile(models.Model):
    """The private half of a personal key: an age file, made in the person's browser, that the server cannot open.

    name: what the person calls a passkey. hint: which passkey it is (typage's identity string, no secret).
    """

    class Kind(models.TextChoices):
        PASSPHRASE = "passphrase"  # noqa: S105  # the name of a kind
        PASSKEY = "passkey"

    key = models.ForeignKey(PersonalKey, on_delete=models.CASCADE, related_name="files")
    kind = models.CharField(max_length=10, choices=Kind)
    name = models.CharField(max_length=80, blank=True)
    hint = models.CharField(max_length=2000, blank=True)
    blob = models.BinaryField()
    created_at = models.DateTimeField()

    class Meta:
        ordering: ClassVar[list[str]] = ["pk"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=["key"], condition=models.Q(kind="passphrase"), name="one_passphrase_per_key"
            ),
        ]

    def __str__(self) -> str:
        return self.kind


class PartialUpload(models.Model):
    """A file that arrives in parts; it is no part of its handover before it is whole.

    name, size_bytes: as announced, and with modified_ms what tells that a file chosen later is this one: when it was
    last changed, as the browser says. touched_at: in real time; what nobody sends on is given up a day later.
    attachment: what it has become, so that an answer that got lost can be asked for again.
    """

    handover = models.ForeignKey(Handover, on_delete=models.CASCADE, related_name="uploads")
    name = models.CharField(max_length=150)
    size_bytes = models.PositiveBigIntegerField()
    modified_ms = models.BigIntegerField()
    touched_at = models.DateTimeField()
    attachment = models.OneToOneField(Attachment, on_delete=models.CASCADE, null=True, related_name="upload")

    class Meta:
        ordering: ClassVar[list[str]] = ["pk"]

    def __str__(self) -> str:
        return self.name


class UploadPart(models.Model):
    """One part of a file that has not arrived whole yet: an age file of its own, encrypted to the handover's key."""

    upload = models.ForeignKey(PartialUpload, on_delete=models.CASCADE, related_name="parts")
    number = models.PositiveIntegerField()
    file = models.OneToOneField(StoredFile, on_delete=models.PROTECT, related_name="part")
    size_bytes = models.PositiveIntegerField()

    class Meta:
        ordering: ClassVar[list[str]] = ["number"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["upload", "number"], name="part_number_once"),
        ]

    def __str__(self) -> str:
        return f"part {self.number}"


class Copy(AppendOnly):
    """Append-only: the owner took a copy of a handover out, which opens without us and without any gate.

    public_key: what it is encrypted to: guarded, a key made for this copy, whose other half only the owner has; sealed,
    the handover's own. state: what was in it (services.take_copy).
    """

    handover = models.ForeignKey(Handover, on_delete=models.CASCADE, related_name="copies")
    public_key = models.CharField(max_length=100)
    has_passphrase = models.BooleanField()
    state = models.CharField(max_length=64)
    at = models.DateTimeField()

    class Meta:
        ordering: ClassVar[list[str]] = ["-at", "-pk"]

    def __str__(self) -> str:
        return f"copy of {self.at}"


class WrappedKey(models.Model):
    """The handover's age identity, encrypted for one holder.

    Guarded: the holder is "instance" (or "lost", and "earlier:<id>" for keys of before, see vault.sealing). Sealed: a
    holder "key:<id>" for each personal key, and never the instance. key: that personal key.
    """

    handover = models.ForeignKey(Handover, on_delete=models.CASCADE, related_name="wrapped_keys")
    holder = models.CharField(max_length=60)
    key = models.ForeignKey(PersonalKey, on_delete=models.CASCADE, related_name="wrapped_keys", null=True)
    blob = models.BinaryField()

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["handover", "holder"], name="wrapped_once_per_holder"),
            models.CheckConstraint(
                condition=models.Q(key__isnull=True) ^ models.Q(holder__startswith="key:"), name="wrapped_to_its_holder"
            ),
        ]

    def __str__(self) -> str:
        return self.holder


class Consent(AppendOnly):
    """Append-only: what a recipient was asked and answered, and to which wording."""

    class Kind(models.TextChoices):
        ASKED = "asked"
        GIVEN = "given"
        DECLINED = "declined"
        PHONE = "phone"

    recipient = models.ForeignKey(Recipient, on_delete=models.CASCADE, related_name="consents")
    kind = models.CharField(max_length=8, choices=Kind)
    wording = models.CharField(max_length=20)
    at = models.DateTimeField()

    def __str__(self) -> str:
        return self.kind


class Grant(models.Model):
    """The first gate: this recipient may read this handover, because of the release of this cycle.

    switch, cycle: the release it belongs to; with the recipient they make its link.
    opens_at_s, expires_at_s: service seconds. told_at: when the news was queued; news: what the keys of its messages
    begin with. remind_at_s: the next reminder is due. first_read_at: content was shown; if sealed, unlocked as well.
    closed_at: the owner came back, or the grant was revoked.
    """

    handover = models.ForeignKey(Handover, on_delete=models.CASCADE, related_name="grants")
    recipient = models.ForeignKey(Recipient, on_delete=models.CASCADE, related_name="grants")
    switch = models.PositiveBigIntegerField()
    cycle = models.PositiveIntegerField()
    granted_at = models.DateTimeField()
    opens_at_s = models.BigIntegerField()
    expires_at_s = models.BigIntegerField()
    told_at = models.DateTimeField(null=True)
    news = models.CharField(max_length=80, blank=True)
    reminders = models.PositiveSmallIntegerField(default=0)
    remind_at_s = models.BigIntegerField(null=True)
    first_read_at = models.DateTimeField(null=True)
    closed_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["handover", "recipient", "switch", "cycle"], name="granted_once"),
        ]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(
                fields=["opens_at_s"],
                name="grant_to_tell",
                condition=models.Q(told_at__isnull=True, closed_at__isnull=True),
            ),
            models.Index(
                fields=["remind_at_s"],
                name="grant_to_remind",
                condition=models.Q(first_read_at__isnull=True, closed_at__isnull=True, remind_at_s__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"grant {self.pk}"


class Reading(AppendOnly):
    """Append-only: the content was shown, sent or, still locked, given to a recipient's browser."""

    class How(models.TextChoices):
        PAGE = "page"
        MAIL = "mail"
        LOCKED = "locked"

    grant = models.ForeignKey(Grant, on_delete=models.CASCADE, related_name="readings")
    how = models.CharField(max_length=6, choices=How)
    version = models.PositiveIntegerField()
    at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.how} at {self.at}"
