"""What somebody reads who got hold of the database, its files, and every log (invariant 17)."""

from __future__ import annotations

import re
import sqlite3
from base64 import b64encode
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final
from urllib.parse import quote

import psycopg

from tests.e2e.stack import Stack

SQLITE_NAME: Final = "stafeta.sqlite3"
FILES: Final = ("attachments", "passage")
LOOT_BYTES_MAX: Final = 512 * 1024 * 1024


def rows_of(stack: Stack) -> dict[str, str]:
    """Return every table's rows as text, by its name: the outbox, the sessions and the cache among them."""
    if stack.plan.database_url:
        return _postgres_rows(stack.plan.database_url)
    return _sqlite_rows(stack.plan.data_dir / SQLITE_NAME)


def files_of(stack: Stack) -> dict[str, bytes]:
    """Return what lies on the disk: the database's own files with its write-ahead log, attachments, and every log."""
    directory = stack.plan.data_dir
    passing = [path for name in FILES for path in (directory / name).iterdir()]
    paths = [*directory.glob(f"{SQLITE_NAME}*"), *stack.logs, *passing]
    if stack.database_directory is not None:
        with psycopg.connect(stack.plan.database_url, autocommit=True) as connection:
            connection.execute("CHECKPOINT")
        paths += [path for path in stack.database_directory.rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in paths) < LOOT_BYTES_MAX
    return {str(path): path.read_bytes() for path in paths}


def holding(secrets: Iterable[str], loot: dict[str, bytes]) -> list[str]:
    """Return which secret was found in what, in any of the forms in which it could lie there."""
    return sorted(
        f"{secret} in {name}"
        for secret in secrets
        for form in _forms(secret)
        for name, held in loot.items()
        if form in held
    )


def codes_in(codes: Iterable[str], loot: dict[str, bytes]) -> list[str]:
    """Return which code was found in what; eight digits within a longer number are none."""
    found = []
    for code in codes:
        pattern = re.compile(rf"(?<!\d){code[:4]}[ \xa0-]?{code[4:]}(?!\d)".encode())
        found += [f"{code} in {name}" for name, held in loot.items() if pattern.search(held)]
    return found


def _forms(secret: str) -> Iterator[bytes]:
    """Yield the secret as text, in an address, in UTF-16, and in base64 wherever in a longer text it begins."""
    plain = secret.encode()
    yield plain
    yield quote(secret, safe="").encode()
    yield secret.encode("utf-16-le")
    for shift in range(3):
        inner = b64encode(b"\0" * shift + plain)[4 if shift else 0 :]
        yield inner[: len(inner) // 4 * 4 - 4]


def _sqlite_rows(path: Path) -> dict[str, str]:
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as connection:
        tables = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        return {table: _text(connection.execute(f'SELECT * FROM "{table}"')) for table in tables}


def _postgres_rows(url: str) -> dict[str, str]:
    with psycopg.connect(url) as connection:
        found = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
        return {table: _text(connection.execute(f'SELECT * FROM "{table}"')) for (table,) in found}


def _text(rows: Iterable[tuple[object, ...]]) -> str:
    return "\n".join(_cell(cell) for row in rows for cell in row)


def _cell(cell: object) -> str:
    return bytes(cell).decode("latin-1") if isinstance(cell, bytes | bytearray | memoryview) else str(cell)
