"""From the text of one environment variable to a value; what is wrong is said in plain words, no secret quoted."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime
from email.utils import parseaddr
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from platformdirs import user_data_path

from stafeta.core.errors import StafetaError

LOOPBACK_HOSTS: Final = ("localhost", "127.0.0.1", "::1")
SECRET_KEY_CHARS_MIN: Final = 32
TOKEN_CHARS_MIN: Final = 24
_TRUE: Final = frozenset({"1", "true", "yes", "on"})
_FALSE: Final = frozenset({"0", "false", "no", "off"})
_NAME: Final = re.compile(r"[\w.-]{1,128}", re.ASCII)
_SCHEME: Final = re.compile(r"[a-z][a-z0-9+._-]*:", re.IGNORECASE)


class Wrong(StafetaError):
    """A value is of no use: what the problem is, and one sentence with what to do."""

    def __init__(self, problem: str, remedy: str) -> None:
        super().__init__(problem, remedy)
        self.problem = problem
        self.remedy = remedy


def platform_data_dir() -> Path:
    """Return where this platform keeps the data of its user's programs."""
    return user_data_path("stafeta", appauthor=False)


def host_of(site_url: str) -> str:
    """Return the host of a URL, without port and brackets."""
    return urlsplit(site_url).hostname or ""


def hosts_of_site(site_url: str) -> tuple[str, ...]:
    """Return the hosts that requests to the site may name: its own; a local site has several names."""
    host = host_of(site_url)
    if host in LOOPBACK_HOSTS:
        return ("localhost", "127.0.0.1", "[::1]")
    return (f"[{host}]" if ":" in host else host,)


def path(text: str) -> Path:
    """Return an absolute path; `~` is the home directory."""
    chosen = Path(text).expanduser()
    if not chosen.is_absolute():
        raise Wrong("it is not an absolute path", "Begin it with / (or with ~ for the home directory).")
    return chosen


def site_url(text: str) -> str:
    """Return `scheme://host[:port]` without a final slash."""
    remedy = "Write it as https://stafeta.example.com, without a path."
    try:
        parts = urlsplit(text)
        right = parts.scheme in ("http", "https") and parts.hostname and (parts.port is None or parts.port > 0)
    except ValueError:
        right = False
    if not right:
        raise Wrong("it is not a web address", remedy)
    if parts.path.strip("/") or parts.query or parts.fragment or parts.username:
        raise Wrong("it holds more than scheme, host and port", remedy)
    return f"{parts.scheme}://{parts.netloc}"


def host_list(text: str) -> tuple[str, ...]:
    """Return the host names between the commas."""
    hosts = tuple(host.strip() for host in text.split(",") if host.strip())
    if not hosts or any("/" in host or " " in host for host in hosts):
        raise Wrong("it is not a list of host names", "Write them as stafeta.example.com,www.example.com.")
    return hosts


def database_url(text: str) -> str:
    """Return a URL that the database configuration understands."""
    remedy = "Write it as sqlite:////var/lib/stafeta/stafeta.sqlite3 or postgres://user:password@host:5432/name."
    try:
        parts = urlsplit(text)
        _ = parts.port
    except ValueError:
        raise Wrong("it cannot be read as a URL", remedy) from None
    if parts.scheme not in ("sqlite", "postgres", "postgresql"):
        raise Wrong("it begins with neither sqlite:/// nor postgres://", remedy)
    if len(parts.path) < len("/x"):
        raise Wrong("it names no database", remedy)
    if parts.scheme == "sqlite" and parts.netloc:
        raise Wrong("a path needs three slashes before it", remedy)
    return text


def secret_key(text: str) -> str:
    """Return a secret that is long enough to be one."""
    if len(text) < SECRET_KEY_CHARS_MIN:
        raise Wrong(
            f"it has fewer than {SECRET_KEY_CHARS_MIN} characters",
            "Leave it out and let `stafeta init` make one, or use what `openssl rand -base64 48` prints.",
        )
    return text


def channel_url(text: str) -> str:
    """Return the address of a channel; `stafeta check` and the channels themselves look closer."""
    if not _SCHEME.match(text):
        raise Wrong("it does not begin with a scheme", "Write it as smtp://… or webhook+https://… or console:.")
    return text


def email_from(text: str) -> str:
    """Return a sender: an address, with or without a name."""
    address = parseaddr(text)[1]
    local, at, domain = address.rpartition("@")
    if not (at and local and domain) or "\n" in text or "\r" in text:
        raise Wrong("it is not an e-mail address", "Write it as Štafeta <stafeta@your.domain>.")
    return text


def address(text: str) -> str:
    """Return an e-mail address without a name, in small letters."""
    if parseaddr(text) != ("", text) or not all(text.rpartition("@")):
        raise Wrong("it is not an e-mail address", "Write it as you@your.domain.")
    return text.lower()


def token(text: str) -> str:
    """Return a secret that may stand in an address and a header."""
    if len(text) < TOKEN_CHARS_MIN or not text.isascii() or not text.replace("-", "").replace("_", "").isalnum():
        raise Wrong(
            f"it is not at least {TOKEN_CHARS_MIN} letters, digits, - or _", "Use what `openssl rand -hex 24` prints."
        )
    return text


def web_url(text: str) -> str:
    """Return an address that can be fetched."""
    try:
        parts = urlsplit(text)
        right = parts.scheme in ("http", "https") and parts.hostname and (parts.port is None or parts.port > 0)
    except ValueError:
        right = False
    if not right or not text.isascii() or any(letter.isspace() for letter in text):
        raise Wrong("it is not a web address", "Write it as https://watchdog.example.com/ping/….")
    return text


def private_url(text: str) -> str:
    """Return an address that secrets may be sent to: encrypted on the way, or of this machine."""
    chosen = web_url(text)
    parts = urlsplit(chosen)
    if parts.username or parts.query or parts.fragment:
        raise Wrong("it holds more than scheme, host, port and path", "Write it as https://kms.example.com.")
    if parts.scheme != "https" and parts.hostname not in LOOPBACK_HOSTS:
        raise Wrong("secrets would pass through it in the clear", "Let it begin with https://.")
    return chosen


def name(text: str) -> str:
    """Return a name of letters, digits, dots, dashes and underlines."""
    if not _NAME.fullmatch(text):
        raise Wrong("it is not a name", "Use letters, digits, dots, dashes and underlines, 128 at most.")
    return text


def flag(text: str) -> bool:
    """Return true or false."""
    value = text.lower()
    if value not in _TRUE | _FALSE:
        raise Wrong("it is neither true nor false", "Write true or false.")
    return value in _TRUE


def moment(text: str) -> datetime:
    """Return a moment with its offset from UTC."""
    remedy = "Write it as 2026-01-31T09:00:00+00:00."
    try:
        value = datetime.fromisoformat(text)
    except ValueError:
        raise Wrong("it is not a moment", remedy) from None
    if value.tzinfo is None:
        raise Wrong("it does not say its offset from UTC", remedy)
    return value


def one_of(*words: str) -> Callable[[str], str]:
    """Return a parser that takes these words only, in any case."""

    def parse(text: str) -> str:
        if text.lower() not in words:
            raise Wrong(f"it is not one of {', '.join(words)}", f"Write {words[0]}, or another of them.")
        return text.lower()

    return parse


def whole(least: int, most: int) -> Callable[[str], int]:
    """Return a parser of whole numbers between two bounds, both included."""

    def parse(text: str) -> int:
        if not text.isascii() or not text.isdecimal() or not least <= int(text) <= most:
            raise Wrong(f"it is not a whole number from {least} to {most}", f"Write {least}, for example.")
        return int(text)

    return parse


def number(least: float, most: float) -> Callable[[str], float]:
    """Return a parser of numbers between two bounds, both included."""

    def parse(text: str) -> float:
        try:
            value = float(text)
        except ValueError:
            value = float("nan")
        if not least <= value <= most:
            raise Wrong(f"it is not a number from {least:g} to {most:g}", f"Write {least:g}, for example.")
        return value

    return parse
