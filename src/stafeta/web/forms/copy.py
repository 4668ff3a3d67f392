"""What the browser sends when it asks for a copy: the public half of its key, and the other under a passphrase."""

from __future__ import annotations

import base64
import binascii
from typing import Any, Final

from django import forms
from django.utils.translation import gettext_lazy as _

from stafeta.core.errors import NotSealed
from stafeta.vault.age_files import SMALL_FILE_BYTES_MAX, require_passphrase_file, require_public_key

_DAMAGED: Final = _("The request was damaged on its way.")


class CopyForm(forms.Form):
    """Both fields are the script's. key_file is never opened here: its cost is whatever its maker chose."""

    public_key = forms.CharField(max_length=100, error_messages={"required": _DAMAGED, "max_length": _DAMAGED})
    key_file = forms.CharField(required=False, max_length=2 * SMALL_FILE_BYTES_MAX)

    def __init__(self, *args: Any, is_sealed: bool, **kwargs: Any) -> None:
        """Of a sealed handover the copy leaves as it is, and no key is made for it."""
        super().__init__(*args, **kwargs)
        if is_sealed:
            for field in self.fields.values():
                field.required = False

    def clean_public_key(self) -> str:
        """Return a public key that something can be encrypted to."""
        public_key = str(self.cleaned_data["public_key"])
        if not public_key:
            return public_key
        try:
            require_public_key(public_key)
        except NotSealed:
            raise forms.ValidationError(_DAMAGED) from None
        return public_key

    def clean_key_file(self) -> bytes:
        """Return the bytes of an age file under one passphrase, or none."""
        try:
            blob = base64.b64decode(self.cleaned_data["key_file"], validate=True)
            if blob:
                require_passphrase_file(blob)
        except (binascii.Error, ValueError, NotSealed):
            raise forms.ValidationError(_DAMAGED) from None
        return blob

    @property
    def values(self) -> dict[str, Any]:
        """What was sent, once it is valid."""
        return self.cleaned_data
