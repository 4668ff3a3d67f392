"""SMS codes: what opens, what does not, and that nobody is locked out for ever (vault.md, "Links and codes")."""

from __future__ import annotations

from base64 import b32encode
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection, transaction

from stafeta.accounts import derived_keys
from stafeta.accounts.code_sms import SMS_CHARS_MAX, code_sms
from stafeta.accounts.models import CodeChallenge, CodeIssue
from stafeta.accounts.services import codes
from stafeta.accounts.services.codes import (
    CODE_LIFETIME,
    DELAYS,
    PER_NUMBER_DAY_MAX,
    PER_NUMBER_HOUR_MAX,
    RESEND_AFTER,
    TRIES_MAX,
    code_of,
    issue_code,
    verify_code,
)
from stafeta.channels.text import gsm7_length, is_gsm7
from stafeta.core.errors import CodeExpired, CodeThrottled, Obsolete, WrongCode

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
PHONE = "+420601000002"
SUBJECT = "release:7"

pytestmark = pytest.mark.django_db


def issue(at: datetime = NOW, *, subject: str = SUBJECT, phone: str = PHONE) -> CodeChallenge:
    return issue_code(subject=subject, phone=phone, now=at)


def wrong(challenge: CodeChallenge) -> str:
    return f"{(int(code_of(challenge)) + 1) % 10**8:08}"


def use_up_tries(challenge: CodeChallenge, at: datetime) -> datetime:
    """Answer wrongly until the code is dead, and return when the next may be asked for."""
    for _ in range(TRIES_MAX - 1):
        with pytest.raises(WrongCode):
            verify_code(subject=SUBJECT, digits=wrong(challenge), now=at)
    with pytest.raises(CodeThrottled) as throttled:
        verify_code(subject=SUBJECT, digits=wrong(challenge), now=at)
    return throttled.value.retry_at


def test_codes_are_those_of_rfc_4226(monkeypatch: pytest.MonkeyPatch) -> None:
    """Appendix D: the secret "12345678901234567890", whose eight last digits are known for each counter."""
    secret = b32encode(b"12345678901234567890").decode()
    monkeypatch.setattr(codes, "code_secret", lambda _subject: secret)
    expected = [1284755224, 1094287082, 137359152, 1726969429, 1640338314, 868254676, 1918287922, 82162583, 673399871]
    got = [code_of(CodeChallenge(subject=SUBJECT, counter=counter)) for counter in range(len(expected))]
    assert got == [f"{value % 10**8:08}" for value in expected]


def test_right_code_opens_once() -> None:
    """Single use: the same digits again are nothing."""
    digits = code_of(issue())
    assert verify_code(subject=SUBJECT, digits=f" {digits[:4]} {digits[4:]} ", now=NOW).phone == PHONE
    with pytest.raises(CodeExpired):
        verify_code(subject=SUBJECT, digits=digits, now=NOW)


def test_code_of_another_subject_opens_nothing() -> None:
    """What was sent to one person for one thing proves nothing else."""
    mine, other = issue(), issue(subject="release:8")
    assert code_of(mine) != code_of(other)
    with pytest.raises(WrongCode):
        verify_code(subject=SUBJECT, digits=code_of(other), now=NOW)


def test_nothing_was_asked_for() -> None:
    """Guessing before a code exists is answered as an expired one, and leaves no row."""
    with pytest.raises(CodeExpired):
        verify_code(subject=SUBJECT, digits="12345678", now=NOW)
    assert not CodeChallenge.objects.exists()


def test_code_expires_after_ten_minutes() -> None:
    """To the second."""
    digits = code_of(issue())
    with pytest.raises(CodeExpired):
        verify_code(subject=SUBJECT, digits=digits, now=NOW + CODE_LIFETIME)
    assert verify_code(subject=SUBJECT, digits=digits, now=NOW + CODE_LIFETIME - timedelta(seconds=1))


def test_newer_code_voids_the_older() -> None:
    """Only the newest SMS counts."""
    old = code_of(issue())
    new = code_of(issue(NOW + RESEND_AFTER))
    assert old != new
    with pytest.raises(WrongCode):
        verify_code(subject=SUBJECT, digits=old, now=NOW + RESEND_AFTER)
    assert verify_code(subject=SUBJECT, digits=new, now=NOW + RESEND_AFTER)


def test_asking_twice_at_once_is_one_code() -> None:
    """A double press sends one SMS and counts once (invariant 14)."""
    first, second = issue(), issue(NOW + timedelta(seconds=1))
    assert (first.pk, first.counter) == (second.pk, second.counter)
    assert CodeIssue.objects.count() == 1


@pytest.mark.parametrize("digits", ["", "1234567", "123456789", "abcdefgh", "١٢٣٤٥٦٧٨"])
def test_what_is_no_code_costs_no_try(digits: str) -> None:
    """A typo of seven digits is no guess."""
    challenge = issue()
    for _ in range(TRIES_MAX + 1):
        with pytest.raises(WrongCode):
            verify_code(subject=SUBJECT, digits=digits, now=NOW)
    assert verify_code(subject=SUBJECT, digits=code_of(challenge), now=NOW)


def test_fifth_wrong_answer_kills_the_code() -> None:
    """Even the right digits do not open it any more, and a new one has to be waited for."""
    challenge = issue()
    retry_at = use_up_tries(challenge, NOW)
    assert retry_at == NOW + DELAYS[0]
    with pytest.raises(CodeThrottled):
        verify_code(subject=SUBJECT, digits=code_of(challenge), now=NOW)
    with pytest.raises(CodeThrottled):
        issue(NOW)
    with pytest.raises(CodeExpired):
        verify_code(subject=SUBJECT, digits=code_of(challenge), now=retry_at)
    assert verify_code(subject=SUBJECT, digits=code_of(issue(retry_at)), now=retry_at)


def test_delays_grow_and_never_lock_for_good() -> None:
    """1, 5, 15, 60 minutes, then always 60; a right answer starts anew."""
    at, waits = NOW, []
    for _ in range(len(DELAYS) + 1):
        retry_at = use_up_tries(issue(at), at)
        waits.append(retry_at - at)
        at = retry_at
    assert waits == [*DELAYS, DELAYS[-1]]
    verify_code(subject=SUBJECT, digits=code_of(issue(at)), now=at)
    at += timedelta(hours=1)
    assert use_up_tries(issue(at), at) == at + DELAYS[0]


def test_caps_of_a_number() -> None:
    """Whoever asks for them, one phone gets so many codes an hour and so many a day."""
    for number in range(PER_NUMBER_HOUR_MAX):
        issue(subject=f"release:{number}")
    with pytest.raises(CodeThrottled) as throttled:
        issue(subject="release:99")
    assert throttled.value.retry_at == NOW + timedelta(hours=1)
    issue(subject="release:99", phone="+420601000003")
    for number in range(PER_NUMBER_DAY_MAX - PER_NUMBER_HOUR_MAX):
        issue(NOW + timedelta(hours=1 + number // 5, minutes=1), subject=f"consent:{number}")
    with pytest.raises(CodeThrottled) as throttled:
        issue(NOW + timedelta(hours=12), subject="release:99")
    assert throttled.value.retry_at == NOW + timedelta(days=1)
    assert issue(NOW + timedelta(days=1), subject="release:99")


def test_cap_of_a_country(monkeypatch: pytest.MonkeyPatch) -> None:
    """SMS to one prefix cannot be pumped without end (toll fraud)."""
    monkeypatch.setattr(codes, "PER_COUNTRY_DAY_MAX", 3)
    for number in range(3):
        issue(subject=f"release:{number}", phone=f"+42060100001{number}")
    with pytest.raises(CodeThrottled):
        issue(subject="release:3", phone="+420601000019")
    assert issue(subject="release:3", phone="+421905000001")


def test_caps_keep_no_more_than_a_day() -> None:
    """What no cap needs is not kept."""
    issue()
    issue(NOW + timedelta(days=2))
    assert CodeIssue.objects.count() == 1


def test_a_throttled_code_counts_nothing() -> None:
    """The older code stays good where the newer one is refused."""
    challenge = issue()
    for number in range(PER_NUMBER_HOUR_MAX - 1):
        issue(subject=f"release:{number + 10}")
    with pytest.raises(CodeThrottled):
        issue(NOW + RESEND_AFTER)
    assert verify_code(subject=SUBJECT, digits=code_of(challenge), now=NOW + RESEND_AFTER)


@pytest.mark.django_db(transaction=True)
def test_wrong_answers_count_even_if_the_caller_would_roll_back() -> None:
    """Inside a transaction a refusal would take its count back; so it is not allowed there at all."""
    issue()
    with pytest.raises(RuntimeError), transaction.atomic():
        verify_code(subject=SUBJECT, digits="00000000", now=NOW)


@pytest.mark.django_db(transaction=True)
def test_same_code_pressed_at_once_counts_once() -> None:
    """Of many simultaneous right answers one opens."""
    digits = code_of(issue())

    def answer(_: int) -> bool:
        try:
            verify_code(subject=SUBJECT, digits=digits, now=NOW)
        except CodeExpired:
            return False
        finally:
            connection.close()
        return True

    with ThreadPoolExecutor(max_workers=6) as pool:
        assert sum(pool.map(answer, range(6))) == 1


@pytest.mark.django_db(transaction=True)
def test_simultaneous_guesses_are_all_counted() -> None:
    """A burst of guesses gets no more tries than a queue of them."""
    challenge = issue()
    guess = wrong(challenge)

    def answer(_: int) -> type[Exception]:
        try:
            verify_code(subject=SUBJECT, digits=guess, now=NOW)
        except (WrongCode, CodeThrottled) as refused:
            return type(refused)
        finally:
            connection.close()
        raise AssertionError("a wrong code opened")

    with ThreadPoolExecutor(max_workers=6) as pool:
        outcomes = list(pool.map(answer, range(10)))
    assert outcomes.count(WrongCode) == TRIES_MAX - 1


@pytest.mark.parametrize("language", ["cs", "en"])
def test_sms_is_one_and_plain(language: str) -> None:
    """At most 160 characters of GSM-7, and the last line is for the browser."""
    challenge = issue()
    to, text = code_sms(challenge_id=challenge.pk, counter=challenge.counter, language=language, now=NOW)
    assert to == PHONE
    assert is_gsm7(text)
    assert gsm7_length(text) <= SMS_CHARS_MAX
    assert text.endswith(f"\n@localhost #{code_of(challenge)}")
    assert f"{code_of(challenge)[:4]} {code_of(challenge)[4:]}" in text


def test_sms_of_a_dead_code_is_not_sent() -> None:
    """Replaced, expired or used: the message has lost its sense."""
    old = issue()
    new = issue(NOW + RESEND_AFTER)
    with pytest.raises(Obsolete):
        code_sms(challenge_id=old.pk, counter=old.counter, language="cs", now=NOW)
    with pytest.raises(Obsolete):
        code_sms(challenge_id=new.pk, counter=new.counter, language="cs", now=NOW + timedelta(hours=1))
    verify_code(subject=SUBJECT, digits=code_of(new), now=NOW + RESEND_AFTER)
    with pytest.raises(Obsolete):
        code_sms(challenge_id=new.pk, counter=new.counter, language="cs", now=NOW + RESEND_AFTER)


def test_secrets_of_subjects_differ_and_depend_on_the_instance() -> None:
    """Nobody computes a code from the database alone."""
    assert derived_keys.code_secret("a") != derived_keys.code_secret("b")
