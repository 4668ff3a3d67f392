"""What is known about handovers, recipients and grants: reads only, each within one owner's or one link's bounds."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from django.db.models import Exists, OuterRef, Q, QuerySet, Sum

from stafeta.accounts.models import User
from stafeta.core.errors import BadLink, Tampered
from stafeta.core.links import Link
from stafeta.vault.holders import Seat, is_opened_by_any, seats_of, somebody_opens
from stafeta.vault.models import (
    Attachment,
    ConsentState,
    Grant,
    Handover,
    PartialUpload,
    Reading,
    Recipient,
    Version,
)
from stafeta.vault.sealing import closed_holders, is_closed, unseal


class Gap(StrEnum):
    """What stands between a handover and the people it is for."""

    EMPTY = "empty"
    NO_RECIPIENTS = "no_recipients"
    ALL_DECLINED = "all_declined"
    NOT_INVITED = "not_invited"
    NO_ANSWER = "no_answer"
    PHONE_UNVERIFIED = "phone_unverified"
    NOBODY_OPENS = "nobody_opens"
    NO_KEY = "no_key"
    KEY_CHANGED = "key_changed"
    NOT_SEALED = "not_sealed"
    CLOSED = "closed"
    FILES_CLOSED = "files_closed"


BLOCKING = frozenset({Gap.EMPTY, Gap.NO_RECIPIENTS, Gap.ALL_DECLINED, Gap.NOBODY_OPENS, Gap.CLOSED})


@dataclass(frozen=True, slots=True)
class OpenRelease:
    """What one release link opens now: at least one grant, each open, to one recipient, of one release.

    given: ids of the grants whose content the recipient was let in to already; a sealed one's may be locked still.
    """

    recipient: Recipient
    switch_id: int
    cycle: int
    grants: tuple[Grant, ...]
    given: frozenset[int]

    @property
    def opened(self) -> tuple[Grant, ...]:
        """The grants whose content was given already."""
        return tuple(grant for grant in self.grants if grant.pk in self.given)

    @property
    def unopened(self) -> tuple[Grant, ...]:
        return tuple(grant for grant in self.grants if grant.pk not in self.given)


# Handovers ---------------------------------------------------------------------------------------------------------
def handovers_of(owner: User) -> list[Handover]:
    """Return the owner's handovers by title, their recipients prefetched."""
    return list(owner.handovers.filter(deleted_at=None).prefetch_related("recipients"))


def deleted_handovers_of(owner: User) -> list[Handover]:
    """Return what the owner deleted and may still bring back, the latest first."""
    return list(owner.handovers.exclude(deleted_at=None).order_by("-deleted_at"))


def handover_of(owner: User, pk: int, *, deleted: bool = False) -> Handover:
    """Return one of the owner's handovers. Raises Handover.DoesNotExist for anybody else's, as for none."""
    return owner.handovers.prefetch_related("recipients").get(pk=pk, deleted_at__isnull=not deleted)


def read_content(handover: Handover) -> str:
    """Return the Markdown as it is now. Raises KeyMissing, Tampered or ConfigurationError."""
    newest = handover.versions.order_by("-number").first()
    if newest is None:
        raise Tampered
    newest.handover = handover
    return unseal(newest)


def versions_of(handover: Handover) -> list[Version]:
    """Return the kept versions, the newest first, without what is in them."""
    return list(handover.versions.defer("ciphertext").order_by("-number"))


def version_of(handover: Handover, number: int) -> Version:
    """Return one version. Raises Version.DoesNotExist."""
    return handover.versions.select_related("handover").get(number=number)


def gaps_of(handover: Handover) -> tuple[Gap, ...]:
    """Return what is missing before this handover could reach everybody it is for; empty when nothing is."""
    people = list(handover.recipients.all())
    willing = [person for person in people if person.consent != ConsentState.DECLINED]
    found = {
        Gap.EMPTY: not handover.content_bytes and not handover.attachments.filter(deleted_at=None).exists(),
        Gap.NO_RECIPIENTS: not people,
        Gap.ALL_DECLINED: bool(people) and not willing,
        Gap.NOT_INVITED: any(person.consent == ConsentState.DRAFT for person in willing),
        Gap.NO_ANSWER: any(person.consent == ConsentState.INVITED for person in willing),
        Gap.PHONE_UNVERIFIED: any(
            person.consent == ConsentState.GIVEN and person.phone_verified_at is None for person in willing
        ),
        **(_gaps_of_seal(handover) if handover.is_sealed and willing else {}),
        **({} if handover.is_sealed else _gaps_of_key(handover)),
    }
    return tuple(gap for gap, is_there in found.items() if is_there)


def _gaps_of_seal(handover: Handover) -> dict[Gap, bool]:
    """Return what keeps people from opening a sealed handover. Who has not agreed cannot have made a key yet."""
    seats = [seated for seated in seats_of(handover) if seated.recipient is not None]
    found = {seated.seat for seated in seats}
    return {
        Gap.NOBODY_OPENS: not is_opened_by_any(seats),
        Gap.NO_KEY: any(
            seated.seat is Seat.NO_KEY and seated.recipient and seated.recipient.consent == ConsentState.GIVEN
            for seated in seats
        ),
        Gap.KEY_CHANGED: Seat.CHANGED in found,
        Gap.NOT_SEALED: Seat.WAITS in found,
    }


def _gaps_of_key(handover: Handover) -> dict[Gap, bool]:
    """Return whether the keys at hand open a guarded handover and its files."""
    older = set(handover.attachments.filter(deleted_at=None).exclude(holder="").values_list("holder", flat=True))
    return {
        Gap.CLOSED: is_closed(handover),
        Gap.FILES_CLOSED: bool(older and older & closed_holders(handover)),
    }


def releasable(owner_id: int) -> QuerySet[Handover]:
    """Return the handovers that a release would open to somebody."""
    files = Attachment.objects.filter(handover=OuterRef("pk"), deleted_at=None)
    return (
        Handover.objects.filter(Q(content_bytes__gt=0) | Exists(files), owner=owner_id, deleted_at=None)
        .filter(recipients__in=Recipient.objects.filter(owner=owner_id).exclude(consent=ConsentState.DECLINED))
        .distinct()
    )


def releasable_count(owner: User) -> int:
    """Return how many handovers have a text or a file, and at least one recipient who did not decline.

    Of sealed ones, only those whose key such a recipient holds: nobody else could read them.
    """
    return releasable(owner.pk).filter(somebody_opens()).count()


# Attachments -------------------------------------------------------------------------------------------------------
def attachments_of(handover: Handover) -> list[Attachment]:
    """Return the handover's files by name."""
    return list(handover.attachments.filter(deleted_at=None))


def removed_attachments_of(handover: Handover) -> list[Attachment]:
    """Return the files that were removed and may still be brought back, the latest first."""
    return list(handover.attachments.exclude(deleted_at=None).order_by("-deleted_at", "-pk"))


def attachment_of(handover: Handover, pk: int, *, removed: bool = False) -> Attachment:
    """Return one of the handover's files. Raises Attachment.DoesNotExist for another one's, as for none."""
    return handover.attachments.select_related("handover", "file").get(pk=pk, deleted_at__isnull=not removed)


def attachment_behind(release: OpenRelease, pk: int) -> Attachment:
    """Return a file of what this release link has opened already. Raises Attachment.DoesNotExist for any other."""
    handovers = [grant.handover_id for grant in release.opened]
    found = Attachment.objects.select_related("handover", "file")
    return found.get(pk=pk, deleted_at=None, handover__in=handovers)


def uploads_of(handover: Handover) -> list[PartialUpload]:
    """Return the files that have not arrived whole yet, `received_bytes` of each noted on it."""
    begun = handover.uploads.filter(attachment=None)
    return list(begun.annotate(received_bytes=Sum("parts__size_bytes", default=0)))


def upload_of(handover: Handover, pk: int) -> PartialUpload:
    """Return one of them, or one that is whole by now. Raises PartialUpload.DoesNotExist for another one's."""
    return handover.uploads.select_related("handover").get(pk=pk)


# Recipients --------------------------------------------------------------------------------------------------------
def recipients_of(owner: User) -> list[Recipient]:
    """Return the owner's recipients by name, their handovers prefetched."""
    return list(owner.recipients.prefetch_related("handovers"))


def recipient_of(owner: User, pk: int) -> Recipient:
    """Return one of the owner's recipients. Raises Recipient.DoesNotExist for anybody else's, as for none."""
    return owner.recipients.get(pk=pk)


def recipient_behind(link: Link) -> Recipient:
    """Return whom a RECIPIENT_CONSENT link was made for. Raises BadLink when they are gone or were invited anew."""
    recipient = (
        Recipient.objects.select_related("owner")
        .filter(pk=link.person, owner=link.switch, invitation=link.cycle, invited_at__isnull=False)
        .first()
    )
    if recipient is None:
        raise BadLink
    return recipient


# Release -----------------------------------------------------------------------------------------------------------
def open_grants(service_s: int) -> Q:
    """Return the condition of a grant that is open at this service second."""
    return Q(
        closed_at=None,
        handover__deleted_at=None,
        opens_at_s__lte=service_s,
        expires_at_s__gt=service_s,
    )


def is_anything_open(*, service_s: int) -> bool:
    """Whether any grant is open or will open: nearly always not, and then nobody has to be told of anything."""
    return Grant.objects.filter(closed_at=None, expires_at_s__gt=service_s).exists()


def release_behind(link: Link, *, service_s: int) -> OpenRelease:
    """Return what a RELEASE link opens now. Raises BadLink when it opens nothing, and never says why.

    Whether the recipient agreed and proved their phone is the reading page's question: these are the other gates.
    """
    recipient = Recipient.objects.select_related("owner").filter(pk=link.person).first()
    if recipient is None:
        raise BadLink
    grants = (
        Grant.objects.filter(open_grants(service_s), recipient=recipient, switch=link.switch, cycle=link.cycle)
        .filter(handover__owner=recipient.owner_id)
        .select_related("handover", "recipient__owner")
        .order_by("handover__title", "pk")
    )
    if not grants:
        raise BadLink
    given = frozenset(Reading.objects.filter(grant__in=grants).values_list("grant", flat=True))
    return OpenRelease(recipient, link.switch, link.cycle, tuple(grants), given)


def readings_of(handover: Handover) -> list[Reading]:
    """Return who was shown this handover and when, the latest first; at most 100."""
    return list(
        Reading.objects.filter(grant__handover=handover).select_related("grant__recipient").order_by("-at", "-pk")[:100]
    )


def readable_until(grant: Grant) -> datetime | None:
    """Return until when at least a told recipient may read: service time never runs faster than the wall clock."""
    if grant.told_at is None:
        return None
    return grant.told_at + timedelta(seconds=grant.expires_at_s - grant.opens_at_s)
