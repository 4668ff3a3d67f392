"""What the shared templates need and plain templates cannot say: fields with their classes, and the navigation."""

from dataclasses import dataclass
from typing import Any

from django import forms, template
from django.forms.boundfield import BoundField
from django.template.context import Context
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from stafeta.web.devices import device_name

register = template.Library()

_PLAIN_TYPES = (forms.CheckboxSelectMultiple, forms.RadioSelect)
_TONES = {"debug": "secondary", "success": "success", "warning": "warning", "error": "danger"}

# URL name, words, icon.
_NAVIGATION: tuple[tuple[str, Promise, str], ...] = (
    ("dashboard", _("Dashboard"), "home"),
    ("handovers", _("Handovers"), "baton"),
    ("people", _("People"), "people"),
    ("schedule", _("Schedule"), "clock"),
    ("history", _("History"), "list"),
    ("account", _("Account"), "person"),
)


@dataclass(frozen=True, slots=True)
class NavigationItem:
    """One entry of the signed-in navigation."""

    url: str
    label: Promise
    icon: str
    current: bool


@register.simple_tag(takes_context=True)
def navigation(context: Context) -> list[NavigationItem]:
    """Return the entries of the signed-in navigation; the one whose path starts the request's is current."""
    path = getattr(context.get("request"), "path", "")
    items = []
    for name, label, icon in _NAVIGATION:
        url = reverse(name)
        current = path == url if name == "dashboard" else path.startswith(url)
        items.append(NavigationItem(url=url, label=label, icon=icon, current=current))
    return items


@register.filter
def field_shape(field: BoundField) -> str:
    """Return how the field's label and control are laid out: ``check``, ``group``, ``hidden`` or ``line``."""
    widget = field.field.widget
    if widget.is_hidden:
        return "hidden"
    if isinstance(widget, forms.CheckboxInput):
        return "check"
    return "group" if isinstance(widget, (*_PLAIN_TYPES, forms.MultiWidget)) else "line"


def _control_class(widget: forms.Widget) -> str:
    if isinstance(widget, _PLAIN_TYPES):
        return ""  # Django would put it on the group as well; the style sheet knows these by their place
    if isinstance(widget, forms.CheckboxInput):
        return "form-check-input"
    if isinstance(widget, forms.Select):
        return "form-select"
    return "form-control"


@register.simple_tag
def control(field: BoundField) -> SafeString:
    """Render the field's control with its classes; Django itself points it at its help and error texts."""
    widget = field.field.widget
    classes = [str(widget.attrs.get("class", "")), _control_class(widget)]
    if field.errors and not isinstance(widget, _PLAIN_TYPES):
        classes.append("is-invalid")
    attrs: dict[str, Any] = {"class": " ".join(filter(None, classes))} if any(classes) else {}
    if "placeholder" in widget.attrs:
        attrs["placeholder"] = False  # allauth's repeats the label; Django leaves an attribute out that is False
    return field.as_widget(attrs=attrs)


@register.filter
def device(user_agent: str) -> str:
    """Return what a browser is called; see `device_name`."""
    return device_name(user_agent)


@register.filter
def tone(level_tag: str) -> str:
    """Return the colour class of a message's level (``error`` is ``danger`` to the style sheet)."""
    return _TONES.get(level_tag, "info")
