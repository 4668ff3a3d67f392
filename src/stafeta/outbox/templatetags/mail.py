"""What turns the plain paragraphs of a mail into HTML that every mail program shows."""

from __future__ import annotations

import re

from django import template
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

register = template.Library()

_ITEM = "- "
_LIST = '<ul style="margin:0 0 16px;padding-left:22px;">{}</ul>\n'
_LOUD = (
    '<p class="loud" style="margin:0 0 20px;padding:14px 16px;border-left:5px solid #a3341f;background:#fbeeea;'
    'font-size:19px;font-weight:600;">{}</p>\n'
)
_PARAGRAPH = '<p style="margin:0 0 16px;">{}</p>\n'


@register.filter
def paragraphs(rendered: SafeString) -> SafeString:
    """Return the paragraphs of a rendered (hence escaped) text as HTML; lines that begin "- " as a list."""
    return format_html_join("", "{}", ((_block(part),) for part in _parts(rendered)))


@register.filter
def loud(rendered: SafeString) -> SafeString:
    """Return the rendered sentence as HTML that is not overlooked; nothing for nothing."""
    return format_html_join("", _LOUD, ((SafeString(part),) for part in _parts(rendered)))


def _parts(rendered: SafeString) -> list[str]:
    """Split at blank lines. What comes in was escaped when it was rendered, so its parts are safe too."""
    lines = "\n".join(line.strip() for line in rendered.splitlines())
    return [part for part in re.split(r"\n{2,}", lines.strip()) if part]


def _block(part: str) -> SafeString:
    lines = part.split("\n")
    if all(line.startswith(_ITEM) for line in lines):
        items = ((SafeString(line.removeprefix(_ITEM)),) for line in lines)
        return format_html(_LIST, format_html_join("", '<li style="margin:0 0 6px;">{}</li>', items))
    return format_html(_PARAGRAPH, format_html_join(SafeString("<br>"), "{}", ((SafeString(line),) for line in lines)))
