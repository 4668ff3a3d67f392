"""One template, two parts that say the same; Message-IDs that make duplicates recognisable."""

from __future__ import annotations

from pathlib import Path

import pytest
from pytest_django.fixtures import Settings

from stafeta.outbox.message_ids import message_id, thread_headers
from stafeta.outbox.render import Mail, render_mail

TEMPLATE = """{% extends layout %}
{% block subject %}{% if name %}News for
  {{ name }}{% endif %}{% endblock %}
{% block heading %}Hello {{ name }}{% endblock %}
{% block loud %}{{ loud }}{% endblock %}
{% block body %}
First.


{% if nothing %}never{% endif %}

- one {{ name }}
- two
{% endblock %}
{% block button %}Press{% endblock %}
{% block why %}Because.{% endblock %}
"""


@pytest.fixture(autouse=True)
def _template(tmp_path: Path, settings: Settings) -> None:
    (tmp_path / "news.txt").write_text(TEMPLATE, encoding="utf-8")
    settings.TEMPLATES = [{**settings.TEMPLATES[0], "DIRS": [str(tmp_path)]}]


def news(**context: object) -> Mail:
    return render_mail("news", {"name": "Ema", **context}, language="en")


def test_subject_is_one_line() -> None:
    assert news().subject == "News for Ema"


def test_text_is_tidy_and_ends_with_why() -> None:
    text = news(button_url="http://x/?a=1&b=2").text
    assert "First.\n\n- one Ema\n- two\n\nPress:\nhttp://x/?a=1&b=2\n\n-- \nBecause.\n" in text
    assert "\n\n\n" not in text


def test_html_has_paragraphs_lists_and_one_button() -> None:
    html = news(button_url="http://x/").html
    assert ">First.</p>" in html
    assert html.count("<li") == 2
    assert html.count('class="press"') == 1
    assert '<html lang="en">' in html


def test_html_escapes_and_text_does_not() -> None:
    mail = news(name="<b>Ema & co", loud="<i>now")
    assert "<b>Ema & co" in mail.text
    assert "<b>" not in mail.html
    assert "<i>" not in mail.html
    assert "&lt;b&gt;Ema &amp; co" in mail.html


def test_nothing_loud_leaves_no_empty_box() -> None:
    assert 'class="loud"' not in news().html
    assert 'class="loud"' in news(loud="Now").html


def test_mail_without_a_subject_is_an_error() -> None:
    with pytest.raises(ValueError, match="no subject"):
        news(name="")


def test_message_id_is_stable_unguessable_and_of_our_host(settings: Settings) -> None:
    settings.SITE_URL = "https://stafeta.example.org"
    before = message_id("1:2:3")
    assert before == message_id("1:2:3") != message_id("1:2:4")
    assert before.startswith("<")
    assert before.endswith("@stafeta.example.org>")
    settings.SECRET_KEY = "another"
    assert message_id("1:2:3") != before


def test_two_people_share_no_conversation() -> None:
    owner = thread_headers(switch=1, cycle=2, person="owner")
    assert owner == thread_headers(switch=1, cycle=2, person="owner")
    assert owner != thread_headers(switch=1, cycle=2, person="trusted:1")
    assert owner != thread_headers(switch=1, cycle=3, person="owner")
