"""A copy as a zip that is written while it is sent: whole or not at all.

The format is public and described in docs/twenty-years.md; FORMAT_VERSION grows when an older reader could misread it.
"""

from __future__ import annotations

import base64
import hashlib
import json
import logging
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime
from importlib.metadata import version
from io import SEEK_END
from typing import IO, Any, Final

from django.template.loader import render_to_string
from django.utils import translation

from stafeta.vault.bundle import PIECE_BYTES, Outlet, entry
from stafeta.vault.copy_parts import CopyPart, Role

log = logging.getLogger(__name__)

FORMAT: Final = "stafeta-copy"
FORMAT_VERSION: Final = 1
# What open.html carries inside, in ciphertext; larger files lie beside it. A phone opens twice as much without trouble.
EMBEDDED_BYTES_MAX: Final = 16 * 1024 * 1024
OPENER_MARK: Final = "<!--COPY-->"
LANGUAGES: Final = ("cs", "en")
_BASE64_PIECE_BYTES: Final = 3 * 64 * 1024  # a multiple of three, so that pieces can be written one after another


@dataclass(frozen=True, slots=True)
class CopyFacts:
    """What a copy says of itself in plain sight. taken_at, saved_at: in the owner's zone."""

    title: str
    owner: str
    level: str
    public_key: str
    taken_at: datetime
    saved_at: datetime


def stream_copy(facts: CopyFacts, parts: Sequence[CopyPart], *, opener: str) -> Iterator[bytes]:
    """Yield the zip, piece by piece; `opener` is the page of `frontend/src/open.ts` as it was built.

    Raises what a part raises that cannot be opened: then the zip has no end, and no program takes it for a whole one.
    """
    outlet = Outlet()
    try:
        with ExitStack() as kept, zipfile.ZipFile(outlet, "w", zipfile.ZIP_DEFLATED, allowZip64=True) as archive:
            yield from _written(_Copy(facts, archive, outlet, kept), parts, opener)
    except Exception as error:
        log.error("a copy of a handover broke off: %s", type(error).__name__)
        raise
    yield from outlet.taken()


@dataclass(slots=True)
class _Copy:
    """A copy while it is written. kept: closes what stays open until open.html has it."""

    facts: CopyFacts
    archive: zipfile.ZipFile
    outlet: Outlet
    kept: ExitStack


def _written(copy: _Copy, parts: Sequence[CopyPart], opener: str) -> Iterator[bytes]:
    files: list[dict[str, Any]] = []
    embedded: list[tuple[str, IO[bytes]]] = []
    room = EMBEDDED_BYTES_MAX
    for part in parts:
        source = copy.kept.enter_context(part.opened())
        size = source.seek(0, SEEK_END)
        source.seek(0)
        digest = hashlib.sha256()
        with copy.archive.open(_sealed_entry(part, copy), "w", force_zip64=True) as member:
            while piece := source.read(PIECE_BYTES):
                digest.update(piece)
                member.write(piece)
                yield from copy.outlet.taken()
        is_inside = size <= room
        if is_inside:
            room -= size
            embedded.append((part.path, source))
        else:
            source.close()
        files.append(_line(part, size=size, sha256=digest.hexdigest(), is_inside=is_inside))
    manifest = manifest_of(copy.facts, files)
    yield from _text(copy, "manifest.json", manifest)
    yield from _text(copy, "READ-ME.txt", read_me(copy.facts, parts))
    with copy.archive.open(entry("open.html", copy.facts.taken_at), "w", force_zip64=True) as member:
        for piece in _page(opener, manifest, embedded):
            member.write(piece)
            yield from copy.outlet.taken()


def _sealed_entry(part: CopyPart, copy: _Copy) -> zipfile.ZipInfo:
    return entry(part.path, copy.facts.taken_at, is_text=False)


def _text(copy: _Copy, name: str, text: str) -> Iterator[bytes]:
    copy.archive.writestr(entry(name, copy.facts.taken_at), text.encode())
    yield from copy.outlet.taken()


def _line(part: CopyPart, *, size: int, sha256: str, is_inside: bool) -> dict[str, Any]:
    return {
        "path": part.path,
        "role": part.role.value,
        "name": part.name,
        "media_type": part.media_type,
        "size_bytes": size,
        "sha256": sha256,
        "inside_open_html": is_inside,
    }


def manifest_of(facts: CopyFacts, files: Sequence[dict[str, Any]]) -> str:
    """Return manifest.json: nothing in it is secret, and nothing vouches for it."""
    return json.dumps(
        {
            "format": FORMAT,
            "version": FORMAT_VERSION,
            "title": facts.title,
            "owner": facts.owner,
            "level": facts.level,
            "encryption": "age-encryption.org/v1",
            "public_key": facts.public_key,
            "content_saved_at": facts.saved_at.isoformat(timespec="seconds"),
            "taken_at": facts.taken_at.isoformat(timespec="seconds"),
            "files": list(files),
            "made_with": {name: version(name) for name in ("stafeta", "pyrage")},
        },
        ensure_ascii=False,
        indent=2,
    )


def read_me(facts: CopyFacts, parts: Sequence[CopyPart]) -> str:
    """Return READ-ME.txt: for people first, then the commands that open everything, in Czech and in English."""
    commands = [open_command(part) for part in parts if part.role in (Role.CONTENT, Role.ATTACHMENT)]
    key = next((part for part in parts if part.role is Role.KEY), None)
    wrapped = next((part for part in parts if part.role is Role.WRAPPED_KEY), None)
    # What the card holds opens the files themselves, or the key that opens them.
    key_name = "owner.txt" if wrapped else "key.txt"
    context = {
        "facts": facts,
        "day": facts.taken_at.date(),
        "commands": commands,
        "has_passphrase": key is not None,
        "key_name": key_name,
        "passphrase_command": f"age --decrypt --output {key_name} {key.path}" if key else "",
        "unwrap_command": f"age --decrypt --identity owner.txt --output key.txt {wrapped.path}" if wrapped else "",
    }
    texts = []
    for language in LANGUAGES:
        with translation.override(language):
            texts.append(render_to_string("vault/copy/read_me.txt", context).strip())
    return f"\n\n{'=' * 78}\n\n".join(texts) + "\n"


def open_command(part: CopyPart) -> str:
    """Return the command line that opens one file, as READ-ME.txt gives it: for any shell, whatever the name is."""
    return f"age --decrypt --identity key.txt --output {_quoted(part.name)} {_quoted(part.path)}"


def _quoted(name: str) -> str:
    plain = name.replace("/", "").replace(".", "").replace("-", "").replace("_", "")
    if plain.isascii() and plain.isalnum() and not name.startswith("-"):
        return name
    if any(mark in name for mark in "$`!%"):  # these mean something inside double quotes
        return "'" + name.replace("'", "'\\''") + "'"
    return f'"./{name}"' if name.startswith("-") else f'"{name}"'


def _page(opener: str, manifest: str, embedded: Sequence[tuple[str, IO[bytes]]]) -> Iterator[bytes]:
    """Yield open.html: the page as it was built, with the copy in it as text that no browser runs."""
    before, mark, after = opener.partition(OPENER_MARK)
    if not mark:
        raise ValueError("the page that opens a copy has no place for it")
    yield before.encode()
    yield _block("application/json", "manifest.json").encode()
    yield manifest.replace("<", "\\u003c").encode()
    yield b"</script>\n"
    for path, source in embedded:
        yield _block("text/plain", path).encode()
        source.seek(0)
        while piece := source.read(_BASE64_PIECE_BYTES):
            yield base64.b64encode(piece)
        yield b"</script>\n"
    yield after.encode()


def _block(kind: str, path: str) -> str:
    name = path.replace("&", "&amp;").replace('"', "&quot;").replace("<", "&lt;")
    return f'<script type="{kind}" data-part="{name}">'
