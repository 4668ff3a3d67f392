"""Everybody there is, each at a browser of their own, in a world where everything there can be is."""

from __future__ import annotations

from collections.abc import Callable

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from django.test import Client
from django.urls import reverse
from pytest_django.fixtures import Settings

from stafeta.accounts.models import CodeChallenge, User
from stafeta.accounts.services.codes import code_of
from stafeta.channels.base import EmailMessage
from stafeta.channels.mailbox import MailboxChannel
from stafeta.core.links import Link, Purpose
from stafeta.core.moves import rung_of
from stafeta.core.policy import RungKind
from stafeta.core.states import Climbing
from stafeta.outbox.models import Message
from stafeta.switches.models import Switch, TrustedContact
from stafeta.vault.models import ConsentState, Recipient
from stafeta.vault.services.delete_handover import delete_handover
from tests import make
from tests.contracts.addresses import token_of
from tests.signin import sign_in
from tests.vault.sealed import Keys
from tests.world import World

Stage = Callable[[World, User], None]


def asked(world: World, dana: User) -> None:
    """Karel is being asked; every link of the cycle is alive."""
    world.until(dana, rung=4)
    state = world.state(dana)
    assert isinstance(state, Climbing)
    assert rung_of(state, world.switch(dana).ladder_policy).kind is RungKind.TRUSTED


def released(world: World, dana: User) -> None:
    """Ema may read."""
    world.until_phase(dana, "Released")
    world.wait(hours=1)


def scene(stage: Stage, settings: Settings) -> World:
    """Make Dana and all that is hers, Mallory likewise, a mailbox and a demo, at that stage of Dana's ladder.

    Needs a keys file. Who looks at it should travel to the world's time.
    """
    found = World()
    dana, mallory = make.armed_owner(), make.owner("mallory@example.org", name="Mallory Zlá")
    _furnish(dana, "")
    _furnish(mallory, "of-mallory-")
    make.recipient(dana, "petr@example.org", name="Petr Svoboda", consent=ConsentState.INVITED)
    for people in (Recipient, TrustedContact):
        people.objects.update(invitation=1, invited_at=make.NOON)
    stage(found, dana)
    Message.objects.filter(pk=Message.objects.earliest("pk").pk).update(state=Message.State.DEAD)
    EmailAddress.objects.create(user=mallory, email="new@example.org", verified=False, primary=False)
    mailbox = MailboxChannel(settings.MAILBOX_DIR, now=lambda: found.now)
    mailbox.send(EmailMessage("1", dana.email, "Subject", "Text", "<p>Text</p>", "<1@localhost>", {}, "cs"))
    settings.CLOCK_SCALE, settings.CLOCK_EPOCH = 2.0, found.now
    return found


def _furnish(owner: User, prefix: str) -> None:
    recipient = make.recipient(owner, f"{prefix}tomas@example.org", name="Tomáš Dvořák")
    make.attachment(make.handover(owner, recipient, title="Dopis"))
    delete_handover(handover=make.handover(owner, title="Smazané"), now=make.NOON)
    Keys().handover(owner, recipient)
    if not owner.switch.contacts.exists():  # type: ignore[attr-defined]
        make.contact(owner, f"{prefix}jana@example.org")


def anonymous() -> Client:
    return Client()


def _signed_in(email: str) -> Client:
    client, owner = Client(), User.objects.get(email=email)
    sign_in(client, owner)
    Authenticator.objects.filter(user=owner).delete()
    RecoveryCodes.activate(owner)
    return client


def dana() -> Client:
    return _signed_in("dana@example.org")


def mallory() -> Client:
    return _signed_in("mallory@example.org")


def _visitor(*links: Link) -> Client:
    client = Client()
    for link in links:
        assert client.get(reverse("landing", args=[token_of(link)])).status_code == 302
    return client


def dana_by_link() -> Client:
    switch = Switch.objects.get(owner__email="dana@example.org")
    return _visitor(Link(Purpose.CHECKIN, switch.owner_id, switch.pk, switch.cycle))


def karel() -> Client:
    karel = TrustedContact.objects.get(email="karel@example.org")
    switch = karel.switch
    return _visitor(
        Link(Purpose.TRUSTED, karel.pk, switch.pk, switch.cycle),
        Link(Purpose.CONTACT_CONSENT, karel.pk, switch.pk, karel.invitation),
    )


def petr_consenting() -> Client:
    petr = Recipient.objects.get(email="petr@example.org")
    return _visitor(Link(Purpose.RECIPIENT_CONSENT, petr.pk, petr.owner_id, petr.invitation))


def ema() -> Client:
    ema = Recipient.objects.get(email="ema@example.org")
    switch = Switch.objects.get(owner=ema.owner)
    return _visitor(
        Link(Purpose.RECIPIENT_CONSENT, ema.pk, ema.owner_id, ema.invitation),
        Link(Purpose.RELEASE, ema.pk, switch.pk, switch.cycle),
    )


def ema_reading() -> Client:
    """Ema after the code, where there is something to read."""
    client = ema()
    if client.get(reverse("release")).status_code == 200:
        client.post(reverse("release-code"), {"send": "1"})
        digits = code_of(CodeChallenge.objects.latest("issued_at"))
        assert client.post(reverse("release-code"), {"code": digits})["Location"] == reverse("release-read")
    return client
