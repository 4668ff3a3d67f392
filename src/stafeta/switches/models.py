"""The ladder is obeyed: an owner's switch, the people close to them, the event log, and the time that counts."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models

from stafeta.core.codec import decode_choices, decode_policy, decode_state
from stafeta.core.policy import Choices, Policy
from stafeta.core.states import State
from stafeta.vault.append_only import AppendOnly
from stafeta.vault.models import Invitee


class Switch(models.Model):
    """One owner's dead man's switch.

    state, policy, choices: the core's values, encoded by `core.codec`. `policy` is fixed for the running cycle.
    phase, cycle, due_at, due_s: what `state` says, in columns that a claim can search; only
    `services.decide` writes them.
    epoch: the installation's that this switch has been taken into; in a later one it climbs only after its owner was
    asked anew (invariant 10). released_at: when the latest release came.
    faults: how often in a row this row made the tick raise; retry_at: it is set aside until then (invariant 12).
    """

    owner = models.OneToOneField(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="switch")
    state = models.JSONField()
    policy = models.JSONField()
    choices = models.JSONField()
    phase = models.CharField(max_length=10)
    cycle = models.PositiveIntegerField()
    due_at = models.DateTimeField(null=True)
    due_s = models.BigIntegerField(null=True)
    last_checkin_at = models.DateTimeField(null=True)
    released_at = models.DateTimeField(null=True, db_index=True)
    epoch = models.PositiveIntegerField(default=0)
    faults = models.PositiveIntegerField(default=0)
    fault = models.CharField(max_length=300, blank=True)
    retry_at = models.DateTimeField(null=True)
    events_count = models.PositiveIntegerField(default=0)

    class Meta:
        verbose_name_plural = "switches"
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["due_at"], name="switch_due_at", condition=models.Q(due_at__isnull=False)),
            models.Index(fields=["due_s"], name="switch_due_s", condition=models.Q(due_s__isnull=False)),
        ]

    def __str__(self) -> str:
        return f"switch {self.pk}"

    @property
    def ladder_state(self) -> State:
        return decode_state(self.state)

    @property
    def ladder_policy(self) -> Policy:
        return decode_policy(self.policy)

    @property
    def owner_choices(self) -> Choices:
        return decode_choices(self.choices)


class TrustedContact(Invitee):
    """Somebody close to the owner, who is asked before a release and may answer for them."""

    switch = models.ForeignKey(Switch, on_delete=models.CASCADE, related_name="contacts")
    position = models.PositiveSmallIntegerField()

    class Meta:
        ordering: ClassVar[list[str]] = ["position", "pk"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["switch", "email"], name="contact_once_per_switch"),
        ]


class Event(AppendOnly):
    """Append-only: one fact about a switch, written in the transaction that made it true (invariant 18).

    kind: class of the ladder event, or the name of a fact beside the ladder ("ContactInvited").
    event: the ladder event encoded by `core.codec`, or the facts. on_ladder: it takes part in the replay.
    policy: the policy in force from this event on, where it changed.
    """

    switch = models.ForeignKey(Switch, on_delete=models.CASCADE, related_name="events")
    number = models.PositiveIntegerField()
    cycle = models.PositiveIntegerField()
    kind = models.CharField(max_length=40)
    on_ladder = models.BooleanField()
    event = models.JSONField()
    policy = models.JSONField(null=True)
    at = models.DateTimeField()
    service_s = models.BigIntegerField()

    class Meta:
        ordering: ClassVar[list[str]] = ["number"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["switch", "number"], name="event_number_once"),
        ]

    def __str__(self) -> str:
        return f"{self.number} {self.kind}"


class ServiceClock(models.Model):
    """The one row of the persistent counter of service time (ladder.md).

    reading: grows with every change; a worker writes only over the reading it has seen (compare and set).
    """

    counted_ms = models.BigIntegerField(default=0)
    wall = models.DateTimeField()
    heard = models.BooleanField(default=False)
    reading = models.PositiveBigIntegerField(default=0)
    deaf_since = models.DateTimeField(null=True)
    deaf_reason = models.CharField(max_length=300, blank=True)

    def __str__(self) -> str:
        return f"{self.counted_ms // 1000} s"


class Outage(models.Model):
    """A span in which the service could not hear, and so no time passed for any ladder.

    began_at, ended_at: wall clock; ended_at is None while it lasts.
    """

    began_at = models.DateTimeField(db_index=True)
    ended_at = models.DateTimeField(null=True)
    reason = models.CharField(max_length=300)

    def __str__(self) -> str:
        return f"{self.began_at}: {self.reason}"


class Hold(models.Model):
    """The service stops itself, or its operator stops it: nobody climbs (ladder.md). Bounded, and somebody is told.

    until: wall clock, at the latest. ended_at: when it was lifted, or found to have run out. reason: for people.
    """

    class Kind(models.TextChoices):
        BREAKER = "breaker"
        MAINTENANCE = "maintenance"

    kind = models.CharField(max_length=11, choices=Kind)
    reason = models.CharField(max_length=300)
    began_at = models.DateTimeField(db_index=True)
    until = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"{self.kind} until {self.until}"
