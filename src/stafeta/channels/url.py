"""A channel's address, as the operator writes it: `scheme://user:password@host:port/path?option=value`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import parse_qsl, unquote, urlsplit

from stafeta.core.errors import ConfigurationError

TIMEOUT_S_MAX: Final = 60.0
_TRUE: Final = frozenset({"true", "1", "yes", "on"})
_FALSE: Final = frozenset({"false", "0", "no", "off", ""})


@dataclass(frozen=True, slots=True, repr=False)
class ChannelUrl:
    """The address taken apart; everything is percent-decoded but `path`. Neither its repr nor its errors tell a secret:
    any part of it may be one."""

    setting: str
    scheme: str
    user: str
    password: str
    host: str
    port: int | None
    path: str
    options: Mapping[str, str]

    @classmethod
    def parse(cls, text: str, *, setting: str) -> ChannelUrl:
        """Raises ConfigurationError, naming `setting`, for what is no URL. `_` in a scheme is read as `-`."""
        scheme, colon, rest = text.strip().partition(":")
        scheme = scheme.lower().replace("_", "-")
        try:
            parts = urlsplit(f"{scheme}:{rest}")
            port = parts.port
        except ValueError:
            colon = ""
        if not colon or parts.scheme != scheme or parts.fragment:
            raise ConfigurationError(
                setting=setting,
                problem="it cannot be read as a URL",
                remedy="Write it as scheme://user:password@host:port?option=value; inside a user name or password "
                "write / ? # @ : % as %2F %3F %23 %40 %3A %25.",
            )
        userinfo, _, place = parts.netloc.rpartition("@")
        user, _, password = userinfo.partition(":")
        host = place[1:].partition("]")[0] if place.startswith("[") else place.partition(":")[0]
        return cls(
            setting=setting,
            scheme=scheme,
            user=unquote(user),
            password=unquote(password),
            host=unquote(host),
            port=port,
            path=parts.path,
            options=dict(parse_qsl(parts.query, keep_blank_values=True)),
        )

    def __repr__(self) -> str:
        return f"<ChannelUrl {self.setting}={self.scheme}:…>"

    def wrong(self, problem: str, *, form: str) -> ConfigurationError:
        """The error to raise: `problem` in words of ours, `form` an example of how to write it."""
        return ConfigurationError(setting=self.setting, problem=problem, remedy=f"Write it as {form}")

    def allow_options(self, *names: str, form: str) -> None:
        """Refuse options that nobody would read: a mistyped `?tsl=true` must not send passwords in the clear."""
        unknown = sorted(set(self.options) - set(names))
        if unknown:
            known = ", ".join(names) or "no options"
            raise self.wrong(f"it has the unknown option {unknown[0]!r} (known: {known})", form=form)

    def timeout_s(self, default_s: float, *, form: str) -> float:
        """`?timeout=` in seconds, above 0 and at most `TIMEOUT_S_MAX`."""
        try:
            timeout_s = float(self.options.get("timeout", default_s))
        except ValueError:
            timeout_s = 0.0
        if not 0 < timeout_s <= TIMEOUT_S_MAX:
            raise self.wrong(f"its timeout must be above 0 and at most {TIMEOUT_S_MAX:g} seconds", form=form)
        return timeout_s

    def flag(self, name: str, *, form: str) -> bool:
        """`?name=true` or `?name=false`; false where it is not given."""
        value = self.options.get(name, "").lower()
        if value not in _TRUE | _FALSE:
            raise self.wrong(f"its option {name!r} must be true or false", form=form)
        return value in _TRUE

    def api(self, default: str, *, form: str) -> str:
        """`?api=`: another base address of the provider's API (a stand-in, a region), without a final `/`."""
        api = self.options.get("api", default)
        if not api.startswith(("http://", "https://")):
            raise self.wrong("its option 'api' must begin with https:// or http://", form=form)
        return api.rstrip("/")
