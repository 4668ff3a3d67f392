"""What was written comes back, row for row; and the few things that must not."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

from django.apps import apps
from django.contrib.sessions.models import Session
from django.db import connection, models
from django.test import Client

from stafeta.accounts.models import Instance, User
from stafeta.archive import ids
from stafeta.archive.tables import EXEMPT, EXEMPT_TABLES, archived, columns_of, from_line, name_of, to_line
from stafeta.outbox.models import ChannelHealth, Message
from stafeta.switches.models import ServiceClock, Switch
from stafeta.vault.models import Handover
from stafeta.vault.selectors import read_content
from tests import make
from tests.restore.history import backup, restore
from tests.world import World, replay

# What a restore changes on purpose (docs/adr/0008).
CHANGED = {
    "accounts.instance": ("identity", "epoch", "home", "restored_at"),
    "outbox.message": ("lease_until", "next_attempt_at"),
    "switches.serviceclock": ("heard", "reading"),
    "outbox.channelhealth": ("failing_since", "reason"),
    "vault.grant": ("told_at", "remind_at_s", "opens_at_s", "expires_at_s"),
}


def rows(model: type[models.Model]) -> list[dict[str, object]]:
    """Return a table's rows as a backup would hold them, without what a restore changes."""
    names = [field.attname for field in columns_of(model)]
    values = model._base_manager.order_by("pk").values_list(*names)
    kept = set(names) - set(CHANGED.get(name_of(model), ()))
    return [{name: json.loads(to_line(names, row))[name] for name in sorted(kept)} for row in values]


def everything() -> dict[str, list[dict[str, object]]]:
    return {name_of(model): rows(model) for model in archived()}


def test_a_whole_life_comes_back_row_for_row(world: World, file: Path) -> None:
    dana = make.armed_owner()
    world.until_phase(dana, "Released")
    world.wait(days=4)
    before = everything()
    backup(file, now=world.now)
    Handover.objects.all().delete()
    User.objects.create_user("mallory@example.org", "x")
    restore(file, now=world.now)
    assert everything() == before
    assert {name for name, found in before.items() if found} >= {
        "accounts.user", "account.emailaddress", "vault.version", "vault.grant", "vault.handover_recipients",
        "outbox.attempt", "switches.event",
    }  # fmt: skip
    assert read_content(Handover.objects.get()) == make.SECRET_TEXT
    switch = Switch.objects.get()
    assert replay(switch)[0] == switch.ladder_state


def test_the_database_that_is_restored_into_may_be_empty(world: World, file: Path) -> None:
    make.armed_owner()
    before = everything()
    backup(file, now=world.now)
    User.objects.all().delete()
    Instance.objects.all().delete()
    ServiceClock.objects.all().delete()
    restore(file, now=world.now)
    assert everything() == before


def test_every_table_is_in_a_backup_or_left_out_for_a_reason(db: None) -> None:
    tables = {model._meta.db_table for model in archived()}
    left_out = {
        model._meta.db_table for model in apps.get_models(include_auto_created=True) if name_of(model) in EXEMPT
    }
    present = {name for name in connection.introspection.table_names() if name != "sqlite_sequence"}
    assert present == tables | left_out | set(EXEMPT_TABLES)
    assert len(left_out) == len(EXEMPT), "an exemption that names no table any more hides nothing but its own age"


def test_every_column_is_in_a_backup(world: World, file: Path) -> None:
    """A column that the database has and the model has not would be lost unnoticed."""
    with connection.cursor() as cursor:
        for model in archived():
            described = connection.introspection.get_table_description(cursor, model._meta.db_table)
            assert {column.name for column in described} == {field.column for field in columns_of(model)}


def test_every_kind_of_column_goes_through_a_line_unchanged(world: World) -> None:
    make.armed_owner()
    world.tick()
    for model in archived():
        columns = {field.attname: field for field in columns_of(model)}
        for row in model._base_manager.values_list(*columns)[:3]:
            line = to_line(columns, row)
            assert len(from_line(line, columns)) == len(columns)
            assert set(json.loads(line)) == set(columns)


def test_whoever_was_signed_in_signs_in_again(world: World, file: Path) -> None:
    dana = make.owner()
    Client().force_login(dana)
    assert Session.objects.exists()
    backup(file, now=world.now)
    restore(file, now=world.now)
    assert not Session.objects.exists()


def test_an_id_of_the_lost_history_is_never_given_to_somebody_else(world: World, file: Path) -> None:
    """Invariant 7: a link names ids, and whoever got one in the lost history must not open another's with it."""
    dana = make.owner()
    make.recipient(dana)
    backup(file, now=world.now)
    lost = make.recipient(dana, "mallory@example.org")
    lost_message = Message.objects.latest("pk").pk if Message.objects.exists() else 0
    restore(file, now=world.now)
    dana = User.objects.get()
    fresh = make.recipient(dana, "petr@example.org", name="Petr")
    assert fresh.pk > lost.pk + ids.STEP // 2
    assert make.handover(dana, fresh).pk > ids.STEP // 2
    assert make.owner("eva@example.org").pk > ids.STEP // 2
    assert (Message.objects.order_by("-pk").values_list("pk", flat=True).first() or ids.STEP) >= lost_message


def test_ids_given_out_and_deleted_before_the_backup_do_not_come_again_either(world: World, file: Path) -> None:
    dana = make.owner()
    gone = make.recipient(dana)
    pk = gone.pk
    gone.delete()
    backup(file, now=world.now)
    for _ in range(2):
        restore(file, now=world.now)
    fresh = make.recipient(User.objects.get())
    assert fresh.pk > pk + ids.STEP


def test_a_restored_installation_is_another_one(world: World, file: Path) -> None:
    backup(file, now=world.now)
    before = Instance.objects.values().first() or {"identity": "", "epoch": 0}
    assert restore(file, now=world.now) == before["epoch"] + 1
    first = Instance.objects.get()
    assert first.identity != before["identity"]
    assert first.restored_at == world.now
    assert restore(file, now=world.now) == before["epoch"] + 2, "the epoch never comes again, either"
    assert Instance.objects.get().identity != first.identity


def test_an_outage_of_a_provider_is_not_brought_back(world: World, file: Path) -> None:
    """Nobody would be adopted while it lasts, nothing sent before that, and so it would never end."""
    ChannelHealth.objects.create(channel="email", failing_since=world.now, reason="connection refused")
    backup(file, now=world.now)
    restore(file, now=world.now)
    assert ChannelHealth.objects.get().failing_since is None


def test_a_backup_is_for_its_owner_only_and_a_plain_zip(world: World, file: Path) -> None:
    make.armed_owner()
    rows = backup(file, now=world.now)
    assert file.stat().st_mode & 0o777 == 0o600
    with zipfile.ZipFile(file) as archive:
        assert archive.testzip() is None
        manifest = json.loads(archive.read("manifest.json"))
    assert manifest["database"] == connection.vendor
    assert manifest["made_at"] == world.now.isoformat()
    assert sum(table["rows"] for table in manifest["tables"].values()) == rows
    assert manifest["schema"]["switches"][0] == "0001_initial"
