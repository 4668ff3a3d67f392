"""What a browser calls itself, in the words its owner would use."""

from __future__ import annotations

from typing import Final

# A mark in the User-Agent header, and the name it stands for. The first that fits counts: most claim to be others too.
_BROWSERS: Final = (
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser/", "Samsung Internet"),
    ("Firefox/", "Firefox"),
    ("FxiOS/", "Firefox"),
    ("CriOS/", "Chrome"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
)
_SYSTEMS: Final = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("CrOS", "ChromeOS"),
    ("Windows", "Windows"),
    ("Mac OS X", "Mac"),
    ("Linux", "Linux"),
)
RAW_CHARS_MAX: Final = 60


def device_name(user_agent: str) -> str:
    """Return e.g. "Firefox, Windows"; what nobody here knows is shown as it came, cut short."""
    known = [_first(user_agent, _BROWSERS), _first(user_agent, _SYSTEMS)]
    return ", ".join(filter(None, known)) or user_agent[:RAW_CHARS_MAX]


def _first(user_agent: str, marks: tuple[tuple[str, str], ...]) -> str:
    return next((name for mark, name in marks if mark in user_agent), "")
