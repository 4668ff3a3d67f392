"""Make an installation with many armed switches: `python -m tests.crash.seed SILENT CONFIRMING SPREAD_HOURS`.

Each owner has one handover for one recipient and one contact. Rows are written table by table, so that thousands take
seconds; what the switches are armed with are the core's own decisions.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from datetime import timedelta
from typing import Any, Final

from stafeta import clock
from stafeta.cli.init import prepare

SILENT, CONFIRMING = "silent", "confirming"
HALF_A_DAY_S: Final = 12 * 3600


def main() -> None:
    silent, confirming, spread_hours = int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])
    prepare(lambda _said: None)
    names = [f"{SILENT}-{number}" for number in range(silent)]
    names += [f"{CONFIRMING}-{number}" for number in range(confirming)]
    _arm(_owners(names), spread_hours=spread_hours)


def _owners(names: list[str]) -> list[int]:
    """Make owners with all that belongs to them, and return the ids of their resting switches."""
    from allauth.account.models import EmailAddress

    from stafeta.accounts.models import User
    from stafeta.core.codec import encode
    from stafeta.core.policy import Choices, compile_policy
    from stafeta.core.states import Resting
    from stafeta.switches.models import Switch

    now = clock.now()
    User.objects.bulk_create(
        [
            User(email=f"{name}@example.org", name=name, phone=_phone(1, number), phone_verified_at=now, language="cs")
            for number, name in enumerate(names)
        ]
    )
    owners = list(User.objects.order_by("pk"))
    EmailAddress.objects.bulk_create(
        [EmailAddress(user=owner, email=owner.email, verified=True, primary=True) for owner in owners]
    )
    short = Choices(
        zone="UTC",
        interval_days=1,
        email_attempts=1,
        email_window_s=HALF_A_DAY_S,
        sms_window_s=HALF_A_DAY_S,
        trusted_attempts=1,
        trusted_window_s=HALF_A_DAY_S,
    )
    patient = replace(short, interval_days=2, email_attempts=10)  # time enough for a person on a slow machine
    chosen = [patient if owner.name.startswith(CONFIRMING) else short for owner in owners]
    resting = encode(Resting(cycle=0))
    Switch.objects.bulk_create(
        [
            Switch(
                owner=owner,
                state=resting,
                policy=encode(compile_policy(choices, contacts=0)),
                choices=encode(choices),
                phase="Resting",
                cycle=0,
            )
            for owner, choices in zip(owners, chosen, strict=True)
        ]
    )
    switches = list(Switch.objects.order_by("pk").select_related("owner"))
    _people(owners, switches)
    _handovers(owners)
    return [switch.pk for switch in switches]


def _people(owners: list[Any], switches: list[Any]) -> None:
    """Give every owner one contact and one recipient, both of whom agreed."""
    from stafeta.switches.models import TrustedContact
    from stafeta.vault.models import ConsentState, Recipient

    now = clock.now()
    sure = {"consent": ConsentState.GIVEN, "phone_verified_at": now, "language": "cs"}
    TrustedContact.objects.bulk_create(
        [
            TrustedContact(
                switch=switch,
                position=1,
                name=f"Karel {number}",
                email=f"karel-{switch.owner.name}@example.org",
                phone=_phone(2, number),
                **sure,
            )
            for number, switch in enumerate(switches)
        ]
    )
    Recipient.objects.bulk_create(
        [
            Recipient(
                owner=owner,
                name=f"Ema {number}",
                email=f"ema-{owner.name}@example.org",
                phone=_phone(3, number),
                created_at=now,
                **sure,
            )
            for number, owner in enumerate(owners)
        ]
    )


def _handovers(owners: list[Any]) -> None:
    """Give every owner a handover for their recipient, all sealed to one key: what it says is not the matter here."""
    from stafeta.vault.models import Handover, Recipient, Version, WrappedKey
    from stafeta.vault.sealing import new_key, seal

    now = clock.now()
    facts = {"title": "Weby", "revision": 1, "content_bytes": 12, "created_at": now, "updated_at": now}
    pattern = Handover(**facts)
    wrapped = new_key(pattern)
    ciphertext = seal("zlatý kapr", public_key=pattern.public_key)
    Handover.objects.bulk_create([Handover(owner=owner, public_key=pattern.public_key, **facts) for owner in owners])
    handovers = list(Handover.objects.order_by("pk"))
    WrappedKey.objects.bulk_create(
        [WrappedKey(handover=handover, holder=wrapped.holder, blob=wrapped.blob) for handover in handovers]
    )
    Version.objects.bulk_create(
        [Version(handover=handover, number=1, ciphertext=ciphertext, at=now) for handover in handovers]
    )
    whose = dict(Recipient.objects.values_list("owner", "pk"))
    through = Handover.recipients.through
    through.objects.bulk_create(
        [through(handover_id=handover.pk, recipient_id=whose[handover.owner_id]) for handover in handovers]
    )


def _arm(switch_ids: list[int], *, spread_hours: float) -> None:
    """Arm every switch, so that their first prompts are due within the next hours, evenly spread."""
    from django.db import transaction

    from stafeta.core.codec import encode
    from stafeta.core.policy import compile_policy
    from stafeta.core.states import Armed
    from stafeta.switches.models import Switch
    from stafeta.switches.services.decide import decide, write

    now = clock.now() - timedelta(days=1)
    with transaction.atomic():
        switches = list(Switch.objects.filter(pk__in=switch_ids).select_related("owner"))
        decisions = []
        for number, switch in enumerate(switches):
            after_s = spread_hours * 3600 * number / len(switches)
            at = (now + timedelta(seconds=after_s)).time().replace(microsecond=0)
            choices = replace(switch.owner_choices, at=at)
            switch.choices = encode(choices)
            policy = compile_policy(replace(choices, interval_days=1), contacts=1)
            decisions.append(decide(switch=switch, event=Armed(), now=now, service_s=0, policy=policy))
        Switch.objects.bulk_update(switches, ["choices"])
        write(decisions, now=now, service_s=0)


def _phone(kind: int, number: int) -> str:
    return f"+4206{kind}{number:07d}"


if __name__ == "__main__":
    main()
