"""Markdown as people read it runs nothing and fetches nothing."""

from __future__ import annotations

import re
from time import perf_counter

import pytest

from stafeta.vault.markdown import render
from stafeta.vault.sealing import CONTENT_BYTES_MAX

ATTACKS = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<a href='javascript:alert(1)'>x</a>",
    "[x](javascript:alert(1))",
    "[x](JaVaScRiPt&colon;alert(1))",
    "[x](&#106;avascript:alert(1))",
    "[x](data:text/html;base64,PHNjcmlwdD4=)",
    "![x](data:image/svg+xml,<svg onload=alert(1)>)",
    "![x](https://tracker.example/pixel.png)",
    "[x](vbscript:msgbox)",
    "<javascript:alert(1)>",
    "[x]: javascript:alert(1)\n\n[x]",
    '[x](https://a.cz "onmouseover=alert(1)")',
    "<iframe src=https://evil.example></iframe>",
    "<style>*{}</style>",
    "```<script>\nalert(1)\n```",
    "- [ ] <input autofocus onfocus=alert(1)>",
]


@pytest.mark.parametrize("attack", ATTACKS)
def test_nothing_in_the_text_runs_or_loads(attack: str) -> None:
    html = render(attack).html
    tags = re.findall(r"<[a-z][^>]*>", html)
    assert not [tag for tag in tags if re.search(r"^<(script|img|iframe|style|svg|object|form)\b", tag)]
    assert not [tag for tag in tags if re.search(r"\son\w+\s*=", re.sub(r'"[^"]*"', '""', tag))]
    assert not re.search(r'(href|src)="\s*(javascript|data|vbscript)', html, re.IGNORECASE)


def test_links_say_nothing_about_who_follows_them() -> None:
    for text in ("[web](https://example.org)", "https://example.org", "<https://example.org>"):
        assert 'rel="noopener noreferrer nofollow"' in render(text).html


def test_what_people_write_is_rendered() -> None:
    html = render("~~old~~\n\n- [x] done\n- [ ] todo\n\n| a | b |\n|--:|---|\n| 1 | 2 |\n").html
    assert "<s>old</s>" in html
    assert html.count('type="checkbox"') == 2
    assert 'checked="checked"' in html
    assert '<th align="right">a</th>' in html


def test_headings_move_below_those_of_the_page_and_have_anchors() -> None:
    page = render("# One\n\n## Two `x`\n\n###### Six", below=2, anchors="h7")
    assert [heading.anchor for heading in page.headings] == ["h7-1", "h7-2", "h7-3"]
    assert [heading.text for heading in page.headings] == ["One", "Two x", "Six"]
    assert '<h3 id="h7-1">One</h3>' in page.html
    assert '<h6 id="h7-3">Six</h6>' in page.html


def test_a_text_that_begins_lower_skips_no_level() -> None:
    html = render("## One\n\n### Two", below=2).html
    assert "<h3" in html
    assert "<h4" in html
    assert "<h5" not in html


@pytest.mark.parametrize("mark", ["[", "*_", "- a\n", "![", "<&", "http://a.b ", "a@b.cz "])
def test_a_megabyte_of_marks_keeps_nobody_waiting(mark: str) -> None:
    """A page that took half a minute would be one that nobody gets to read, and a way to stop the service."""
    text = mark * (CONTENT_BYTES_MAX // len(mark))
    began = perf_counter()
    page = render(text)
    assert perf_counter() - began < 10
    assert len(page.html) >= len(text) / 2


def test_a_very_long_plain_text_is_still_markdown() -> None:
    text = "# Heading\n\n" + "A sentence of some words, as people write them. **Loud** [site](https://a.cz).\n\n" * 7000
    assert "<strong>Loud</strong>" in render(text).html
