"""An SMS of plain letters carries 160 characters; one accent would leave 70."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stafeta.channels.text import SMS_CHARS_MAX, gsm7, gsm7_length, is_gsm7


def test_a_czech_text_of_70_characters_stays_one_short_sms() -> None:
    text = "Štafeta: potvrďte prosím, že jste v pořádku. Příliš žluťoučký kůň úpěl"
    assert len(text) == 70
    assert not is_gsm7(text)
    assert gsm7(text) == "Stafeta: potvrdte prosim, ze jste v poradku. Prilis zlutoucky kun upel"
    assert gsm7_length(gsm7(text)) == 70 < SMS_CHARS_MAX


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("„Ano“ – ‚ne‘…", "\"Ano\" - 'ne'..."),
        ("5\u00a0€", "5 EUR"),
        ("a\tb\r\nc`d", "a b\nc'd"),
        ("https://stafeta.test/l/Ab-9_x/", "https://stafeta.test/l/Ab-9_x/"),
    ],
)
def test_marks_become_their_plain_likeness(text: str, plain: str) -> None:
    assert gsm7(text) == plain


def test_brackets_take_two() -> None:
    assert gsm7_length("[a]") == 5


def test_the_length_of_another_alphabet_is_not_guessed() -> None:
    with pytest.raises(ValueError, match="GSM-7"):
        gsm7_length("ž")


@given(st.text())
def test_whatever_comes_in_fits_the_alphabet_and_stays_as_it_is(text: str) -> None:
    plain = gsm7(text)
    assert is_gsm7(plain)
    assert plain.isascii()
    assert gsm7(plain) == plain
