"""Copies to take away: what is in the zip, that the commands it names open it, and that it is whole or not at all."""

from __future__ import annotations

import hashlib
import io
import json
import os
import pty
import re
import shutil
import subprocess
import zipfile
from pathlib import Path

import pyrage
import pytest

from stafeta.accounts.models import User
from stafeta.core.errors import FileMissing, PolicyError, Tampered
from stafeta.vault.copy_parts import guarded_parts, sealed_parts
from stafeta.vault.copy_zip import CopyFacts, stream_copy
from stafeta.vault.holders import key_of
from stafeta.vault.models import Copy, Handover, Recipient
from stafeta.vault.services.remove_attachment import remove_attachment
from stafeta.vault.services.save_handover import save_handover
from stafeta.vault.services.take_copy import COPIES_A_DAY_MAX, state_of, take_copy, verify_whole
from stafeta.vault.storage import attachment_storage
from tests import make
from tests.vault.conftest import Story
from tests.vault.sealed import Keys
from tests.vault.vectors import PASSPHRASE
from tests.web.copies import TAKEN_AT, Made

AGE = shutil.which("age")
needs_age = pytest.mark.skipif(AGE is None, reason="no age on this machine: apt-get install age")
OPENER = "<html><!--COPY--></html>"


@pytest.fixture
def handover(story: Story) -> Handover:
    return story.handover


def facts_of(handover: Handover, public_key: str) -> CopyFacts:
    return CopyFacts(handover.title, str(handover.owner), handover.level, public_key, TAKEN_AT, TAKEN_AT)


def commands_in(read_me: str) -> list[str]:
    """Return the commands of READ-ME.txt, as they are written there."""
    return re.findall(r"^    (age .*)$", read_me, re.MULTILINE)


def test_copy_holds_everything_under_the_new_key_alone(handover: Handover) -> None:
    """Text and files open with the identity of the card, not with the handover's own key."""
    identity = pyrage.x25519.Identity.generate()
    make.attachment(handover)
    make.attachment(handover, b"second", name="Smlouva.pdf")
    remove_attachment(attachment=make.attachment(handover, name="removed.pdf"), now=make.NOON)
    key = str(identity.to_public())
    opened = {}
    for part in guarded_parts(handover, public_key=key):
        with part.opened() as source:
            blob = source.read()
        assert handover.public_key.encode() not in blob
        opened[part.path] = pyrage.decrypt(blob, [identity])
    assert list(opened) == ["content.md.age", "attachments/Smlouva.pdf.age", "attachments/smlouva (2).pdf.age"]
    assert make.SECRET_TEXT in opened["content.md.age"].decode()
    assert opened["attachments/smlouva (2).pdf.age"] == make.SECRET_FILE


def test_manifest_lists_every_file_with_its_sum() -> None:
    made = Made(files={"plan.pdf": b"x" * 100_000}, with_passphrase=True)
    archive = made.zip()
    manifest = json.loads(archive.read("manifest.json"))
    assert (manifest["format"], manifest["version"]) == ("stafeta-copy", 1)
    assert manifest["public_key"] == str(made.identity.to_public())
    listed = {file["path"]: file for file in manifest["files"]}
    others = {"manifest.json", "READ-ME.txt", "open.html"}
    assert set(archive.namelist()) == set(listed) | others
    for path, file in listed.items():
        blob = archive.read(path)
        assert (file["size_bytes"], file["sha256"]) == (len(blob), hashlib.sha256(blob).hexdigest())
        assert blob.startswith(b"age-encryption.org/v1\n")
    assert [file["role"] for file in manifest["files"]] == ["content", "attachment", "key"]


def test_nothing_in_the_zip_is_readable_but_what_is_said_to_be(handover: Handover) -> None:
    make.attachment(handover)
    key = str(pyrage.x25519.Identity.generate().to_public())
    pieces = stream_copy(facts_of(handover, key), guarded_parts(handover, public_key=key), opener=OPENER)
    whole = b"".join(pieces)
    assert make.SECRET_TEXT.encode() not in whole
    assert make.SECRET_FILE not in whole


def test_title_cannot_break_out_of_the_page() -> None:
    """What people write stands in open.html as data, whatever they write."""
    title = '</script><script>alert(1)</script><!--"&'
    made = Made(title=title)
    page = made.zip().read("open.html").decode()
    assert title not in page
    assert page.count("</script>") == page.count("<script")
    assert "\\u003c/script>" in page


@pytest.mark.parametrize("trouble", ["missing", "tampered"])
def test_copy_of_what_cannot_be_opened_is_refused_before_its_first_byte(handover: Handover, trouble: str) -> None:
    make.attachment(handover, name="a.pdf")
    bad = make.attachment(handover, name="b.pdf")
    storage = attachment_storage()
    blob = storage.open(bad.file.key).read()
    storage.delete(bad.file.key)
    if trouble == "tampered":
        storage.save(bad.file.key, io.BytesIO(blob[:-1] + bytes([blob[-1] ^ 1])))
    with pytest.raises(FileMissing if trouble == "missing" else Tampered):
        verify_whole(handover)


def test_copy_that_breaks_off_is_no_zip(handover: Handover) -> None:
    """A file that is lost while the copy is being sent: what has left has no end, and no program takes it for whole."""
    make.attachment(handover, name="a.pdf")
    lost = make.attachment(handover, name="b.pdf")
    key = str(pyrage.x25519.Identity.generate().to_public())
    pieces = stream_copy(facts_of(handover, key), guarded_parts(handover, public_key=key), opener=OPENER)
    attachment_storage().delete(lost.file.key)
    sent = []
    with pytest.raises(FileMissing):
        sent.extend(pieces)
    assert b"PK\x05\x06" not in b"".join(sent)


def test_ten_copies_a_day_and_no_more(story: Story) -> None:
    """Of all handovers of an owner together; other owners have their own ten."""
    other = make.handover(story.dana, story.ema, title="Other")
    key = str(pyrage.x25519.Identity.generate().to_public())
    for _ in range(COPIES_A_DAY_MAX):
        take_copy(handover=story.handover, public_key=key, has_passphrase=False, now=make.NOON)
    with pytest.raises(PolicyError):
        take_copy(handover=other, public_key=key, has_passphrase=False, now=make.NOON)
    assert Copy.objects.count() == COPIES_A_DAY_MAX
    karel = make.owner("karel@example.org")
    theirs = make.handover(karel, make.recipient(karel))
    take_copy(handover=theirs, public_key=key, has_passphrase=False, now=make.NOON)


def test_every_change_of_text_title_or_files_makes_the_copy_an_older_one(handover: Handover) -> None:
    seen = [state_of(handover)]
    saved = save_handover(
        handover=handover, title=handover.title, content="Another text", base_revision=handover.revision, now=make.NOON
    )
    seen.append(state_of(saved))
    saved = save_handover(
        handover=saved, title="Another title", content="Another text", base_revision=saved.revision, now=make.NOON
    )
    seen.append(state_of(saved))
    file = make.attachment(saved)
    seen.append(state_of(saved))
    assert len(set(seen)) == len(seen)
    remove_attachment(attachment=file, now=make.NOON)
    assert state_of(saved) == seen[-2]


@needs_age
def test_the_commands_of_the_read_me_open_everything_with_debians_age(tmp_path: Path) -> None:
    """Word for word, with the key as it is on the card; names that mean something to a shell among the files."""
    names = ["plan.pdf", "smlouva (2).pdf", "účty $HOME `id` 'a'.csv", "-rf.txt", "a & b.txt"]
    made = Made(files={name: f"inside {name}".encode() for name in names})
    folder = made.unpacked(tmp_path)
    (folder / "key.txt").write_text(str(made.identity))
    read_me = (folder / "READ-ME.txt").read_text()
    commands = commands_in(read_me)
    # Each once in Czech and once in English.
    assert len(commands) == 2 * (1 + len(names))
    assert "KDYBY TO UŽ NEŠLO" in read_me
    assert "IF THAT DOES NOT WORK ANY MORE" in read_me
    for command in commands[: 1 + len(names)]:
        subprocess.run(["sh", "-c", command], cwd=folder, check=True, timeout=30)
    assert (folder / "content.md").read_text() == made.text
    for name, plaintext in made.files.items():
        assert (folder / name).read_bytes() == plaintext


@needs_age
def test_the_command_for_the_passphrase_gives_the_key(tmp_path: Path) -> None:
    made = Made(with_passphrase=True)
    folder = made.unpacked(tmp_path)
    [command, *_others] = commands_in((folder / "READ-ME.txt").read_text())
    assert command == "age --decrypt --output key.txt key.age"
    assert typed_into(command, PASSPHRASE, cwd=folder) == 0
    assert (folder / "key.txt").read_text().strip() == str(made.identity)


@needs_age
def test_a_sealed_handover_leaves_as_it_is_and_opens_with_its_owners_card(
    keys: Keys, dana: User, ema: Recipient, tmp_path: Path
) -> None:
    """By the commands of its READ-ME: the card opens the wrapped key, and that the text. Ema's key is not there."""
    sealed = keys.handover(dana, ema)
    keys.wrap(sealed, keys.new(ema))
    parts = sealed_parts(sealed)
    assert [part.role.value for part in parts] == ["content", "wrapped_key", "key"]
    verify_whole(sealed)
    facts = facts_of(sealed, sealed.public_key)
    archive = zipfile.ZipFile(io.BytesIO(b"".join(stream_copy(facts, parts, opener=OPENER))))
    archive.extractall(tmp_path)
    newest = sealed.versions.get()
    assert archive.read("content.md.age") == bytes(newest.ciphertext)
    owners = key_of(dana)
    assert owners is not None
    (tmp_path / "owner.txt").write_text(keys.of[owners.public_key].identity)
    passphrase, unwrap, content = commands_in((tmp_path / "READ-ME.txt").read_text())[:3]
    assert passphrase == "age --decrypt --output owner.txt keys/owner-1.age"
    for command in (unwrap, content):
        subprocess.run(["sh", "-c", command], cwd=tmp_path, check=True, timeout=30)
    assert (tmp_path / "content.md").read_text() == make.SECRET_TEXT


def typed_into(command: str, answer: str, *, cwd: Path) -> int:
    """Run a command at a terminal of its own, type the answer once it asks, and return how it ended."""
    process, terminal = pty.fork()
    if process == 0:
        os.chdir(cwd)
        os.execvp("sh", ["sh", "-c", command])
    said = b""
    while b"passphrase" not in said:
        said += os.read(terminal, 1024)
    os.write(terminal, answer.encode() + b"\n")
    try:
        while os.read(terminal, 1024):
            pass
    except OSError:
        pass  # Linux ends a terminal whose program has gone like this
    _pid, status = os.waitpid(process, 0)
    os.close(terminal)
    return os.waitstatus_to_exitcode(status)
