"""What a password must be, said in every language of the house."""

from __future__ import annotations

from django.contrib.auth.password_validation import MinimumLengthValidator
from django.utils.translation import ngettext


class LengthValidator(MinimumLengthValidator):
    """Django's, whose own sentence is not translated in every release of it."""

    def get_error_message(self) -> str:
        return ngettext(
            "The password is too short: it needs %(n)d character at least.",
            "The password is too short: it needs %(n)d characters at least.",
            self.min_length,
        ) % {"n": self.min_length}

    def get_help_text(self) -> str:
        return ngettext(
            "At least %(n)d character; a few words in a row are best.",
            "At least %(n)d characters; a few words in a row are best.",
            self.min_length,
        ) % {"n": self.min_length}
