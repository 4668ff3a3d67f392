"""The same tests on the other database: a run on SQLite runs the file on a real PostgreSQL beside the rest."""

from __future__ import annotations

import os
from collections.abc import Callable

import pytest
from django.db import connection

from tests.beside import Done, Lane

RUN_S_MAX = 300
ABOUT_S = 30


def on_postgresql_too(file: str, *, run_s_max: int = RUN_S_MAX) -> Callable[..., None]:
    """Return a test that runs the whole file on PostgreSQL."""

    def run(lane: Lane) -> Done:
        env = {**os.environ, "STAFETA_TEST_DATABASE": "postgres"}
        return lane.run("-m", "pytest", "-q", "-p", "no:cacheprovider", file, within_s=run_s_max, env=env)

    if connection.vendor == "postgresql":

        @pytest.mark.skip(reason="this is PostgreSQL")
        def test_all_this_holds_on_postgresql_too() -> None:
            """Asked of SQLite only."""

        return test_all_this_holds_on_postgresql_too

    @pytest.mark.beside(run, about_s=ABOUT_S)
    def test_all_this_holds_on_postgresql_too(answer: Done) -> None:
        assert answer.code == 0, answer.text[-6000:]

    return test_all_this_holds_on_postgresql_too
