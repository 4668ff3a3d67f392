"""The cast and what they own, made by the real services: Dana owns, Karel is close to her, Ema receives."""

from __future__ import annotations

from datetime import UTC, datetime
from io import BytesIO

from allauth.account.models import EmailAddress

from stafeta import clock
from stafeta.accounts.models import User
from stafeta.switches.models import Switch, TrustedContact
from stafeta.switches.services.arm import arm
from stafeta.switches.services.ensure_switch import ensure_switch
from stafeta.vault.models import Attachment, ConsentState, Handover, Recipient
from stafeta.vault.services.add_attachment import add_attachment, seal_attachment
from stafeta.vault.services.create_handover import create_handover
from stafeta.vault.services.recipients import add_recipient
from stafeta.vault.services.set_handover_terms import set_handover_terms

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
PASSWORD = "kolik-reci-umis-42"
SECRET_FILE = b"%PDF-1.7 the contract, in which a golden carp is named"
SECRET_TEXT = "Heslo k registrátorovi: zlatý-kapr-7319"


def owner(email: str = "dana@example.org", *, name: str = "Dana Nováková", now: datetime = NOON) -> User:
    """Return an owner whose e-mail and phone are verified, with a resting switch."""
    user = User.objects.create_user(
        email, PASSWORD, name=name, phone="+420601000001", phone_verified_at=now, language="cs"
    )
    EmailAddress.objects.create(user=user, email=email, verified=True, primary=True)
    ensure_switch(owner=user)
    return user


def recipient(
    dana: User,
    email: str = "ema@example.org",
    *,
    name: str = "Ema Malá",
    phone: str = "+420601000002",
    consent: ConsentState = ConsentState.GIVEN,
    now: datetime = NOON,
) -> Recipient:
    """Return one of Dana's recipients who answered `consent`, their phone verified if they agreed."""
    person = add_recipient(owner=dana, name=name, email=email, phone=phone, language="cs", now=now)
    person.consent = consent
    person.phone_verified_at = now if consent == ConsentState.GIVEN else None
    person.save()
    return person


def handover(
    dana: User,
    *people: Recipient,
    title: str = "Weby klientů",
    content: str = SECRET_TEXT,
    delay_days: int = 0,
    now: datetime = NOON,
) -> Handover:
    """Return a handover with content, for `people`."""
    made = create_handover(owner=dana, title=title, content=content, now=now)
    set_handover_terms(handover=made, recipients=people, delay_days=delay_days, access_days=90, now=now)
    return made


def attachment(
    to: Handover, content: bytes = SECRET_FILE, *, name: str = "smlouva.pdf", now: datetime = NOON
) -> Attachment:
    """Return a file of a handover."""
    sealed = seal_attachment(
        handover=to, source=BytesIO(content), name=name, size_bytes=len(content), real_now=clock.real_now()
    )
    return add_attachment(handover=to, sealed=sealed, now=now)


def contact(
    dana: User,
    email: str = "karel@example.org",
    *,
    name: str = "Karel Novák",
    phone: str = "+420601000003",
    consent: ConsentState = ConsentState.GIVEN,
    now: datetime = NOON,
) -> TrustedContact:
    """Return one of Dana's trusted contacts."""
    switch = Switch.objects.get(owner=dana)
    return TrustedContact.objects.create(
        switch=switch,
        position=switch.contacts.count() + 1,
        name=name,
        email=email,
        phone=phone,
        language="cs",
        consent=consent,
        phone_verified_at=now,
    )


def armed_owner(*, now: datetime = NOON) -> User:
    """Return Dana with a handover for Ema, Karel close to her, and her switch armed."""
    dana = owner(now=now)
    handover(dana, recipient(dana, now=now), now=now)
    contact(dana, now=now)
    arm(owner=dana, now=now)
    return dana
