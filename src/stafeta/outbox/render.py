"""How every e-mail of the house is made: one template, read once as text and once as HTML.

A mail is one file, `<app>/mail/<name>.txt`, beside the app whose event it tells, and it is called by its name without
the ending: `render_mail("vault/mail/invite", {...}, language=recipient.language)`. The file says

    {% extends layout %}{% load i18n %}
    {% block subject %}...{% endblock %}      one line; the first 60 characters say who and what
    {% block heading %}...{% endblock %}
    {% block loud %}...{% endblock %}         optional: the one sentence that must not be overlooked
    {% block body %}...{% endblock %}         paragraphs with blank lines between them; lines that begin "- " are a list
    {% block button %}...{% endblock %}       what the button says; shown where the context has `button_url`
    {% block after %}...{% endblock %}        paragraphs after the button
    {% block why %}...{% endblock %}          why this person gets this message

and nothing of HTML: `layout` is outbox/email.txt or outbox/email.html, which escape or do not. So the two parts
cannot say different things. Each paragraph is one `{% blocktranslate trimmed %}`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

from django.template.loader import render_to_string
from django.utils import translation

_LAYOUTS = ("outbox/email.txt", "outbox/email.html")
_END_OF_SUBJECT = "\f"
_MARKS = {"end_of_subject": _END_OF_SUBJECT}  # outbox/email.txt writes it
_SIGNATURE = "-- "  # with its space: RFC 3676, 4.3


class Mail(NamedTuple):
    """The words of one e-mail: a subject of one line, and the same content as text and as HTML."""

    subject: str
    text: str
    html: str


def render_mail(template: str, context: Mapping[str, object], *, language: str) -> Mail:
    """Return the mail `template` (without its ending) in `language`.

    Raises TemplateDoesNotExist for an unknown one, and ValueError for one without a subject.
    """
    with translation.override(language):
        text, html = (
            render_to_string(f"{template}.txt", {**context, **_MARKS, "layout": layout, "language": language})
            for layout in _LAYOUTS
        )
    subject, _, rest = text.partition(_END_OF_SUBJECT)
    if not subject.strip():
        raise ValueError(f"the mail {template!r} has no subject")
    return Mail(subject=" ".join(subject.split()), text=_tidy(rest), html=html.strip() + "\n")


def _tidy(text: str) -> str:
    """Return the text without the blanks that template tags leave behind."""
    lines = [line if line == _SIGNATURE else line.strip() for line in text.splitlines()]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip() + "\n"
