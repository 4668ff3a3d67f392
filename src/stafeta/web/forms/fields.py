"""Form fields of the house: phones, zones, languages and codes."""

from __future__ import annotations

from typing import Any
from zoneinfo import available_timezones

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from stafeta.accounts.addresses import PHONE_CHARS_MAX, BadPhone, PhoneProblem, format_phone, parse_phone
from stafeta.accounts.models import ZONE_DEFAULT, Language

CODE_CHARS_MAX = 20

_PHONE_PROBLEMS: dict[PhoneProblem, Any] = {
    PhoneProblem.UNREADABLE: _("This is not a phone number. Write it like 601 123 456 or +421 905 123 456."),
    PhoneProblem.IMPOSSIBLE: _("No phone can have this number. Check the digits, and the prefix if it is from abroad."),
    PhoneProblem.NO_SMS: _("This line takes no SMS. A mobile phone is needed."),
}


class PhoneField(forms.CharField):
    """A mobile number as people write it, Czech without a prefix; cleaned to E.164. An error keeps what was typed."""

    widget = forms.TextInput

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("label", _("Mobile phone"))
        kwargs.setdefault("max_length", PHONE_CHARS_MAX)
        super().__init__(**kwargs)
        self.widget.input_type = "tel"
        self.widget.attrs.setdefault("autocomplete", "tel")
        self.widget.attrs.setdefault("inputmode", "tel")

    def prepare_value(self, value: Any) -> Any:
        """Show a stored number with its spaces; leave what was typed as it was."""
        return format_phone(value) if isinstance(value, str) and value.startswith("+") else value

    def to_python(self, value: Any) -> str:
        text = str(super().to_python(value) or "")
        if not text:
            return ""
        try:
            return parse_phone(text)
        except BadPhone as error:
            raise ValidationError(_PHONE_PROBLEMS[error.problem], code=error.problem) from error


class ZoneField(forms.ChoiceField):
    """An IANA time zone, sorted by name; zones of the tz database that name no place are left out."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("label", _("Time zone"))
        kwargs.setdefault("initial", ZONE_DEFAULT)
        super().__init__(choices=zone_choices, **kwargs)


class LanguageField(forms.ChoiceField):
    """One of the languages the house speaks, each named in itself."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("label", _("Language"))
        kwargs.setdefault("initial", Language.CZECH)
        super().__init__(choices=Language.choices, **kwargs)


class CodeField(forms.CharField):
    """An SMS code as it was written, spaces included; whether it is right is the service's to say."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("label", _("Code from the SMS"))
        kwargs.setdefault("max_length", CODE_CHARS_MAX)
        super().__init__(**kwargs)
        self.widget.attrs.update(
            {"autocomplete": "one-time-code", "inputmode": "numeric", "class": "code", "autocapitalize": "off"}
        )


def zone_choices() -> list[tuple[str, str]]:
    """Return every zone of a place, as a form offers them."""
    places = (zone for zone in available_timezones() if "/" in zone and not zone.startswith(("Etc/", "SystemV/")))
    return [(zone, zone.replace("_", " ")) for zone in sorted(places)] + [("UTC", "UTC")]
