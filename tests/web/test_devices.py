"""Owners recognise their devices by name."""

from __future__ import annotations

import pytest

from stafeta.web.devices import RAW_CHARS_MAX, device_name

CHROME = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0 Safari/537.36"
IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 Version/18.1 Mobile Safari/604.1"
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"


@pytest.mark.parametrize(
    ("user_agent", "name"),
    [
        (CHROME, "Chrome, Windows"),
        (f"{CHROME} Edg/131.0.0.0", "Edge, Windows"),
        (IPHONE, "Safari, iPhone"),
        (FIREFOX, "Firefox, Linux"),
        ("curl/8.5.0", "curl/8.5.0"),
        ("", ""),
    ],
)
def test_a_browser_and_its_system_are_named(user_agent: str, name: str) -> None:
    assert device_name(user_agent) == name


def test_what_nobody_knows_is_cut_short() -> None:
    assert device_name("x" * 500) == "x" * RAW_CHARS_MAX
