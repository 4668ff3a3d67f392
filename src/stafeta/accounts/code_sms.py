"""The words of an SMS that carries a code, the same for an owner's phone and for a recipient's."""

from __future__ import annotations

from datetime import datetime
from typing import Final
from urllib.parse import urlsplit

from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import override

from stafeta.accounts.models import CodeChallenge
from stafeta.accounts.services.codes import code_of, is_live
from stafeta.core.errors import Obsolete

SMS_CHARS_MAX: Final = 160


def code_sms(*, challenge_id: int, counter: int, language: str, now: datetime) -> tuple[str, str]:
    """Return the number to send to (E.164) and the text: at most 160 characters of GSM-7, in `language`.

    Its last line lets the browser of our host fill the code in (WICG origin-bound one-time codes), where it fits.
    now: `clock.real_now()`. Raises Obsolete when this code has expired, was used, or was replaced by a newer one.
    """
    challenge = CodeChallenge.objects.filter(pk=challenge_id).first()
    if challenge is None or challenge.counter != counter:
        raise Obsolete("a newer code was asked for")
    if not is_live(challenge, now=now):
        raise Obsolete("the code has expired or was used")
    code = code_of(challenge)
    with override(language):
        # Translators: an SMS in plain ASCII, without accents, of at most 110 characters.
        text = _("Stafeta: your code is %(code)s. It is valid for 10 minutes. Tell it to nobody.") % {
            "code": f"{code[:4]} {code[4:]}"
        }
    bound = f"{text}\n\n@{urlsplit(settings.SITE_URL).hostname} #{code}"
    return challenge.phone, bound if len(bound) <= SMS_CHARS_MAX else text
