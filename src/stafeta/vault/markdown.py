"""Markdown as people read it: rendered without raw HTML, then cleaned; nothing in it loads or runs anything.

Headings move so that the page around keeps its own, and each has an anchor for the table of contents. Pictures
become links: none is fetched from anywhere, for that would tell somebody who reads.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import nh3
from django.utils.html import linebreaks
from django.utils.safestring import SafeString
from markdown_it import MarkdownIt
from markdown_it.token import Token
from mdit_py_plugins.tasklists import tasklists_plugin

HEADING_MOST: Final = 6
_TAGS: Final = frozenset(
    (
        *(
            "a",
            "blockquote",
            "br",
            "code",
            "em",
            "h1",
            "h2",
            "h3",
            "h4",
            "h5",
            "h6",
            "hr",
            "input",
            "label",
            "li",
            "ol",
        ),
        *("p", "pre", "s", "strong", "table", "tbody", "td", "th", "thead", "tr", "ul"),
    )
)
_ATTRIBUTES: Final = {
    "a": {"href", "title"},
    "input": {"type", "checked", "disabled", "class"},
    "ol": {"start"},
    "ul": {"class"},
    "li": {"class"},
    "td": {"align"},
    "th": {"align"},
    **{f"h{level}": {"id"} for level in range(1, HEADING_MOST + 1)},
}
_CLASSES: Final = {"contains-task-list", "task-list-item", "task-list-item-checkbox"}
_ALIGNS: Final = {"text-align:left": "left", "text-align:center": "center", "text-align:right": "right"}


# What one of these characters costs the parser, roughly in microseconds; the rest of a text costs nothing beside them.
_COSTS: Final = {"\n": 40, "@": 40, ":": 40, "[": 25, ".": 12, "*": 10, "_": 10, "~": 10, "<": 3, "&": 3}
COST_MAX: Final = 3_000_000  # seconds, not half a minute; no text that people wrote for people comes near


@dataclass(frozen=True, slots=True)
class Heading:
    """A line of the table of contents. level: as written, 1 the highest."""

    level: int
    text: str
    anchor: str


@dataclass(frozen=True, slots=True)
class Page:
    """Rendered Markdown: safe HTML and its headings."""

    html: SafeString
    headings: tuple[Heading, ...]


def render(content: str, *, below: int = 1, anchors: str = "t") -> Page:
    """Return the content as safe HTML whose highest heading is of level `below` + 1; `anchors` begins their ids.

    A text of so many marks that it would take too long is shown as it was written.
    """
    if _costs(content) > COST_MAX:
        return Page(SafeString(linebreaks(content, autoescape=True)), ())
    tokens = _PARSER.parse(content)
    headings = _settle(tokens, below=below, anchors=anchors)
    html = _PARSER.renderer.render(tokens, _PARSER.options, {})
    return Page(SafeString(_cleaned(html)), headings)


def _costs(content: str) -> int:
    return sum(cost * content.count(mark) for mark, cost in _COSTS.items())


def _parser() -> MarkdownIt:
    parser = MarkdownIt("commonmark", {"html": False, "linkify": True, "maxNesting": 40})
    parser.enable(["table", "strikethrough", "linkify"])
    parser.disable("image")
    return parser.use(tasklists_plugin, label=True)


_PARSER: Final = _parser()


def _settle(tokens: list[Token], *, below: int, anchors: str) -> tuple[Heading, ...]:
    """Move the headings down, give them their anchors, say alignment without a style, and return the headings."""
    headings: list[Heading] = []
    highest = min((int(token.tag[1]) for token in tokens if token.type == "heading_open"), default=1)
    for place, token in enumerate(tokens):
        if token.type in ("heading_open", "heading_close"):
            level = int(token.tag[1])
            token.tag = f"h{min(HEADING_MOST, level - highest + 1 + below)}"
            if token.type == "heading_open":
                anchor = f"{anchors}-{len(headings) + 1}"
                token.attrSet("id", anchor)
                headings.append(Heading(level, _plain(tokens[place + 1]), anchor))
        elif token.type in ("th_open", "td_open") and "style" in token.attrs:
            token.attrs["align"] = _ALIGNS.get(str(token.attrs.pop("style")), "left")
    return tuple(headings)


def _plain(inline: Token) -> str:
    return "".join(child.content for child in inline.children or () if child.type in ("text", "code_inline")).strip()


def _cleaned(html: str) -> str:
    return nh3.clean(
        html,
        tags=set(_TAGS),
        attributes=_ATTRIBUTES,
        attribute_filter=_only_ours,
        url_schemes={"http", "https", "mailto", "tel"},
        link_rel="noopener noreferrer nofollow",
    )


def _only_ours(tag: str, attribute: str, value: str) -> str | None:
    """Keep a class that the task lists have, and no input but their check boxes."""
    if attribute == "class":
        return " ".join(name for name in value.split() if name in _CLASSES) or None
    if tag == "input" and attribute == "type":
        return "checkbox"
    return value
