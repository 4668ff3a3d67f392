"""Who plays: Dana owns, Karel is close to her, Ema and Tomáš receive, Petr would rather not. All of them invented."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from stafeta import clock

if TYPE_CHECKING:
    from stafeta.accounts.models import User
    from stafeta.vault.models import Recipient

PASSWORD: Final = "stafeta-na-zkousku"  # noqa: S105  # of an invented person, printed at the start
LANGUAGE: Final = "cs"
ZONE: Final = "Europe/Prague"
INTERVAL_DAYS: Final = 3
ACCESS_DAYS: Final = 365
TITLE: Final = "Weby a hosting"
# What only the right people may ever see; the headless demo looks for it in the page.
SECRET: Final = "zlatý-kapr-7319"  # noqa: S105  # it opens nothing
CONTENT: Final = f"""\
Pokud tohle čtete, nemůžu se o vaše weby teď starat. Nic nehoří: weby poběží dál samy. Tady je všechno, co bude
potřebovat ten, kdo je po mně převezme.

## První den
1. Zavolejte Karlovi Novákovi (o všem ví): **+420 601 000 002**.
2. Nic nevypínejte a neplaťte faktury, které neznáte.

## Kde co je
| Služba | Kde | Přístup |
|---|---|---|
| Doména vasefirma.example | registrátor domén | účet `dana-weby`, heslo `{SECRET}` |
| Hosting | server `web1.example` | klíč je v trezoru v kanceláři, obálka 4 |
| Zálohy | každou noc ve 3:00, drží se 30 dní | postup níže |

## Jak obnovit zálohu
- Přihlaste se do správy hostingu a otevřete **Zálohy**.
- Vyberte poslední noc, kdy web fungoval, a zvolte **Obnovit**.
- Počkejte deset minut a zkontrolujte úvodní stránku a objednávkový formulář.

## Co se platí
- Doména: 15. března, 350 Kč. Hosting: každý měsíc, strhává se sám.
"""


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody of the cast. phone: E.164; no such number is in use."""

    name: str
    email: str
    phone: str


DANA: Final = Person("Dana Nováková", "dana@example.org", "+420601000001")
KAREL: Final = Person("Karel Novák", "karel@example.org", "+420601000002")
EMA: Final = Person("Ema Malá", "ema@example.org", "+420601000003")
TOMAS: Final = Person("Tomáš Dvořák", "tomas@example.org", "+420601000004")
PETR: Final = Person("Petr Svoboda", "petr@example.org", "+420601000005")
RECIPIENTS: Final = (EMA, TOMAS, PETR)


def seed() -> User:
    """Return Dana with everything set up but not armed, through the services the pages use; twice is harmless."""
    from stafeta.accounts.models import User
    from stafeta.accounts.services.create_owner import create_owner
    from stafeta.accounts.services.set_phone import set_phone
    from stafeta.switches.services.change_choices import change_choices
    from stafeta.switches.services.ensure_switch import ensure_switch
    from stafeta.vault.services.create_handover import create_handover
    from stafeta.vault.services.set_handover_terms import set_handover_terms

    now = clock.now()
    if dana := User.objects.filter(email=DANA.email).first():
        return dana
    dana = create_owner(email=DANA.email, name=DANA.name, phone=DANA.phone, language=LANGUAGE, password=PASSWORD)
    set_phone(owner=dana, phone=DANA.phone, now=now)
    switch = ensure_switch(owner=dana)
    short = replace(switch.owner_choices, interval_days=INTERVAL_DAYS, email_attempts=2)
    change_choices(owner=dana, choices=short, now=now)
    _seed_contact(dana)
    handover = create_handover(owner=dana, title=TITLE, content=CONTENT, now=now)
    people = _seed_recipients(dana)
    set_handover_terms(handover=handover, recipients=people, delay_days=0, access_days=ACCESS_DAYS, now=now)
    return dana


def begin(dana: User) -> None:
    """Arm Dana's switch, where it rests: from now on her silence counts."""
    from stafeta.core.states import Resting
    from stafeta.switches.selectors import switch_of
    from stafeta.switches.services.arm import arm

    if isinstance(switch_of(dana).ladder_state, Resting):
        arm(owner=dana, now=clock.now())


def _seed_contact(dana: User) -> None:
    from stafeta.switches.models import TrustedContact
    from stafeta.switches.selectors import switch_of
    from stafeta.switches.services.contact_consent import agree
    from stafeta.switches.services.contacts import add_contact, invite_contact

    now = clock.now()
    karel = add_contact(
        switch=switch_of(dana), name=KAREL.name, email=KAREL.email, phone=KAREL.phone, language=LANGUAGE, now=now
    )
    agree(contact=invite_contact(contact=karel, now=now), now=now)
    TrustedContact.objects.filter(pk=karel.pk).update(phone_verified_at=now)


def _seed_recipients(dana: User) -> list[Recipient]:
    from stafeta.vault.services.consent import decline, give_consent, record_phone
    from stafeta.vault.services.invite_recipient import invite_recipient
    from stafeta.vault.services.recipients import add_recipient

    now = clock.now()
    people = []
    for person in RECIPIENTS:
        recipient = add_recipient(
            owner=dana, name=person.name, email=person.email, phone=person.phone, language=LANGUAGE, now=now
        )
        invite_recipient(recipient=recipient, now=now)
        if person is PETR:
            decline(recipient=recipient, now=now)
        else:
            record_phone(recipient=give_consent(recipient=recipient, now=now), now=now)
        people.append(recipient)
    return people
