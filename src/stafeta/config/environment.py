"""Every setting there is: one table, read once at start. `docs/operations.md` shows the same table; a test compares.

A wrong value never becomes a default in silence: all problems are named at once, each with what to do.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Final

from stafeta.config import parse
from stafeta.config.contradictions import contradictions, two_keyrings
from stafeta.core.errors import ConfigurationError, StafetaError

PREFIX: Final = "STAFETA_"
# What the tests say to each other; the program itself never reads them.
FOREIGN_PREFIX: Final = "STAFETA_TEST_"
KEYS_FILE_NAME: Final = "keys.txt"


@dataclass(frozen=True, slots=True)
class Environment:
    """The settings, parsed. Nothing has been touched yet: no file read, no directory made."""

    data_dir: Path
    site_url: str
    allowed_hosts: tuple[str, ...]
    proxies: int
    database_url: str
    secret_key: str
    secret_key_file: Path
    keys_file: Path
    keys: str = field(repr=False)
    kms_region: str
    kms_endpoint: str
    kms_instance: str
    email_url: str
    email_from: str
    sms_url: str
    receipts_secret: str
    operator_email: str
    canary: str
    heartbeat_url: str
    metrics_token: str
    breaker_releases: int
    breaker_percent: float
    signup: str
    attachment_mb_max: int
    handover_mb_max: int
    tick_every_s: float
    clock_scale: float
    clock_epoch: datetime | None
    log_level: str
    debug: bool

    @property
    def is_https(self) -> bool:
        return self.site_url.startswith("https://")

    @property
    def is_local(self) -> bool:
        """Whether the site is reached on this machine only."""
        return parse.host_of(self.site_url) in parse.LOOPBACK_HOSTS


@dataclass(frozen=True, slots=True)
class Setting:
    """One row of the table.

    field: the attribute of Environment. default: made from what was read in the rows above.
    default_words, help: as docs/operations.md shows them.
    """

    field: str
    parse: Callable[[str], Any]
    default: Callable[[Mapping[str, Any]], Any]
    default_words: str
    help: str

    @property
    def name(self) -> str:
        return PREFIX + self.field.upper()


class WrongSettings(StafetaError):
    """The settings that are wrong, all of them."""

    def __init__(self, problems: Sequence[ConfigurationError]) -> None:
        super().__init__(problems)
        self.problems = tuple(problems)

    def __str__(self) -> str:
        lines = "\n".join(f"  - {problem}" for problem in self.problems)
        return f"Štafeta cannot start, because something is wrong with its settings:\n{lines}"


SETTINGS: Final = (
    Setting(
        "data_dir",
        parse.path,
        lambda _: parse.platform_data_dir(),
        "the platform's data directory, `~/.local/share/stafeta` on Linux",
        "Where everything that is kept lies: the embedded database, the secret key, the keys file, the mailbox. "
        "Made with mode 0700.",
    ),
    Setting(
        "site_url",
        parse.site_url,
        lambda _: "http://localhost:8000",
        "`http://localhost:8000`",
        "The address people reach Štafeta at; every link in every message begins with it. With `https://`, cookies are "
        "secure and HSTS is sent.",
    ),
    Setting(
        "allowed_hosts",
        parse.host_list,
        lambda read: parse.hosts_of_site(read["site_url"]),
        "the host of `STAFETA_SITE_URL`",
        "Host names that requests may carry, separated by commas.",
    ),
    Setting(
        "proxies",
        parse.whole(0, 10),
        lambda read: int(str(read["site_url"]).startswith("https://")),
        "1 with an `https://` site, otherwise 0",
        "How many reverse proxies stand in front. So many addresses at the end of `X-Forwarded-For` are believed when "
        "rate limits ask who is calling.",
    ),
    Setting(
        "database_url",
        parse.database_url,
        lambda read: f"sqlite:///{read['data_dir'] / 'stafeta.sqlite3'}",
        "`sqlite:///` + `stafeta.sqlite3` in the data directory",
        "`sqlite:///path` (four slashes for an absolute path) or `postgres://user:password@host:5432/name`.",
    ),
    Setting(
        "secret_key",
        parse.secret_key,
        lambda _: "",
        "read from `STAFETA_SECRET_KEY_FILE`",
        "The secret from which links, codes and sessions are derived: at least 32 characters. Changing it ends every "
        "link that is under way.",
    ),
    Setting(
        "secret_key_file",
        parse.path,
        lambda read: read["data_dir"] / "secret-key",
        "`secret-key` in the data directory",
        "The file that holds the secret; `stafeta init` makes it with mode 0600.",
    ),
    Setting(
        "keys_file",
        parse.path,
        lambda read: read["data_dir"] / KEYS_FILE_NAME,
        "`keys.txt` in the data directory",
        "The keyring that opens guarded handovers; `stafeta init` makes it with mode 0600. Keep a copy apart from the "
        "database: without it nobody can read them.",
    ),
    Setting(
        "keys",
        str,
        lambda _: "",
        "read from `STAFETA_KEYS_FILE`",
        "The content of the keys file itself, for where secrets come as environment variables; several keys stand on "
        "lines of their own, or are parted by blanks. Not together with `STAFETA_KEYS_FILE`.",
    ),
    Setting(
        "kms_region",
        parse.name,
        lambda _: "",
        "the key's own, or what `AWS_REGION` and the AWS profile say",
        "The region of the key management service that keeps keys of the keyring wrapped (AWS KMS, or what speaks its "
        "API). Credentials come as always with AWS: `AWS_ACCESS_KEY_ID` and so on, a profile, or the machine's role.",
    ),
    Setting(
        "kms_endpoint",
        parse.private_url,
        lambda _: "",
        "empty: AWS",
        "The address of that service where it is not AWS. Keys pass through it, so `https://`, or this machine.",
    ),
    Setting(
        "kms_instance",
        parse.name,
        lambda read: parse.host_of(read["site_url"]).replace(":", "-"),
        "the host of `STAFETA_SITE_URL`",
        "The name of this installation that the service binds its keys to. Set it to the old host before the site "
        "moves to another address.",
    ),
    Setting(
        "email_url",
        parse.channel_url,
        lambda _: "",
        "empty: the built-in mailbox, on a local site only",
        "How e-mail leaves: `smtp://user:password@host:587?tls=true`, a provider, or `console:`.",
    ),
    Setting(
        "email_from",
        parse.email_from,
        lambda read: f"Štafeta <stafeta@{parse.host_of(read['site_url'])}>",
        "`Štafeta <stafeta@` + the host of `STAFETA_SITE_URL` + `>`",
        "Who the e-mails come from.",
    ),
    Setting(
        "sms_url",
        parse.channel_url,
        lambda _: "",
        "empty: the built-in mailbox, on a local site only",
        "How SMS leave: `twilio://sid:token@+420…`, `smsmanager://key`, `webhook+https://host/path`, or `console:`.",
    ),
    Setting(
        "receipts_secret",
        parse.token,
        lambda _: "",
        "empty: no receipts are taken in",
        "The secret under which providers report what became of a message; part of the addresses that `stafeta check` "
        "names, to be entered at the provider. At least 24 letters and digits.",
    ),
    Setting(
        "operator_email",
        parse.address,
        lambda _: "",
        "empty: every operator's account",
        "Where the service writes when it needs somebody to look: a breaker that tripped, a clock that is behind.",
    ),
    Setting(
        "canary",
        parse.address,
        lambda _: "",
        "empty: none",
        "The account whose own switch shows that asking works: armed, asked every day, in a mailbox that you read.",
    ),
    Setting(
        "heartbeat_url",
        parse.web_url,
        lambda _: "",
        "empty: none",
        "An address of a watchdog that is fetched every minute while everything is well, and not while it is not.",
    ),
    Setting(
        "metrics_token",
        parse.token,
        lambda _: "",
        "empty: only this machine may ask",
        "The Bearer token for `/metrics`, and for the reasons that `/readyz` gives. At least 24 letters and digits.",
    ),
    Setting(
        "breaker_releases",
        parse.whole(1, 1_000_000),
        lambda _: 5,
        "`5`",
        "How many releases in 24 hours are never too many.",
    ),
    Setting(
        "breaker_percent",
        parse.number(0.01, 100),
        lambda _: 1.0,
        "`1`",
        "The share of all armed switches, in percent, above which more releases than that in 24 hours stop the ladders "
        "until somebody has looked.",
    ),
    Setting(
        "signup",
        parse.one_of("first", "open", "closed"),
        lambda _: "first",
        "`first`",
        "Who may make an account: `first` (only the very first visitor), `open` (everybody) or `closed` (nobody; use "
        "`stafeta createowner`).",
    ),
    Setting(
        "attachment_mb_max",
        parse.whole(1, 10_000),
        lambda _: 100,
        "`100`",
        "How large one attached file may be, in MB of 1024 × 1024 bytes. A reverse proxy must let more than "
        "`STAFETA_HANDOVER_MB_MAX` through.",
    ),
    Setting(
        "handover_mb_max",
        parse.whole(1, 1_000_000),
        lambda _: 1024,
        "`1024`",
        "How large all files of one handover may be together, in MB; so much is also the most that is sent at once.",
    ),
    Setting(
        "tick_every_s",
        parse.number(0.05, 300),
        lambda _: 10.0,
        "`10`",
        "Seconds between two looks of the worker at what is due.",
    ),
    Setting(
        "clock_scale",
        parse.number(1, 1_000_000),
        lambda _: 1.0,
        "`1`",
        "How many times faster than life the clock runs; for the demo only, so on a local site only.",
    ),
    Setting(
        "clock_epoch",
        parse.moment,
        lambda _: None,
        "none",
        "The moment, as `2026-01-31T09:00:00+00:00`, at which the fast clock and the real one agreed. Needed with "
        "`STAFETA_CLOCK_SCALE`.",
    ),
    Setting(
        "log_level",
        parse.one_of("debug", "info", "warning", "error"),
        lambda _: "info",
        "`info`",
        "How much is written to standard error: `debug`, `info`, `warning` or `error`.",
    ),
    Setting(
        "debug",
        parse.flag,
        lambda _: False,
        "`false`",
        "Django's error pages, which show the insides; on a local site only.",
    ),
)


def load(environ: Mapping[str, str]) -> Environment:
    """Return the settings in `environ`; an empty variable counts as unset. Raises WrongSettings with every problem."""
    problems = _unknown(environ)
    read: dict[str, Any] = {}
    for setting in SETTINGS:
        text = environ.get(setting.name, "").strip()
        try:
            read[setting.field] = setting.parse(text) if text else setting.default(read)
        except parse.Wrong as wrong:
            problems.append(ConfigurationError(setting.name, wrong.problem, wrong.remedy))
            read[setting.field] = setting.default(read)
    environment = Environment(**read)
    problems += contradictions(environment)
    if environment.keys and environ.get("STAFETA_KEYS_FILE", "").strip():
        problems.append(two_keyrings())
    if problems:
        raise WrongSettings(problems)
    return environment


def as_markdown() -> str:
    """Return the table as docs/operations.md shows it."""
    rows = [f"| `{setting.name}` | {setting.default_words} | {setting.help} |" for setting in SETTINGS]
    return "\n".join(["| Setting | Default | Meaning |", "|---|---|---|", *rows])


def _unknown(environ: Mapping[str, str]) -> list[ConfigurationError]:
    known = [setting.name for setting in SETTINGS]
    problems = []
    for name in sorted(environ):
        if name.startswith(PREFIX) and not name.startswith(FOREIGN_PREFIX) and name not in known:
            near = get_close_matches(name, known, n=1)
            remedy = f"Did you mean {near[0]}?" if near else "Remove it; docs/operations.md lists all there are."
            problems.append(ConfigurationError(name, "there is no such setting", remedy))
    return problems
