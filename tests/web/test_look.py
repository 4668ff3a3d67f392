"""The shared templates: fields are wired for everybody, errors need nothing, no page breaks its own policy."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django import forms
from django.template.loader import render_to_string

import stafeta.web

TEMPLATES = Path(stafeta.web.__file__).parent / "templates"


class Form(forms.Form):
    email = forms.EmailField(label="E-mail", help_text="Somebody's own.")
    kind = forms.ChoiceField(label="Kind", choices=[("a", "A"), ("b", "B")], widget=forms.RadioSelect)
    agreed = forms.BooleanField(label="Agreed")
    note = forms.CharField(label="Note", required=False)
    token = forms.CharField(widget=forms.HiddenInput, required=False)


def rendered(data: dict[str, str] | None) -> str:
    return render_to_string("web/components/form.html", {"form": Form(data)})


def test_every_field_has_a_label_and_its_help_is_announced() -> None:
    """Labels point at controls, help texts are what aria-describedby names, optional is said."""
    html = rendered(None)
    assert '<label class="form-label" for="id_email">E-mail' in html
    assert 'aria-describedby="id_email_helptext"' in html
    assert 'id="id_email_helptext"' in html
    assert html.count('class="optional"') == 1
    assert "<legend" in html


def test_an_error_stands_by_its_field_and_is_announced() -> None:
    """The id that aria-describedby names exists, the field says it is invalid, and a summary interrupts."""
    html = rendered({"email": "nonsense"})
    described = re.search(
        r'id="id_email"[^>]*aria-describedby="([^"]+)"|aria-describedby="([^"]+)"[^>]*id="id_email"', html
    )
    assert described is not None
    for name in next(filter(None, described.groups())).split():
        assert f'id="{name}"' in html
    assert 'aria-invalid="true"' in html
    assert 'role="alert"' in html


@pytest.mark.parametrize("name", ["400", "403", "403_csrf", "404", "429", "500"])
def test_an_error_page_needs_no_request(name: str) -> None:
    """When nothing works any more, the page that says so still does, in plain words."""
    html = render_to_string(f"{name}.html")
    assert "<h1>" in html
    assert name not in re.sub(r"<head>.*</head>", "", html, flags=re.S)


def _pages() -> list[Path]:
    return [path for path in TEMPLATES.rglob("*.html") if "email" not in path.relative_to(TEMPLATES).parts]


@pytest.mark.parametrize("path", _pages(), ids=lambda path: str(path.relative_to(TEMPLATES)))
def test_no_page_carries_inline_script_or_style(path: Path) -> None:
    """The policy allows neither; data for scripts (application/json) is no script."""
    text = path.read_text(encoding="utf-8")
    assert not re.search(r"\sstyle=|<style|\son[a-z]+=\"", text)
    for tag in re.findall(r"<script[^>]*>", text):
        assert "src=" in tag or 'type="application/json"' in tag
