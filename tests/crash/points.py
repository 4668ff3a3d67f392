"""Crash points: a process dies between two things it does, and a new one finds what it left.

What a process does to the world is statements, commits and calls of a provider. It dies before each of them, one run
a point: to die after one is to die before the next, and the last point is the end itself.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from threading import Thread
from typing import Any

from django.apps import apps
from django.db import connection, models, transaction

APPS = ("accounts", "account", "vault", "outbox", "switches")
WAIT_S_MAX = 60


class Crash(BaseException):
    """The process is gone. No `except Exception` holds it up, as none holds up SIGKILL."""


@dataclass
class Points:
    """What one process did, and before which of it it died: `at` is the number of the deed, None for never."""

    at: int | None = None
    deeds: list[str] = field(default_factory=list)
    died_before: str = ""

    def reach(self, deed: str) -> None:
        """Do the deed, or die before it. Who is dead does nothing more, whatever its `finally` would."""
        if self.died_before:
            raise Crash
        if len(self.deeds) == self.at:
            self.died_before = deed
            raise Crash
        self.deeds.append(deed)

    def statement(self, execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
        """A wrapper of Django's `execute_wrapper`."""
        self.reach(" ".join(str(sql).split())[:160])
        return execute(sql, params, many, context)


def run_until(at: int | None, work: Callable[[Points], None]) -> Points:
    """Do `work` in a process of its own, as far as the database can tell, that dies before its deed number `at`."""
    points = Points(at)
    raised: list[BaseException] = []

    def live() -> None:
        connection.ensure_connection()
        commit = connection._commit

        def commit_or_die() -> None:
            try:
                points.reach("COMMIT")
            except Crash:
                connection.connection.rollback()  # at once: going back to autocommit would commit on SQLite
                raise
            commit()

        connection._commit = commit_or_die  # type: ignore[method-assign]
        try:
            with connection.execute_wrapper(points.statement):
                work(points)
        except Crash:
            pass
        except BaseException as error:
            raised.append(error)
        finally:
            _cut(connection.connection)

    thread = Thread(target=live)
    thread.start()
    thread.join(WAIT_S_MAX)
    assert not thread.is_alive(), "the process hangs"
    if raised:
        raise raised[0]
    return points


def _cut(raw: Any) -> None:
    """Leave the connection as a killed process does: what was not committed is gone."""
    with suppress(Exception):
        raw.rollback()
    raw.close()


Rows = dict[type[models.Model], list[dict[str, Any]]]


class Snapshot:
    """All rows of the service at one moment, to begin again from."""

    def __init__(self) -> None:
        self._rows = _all_rows()

    def restore(self) -> None:
        """Put everything back as it was; only tables that differ are touched."""
        present = _all_rows()
        changed = [model for model, rows in self._rows.items() if present[model] != rows]
        with transaction.atomic():
            for model in changed:
                model._base_manager.all()._raw_delete(using="default")
            for model in changed:
                model._base_manager.bulk_create([model(**row) for row in self._rows[model]])


def _all_rows() -> Rows:
    found = [model for label in APPS for model in apps.get_app_config(label).get_models(include_auto_created=True)]
    return {model: list(model._base_manager.order_by("pk").values()) for model in found}
