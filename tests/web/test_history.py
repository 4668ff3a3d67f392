"""The log in plain words: nothing is left out, everything is said in sentences, and pages and tables agree."""

from __future__ import annotations

import csv
from io import StringIO

import pytest
from django.utils import translation
from pytest_django.fixtures import Settings

from stafeta.core.codec import encode
from stafeta.core.errors import DeliveryRefused
from stafeta.core.links import Link, Purpose
from stafeta.core.states import GaveGoAhead
from stafeta.switches.models import Event, TrustedContact
from stafeta.switches.selectors import service_second
from stafeta.switches.services.contact_says import ask_to_wait, vouch
from stafeta.switches.services.contacts import erase_contact
from stafeta.switches.services.record_fact import record_fact
from stafeta.vault.models import Grant, Reading
from stafeta.vault.services.consent import decline, give_consent
from stafeta.web.history import FILTERS, PAGE_ENTRIES, count_of, entries_of
from tests import make
from tests.web.desk import Desk
from tests.world import World


@pytest.fixture
def world(db: None, keys_file: object, settings: Settings) -> World:
    settings.SESSION_COOKIE_AGE = 365 * 24 * 3600
    return World()


@pytest.fixture
def desk(world: World) -> Desk:
    return Desk(world, make.armed_owner())


def _trusted(desk: Desk) -> Link:
    karel = TrustedContact.objects.get(email="karel@example.org")
    return Link(Purpose.TRUSTED, karel.pk, desk.switch.pk, desk.switch.cycle)


def test_a_whole_life_is_told_in_sentences(desk: Desk) -> None:
    world = desk.world
    world.until(desk.owner, rung=4)
    ask_to_wait(link=_trusted(desk), days=2, now=world.now)
    world.until_phase(desk.owner, "Climbing")
    vouch(link=_trusted(desk), now=world.now)
    world.until_phase(desk.owner, "Released")
    desk.post("im-fine")
    told = [entry.text for entry in reversed(entries_of(desk.owner, desk.switch, limit=100))]
    for sentence in (
        "You armed the switch.",
        "I asked you by e-mail (1 of 3).",
        "The e-mail to you went out.",
        "I asked you by e-mail (3 of 3).",
        "I asked you by SMS and e-mail (1 of 1).",
        "I asked the people close to you (1 of 2).",
        "The e-mail to Karel Novák went out.",
        "Karel Novák asked to wait 2 days.",
        "The wait was over. I asked the people close to you (1 of 2).",
        "Karel Novák confirmed that you are well.",
        "I heard from nobody, and the handovers opened.",
        "You confirmed here that you are well. What nobody had opened was closed.",
    ):
        assert sentence in told, told
    assert "Time passed." not in told
    assert not any(sentence.startswith("Noted") for sentence in told)


def test_every_event_has_its_place_and_its_number(desk: Desk) -> None:
    desk.world.until_phase(desk.owner, "Released")
    entries = entries_of(desk.owner, desk.switch, limit=1000)
    assert len(entries) == count_of(desk.owner, desk.switch) == Event.objects.count()
    assert [entry.at for entry in entries] == sorted((entry.at for entry in entries), reverse=True)


def test_filters_part_the_history_and_lose_nothing(desk: Desk) -> None:
    give_consent(recipient=decline(recipient=desk.owner.recipients.get(), now=make.NOON), now=make.NOON)
    record_fact(switch=desk.switch, kind="RecipientAdded", facts={"recipient": 1}, now=make.NOON)
    desk.world.email.fail = lambda to: DeliveryRefused("gone", permanent=True) if to == "karel@example.org" else None
    desk.world.until_phase(desk.owner, "Released")
    grant = Grant.objects.get()
    Reading.objects.create(grant=grant, how="page", version=1, at=desk.world.now)
    Reading.objects.create(grant=grant, how="mail", version=1, at=desk.world.now)
    parts = [count_of(desk.owner, desk.switch, kind=kind) for kind in FILTERS]
    assert sum(parts) == count_of(desk.owner, desk.switch)
    assert all(parts)
    assert "Ema Malá read “Weby klientů”." in desk.text("history", kind="readings")
    assert "Ema Malá had “Weby klientů” sent by e-mail." in desk.text("history", kind="readings")
    assert "Ema Malá declined to be a recipient." in desk.text("history", kind="people")
    assert "The e-mail to Karel Novák was refused." in desk.text("history", kind="problems")


def test_the_history_is_turned_page_by_page(desk: Desk) -> None:
    for number in range(PAGE_ENTRIES + 3):
        record_fact(switch=desk.switch, kind="ContactMoved", facts={"contact": number}, now=make.NOON)
    assert "Page 1 of 2" in desk.text("history")
    assert "Page 2 of 2" in desk.text("history", page="2")
    for page in ("0", "-1", "999", "x", "９", "1" * 50):
        assert desk.get("history", page=page).status_code == 200
    assert desk.get("history", kind="nonsense").status_code == 200


def test_the_table_opens_in_a_spreadsheet_and_runs_nothing(desk: Desk) -> None:
    make.contact(desk.owner, "x@example.org", name="=HYPERLINK(1)", phone="+420601000099")
    karel = TrustedContact.objects.get(email="x@example.org")
    record_fact(switch=desk.switch, kind="ContactAgreed", facts={"contact": karel.pk}, now=make.NOON)
    response = desk.get("history-csv")
    text = response.content.decode()
    assert response["Content-Type"].startswith("text/csv")
    assert text.startswith("\ufeff")
    rows = list(csv.reader(StringIO(text[1:]), delimiter=";"))
    assert rows[0] == ["When", "What happened"]
    assert len(rows) == 1 + count_of(desk.owner, desk.switch)
    assert not any(row[1].startswith("=") for row in rows)


def test_an_erased_person_has_no_name_in_the_history(desk: Desk) -> None:
    desk.world.until(desk.owner, rung=4)
    ask_to_wait(link=_trusted(desk), days=2, now=desk.world.now)
    erase_contact(contact=TrustedContact.objects.get(), now=desk.world.now)
    page = desk.text("history")
    assert "Karel" not in page
    assert "somebody close to you asked to wait 2 days." in page.lower()


def test_what_the_words_do_not_know_is_still_told(desk: Desk) -> None:
    record_fact(switch=desk.switch, kind="SomethingNew", facts={}, now=make.NOON)
    assert "Noted: SomethingNew" in desk.text("history")


def test_a_go_ahead_is_told(desk: Desk) -> None:
    event = GaveGoAhead(desk.switch.cycle, TrustedContact.objects.get().pk)
    Event.objects.create(
        switch=desk.switch, number=900, cycle=desk.switch.cycle, kind="GaveGoAhead", on_ladder=True,
        event=encode(event), at=make.NOON, service_s=service_second(),
    )  # fmt: skip
    assert "Karel Novák said that something happened" in desk.text("history")


def test_danas_history_is_not_mallorys(desk: Desk) -> None:
    mallory = Desk(desk.world, make.owner("mallory@example.org", name="Mallory"))
    assert "Nothing has happened yet" in mallory.text("history")


def test_a_damaged_entry_hides_no_other(desk: Desk) -> None:
    desk.world.until(desk.owner, rung=1)
    told = len(entries_of(desk.owner, desk.switch, limit=100))
    damaged = Event.objects.filter(switch=desk.switch, kind="Ticked").order_by("number").first()
    assert damaged is not None
    Event.objects.filter(pk=damaged.pk).update(event={"is": "Nothing that was ever written"})
    with translation.override("en"):
        texts = [entry.text for entry in entries_of(desk.owner, desk.switch, limit=100)]
    assert len(texts) == told
    assert texts.count("An entry that cannot be read.") == 1
    assert desk.get("history").status_code == 200
