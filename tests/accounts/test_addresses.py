"""Phones as people write them, and mailboxes that several people read."""

from __future__ import annotations

import pytest

from stafeta.accounts.addresses import (
    BadPhone,
    PhoneProblem,
    country_prefix,
    format_phone,
    is_shared_mailbox,
    mask_phone,
    parse_phone,
    same_person_hint,
)


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("601 123 456", "+420601123456"),
        ("601123456", "+420601123456"),
        ("+420 601-123-456", "+420601123456"),
        ("00420601123456", "+420601123456"),
        ("+421 905 123 456", "+421905123456"),
        (" +49 1512 3456789 ", "+4915123456789"),
    ],
)
def test_phone_is_understood_as_written(text: str, number: str) -> None:
    """A Czech number needs no prefix, others do."""
    assert parse_phone(text) == number


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", PhoneProblem.UNREADABLE),
        ("call me", PhoneProblem.UNREADABLE),
        ("601 123 456 ext. 7", PhoneProblem.UNREADABLE),
        ("6" * 41, PhoneProblem.UNREADABLE),
        ("60112345", PhoneProblem.IMPOSSIBLE),
        ("+420 000 000 000", PhoneProblem.IMPOSSIBLE),
        ("224 123 456", PhoneProblem.NO_SMS),  # a landline in Prague
        ("906 123 456", PhoneProblem.NO_SMS),  # premium rate
        ("800 123 456", PhoneProblem.NO_SMS),  # toll-free
    ],
)
def test_what_takes_no_sms_is_refused_with_the_reason(text: str, problem: PhoneProblem) -> None:
    """A number that no code could reach would make every later release unreadable."""
    with pytest.raises(BadPhone) as refused:
        parse_phone(text)
    assert refused.value.problem is problem


def test_phone_is_shown_with_spaces_and_masked_for_others() -> None:
    """The mask shows only what its owner recognises."""
    assert format_phone("+420601123456") == "+420 601 123 456"
    assert mask_phone("+420601123456") == "+420\u00a0•••\u00a0•••\u00a0456"
    assert country_prefix("+420601123456") == "420"


@pytest.mark.parametrize("email", ["info@firma.cz", "Kontakt@firma.cz", "podpora@x.cz", "office+web@x.com", "it@x.cz"])
def test_mailbox_of_a_room_is_noticed(email: str) -> None:
    """Five people read info@: the owner is to be warned."""
    assert is_shared_mailbox(email)


@pytest.mark.parametrize("email", ["ema@firma.cz", "e.mala@firma.cz", "informatik@x.cz", "italo@x.cz", ""])
def test_mailbox_of_a_person_is_left_alone(email: str) -> None:
    """A warning that comes for everybody warns nobody."""
    assert not is_shared_mailbox(email)


def test_one_person_entered_twice_is_noticed() -> None:
    """By the same mailbox or the same phone; an empty field is nobody's."""
    assert same_person_hint(email="Ema@x.cz", phone="", other_email="ema@x.cz", other_phone="")
    assert same_person_hint(email="a@x.cz", phone="+420601", other_email="b@x.cz", other_phone="+420601")
    assert not same_person_hint(email="", phone="", other_email="", other_phone="")
