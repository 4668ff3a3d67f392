"""Invariant 5: looking changes nothing. Every address, by GET, HEAD and OPTIONS, as everybody there is."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.urls import reverse
from pytest_django.fixtures import Settings

from stafeta.accounts.models import User
from stafeta.outbox.models import Message
from stafeta.switches.models import TrustedContact
from tests.contracts import roles
from tests.contracts.addresses import addresses, patterns
from tests.contracts.domain import EXEMPT, domain
from tests.world import World

METHODS: Final = ("get", "head", "options")
MAY_BE_UNWELL: Final = ("readyz",)  # 503 is its answer where a message reached nobody, as one here did
WRITES: Final = ("INSERT", "UPDATE", "DELETE", "REPLACE")


@pytest.fixture(params=[roles.asked, roles.released], ids=["asked", "released"])
def world(request: pytest.FixtureRequest, db: None, keys_file: object, settings: Settings) -> Iterator[World]:
    found = roles.scene(request.param, settings)
    with time_machine.travel(found.now, tick=False):
        yield found


ROLES: Final = (
    roles.anonymous,
    roles.dana,
    roles.mallory,
    roles.dana_by_link,
    roles.karel,
    roles.petr_consenting,
    roles.ema,
    roles.ema_reading,
)


@pytest.mark.parametrize("role", ROLES, ids=[role.__name__ for role in ROLES])
def test_looking_changes_nothing(world: World, role: Callable[[], Client]) -> None:
    client = role()
    before = domain()
    wrote: list[str] = []
    statuses: dict[int, int] = {}
    for name, address in addresses():
        for method in METHODS:
            with connection.execute_wrapper(_Witness(wrote, f"{method.upper()} {name}")):
                response = getattr(client, method)(address)
            assert response.status_code < 500 or name in MAY_BE_UNWELL, f"{method} {address}"
            statuses[response.status_code] = statuses.get(response.status_code, 0) + 1
    changed = {table for table, rows in domain().items() if rows != before[table]}
    assert not changed, f"{sorted(changed)} changed; wrote: {wrote}"
    assert statuses[200] > 10, statuses


def test_mallory_finds_nothing_of_danas(world: World) -> None:
    """Whatever names something of Dana's is not found, by GET or by POST, and nothing of hers changes."""
    client = roles.mallory()
    before = domain()
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
    assert domain() == before


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
