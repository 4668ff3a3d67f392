"""What can be said of an address by looking at it: phones in E.164, and mailboxes that several people read."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import phonenumbers
from phonenumbers import NumberParseException, PhoneNumberType

from stafeta.core.errors import StafetaError

REGION_DEFAULT: Final = "CZ"
PHONE_CHARS_MAX: Final = 40
NO_BREAK_SPACE: Final = "\u00a0"

_NO_SMS: Final = frozenset(
    {
        PhoneNumberType.FIXED_LINE,
        PhoneNumberType.PREMIUM_RATE,
        PhoneNumberType.TOLL_FREE,
        PhoneNumberType.SHARED_COST,
        PhoneNumberType.PAGER,
        PhoneNumberType.UAN,
        PhoneNumberType.VOICEMAIL,
    }
)

# Local parts that name a job or a room, not a person; Czech and English, compared without dots, dashes and accents.
_SHARED: Final = frozenset(
    """
    admin administrator administrativa ahoj backoffice billing booking contact dispecink dotazy ekonom eshop faktura
    fakturace faktury finance firma hello helpdesk hi hr info informace it jednatel kancelar kariera kontakt kontakty
    mail marketing nabidky obchod objednavka objednavky obec office order orders podpora podatelna post posta postmaster
    prodej prodejna provoz recepce reception redakce reklamace rezervace sales sekretariat servis service shop sklad
    skola studio support team tym ucetni ucto urad vedeni webmaster
    """.split()  # noqa: SIM905 - a list of words reads best as words
)
_SEPARATORS: Final = str.maketrans("", "", ".-_")


class PhoneProblem(StrEnum):
    """Why a text is not the number of a phone that takes SMS."""

    UNREADABLE = "unreadable"
    IMPOSSIBLE = "impossible"
    NO_SMS = "no_sms"


@dataclass
class BadPhone(StafetaError, ValueError):
    """The text is no number that an SMS could reach, and why."""

    problem: PhoneProblem

    def __str__(self) -> str:
        return f"not a phone for SMS: {self.problem}"


def parse_phone(text: str, *, region: str = REGION_DEFAULT) -> str:
    """Return the E.164 form of a number as people write it; without a prefix it is one of `region`.

    Raises BadPhone for what is no number at all, for a number nobody can have, and for lines that take no SMS
    (landlines, premium and toll-free numbers).
    """
    if len(text) > PHONE_CHARS_MAX:
        raise BadPhone(PhoneProblem.UNREADABLE)
    try:
        number = phonenumbers.parse(text, region)
    except NumberParseException as error:
        raise BadPhone(PhoneProblem.UNREADABLE) from error
    if number.extension:
        raise BadPhone(PhoneProblem.UNREADABLE)
    if not phonenumbers.is_valid_number(number):
        raise BadPhone(PhoneProblem.IMPOSSIBLE)
    if phonenumbers.number_type(number) in _NO_SMS:
        raise BadPhone(PhoneProblem.NO_SMS)
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def format_phone(phone: str) -> str:
    """Return an E.164 number with its spaces, as people read it: "+420 601 123 456"."""
    try:
        number = phonenumbers.parse(phone, None)
    except NumberParseException:
        return phone
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.INTERNATIONAL)


def mask_phone(phone: str) -> str:
    """Return a number of which only its owner recognises the rest: "+420 ••• ••• 456"; its spaces break no line."""
    shown = format_phone(phone)
    prefix, _, rest = shown.partition(" ")
    hidden = len([character for character in rest if character.isdigit()]) - 3
    out = []
    for character in rest:
        out.append("•" if character.isdigit() and hidden > 0 else character)
        hidden -= character.isdigit()
    return f"{prefix} {''.join(out)}".replace(" ", NO_BREAK_SPACE)


def country_prefix(phone: str) -> str:
    """Return the calling code of an E.164 number: "420". Raises BadPhone."""
    try:
        return str(phonenumbers.parse(phone, None).country_code)
    except NumberParseException as error:
        raise BadPhone(PhoneProblem.UNREADABLE) from error


def is_shared_mailbox(email: str) -> bool:
    """Whether the address looks like one that several people read (info@, kontakt@ …): a reason to warn, not refuse."""
    local, _, _ = email.strip().lower().partition("@")
    return local.partition("+")[0].translate(_SEPARATORS) in _SHARED


def same_person_hint(*, email: str, phone: str, other_email: str, other_phone: str) -> bool:
    """Whether two entries share an e-mail or a phone and may therefore be one person entered twice."""
    same_email = bool(email) and email.strip().lower() == other_email.strip().lower()
    return same_email or (bool(phone) and phone == other_phone)
