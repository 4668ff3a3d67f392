"""What a process and a database do at their worst: die between two statements, be locked, full or read-only.

The process dies by an exception that nobody in the house catches; its transaction goes back as a cut connection's
would. The database refuses at the wire, statement by statement, with the very error its driver raises.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

from django.db import DEFAULT_DB_ALIAS, OperationalError, connections

from stafeta.simulation.script import Trouble

WRITES: Final = ("INSERT", "UPDATE", "DELETE", "REPLACE", "BEGIN")
COMMIT: Final = "_commit"  # where Django's transactions end; no wrapper of statements sees it
STATEMENTS_MAX: Final = 150
DEADLOCK_RATE: Final = 0.08
DOOR_RATE: Final = 0.25
REFUSALS: Final = {
    Trouble.LOCKED: "database is locked",
    Trouble.READ_ONLY: "attempt to write a readonly database",
    Trouble.FULL: "database or disk is full",
    Trouble.DEADLOCKS: "deadlock detected",
}


class Crash(BaseException):
    """The process is killed here. No `except Exception` may hold it up."""


class Wire:
    """Stands between Django and the database: counts statements, kills, refuses."""

    def __init__(self, rng: random.Random, *, fired: Callable[[str], None]) -> None:
        self._rng = rng
        self._fired = fired
        self._left = 0
        self._after = self._aims_at_door = False
        self.refuses: set[Trouble] = set()

    @contextmanager
    def laid(self) -> Iterator[None]:
        """Let every statement, and every commit, of this process pass through here until the end of the block."""
        database = connections[DEFAULT_DB_ALIAS]
        commits: Callable[[], None] = getattr(database, COMMIT)
        setattr(database, COMMIT, lambda: self._commit(commits))
        try:
            with database.execute_wrapper(self._statement):
                yield
        finally:
            delattr(database, COMMIT)  # the class's own again

    @contextmanager
    def by_hand(self) -> Iterator[None]:
        """Let what is done to the database in the block pass, whatever refuses the service."""
        kept, self.refuses = self.refuses, set()
        try:
            yield
        finally:
            self.refuses = kept

    def will_crash(self) -> None:
        """Let the process that works next die at a statement, a commit, or a provider's door."""
        self._left = self._rng.randint(1, STATEMENTS_MAX)
        self._after = self._rng.random() < 0.5
        self._aims_at_door = self._rng.random() < DOOR_RATE

    @property
    def is_armed(self) -> bool:
        """Whether somebody is to die before long."""
        return self._left > 0

    def survives(self) -> None:
        """The process that was to die has ended by itself."""
        self._left = 0

    def bury(self) -> None:
        """What the dead process had not committed goes back, as the database does when a connection is cut."""
        database = connections[DEFAULT_DB_ALIAS]
        if database.vendor == "sqlite":
            if database.connection.in_transaction:
                database.connection.rollback()
            database.set_autocommit(True)
        else:
            database.close()

    def at_door(self) -> None:
        """One more point at which a process may die: before or after it spoke to a provider."""
        if self._passes() or (self.is_armed and self._aims_at_door):
            self._left = 0
            self._fired("crash_at_a_provider")
            raise Crash

    def _statement(self, execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
        is_write = sql.lstrip().upper().startswith(WRITES)
        if is_write:
            self._refuse()
        dies = self._passes()
        if dies and not self._after:
            self._fired("crash_before_a_statement")
            raise Crash
        answer = execute(sql, params, many, context)
        if dies:
            self._fired("crash_after_a_statement")
            raise Crash
        return answer

    def _commit(self, commits: Callable[[], None]) -> None:
        dies = self._passes()
        if dies and not self._after:
            self._fired("crash_before_a_commit")
            raise Crash
        commits()
        if dies:
            self._fired("crash_after_a_commit")
            raise Crash

    def _refuse(self) -> None:
        for trouble in sorted(self.refuses):
            if trouble is not Trouble.DEADLOCKS or self._rng.random() < DEADLOCK_RATE:
                self._fired(trouble.value)
                raise OperationalError(REFUSALS[trouble])

    def _passes(self) -> bool:
        if not self._left:
            return False
        self._left -= 1
        return self._left == 0
