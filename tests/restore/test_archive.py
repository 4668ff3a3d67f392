"""The file itself: written whole or not at all, of one moment, revealing nothing; and read with suspicion."""

from __future__ import annotations

import json
import re
import resource
import signal
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from django.db import connection, migrations
from django.db.migrations.loader import MigrationLoader

from stafeta.accounts.models import User
from stafeta.archive import write
from stafeta.archive.read import open_archive, verify
from stafeta.archive.schema import CARRIED_ON, HARMLESS
from stafeta.archive.seal import seal_of
from stafeta.core.errors import ArchiveError
from tests import make
from tests.contracts.domain import domain
from tests.restore.history import backup, restore
from tests.world import World

WRITES_MAX = 400


@pytest.fixture
def dana(world: World) -> User:
    return make.armed_owner()


def rewrite(
    file: Path,
    *,
    manifest: Callable[[dict[str, Any]], object] = lambda _found: None,
    member: Callable[[str, bytes], bytes | None] = lambda _name, content: content,
    sealed: bool = True,
) -> None:
    """Write a backup anew with something changed, sealed as its own installation would or not at all."""
    with zipfile.ZipFile(file) as archive:
        contents = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in contents.items():
            changed = content
            if name == "manifest.json":
                found = json.loads(content)
                manifest(found)
                if sealed:
                    found["seal"] = seal_of(found)
                changed = json.dumps(found).encode()
            kept = member(name, changed)
            if kept is not None:
                archive.writestr(name, kept)


def refused(file: Path, world: World, *, match: str) -> None:
    """See that the backup is refused, and that nothing was changed by trying."""
    before = domain()
    with pytest.raises(ArchiveError, match=match):
        restore(file, now=world.now)
    assert domain() == before


# Damaged, changed, or from elsewhere --------------------------------------------------------------------------------


@pytest.mark.parametrize("kept", [0, 1, 100, 0.5, 0.99])
def test_a_backup_that_breaks_off_is_refused(world: World, dana: User, file: Path, kept: float) -> None:
    backup(file, now=world.now)
    whole = file.read_bytes()
    file.write_bytes(whole[: int(kept * len(whole) if kept < 1 else kept)])
    refused(file, world, match="damaged")


def test_a_backup_with_any_byte_of_a_row_changed_is_refused(world: World, dana: User, file: Path) -> None:
    backup(file, now=world.now)
    whole = file.read_bytes()
    for place in range(200, len(whole) - 4000, len(whole) // 23):
        file.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
        try:
            with open_archive(file) as archive:
                verify(archive)
        except ArchiveError:
            continue
        with zipfile.ZipFile(file) as changed:  # a byte of a header that says nothing about the content
            assert changed.testzip() is None


def test_a_row_that_was_changed_is_refused_even_where_every_checksum_was_made_to_fit(
    world: World, dana: User, file: Path
) -> None:
    """Whoever lacks the secret can count, but cannot seal."""
    backup(file, now=world.now)
    rewrite(file, manifest=lambda found: found["tables"]["accounts.user"].update(rows=0), sealed=False)
    refused(file, world, match="seal")


@pytest.mark.parametrize(
    ("member", "words"),
    [
        (lambda name, content: None if name == "tables/vault.grant.jsonl" else content, "does not hold"),
        (lambda name, content: content.replace(b"Dana", b"Hana") if "accounts.user" in name else content, "not what"),
        (lambda name, content: content + content if "accounts.user." in name else content, "not what was written"),
        (lambda name, content: b"{not json\n" if "accounts.user." in name else content, "no row"),
        (lambda name, content: b'{"id": 1, "wings": 2}\n' if "accounts.user." in name else content, "wings"),
        (lambda name, content: b'{"id": 1}\n' if "accounts.user." in name else content, "lacks the column"),
    ],
)
def test_a_table_that_is_not_what_was_written_is_refused(
    world: World, dana: User, file: Path, member: Callable[[str, bytes], bytes | None], words: str
) -> None:
    backup(file, now=world.now)
    rewrite(file, member=member)
    refused(file, world, match=words)


def test_something_else_than_a_backup_is_refused(world: World, file: Path) -> None:
    file.write_text("dear diary")
    refused(file, world, match="damaged")
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("manifest.json", "[]")
    refused(file, world, match="not a backup")
    file.unlink()
    refused(file, world, match="cannot be read")


def test_a_table_that_this_version_does_not_know_is_refused(world: World, file: Path) -> None:
    backup(file, now=world.now)
    rewrite(file, manifest=lambda found: found["tables"].update({"vault.wings": {"rows": 0, "sha256": ""}}))
    refused(file, world, match=re.escape("vault.wings"))


def test_rows_that_do_not_fit_together_change_nothing(world: World, dana: User, file: Path) -> None:
    """All or nothing: by then the old rows are gone, and they must be back."""
    backup(file, now=world.now)
    User.objects.create_user("eva@example.org", "x")
    empty = {"rows": 0, "last_id": 0, "sha256": "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"}
    rewrite(
        file,
        manifest=lambda found: found["tables"]["accounts.user"].update(empty),
        member=lambda name, content: b"" if name == "tables/accounts.user.jsonl" else content,
    )
    refused(file, world, match="do not fit together")


# Schemas ------------------------------------------------------------------------------------------------------------


def test_a_newer_schema_is_refused_and_says_what_to_do(world: World, file: Path) -> None:
    backup(file, now=world.now)
    rewrite(file, manifest=lambda found: found["schema"]["vault"].append("0099_wings"))
    refused(file, world, match="newer Štafeta.*vault.0099_wings.*Install that version")


def test_a_newer_format_is_refused(world: World, file: Path) -> None:
    backup(file, now=world.now)
    rewrite(file, manifest=lambda found: found.update(format_version=2))
    refused(file, world, match="format 2")


def test_an_older_schema_is_carried_on_where_only_tables_and_columns_were_added(
    world: World, dana: User, file: Path
) -> None:
    """The state before `0002_the_world_around`: no epochs, no holds; they get their defaults."""
    world.until(dana, rung=3)
    backup(file, now=world.now)
    newer = {"switches": ("hold", "outage"), "outbox": ("receipt", "suppression"), "accounts": ("instance",)}
    gone = {f"{app}.{name}" for app, names in newer.items() for name in names}

    def older(found: dict[str, Any]) -> None:
        for app in newer:
            found["schema"][app] = ["0001_initial"]
        found["tables"] = {name: facts for name, facts in found["tables"].items() if name not in gone}
        for name, digest in digests.items():
            found["tables"][name]["sha256"] = digest

    digests: dict[str, str] = {}

    def without(name: str, content: bytes) -> bytes | None:
        table = name.removeprefix("tables/").removesuffix(".jsonl")
        if table in gone:
            return None
        if table not in ("switches.switch", "outbox.message"):
            return content
        rows = [json.loads(line) for line in content.splitlines()]
        lines = [{key: row[key] for key in row if key not in ("epoch", "released_at")} for row in rows]
        return b"".join(json.dumps(line).encode() + b"\n" for line in lines)

    import hashlib

    with zipfile.ZipFile(file) as archive:
        for name in ("switches.switch", "outbox.message"):
            member = f"tables/{name}.jsonl"
            digests[name] = hashlib.sha256(without(member, archive.read(member)) or b"").hexdigest()
    rewrite(file, manifest=older, member=without)
    restore(file, now=world.now)
    world.tick()
    assert world.switch(dana).epoch == 1
    assert {message.to for message in world.sent()} >= {"dana@example.org"}


def test_an_older_schema_that_nothing_carries_on_is_refused(
    world: World, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    backup(file, now=world.now)
    rewrite(file, manifest=lambda found: found["schema"].update(accounts=["0001_initial"]))
    monkeypatch.setattr("stafeta.archive.schema.CARRIED_ON", {})
    refused(file, world, match=r"older Štafeta.*accounts.0002_the_world_around.*Install Štafeta")


def test_what_counts_as_carried_on_runs_no_code_but_what_is_named(db: None) -> None:
    assert migrations.RunPython not in HARMLESS
    assert migrations.RunSQL not in HARMLESS
    assert set(CARRIED_ON) <= set(MigrationLoader(connection).disk_migrations)


# Written whole or not at all ----------------------------------------------------------------------------------------


def test_a_file_that_is_there_is_never_overwritten(world: World, file: Path) -> None:
    file.write_text("last week's")
    with pytest.raises(ArchiveError, match="there already"):
        backup(file, now=world.now)
    assert file.read_text() == "last week's"


def test_a_file_that_has_come_in_the_meantime_is_not_overwritten(
    world: World, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seal = write.seal_of

    def meanwhile(manifest: dict[str, Any]) -> str:
        file.write_text("somebody else's")
        return seal(manifest)

    monkeypatch.setattr(write, "seal_of", meanwhile)
    with pytest.raises(ArchiveError, match="there already"):
        backup(file, now=world.now)
    assert file.read_text() == "somebody else's"
    assert [path.name for path in file.parent.iterdir() if "partial" in path.name] == []


@contextmanager
def room_for(size: int) -> Iterator[None]:
    """Let no file of this process grow beyond `size` bytes: a disk that is full."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, ignored)


@pytest.mark.parametrize("size", [0, 1, 2000])
def test_a_full_disk_leaves_nothing_half_written(world: World, dana: User, file: Path, size: int) -> None:
    before = set(file.parent.iterdir())
    with room_for(size), pytest.raises(ArchiveError, match="cannot be written"):
        backup(file, now=world.now)
    assert set(file.parent.iterdir()) == before
    backup(file, now=world.now)


def test_a_directory_that_is_not_there_is_named(world: World, file: Path) -> None:
    with pytest.raises(ArchiveError, match="No such file or directory"):
        backup(file.parent / "nowhere" / "b.zip", now=world.now)
