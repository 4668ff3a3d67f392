"""What is known about a switch: reads only."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from allauth.account.models import EmailAddress

from stafeta.accounts.models import User
from stafeta.core.errors import BadLink
from stafeta.core.links import Link
from stafeta.core.policy import Choices, Missing, Policy, Readiness, compile_policy, missing_for_arming
from stafeta.core.projection import Asked, Freed, project
from stafeta.outbox.models import Message
from stafeta.switches.models import Hold, ServiceClock, Switch, TrustedContact
from stafeta.vault.models import ConsentState
from stafeta.vault.selectors import releasable_count


def switch_of(owner: User) -> Switch:
    """Return the owner's switch. Raises Switch.DoesNotExist before `ensure_switch`."""
    return Switch.objects.select_related("owner").get(owner=owner)


def service_second() -> int:
    """Return the service second as of the last tick; 0 before the first."""
    return counted_ms() // 1000


def counted_ms() -> int:
    """Return the service milliseconds as of the last reading; 0 before the first."""
    return ServiceClock.objects.values_list("counted_ms", flat=True).first() or 0


def standing_hold(*, now: datetime) -> Hold | None:
    """Return the hold because of which nobody climbs, the one that lasts longest; None where nobody holds."""
    return Hold.objects.filter(ended_at=None, until__gt=now).order_by("-until", "pk").first()


def hold_words(hold: Hold) -> str:
    """Return what a hold is, for the log and the operator."""
    return f"held until {hold.until:%Y-%m-%d %H:%M} UTC at the latest ({hold.kind}: {hold.reason})"


@dataclass(frozen=True, slots=True)
class BreakerCounts:
    """What tripped the breaker: so many releases within a day, of so many armed switches."""

    releases: int
    armed: int


def breaker_counts(hold: Hold) -> BreakerCounts:
    """Return what a breaker's hold began with; zeros for any other hold."""
    releases, _, armed = hold.reason.partition("/")
    if hold.kind != Hold.Kind.BREAKER or not (releases.isdecimal() and armed.isdecimal()):
        return BreakerCounts(0, 0)
    return BreakerCounts(int(releases), int(armed))


def asked_contacts_count(switch: Switch) -> int:
    """Return how many trusted contacts the ladder would ask: those who did not decline."""
    return switch.contacts.exclude(consent=ConsentState.DECLINED).count()


def policy_to_be(switch: Switch, choices: Choices | None = None) -> Policy:
    """Return the policy the next cycle would obey, by the owner's choices or by others being tried."""
    return compile_policy(choices or switch.owner_choices, contacts=asked_contacts_count(switch))


def readiness_of(owner: User) -> Readiness:
    """Return the facts that arming depends on."""
    return Readiness(
        handovers=releasable_count(owner),
        email_verified=EmailAddress.objects.filter(user=owner, email__iexact=owner.email, verified=True).exists(),
        phone_verified=owner.has_verified_phone,
    )


def missing_of(owner: User) -> tuple[Missing, ...]:
    """Return what is still missing before the owner's switch may be armed."""
    return missing_for_arming(policy_to_be(switch_of(owner)), readiness_of(owner))


def projection_of(switch: Switch, *, now: datetime) -> tuple[tuple[Asked, ...], Freed | None]:
    """Return what would happen if the owner fell silent now (core.projection)."""
    return project(switch.ladder_state, switch.ladder_policy, now=now, service_s=service_second())


def on_wall(second: int, *, now: datetime) -> datetime:
    """Return the wall-clock moment of a service second, "if nothing is interrupted"."""
    return now + timedelta(seconds=second - service_second())


def dead_letters_of(owner: User) -> list[Message]:
    """Return the owner's messages that could not be delivered, newest first; at most 50."""
    dead = Message.objects.filter(owner=owner, state__in=[Message.State.DEAD, Message.State.BOUNCED])
    return list(dead.order_by("-settled_at")[:50])


def contact_behind(link: Link) -> TrustedContact:
    """Return the contact a TRUSTED or CONTACT_CONSENT link was made for. Raises BadLink when they are gone."""
    contact = TrustedContact.objects.select_related("switch__owner").filter(pk=link.person, switch=link.switch).first()
    if contact is None:
        raise BadLink
    return contact
