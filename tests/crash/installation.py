"""A real installation to be killed: a web server, workers, an SMTP server, an SMS gateway; nothing of the tests' own.

Only processes that were started here are ever killed, each by its id.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, Self, TypeVar

from stafeta.cli.demo.post import addressee
from stafeta.cli.receivers import Inbox, SmsReceiver, SmtpReceiver

ROOT: Final = Path(__file__).parents[2]
START_S_MAX: Final = 60
END_S_MAX: Final = 60
LOOK_EVERY_S: Final = 0.05
LOG_LINES: Final = 40
WORKERS_LEAST: Final = 4

M = TypeVar("M")


class Trap(Inbox[M]):
    """An inbox that can be set so that the next message to arrive springs it, before its sender hears that it came."""

    def __init__(self) -> None:
        super().__init__()
        self.spring: Callable[[], None] | None = None

    def add(self, message: M) -> None:
        super().add(message)
        spring, self.spring = self.spring, None
        if spring is not None:
            spring()


@dataclass
class Kills:
    """Who was killed, and in the middle of what."""

    workers: int = 0
    mid_send: int = 0
    webs: int = 0

    @property
    def are_enough(self) -> bool:
        return self.workers >= WORKERS_LEAST and self.mid_send >= 1 and self.webs >= 1


@dataclass
class Installation:
    """One installation on one database, with a clock on which a day takes `day_s` real seconds."""

    data_dir: Path
    database_url: str
    workers_count: int
    day_s: float
    kills: Kills = field(default_factory=Kills)

    def __post_init__(self) -> None:
        self.mails, self.texts = SmtpReceiver(), SmsReceiver()
        self.mails.inbox, self.texts.inbox = Trap(), Trap()
        self._port = free_port()
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        self._stack = ExitStack()
        self._lock = threading.Lock()

    def __enter__(self) -> Self:
        self._stack.enter_context(self.mails)
        self._stack.enter_context(self.texts)
        self._environ = self._settings()
        return self

    def __exit__(self, *_exception: object) -> None:
        for process in self._processes.values():
            if process.poll() is None:
                process.kill()
            process.wait(END_S_MAX)
        self._stack.close()

    @property
    def site_url(self) -> str:
        return f"http://localhost:{self._port}"

    def _settings(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("STAFETA_", "DJANGO_"))}
        ours = {
            "DATA_DIR": str(self.data_dir),
            "DATABASE_URL": self.database_url,
            "SITE_URL": self.site_url,
            "EMAIL_URL": self.mails.url,
            "SMS_URL": self.texts.url,
            "TICK_EVERY_S": "0.2",
            "CLOCK_SCALE": str(86_400 / self.day_s),
            "CLOCK_EPOCH": datetime.now(UTC).isoformat(),
            "LOG_LEVEL": "warning",
        }
        return {**kept, **{f"STAFETA_{name}": value for name, value in ours.items()}}

    # Processes

    def run(self, module: str, *words: str, stdin: str = "") -> str:
        """Run `python -m module words` to its end and return what it wrote."""
        done = subprocess.run(
            [sys.executable, "-m", module, *words],
            cwd=ROOT,
            env=self._environ,
            input=stdin,
            capture_output=True,
            text=True,
            timeout=600,
            check=False,
        )
        assert done.returncode == 0, done.stderr[-3000:]
        return done.stdout

    def start(self) -> None:
        """Start the web server and the workers, whoever of them does not run."""
        if not self._runs("web"):
            self._start("web", "stafeta", "web", "--port", str(self._port), "--workers", "1", "--threads", "4")
        for number in range(self.workers_count):
            if not self._runs(f"worker-{number}"):
                self._start(f"worker-{number}", "tests.crash.worker")

    def wait_until_up(self) -> None:
        """Wait until the web server takes connections."""
        end_s = time.monotonic() + START_S_MAX
        while time.monotonic() < end_s:
            assert self._runs("web"), self.tail()
            with suppress(OSError), socket.create_connection(("127.0.0.1", self._port), timeout=1):
                return
            time.sleep(LOOK_EVERY_S)
        raise AssertionError(f"the web server never came up\n{self.tail()}")

    def stop(self) -> None:
        """End all politely: the workers finish what they are sending."""
        for process in self._processes.values():
            process.send_signal(signal.SIGTERM)
        for name, process in self._processes.items():
            assert process.wait(END_S_MAX) == 0, f"{name} ended with {process.returncode}\n{self.tail()}"

    def kill(self, name: str) -> bool:
        """Kill one of ours with SIGKILL, and return whether it was alive to be killed."""
        with self._lock:
            process = self._processes[name]
            if process.poll() is not None:
                return False
            process.kill()
            process.wait(END_S_MAX)
            return True

    def kill_workers(self) -> int:
        """Kill every worker and return how many were alive."""
        return sum(self.kill(f"worker-{number}") for number in range(self.workers_count))

    def kill_at_next(self, trap: Trap[Any]) -> None:
        """Kill every worker in the moment in which the next message has arrived and its sender does not know it yet."""

        def spring() -> None:
            killed = self.kill_workers()
            self.kills.workers += killed
            self.kills.mid_send += killed > 0

        trap.spring = spring

    def _runs(self, name: str) -> bool:
        return name in self._processes and self._processes[name].poll() is None

    def _start(self, name: str, module: str, *words: str) -> None:
        log = self._stack.enter_context((self.data_dir / f"{name}.log").open("ab"))
        self._processes[name] = subprocess.Popen(
            [sys.executable, "-m", module, *words], cwd=ROOT, env=self._environ, stdout=log, stderr=log
        )

    def tail(self) -> str:
        """Return the last lines of every log."""
        logs = sorted(self.data_dir.glob("*.log"))
        return "\n".join("\n".join([path.name, *path.read_text().splitlines()[-LOG_LINES:]]) for path in logs)

    # What people received

    def wait_for_a_message(self, seconds: float) -> None:
        """Wait until somebody receives something more, or for so long."""
        end_s, before = time.monotonic() + seconds, self._count()
        while time.monotonic() < end_s and self._count() == before:
            time.sleep(LOOK_EVERY_S)

    def _count(self) -> int:
        return len(self.mails.inbox.all()) + len(self.texts.inbox.all())

    def received(self) -> dict[str, list[list[str]]]:
        """Return the id and the addressee of everything that the providers took."""
        return {
            "mails": [[str(mail["Message-ID"]).strip(), addressee(mail)] for mail in self.mails.inbox.all()],
            "texts": [[text.id, text.to] for text in self.texts.inbox.all()],
        }

    def judge(self, received: dict[str, list[list[str]]]) -> dict[str, Any]:
        """Return what the judge says of it."""
        verdict: dict[str, Any] = json.loads(self.run("tests.crash.judge", stdin=json.dumps(received)))
        return verdict


def free_port() -> int:
    """Return a port that nobody listens at."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
