"""Invariant 5: looking changes nothing. Every address, by GET, HEAD and OPTIONS, as everybody there is."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final

import pytest
import time_machine
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from django.db import connection
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
from tests.contracts.addresses import addresses, patterns, token_of
from tests.signin import sign_in
from tests.world import World

METHODS: Final = ("get", "head", "options")
# Tables that looking may change, and why nothing that matters is in them:
EXEMPT: Final = {
    "django_session": "who is at which browser, the links opened in it, its language; nothing is decided by it alone",
    "stafeta_cache": "rate limits: how often somebody knocked",
    "usersessions_usersession": "when a device of the owner's was last used, for the owner's own list of devices",
}
WRITES: Final = ("INSERT", "UPDATE", "DELETE", "REPLACE")

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


@pytest.fixture(params=[asked, released], ids=["asked", "released"])
def world(request: pytest.FixtureRequest, db: None, keys_file: object, settings: Settings) -> Iterator[World]:
    """Dana and all that is hers, Mallory and all that is hers, a mailbox, a demo; at that stage of Dana's ladder."""
    found = World()
    dana, mallory = make.armed_owner(), make.owner("mallory@example.org", name="Mallory Zlá")
    stage: Stage = request.param
    _furnish(dana, "")
    _furnish(mallory, "of-mallory-")
    make.recipient(dana, "petr@example.org", name="Petr Svoboda", consent=ConsentState.INVITED)
    stage(found, dana)
    Message.objects.filter(pk=Message.objects.earliest("pk").pk).update(state=Message.State.DEAD)
    EmailAddress.objects.create(user=mallory, email="new@example.org", verified=False, primary=False)
    mailbox = MailboxChannel(settings.MAILBOX_DIR, now=lambda: found.now)
    mailbox.send(EmailMessage("1", dana.email, "Subject", "Text", "<p>Text</p>", "<1@localhost>", {}, "cs"))
    settings.CLOCK_SCALE, settings.CLOCK_EPOCH = 2.0, found.now
    with time_machine.travel(found.now, tick=False):
        yield found


def _furnish(owner: User, prefix: str) -> None:
    recipient = make.recipient(owner, f"{prefix}tomas@example.org", name="Tomáš Dvořák")
    make.handover(owner, recipient, title="Dopis")
    delete_handover(handover=make.handover(owner, title="Smazané"), now=make.NOON)
    if not owner.switch.contacts.exists():  # type: ignore[attr-defined]
        make.contact(owner, f"{prefix}jana@example.org")


def _anonymous() -> Client:
    return Client()


def _owner(email: str) -> Client:
    client, owner = Client(), User.objects.get(email=email)
    sign_in(client, owner)
    Authenticator.objects.filter(user=owner).delete()
    RecoveryCodes.activate(owner)
    return client


def _dana() -> Client:
    return _owner("dana@example.org")


def _mallory() -> Client:
    return _owner("mallory@example.org")


def _visitor(*links: Link) -> Client:
    client = Client()
    for link in links:
        assert client.get(reverse("landing", args=[token_of(link)])).status_code == 302
    return client


def _dana_by_link() -> Client:
    switch = Switch.objects.get(owner__email="dana@example.org")
    return _visitor(Link(Purpose.CHECKIN, switch.owner_id, switch.pk, switch.cycle))


def _karel() -> Client:
    karel = TrustedContact.objects.get(email="karel@example.org")
    switch = karel.switch
    return _visitor(
        Link(Purpose.TRUSTED, karel.pk, switch.pk, switch.cycle),
        Link(Purpose.CONTACT_CONSENT, karel.pk, switch.pk, karel.invitation),
    )


def _petr_consenting() -> Client:
    petr = Recipient.objects.get(email="petr@example.org")
    return _visitor(Link(Purpose.RECIPIENT_CONSENT, petr.pk, petr.owner_id, petr.invitation))


def _ema() -> Client:
    ema = Recipient.objects.get(email="ema@example.org")
    switch = Switch.objects.get(owner=ema.owner)
    return _visitor(
        Link(Purpose.RECIPIENT_CONSENT, ema.pk, ema.owner_id, ema.invitation),
        Link(Purpose.RELEASE, ema.pk, switch.pk, switch.cycle),
    )


def _ema_reading() -> Client:
    """Ema after the code, where there is something to read."""
    client = _ema()
    if client.get(reverse("release")).status_code == 200:
        client.post(reverse("release-code"), {"send": "1"})
        digits = code_of(CodeChallenge.objects.latest("issued_at"))
        assert client.post(reverse("release-code"), {"code": digits})["Location"] == reverse("release-read")
    return client


ROLES: Final = (_anonymous, _dana, _mallory, _dana_by_link, _karel, _petr_consenting, _ema, _ema_reading)


@pytest.mark.parametrize("role", ROLES, ids=[role.__name__.strip("_") for role in ROLES])
def test_looking_changes_nothing(world: World, role: Callable[[], Client]) -> None:
    client = role()
    before = _domain()
    wrote: list[str] = []
    statuses: dict[int, int] = {}
    for name, address in addresses():
        for method in METHODS:
            with connection.execute_wrapper(_Witness(wrote, f"{method.upper()} {name}")):
                response = getattr(client, method)(address)
            assert response.status_code < 500, f"{method} {address}"
            statuses[response.status_code] = statuses.get(response.status_code, 0) + 1
    changed = {table for table, rows in _domain().items() if rows != before[table]}
    assert not changed, f"{sorted(changed)} changed; wrote: {wrote}"
    assert statuses[200] > 10, statuses


def test_mallory_finds_nothing_of_danas(world: World) -> None:
    """Whatever names something of Dana's is not found, by GET or by POST, and nothing of hers changes."""
    client = _mallory()
    before = _domain()
    dana = User.objects.get(email="dana@example.org")
    owned = {
        "handover": dana.handovers.all(),  # type: ignore[attr-defined]
        "recipient": dana.recipients.all(),  # type: ignore[attr-defined]
        "contact": TrustedContact.objects.filter(switch__owner=dana),
        "message": Message.objects.filter(owner=dana),
    }
    tried = 0
    for pattern in patterns():
        model = pattern.name.partition("-")[0]
        if "pk" not in pattern.parameters or model not in owned:
            continue
        for one in owned[model]:
            kwargs = {"pk": one.pk} | ({"number": 1} if "number" in pattern.parameters else {})
            address = reverse(pattern.name, kwargs=kwargs)
            assert client.get(address).status_code in (404, 405), address
            assert client.post(address, {"direction": "up"}).status_code in (404, 405), address
            assert 404 in (client.get(address).status_code, client.post(address).status_code), address
            tried += 1
    assert tried > 20
    assert _domain() == before


def test_every_table_is_watched_or_exempt_for_a_reason(db: None) -> None:
    """An exemption that names no table any more would hide nothing but its own age."""
    assert set(EXEMPT) <= set(connection.introspection.table_names())


class _Witness:
    """Notes what was written where, so that a failure says which address did it."""

    def __init__(self, wrote: list[str], request: str) -> None:
        self._wrote = wrote
        self._request = request

    def __call__(self, execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
        is_write = sql.lstrip().upper().startswith(WRITES)
        if is_write and not any(f'"{table}"' in sql for table in EXEMPT):
            self._wrote.append(f"{self._request}: {sql[:120]}")
        return execute(sql, params, many, context)


def _domain() -> dict[str, list[str]]:
    """Return every row of every table that is not exempt."""
    found = {}
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            if table not in EXEMPT:
                cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")
                found[table] = sorted(repr([_plain(cell) for cell in row]) for row in cursor.fetchall())
    return found


def _plain(cell: object) -> object:
    return bytes(cell) if isinstance(cell, memoryview) else cell
