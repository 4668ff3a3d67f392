"""A world whose worker also does what it does in every round, hearing or not; and a crowd to live in it."""

from __future__ import annotations

from datetime import time

from stafeta.accounts.models import User
from stafeta.core.codec import encode
from stafeta.core.policy import Choices
from stafeta.switches.models import Switch
from stafeta.switches.selectors import service_second
from stafeta.switches.services.arm import arm
from stafeta.worker.parts import Instant, mind_holds, watch
from tests import make
from tests.world import World

NINE = time(9)


class WatchedWorld(World):
    """Holds end, stopped owners are called, and the operator hears of what lasts too long."""

    def tick(self, *, hears: bool = True) -> None:
        super().tick(hears=hears)
        instant = Instant(self.now, service_second())
        mind_holds(instant)
        watch(instant)
        self.deliver()


def crowd(count: int, world: World, *, first: int = 0, at: time = NINE) -> list[User]:
    """Return so many owners, numbered from `first`, whose switches were armed now and ask at that hour."""
    people = []
    for number in range(first, first + count):
        one = make.owner(f"owner{number}@example.org", name=f"Owner {number}", now=world.now)
        Switch.objects.filter(owner=one).update(choices=encode(Choices(at=at)))
        make.handover(one, make.recipient(one, f"ema{number}@example.org", now=world.now), now=world.now)
        make.contact(one, f"karel{number}@example.org", now=world.now)
        arm(owner=one, now=world.now)
        people.append(one)
    return people


def operator(email: str = "op@example.org", *, language: str = "en") -> User:
    """Return somebody who operates the service and has a verified phone."""
    return User.objects.create_user(
        email,
        make.PASSWORD,
        name="Olga Operátorová",
        is_staff=True,
        phone="+420601000009",
        phone_verified_at=make.NOON,
        language=language,
    )


def phases() -> dict[str, int]:
    """Return how many switches are in each state."""
    found: dict[str, int] = {}
    for phase in Switch.objects.values_list("phase", flat=True):
        found[phase] = found.get(phase, 0) + 1
    return found
