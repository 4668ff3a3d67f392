"""What a backup holds: one moment of the database, and nothing that opens anything."""

from __future__ import annotations

import os
import re
import threading
import zipfile
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from pytest_django.fixtures import Settings

from stafeta.accounts.models import CodeChallenge, User
from stafeta.accounts.services.codes import code_of
from stafeta.archive import write
from stafeta.archive.keys import unopened
from stafeta.archive.read import open_archive
from stafeta.core.links import Purpose
from stafeta.outbox.models import Message
from stafeta.vault.keyring import create_keys_file, instance_keyring
from tests import make
from tests.contracts.addresses import all_links, token_of
from tests.restore.history import backup, restore
from tests.world import World

WRITES_MAX = 400


@pytest.fixture
def dana(world: World) -> User:
    return make.armed_owner()


def test_a_backup_is_of_one_moment_while_others_write(
    world: World, dana: User, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each writer adds a message and a person in one transaction: a backup has as many of the one as of the other."""
    stop = threading.Event()
    begun = threading.Event()
    written: list[int] = []

    def write_on() -> None:
        from django.db import transaction

        try:
            for number in range(WRITES_MAX):
                with transaction.atomic():
                    User.objects.create(email=f"w{number}@example.org", name="W")
                    Message.objects.create(
                        key=f"w{number}", kind="x", channel="email", queued_at=world.now, state="dead"
                    )
                written.append(number)
                begun.set()
                if stop.is_set():
                    return
        finally:
            connection.close()

    table = write._write_table

    def slowly(*args: Any) -> dict[str, Any]:
        ahead = len(written) + 2
        for _ in range(200):
            if len(written) >= ahead:
                break
            threading.Event().wait(0.01)
        return table(*args)

    monkeypatch.setattr(write, "_write_table", slowly)
    writer = threading.Thread(target=write_on)
    writer.start()
    begun.wait(10)
    backup(file, now=world.now)
    during = len(written)
    stop.set()
    writer.join()
    with zipfile.ZipFile(file) as archive:
        people = archive.read("tables/accounts.user.jsonl").count(b"@example.org")
        messages = archive.read("tables/outbox.message.jsonl").count(b'"key":"w')
    assert people - 1 == messages
    assert during > messages, "the writer was kept waiting"
    restore(file, now=world.now)


# What it reveals ----------------------------------------------------------------------------------------------------


def test_nothing_that_opens_anything_is_in_a_backup(world: World, dana: User, file: Path, settings: Settings) -> None:
    """Invariant 17: no content, no link, no code, no key, no secret, no session."""
    world.until_phase(dana, "Released")
    world.tick()
    CodeChallenge.objects.create(subject="release:1", phone="+420601000002", counter=3)
    backup(file, now=world.now)
    with zipfile.ZipFile(file) as archive:
        text = b"\n".join(archive.read(name) for name in archive.namelist()).decode()
    assert "dana@example.org" in text
    keys = re.findall(r"AGE-SECRET-KEY-\w+", Path(settings.KEYS_FILE).read_text())
    tokens = [token_of(link) for link in all_links() if link.purpose is not Purpose.PROBE]
    assert keys
    assert len(tokens) >= 5
    codes = [code_of(challenge) for challenge in CodeChallenge.objects.all()]
    for secret in (make.SECRET_TEXT, "zlatý-kapr", make.PASSWORD, settings.SECRET_KEY, *keys, *tokens, *codes):
        assert secret not in text
    assert "AGE-SECRET-KEY" not in text
    assert not [name for name in zipfile.ZipFile(file).namelist() if "session" in name]


def test_a_keys_file_that_opens_nothing_is_noticed(
    world: World, dana: User, file: Path, settings: Settings, tmp_path: Path
) -> None:
    make.handover(dana, title="Druhé")
    backup(file, now=world.now)
    with open_archive(file) as archive:
        assert unopened(archive) == (0, 2)
    settings.KEYS_FILE = tmp_path / "other.txt"
    create_keys_file(settings.KEYS_FILE)
    assert instance_keyring()
    with open_archive(file) as archive:
        assert unopened(archive) == (2, 2)


def test_another_secret_is_noticed_without_being_revealed(
    world: World, dana: User, file: Path, settings: Settings
) -> None:
    backup(file, now=world.now)
    with open_archive(file) as archive:
        assert archive.same_secret
    settings.SECRET_KEY = "another secret of the tests, of more than thirty-two letters"
    with open_archive(file) as archive:
        assert not archive.same_secret


def test_memory_stays_flat_however_large_a_table_is(world: World, file: Path) -> None:
    """Thirty megabytes of rows are written and read in a few megabytes."""
    import tracemalloc

    for number in range(30):
        Message.objects.bulk_create(
            [
                Message(
                    key=f"{number}:{row}", kind="x", channel="email", queued_at=world.now, state="dead",
                    params={"filler": os.urandom(500).hex()},
                )
                for row in range(1000)
            ]
        )  # fmt: skip
    tracemalloc.start()
    backup(file, now=world.now)
    restore(file, now=world.now)
    _now, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert Message.objects.count() == 30_000
    assert peak < 12 * 1024 * 1024, peak
