"""One zip of everything: names that every system takes, each part verified first, whole whatever is missing."""

from __future__ import annotations

import io
import os
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stafeta.core.errors import Tampered
from stafeta.vault.bundle import PIECE_BYTES, Folder, Note, Part, Withdrawn, stream_zip, text_part
from stafeta.vault.bundle_names import NAME_BYTES_MAX, NAME_CHARS_MAX, Names, portable_name

AT = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
NOTE = Note("MISSING.txt", "These are missing:", AT)
DEVICES = {"con", "prn", "aux", "nul", *(f"{name}{n}" for name in ("com", "lpt") for n in range(10))}


def part(name: str, content: bytes = b"x") -> Part:
    return Part(name, AT, lambda: io.BytesIO(content))


def unpacked(pieces: Iterator[bytes]) -> zipfile.ZipFile:
    archive = zipfile.ZipFile(io.BytesIO(b"".join(pieces)))
    assert archive.testzip() is None
    return archive


# Names --------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("smlouva.pdf", "smlouva.pdf"),
        ("CON", "CON_"),
        ("nul.txt", "nul_.txt"),
        ("com1.tar.gz", "com1_.tar.gz"),
        ("console.txt", "console.txt"),
        ("../../etc/passwd", "passwd"),
        ("C:\\Windows\\system32\\cmd.exe", "cmd.exe"),
        ("a<b>:c|d?.pdf", "a-b--c-d-.pdf"),
        ("dot. ", "dot"),
        ("", "file"),
    ],
)
def test_a_name_is_one_that_windows_takes(name: str, kept: str) -> None:
    assert portable_name(name) == kept


@given(st.lists(st.text(max_size=300), max_size=12))
def test_whatever_files_are_called_every_system_can_unpack_them_side_by_side(names: list[str]) -> None:
    folder = Names()
    given_names = [folder.give(name) for name in names]
    assert len({name.casefold() for name in given_names}) == len(names)
    for name in given_names:
        assert 1 <= len(name) <= NAME_CHARS_MAX + 5
        assert len(name.encode()) <= NAME_BYTES_MAX + 5
        assert not set(name) & set('<>:"/\\|?*\0')
        assert name == name.strip(" ").rstrip(".")
        assert name.split(".")[0].lower() not in DEVICES
        assert name not in (".", "..")


def test_files_of_one_name_are_numbered_and_a_case_is_no_difference() -> None:
    folder = Names()
    assert [folder.give(name) for name in ("plan.pdf", "Plan.PDF", "plan.pdf", "plan (2).pdf")] == [
        "plan.pdf",
        "Plan (2).PDF",
        "plan (3).pdf",
        "plan (2) (2).pdf",
    ]


# What is in it ------------------------------------------------------------------------------------------------------
def test_text_and_files_are_there_to_the_byte() -> None:
    large = os.urandom(3 * PIECE_BYTES + 7)
    parts = (text_part("Weby", AT, lambda: "# Klíče\n"), part("plán.pdf", large), part("plán.pdf", b"other"))
    archive = unpacked(stream_zip([Folder("Weby", parts)], NOTE))
    assert archive.namelist() == ["Weby.md", "plán.pdf", "plán (2).pdf"]
    assert archive.read("Weby.md").decode() == "# Klíče\n"
    assert archive.read("plán.pdf") == large
    assert archive.read("plán (2).pdf") == b"other"
    assert archive.getinfo("Weby.md").date_time == (2026, 3, 1, 12, 0, 0)


def test_more_handovers_are_parted_into_folders() -> None:
    folders = [Folder(name, (part("a.txt"),)) for name in ("Weby", "weby", "Auto/moto")]
    assert unpacked(stream_zip(folders, NOTE)).namelist() == ["Weby/a.txt", "weby (2)/a.txt", "moto/a.txt"]


def test_what_cannot_be_opened_is_named_and_hides_nothing_else() -> None:
    def damaged() -> IO[bytes]:
        raise Tampered

    def withdrawn() -> IO[bytes]:
        raise Withdrawn

    parts = (Part("a", AT, damaged), part("MISSING.txt"), Part("b", AT, withdrawn), part("c"))
    archive = unpacked(stream_zip([Folder("Weby", parts)], NOTE))
    assert archive.namelist() == ["MISSING.txt", "c", "MISSING (2).txt"]
    assert archive.read("MISSING (2).txt").decode() == "These are missing:\n\n- a\n- b\n"


def test_one_part_at_a_time_is_open_and_none_before_its_turn() -> None:
    open_now: list[str] = []
    most: list[int] = []

    class Watched(io.BytesIO):
        def __init__(self, name: str) -> None:
            super().__init__(os.urandom(PIECE_BYTES * 2))
            self._name = name
            open_now.append(name)
            most.append(len(open_now))

        def close(self) -> None:
            if not self.closed:
                open_now.remove(self._name)
            super().close()

    parts = tuple(Part(name, AT, lambda name=name: Watched(name)) for name in "abc")  # type: ignore[misc]
    stream = stream_zip([Folder("Weby", parts)], NOTE)
    assert most == []
    assert len(next(stream)) < PIECE_BYTES * 2
    stream.close()  # type: ignore[attr-defined]  # who asked has gone
    assert (open_now, most) == ([], [1])
    unpacked(stream_zip([Folder("Weby", parts)], NOTE))
    assert (open_now, most) == ([], [1] * 4)


def test_another_program_unpacks_it(tmp_path: Path) -> None:
    import shutil
    import subprocess

    if shutil.which("unzip") is None:
        pytest.skip("no unzip on this machine")
    place = tmp_path / "all.zip"
    place.write_bytes(b"".join(stream_zip([Folder("Weby", (part("žluťoučký kůň.pdf", b"golden carp"),))], NOTE)))
    subprocess.run(["unzip", "-qq", str(place), "-d", str(tmp_path)], check=True, env={"LC_ALL": "C.UTF-8"})
    assert (tmp_path / "žluťoučký kůň.pdf").read_bytes() == b"golden carp"
