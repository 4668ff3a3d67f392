"""An installation of its own for the demo: settings that owe nothing to the user's, a fast clock, child processes."""

from __future__ import annotations

import os
import socket
import threading
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import IO, Final

from stafeta import clock
from stafeta.cli.init import prepare
from stafeta.cli.ready import start_django, unreachable
from stafeta.cli.run import Children
from stafeta.core.errors import ConfigurationError

DAY_S: Final = 24 * 3600
TICK_S_LEAST: Final = 0.2
TICK_S_MOST: Final = 1.0
TICKS_A_DAY: Final = 20
LOG_LINES: Final = 40
HOST: Final = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class Plan:
    """What the demo is to be. day_s: real seconds that one simulated day takes. The URLs may be empty: the defaults.

    logs: whether the child processes write into files in the data directory rather than to the terminal.
    """

    day_s: float
    data_dir: Path
    port: int
    workers: int
    database_url: str
    email_url: str
    sms_url: str
    signup: str
    logs: bool

    @property
    def site_url(self) -> str:
        return f"http://localhost:{self.port}"

    @property
    def scale(self) -> float:
        """How many times faster than life the clock runs."""
        return DAY_S / self.day_s

    @property
    def tick_every_s(self) -> float:
        return min(TICK_S_MOST, max(TICK_S_LEAST, self.day_s / TICKS_A_DAY))


class Installation:
    """A web server and workers that serve one plan, and what they have written so far."""

    def __init__(self, plan: Plan, stop: threading.Event) -> None:
        self.plan = plan
        self.children = Children(stop)
        self._files = ExitStack()
        self._logs: dict[str, Path] = {}

    def start(self) -> bool:
        """Start everything; False, with the reason on standard error, when it does not come up."""
        self._start("web", "web", "--host", HOST, "--port", str(self.plan.port), "--workers", "1", "--threads", "4")
        if not self.children.wait_for_port(HOST, self.plan.port):
            return False
        for number in range(1, self.plan.workers + 1):
            self._start(f"worker-{number}", "worker")
        return True

    def end(self) -> None:
        """End everything that was started."""
        self.children.end()
        self._files.close()

    def tail(self) -> str:
        """Return the last lines of every child's log; empty where they write to the terminal."""
        parts = []
        for name, path in self._logs.items():
            lines = path.read_text(encoding="utf-8", errors="replace").splitlines()[-LOG_LINES:]
            parts += [f"--- {name}, the last lines:", *(lines or ["(nothing)"])]
        return "\n".join(parts)

    def _start(self, name: str, command: str, *arguments: str) -> None:
        output: IO[bytes] | None = None
        if self.plan.logs:
            self._logs[name] = self.plan.data_dir / f"{name}.log"
            output = self._files.enter_context(self._logs[name].open("wb"))
        self.children.start(command, *arguments, name=name, output=output)


def free_port() -> int:
    """Return a port nobody listens at."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def make_ready(plan: Plan, *, may_hold: str = "") -> None:
    """Point this process and its children at the plan's installation, and make what it lacks.

    may_hold: the one account that may be there already. Raises ConfigurationError where others are: a demo must
    never run on somebody's data.
    """
    set_environment(plan, clock.real_now())
    plan.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    start_django()
    _require_nobody_but(may_hold)
    prepare(lambda _said: None)
    _resume(plan)


def set_environment(plan: Plan, epoch: datetime) -> None:
    """Put the plan into the environment of this process and its children, instead of every setting of the user's own:
    a demo must not send through their provider."""
    for name in [name for name in os.environ if name.startswith("STAFETA_")]:
        del os.environ[name]
    settings = {
        "DATA_DIR": str(plan.data_dir),
        "SITE_URL": plan.site_url,
        "DATABASE_URL": plan.database_url,
        "EMAIL_URL": plan.email_url,
        "SMS_URL": plan.sms_url,
        "SIGNUP": plan.signup,
        "TICK_EVERY_S": str(plan.tick_every_s),
        "CLOCK_SCALE": str(plan.scale),
        "CLOCK_EPOCH": epoch.isoformat(),
        "LOG_LEVEL": "info" if plan.logs else "warning",
    }
    os.environ.update({f"STAFETA_{name}": value for name, value in settings.items() if value})


def _require_nobody_but(email: str) -> None:
    """Raises ConfigurationError where the database holds an account other than `email`'s, before it is touched."""
    from django.contrib.auth import get_user_model
    from django.db import OperationalError, connection

    people = get_user_model().objects
    try:
        if people.model._meta.db_table not in connection.introspection.table_names():
            return
        if people.exclude(email=email).exists():
            raise ConfigurationError(
                "demo",
                "the database holds accounts already",
                "Name an empty one, or leave --database and --data-dir out.",
            )
    except OperationalError as error:
        raise unreachable(error) from None


def _resume(plan: Plan) -> None:
    """Let the clock of a kept installation go on from where it stood: time never runs backwards."""
    from django.conf import settings

    from stafeta.switches.models import ServiceClock

    stood_at = ServiceClock.objects.values_list("wall", flat=True).first()
    if stood_at is None or stood_at <= clock.now() or plan.scale <= 1:
        return
    real = clock.real_now()
    settings.CLOCK_EPOCH = real - (stood_at - real) / (plan.scale - 1)
    os.environ["STAFETA_CLOCK_EPOCH"] = settings.CLOCK_EPOCH.isoformat()
