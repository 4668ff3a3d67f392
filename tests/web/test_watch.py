"""What a load balancer, an uptime monitor and a scraper are told, and what they are not."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.db import OperationalError, connection
from django.http import HttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext
from pytest_django.fixtures import Settings

from stafeta.accounts.models import User
from tests import make
from tests.web.desk import Desk
from tests.world import World

TOKEN = "a-token-of-the-tests-0123456789"
ADDRESSES = ("/healthz", "/readyz", "/metrics")


@pytest.fixture
def world(db: None, keys_file: object) -> World:
    found = World()
    make.armed_owner()
    return found


def ask(world: World, address: str, **facts: str) -> HttpResponse:
    """Ask as a stranger from afar, unless `facts` (of the WSGI environment) say otherwise."""
    with time_machine.travel(world.now, tick=False):
        return Client(**{"REMOTE_ADDR": "192.0.2.7", "HTTP_HOST": "10.0.0.7:8000", **facts}).get(address)  # type: ignore[return-value]


def here(**facts: str) -> dict[str, str]:
    return {"REMOTE_ADDR": "127.0.0.1", "HTTP_HOST": "127.0.0.1:8000", **facts}


def bearer(token: str) -> dict[str, str]:
    return {"HTTP_AUTHORIZATION": f"Bearer {token}"}


@pytest.fixture
def broken_database(world: World) -> Iterator[None]:
    """Every statement fails, as on a disk that is gone."""

    def fail(*_args: Any) -> None:
        raise OperationalError("disk I/O error: /var/lib/secret-place")

    with connection.execute_wrapper(fail):
        yield


class TestHealthz:
    def test_it_says_ok_to_anybody_under_any_name(self, world: World) -> None:
        for name in ("localhost", "10.0.0.7:8000", "[2001:db8::1]", "whatever.example"):
            response = ask(world, "/healthz", HTTP_HOST=name)
            assert (response.status_code, response.content) == (200, b"ok\n"), name
            assert "no-store" in response["Cache-Control"]

    def test_it_is_well_while_the_worker_is_not(self, world: World) -> None:
        """A web process is not to be restarted because another program has stopped."""
        world.now += timedelta(days=1)
        assert ask(world, "/healthz").status_code == 200

    def test_it_asks_one_question_and_opens_no_session(self, world: World) -> None:
        desk = Desk(world, User.objects.get())
        with CaptureQueriesContext(connection) as queries:
            response = desk.client.get("/healthz")
        assert len(queries) == 1
        assert "session" not in queries[0]["sql"]
        assert not response.cookies
        assert "Vary" not in response

    def test_without_a_database_it_says_so_and_not_why(self, world: World, broken_database: None) -> None:
        response = ask(world, "/healthz", **here())
        assert (response.status_code, response.content) == (503, b"the database does not answer\n")

    def test_other_addresses_still_insist_on_the_name_of_the_site(self, world: World) -> None:
        for address in ("/", "/healthz/", "/probe/x/"):
            assert ask(world, address).status_code == 400, address


class TestReadyz:
    def test_a_stranger_learns_whether_and_not_what(self, world: World) -> None:
        well = ask(world, "/readyz")
        assert (well.status_code, well.json()) == (200, {"ok": True})  # type: ignore[attr-defined]
        world.now += timedelta(hours=1)
        ill = ask(world, "/readyz")
        assert (ill.status_code, ill.json()) == (503, {"ok": False})  # type: ignore[attr-defined]
        world.tick()
        assert ask(world, "/readyz").status_code == 200

    @pytest.mark.parametrize(
        "facts",
        [
            here(),
            here(HTTP_HOST="localhost"),
            here(REMOTE_ADDR="::1", HTTP_HOST="[::1]:8000"),
            bearer(TOKEN),
            here(**bearer(TOKEN)),
            bearer(TOKEN) | {"HTTP_X_FORWARDED_FOR": "198.51.100.1"},
            {"HTTP_AUTHORIZATION": f"bearer {TOKEN}"},
        ],
        ids=str,
    )
    def test_this_machine_and_the_token_learn_what_it_is(
        self, world: World, settings: Settings, facts: dict[str, str]
    ) -> None:
        settings.METRICS_TOKEN = TOKEN
        world.now += timedelta(hours=1)
        said = ask(world, "/readyz", HTTP_ACCEPT_LANGUAGE="cs", **facts).json()  # type: ignore[attr-defined]
        assert said["ok"] is False
        assert said["checks"]["worker"] == {"ok": False, "says": "The last round of a worker was 60 min ago."}
        assert said["checks"]["hearing"] == {"ok": True, "says": "Owners can be heard."}

    @pytest.mark.parametrize(
        "facts",
        [
            {},
            {"HTTP_HOST": "localhost"},
            here(HTTP_X_FORWARDED_FOR="198.51.100.1"),
            here(HTTP_X_FORWARDED_FOR="127.0.0.1"),
            here(HTTP_FORWARDED="for=198.51.100.1"),
            here(HTTP_X_FORWARDED_PROTO="https"),
            here(HTTP_X_REAL_IP="127.0.0.1"),
            here(HTTP_VIA="1.1 proxy"),
            here(HTTP_HOST="rebound.example"),
            here(HTTP_HOST="127.0.0.1.rebound.example:8000"),
            here(HTTP_HOST=""),
            here(REMOTE_ADDR=""),
            here(REMOTE_ADDR="unix:"),
            bearer("another"),
            bearer(""),
            bearer("ž"),
            here(**bearer("another")),
            {"HTTP_AUTHORIZATION": f"Basic {TOKEN}"},
            {"HTTP_AUTHORIZATION": TOKEN},
            {"HTTP_X_FORWARDED_FOR": "127.0.0.1", "HTTP_HOST": "localhost"},
        ],
        ids=str,
    )
    def test_nobody_else_does(self, world: World, settings: Settings, facts: dict[str, str]) -> None:
        settings.METRICS_TOKEN = TOKEN
        assert ask(world, "/readyz", **facts).json() == {"ok": True}  # type: ignore[attr-defined]
        refused = ask(world, "/metrics", **facts)
        assert (refused.status_code, refused["WWW-Authenticate"]) == (401, "Bearer")
        assert b"stafeta_" not in refused.content

    def test_without_a_token_set_an_empty_one_opens_nothing(self, world: World, settings: Settings) -> None:
        settings.METRICS_TOKEN = ""
        for token in ("", " ", TOKEN):
            assert ask(world, "/metrics", **bearer(token)).status_code == 401

    def test_without_a_database_nothing_is_well(self, world: World, broken_database: None) -> None:
        assert ask(world, "/readyz").json() == {"ok": False}  # type: ignore[attr-defined]
        response = ask(world, "/readyz", **here())
        assert response.status_code == 503
        assert "secret-place" not in response.content.decode()
        assert "database" in response.json()["checks"]  # type: ignore[attr-defined]
        assert ask(world, "/metrics", **here()).status_code == 503

    def test_a_canary_that_failed_is_not_ready(self, world: World, settings: Settings) -> None:
        settings.CANARY = "dana@example.org"
        assert ask(world, "/readyz").status_code == 200
        world.now += timedelta(days=15)
        said = ask(world, "/readyz", **here()).json()  # type: ignore[attr-defined]
        assert said["checks"]["canary"]["ok"] is False
        assert "dana@" not in str(said)


@pytest.mark.parametrize("address", ADDRESSES)
@pytest.mark.parametrize("verb", ["post", "put", "delete", "options"])
def test_there_is_nothing_to_be_done_here(world: World, address: str, verb: str) -> None:
    with time_machine.travel(world.now, tick=False):
        response = getattr(Client(**here()), verb)(address)
    assert response.status_code == 405


class TestOperatorsPage:
    @pytest.fixture
    def desk(self, world: World) -> Desk:
        User.objects.update(is_staff=True)
        return Desk(world, User.objects.get())

    def test_it_says_what_is_well_and_what_is_not(self, desk: Desk) -> None:
        page = desk.text("operator")
        assert "Is all well?" in page
        assert "Wrong:" not in page
        assert "No watchdog is set." in page
        assert "None is named." in page
        desk.world.now += timedelta(hours=1)
        page = desk.text("operator")
        assert "Wrong: The last round of a worker was 60 min ago." in page

    def test_it_says_what_the_canary_says_and_when(self, desk: Desk, settings: Settings) -> None:
        settings.CANARY, settings.HEARTBEAT_URL = "dana@example.org", "https://watchdog.example/s3cret"
        page = desk.text("operator")
        assert "Doubtful: The canary is not asked every day" in page
        assert "The worker tells the watchdog every minute" in page
        assert "s3cret" not in page
        desk.world.until(desk.owner, rung=0)
        desk.world.now += timedelta(minutes=1)
        page = desk.text("operator")
        assert "Canary asked 15 Mar 2026, 9:00" in page
        assert "Taken by a provider 15 Mar 2026, 9:00" in page

    def test_it_speaks_czech_to_czechs(self, world: World) -> None:
        User.objects.update(is_staff=True)
        page = Desk(world, User.objects.get(), language="cs").text("operator")
        assert "Je všechno v pořádku?" in page
        assert "Is all well" not in page
