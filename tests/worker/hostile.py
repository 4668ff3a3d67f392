"""Databases that fail as databases do, for as long as a test wants it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from django.db import DatabaseError, connection
from django.db.backends.signals import connection_created

from stafeta.switches.models import Switch
from stafeta.switches.services.record_fact import record_fact
from tests.make import NOON

FACTS_MAX = 200
HOLD_S_MAX = 180
CONNECTING = ("host", "port", "user", "password", "dbname")


@contextmanager
def every_connection(*statements: str) -> Iterator[None]:
    """Say `statements` over every connection that is made meanwhile, and make new ones before and after."""

    def say(connection: Any, **_kwargs: object) -> None:
        with connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)

    connection.close()
    connection_created.connect(say)
    try:
        yield
    finally:
        connection_created.disconnect(say)
        connection.close()


@contextmanager
def read_only() -> Iterator[None]:
    """Let the database take no writes."""
    if connection.vendor == "postgresql":
        statement = "SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY"
    else:
        statement = "PRAGMA query_only = ON"
    with every_connection(statement):
        yield


@contextmanager
def full(filler: Switch) -> Iterator[None]:
    """Let the disk be full on SQLite: not one page more. What room there was is taken by the log of `filler`."""
    with connection.cursor() as cursor:
        cursor.execute("VACUUM")  # pages that earlier tests have left empty would be room for thousands of facts
        pages = cursor.execute("PRAGMA page_count").fetchone()[0]
    with every_connection(f"PRAGMA max_page_count = {pages}"):
        for chars in (700, 100, 1):
            _fill(filler, chars)
        yield


def _fill(switch: Switch, chars: int) -> None:
    """Append facts of that length until there is no room for another."""
    for _ in range(FACTS_MAX):
        try:
            record_fact(switch=switch, kind="Filled", facts={"with": "x" * chars}, now=NOON)
        except DatabaseError:
            connection.close()
            return
    raise AssertionError("the disk never became full")


@contextmanager
def locked() -> Iterator[None]:
    """Let somebody else hold the SQLite file's write lock, for longer than anybody waits."""
    holds, let_go = threading.Event(), threading.Event()

    def hold() -> None:
        with connection.cursor() as cursor:
            cursor.execute("BEGIN IMMEDIATE")
            holds.set()
            let_go.wait(HOLD_S_MAX)
            cursor.execute("ROLLBACK")
        connection.close()

    holder = threading.Thread(target=hold)
    holder.start()
    assert holds.wait(HOLD_S_MAX)
    try:
        with every_connection("PRAGMA busy_timeout = 50"):
            yield
    finally:
        let_go.set()
        holder.join()


def cut_off() -> None:
    """Let the database be gone for this thread's connection: cut by the server, or on SQLite closed under it."""
    if connection.vendor == "postgresql":
        pid = connection.connection.info.backend_pid
        facts = {key: value for key, value in connection.get_connection_params().items() if key in CONNECTING}
        with psycopg.connect(**facts, autocommit=True) as other:
            other.execute("SELECT pg_terminate_backend(%s)", [pid])
    else:
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA query_only = ON")
