"""What a level of protection promises never changes: old handovers always open."""

from __future__ import annotations

from stafeta.core.protection import PROMISES, Level, Promise


def test_every_level_says_what_it_promises() -> None:
    assert PROMISES.keys() == set(Level)


def test_a_thief_of_the_database_reads_nothing_at_any_level() -> None:
    """Invariant 17."""
    assert all(promise.database_thief for promise in PROMISES.values())


def test_guarded_asks_no_key_of_the_recipient_and_does_not_pretend_to_withstand_the_server() -> None:
    assert Level("guarded") is Level.GUARDED
    assert PROMISES[Level.GUARDED] == Promise(database_thief=True, server_intruder=False, recipient_needs_key=False)
