"""Every message is attempted until it is settled: the row, its attempts, and how well the providers are.

No row carries what could open anything: the text, its links and its codes are made when the message is sent
(invariant 17).
"""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models


class Message(models.Model):
    """One message to one person by one channel.

    key: what makes it this message and no other; queueing it twice is harmless (invariant 14).
    kind: names its renderer. params: ids the renderer needs; never a token, a code or a text.
    owner: whose dead letter it would be.
    priority: smaller goes first.
    epoch: the installation's when it was queued; part of the Message-ID, for a restore may let a key come again.
    refusals: how often it found its provider away again after others had been taken there in between.
    lease_until: a worker is at it until then; after that anybody may take it over.
    """

    class State(models.TextChoices):
        QUEUED = "queued"
        ACCEPTED = "accepted"
        BOUNCED = "bounced"
        DEAD = "dead"
        CANCELLED = "cancelled"

    class Channel(models.TextChoices):
        EMAIL = "email"
        SMS = "sms"

    key = models.CharField(max_length=160, unique=True)
    kind = models.CharField(max_length=60)
    channel = models.CharField(max_length=5, choices=Channel)
    params = models.JSONField(default=dict)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, null=True, related_name="+")
    priority = models.PositiveSmallIntegerField(default=50)
    state = models.CharField(max_length=9, choices=State, default=State.QUEUED)
    attempts = models.PositiveIntegerField(default=0)
    refusals = models.PositiveIntegerField(default=0)
    next_attempt_at = models.DateTimeField(null=True)
    lease_until = models.DateTimeField(null=True)
    epoch = models.PositiveIntegerField(default=0)
    queued_at = models.DateTimeField()
    settled_at = models.DateTimeField(null=True)
    to = models.CharField(max_length=254, blank=True)
    provider_id = models.CharField(max_length=200, blank=True)
    problem = models.CharField(max_length=300, blank=True)

    class Meta:
        indexes: ClassVar[list[models.Index]] = [
            models.Index(
                fields=["priority", "next_attempt_at"],
                name="message_waiting",
                condition=models.Q(state="queued"),
            ),
            models.Index(fields=["owner", "state"], name="message_owner_state"),
            models.Index(fields=["provider_id"], name="message_provider_id", condition=~models.Q(provider_id="")),
        ]

    def __str__(self) -> str:
        return self.key


class Attempt(models.Model):
    """One try to send a message, and what came of it."""

    class Outcome(models.TextChoices):
        ACCEPTED = "accepted"
        REFUSED = "refused"
        REFUSED_FOR_NOW = "for_now"
        UNAVAILABLE = "unavailable"
        CANCELLED = "cancelled"
        FAULT = "fault"

    message = models.ForeignKey(Message, on_delete=models.CASCADE, related_name="tries")
    at = models.DateTimeField()
    outcome = models.CharField(max_length=11, choices=Outcome)
    detail = models.CharField(max_length=300, blank=True)

    def __str__(self) -> str:
        return f"{self.outcome} at {self.at}"


class ChannelHealth(models.Model):
    """Whether a provider as a whole answers: while one does not, nobody climbs (ladder.md).

    failing_since: when the present outage began; None while the channel is well.
    """

    channel = models.CharField(max_length=5, primary_key=True)
    failing_since = models.DateTimeField(null=True)
    reason = models.CharField(max_length=300, blank=True)

    def __str__(self) -> str:
        return self.channel


class Receipt(models.Model):
    """What a provider told later about a message it had accepted; heard once, however often it is told.

    event: what makes it this event and no other, e.g. "twilio:SM…:undelivered"; a digest where that is longer.
    message: the one it speaks of; None for one we do not know (any more), or for an address alone.
    at: the moment the provider names, heard_at ours. detail: for people, never a text of the message.
    """

    class Verdict(models.TextChoices):
        DELIVERED = "delivered"
        BOUNCED = "bounced"
        COMPLAINED = "complained"
        SUPPRESSED = "suppressed"

    event = models.CharField(max_length=200, unique=True)
    channel = models.CharField(max_length=5, choices=Message.Channel)
    verdict = models.CharField(max_length=10, choices=Verdict)
    message = models.ForeignKey(Message, on_delete=models.CASCADE, null=True, related_name="receipts")
    at = models.DateTimeField()
    heard_at = models.DateTimeField(db_index=True)
    detail = models.CharField(max_length=300, blank=True)

    def __str__(self) -> str:
        return f"{self.verdict} at {self.at}"


class Suppression(models.Model):
    """An address that its provider no longer delivers to, as far as we have heard.

    mark: the keyed hash of the address (accounts.derived_keys.fingerprint): known again, and read by nobody.
    """

    channel = models.CharField(max_length=5, choices=Message.Channel)
    mark = models.CharField(max_length=64)
    reason = models.CharField(max_length=300, blank=True)
    since = models.DateTimeField()

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["channel", "mark"], name="suppressed_once"),
        ]

    def __str__(self) -> str:
        return f"{self.channel} since {self.since}"
