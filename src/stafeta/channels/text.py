"""The GSM-7 alphabet: 160 characters in one SMS, where a single accent would leave 70 (3GPP TS 23.038, 6.2.1)."""

from __future__ import annotations

from typing import Final

from anyascii import anyascii

SMS_CHARS_MAX: Final = 160

_BASIC: Final = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡"
    "ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_EXTENDED: Final = frozenset("\f^{}\\[~]|€")
_SUBSTITUTES: Final = str.maketrans({"`": "'", "\t": " ", "\x7f": None})


def gsm7(text: str) -> str:
    """The text in plain ASCII letters that every phone shows and one SMS carries 160 of: "Příště" → "Priste"."""
    ascii_only = anyascii(text.replace("\r\n", "\n")).translate(_SUBSTITUTES)
    return "".join(character for character in ascii_only if character in _BASIC or character in _EXTENDED)


def is_gsm7(text: str) -> bool:
    """Whether the text can be sent in GSM-7 as it is."""
    return all(character in _BASIC or character in _EXTENDED for character in text)


def gsm7_length(text: str) -> int:
    """How many of `SMS_CHARS_MAX` the text takes: brackets, braces, ~ ^ | \\ and € take two.

    Raises ValueError for a text outside the alphabet, whose length GSM-7 cannot tell.
    """
    if not is_gsm7(text):
        raise ValueError("the text has characters outside GSM-7; put it through gsm7() first")
    return len(text) + sum(character in _EXTENDED for character in text)
