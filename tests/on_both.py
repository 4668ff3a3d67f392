"""The same tests on the other database: a run on SQLite runs the file once more on a real PostgreSQL."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from django.db import connection

RUN_S_MAX = 300


def on_postgresql_too(file: str, *, run_s_max: int = RUN_S_MAX) -> Callable[[], None]:
    """Return a test that runs the whole file on PostgreSQL."""

    @pytest.mark.skipif(connection.vendor == "postgresql", reason="this is PostgreSQL")
    def test_all_this_holds_on_postgresql_too() -> None:
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", file],
            cwd=Path(__file__).parents[1],
            env={**os.environ, "STAFETA_TEST_DATABASE": "postgres"},
            capture_output=True,
            text=True,
            timeout=run_s_max,
            check=False,
        )
        assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]

    return test_all_this_holds_on_postgresql_too
