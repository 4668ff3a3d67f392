"""SMS codes: HOTP (RFC 4226) of 8 digits, computed and never stored; limits after NIST SP 800-63B (vault.md).

A code lives 10 minutes, counts once, and takes 5 tries; each code in a row that runs out of them makes the wait for
the next one longer, and no wait is for ever. People type in real time, also in a demo: `now` is always
`clock.real_now()` here.
"""

from __future__ import annotations

import hmac
from datetime import datetime, timedelta
from typing import Final

import pyotp
from django.db import transaction

from stafeta.accounts.addresses import country_prefix
from stafeta.accounts.derived_keys import code_secret, fingerprint
from stafeta.accounts.models import CodeChallenge, CodeIssue
from stafeta.core.errors import CodeError, CodeExpired, CodeThrottled, WrongCode

CODE_DIGITS: Final = 8
CODE_LIFETIME: Final = timedelta(minutes=10)
RESEND_AFTER: Final = timedelta(seconds=30)
TRIES_MAX: Final = 5
DELAYS: Final = tuple(timedelta(minutes=minutes) for minutes in (1, 5, 15, 60))
PER_NUMBER_HOUR_MAX: Final = 5
PER_NUMBER_DAY_MAX: Final = 15
PER_COUNTRY_DAY_MAX: Final = 200
HOUR: Final = timedelta(hours=1)
DAY: Final = timedelta(days=1)


def issue_code(*, subject: str, phone: str, now: datetime) -> CodeChallenge:
    """Return the challenge whose code is to be sent to `phone` (E.164); an earlier code of the subject is void.

    subject: what a right answer proves. Call it in the transaction that queues the message, whose key should hold
    the challenge's id and counter: asked again within `RESEND_AFTER`, the same code of the same counter comes back
    and nothing is counted twice. Raises CodeThrottled.
    """
    with transaction.atomic():
        challenge, _ = CodeChallenge.objects.select_for_update().get_or_create(subject=subject)
        if challenge.blocked_until is not None and now < challenge.blocked_until:
            raise CodeThrottled(challenge.blocked_until)
        if _just_issued(challenge, phone=phone, now=now):
            return challenge
        _count_issue(phone=phone, now=now)
        challenge.counter += 1
        challenge.phone, challenge.issued_at = phone, now
        challenge.used_at, challenge.blocked_until, challenge.tries = None, None, 0
        challenge.save()
    return challenge


def code_of(challenge: CodeChallenge) -> str:
    """Return the newest code of the challenge. For renderers only: it is never stored, logged or put into a page."""
    return pyotp.HOTP(code_secret(challenge.subject), digits=CODE_DIGITS).at(challenge.counter)


def is_live(challenge: CodeChallenge, *, now: datetime) -> bool:
    """Whether the newest code could still be answered rightly."""
    return (
        challenge.issued_at is not None
        and challenge.used_at is None
        and challenge.tries < TRIES_MAX
        and now < challenge.issued_at + CODE_LIFETIME
    )


def verify_code(*, subject: str, digits: str, now: datetime) -> CodeChallenge:
    """Use up the subject's code and return its challenge, with the phone it proved. Spaces in `digits` are nothing.

    A wrong answer is counted even though this raises; therefore it must not be called inside a transaction, which
    would take the count back (Django raises RuntimeError). Two right answers at once: one counts. What is no code
    of 8 digits costs no try. Raises WrongCode, CodeExpired, CodeThrottled.
    """
    answer = "".join(digits.split()).replace("-", "")
    with transaction.atomic(durable=True):
        challenge = CodeChallenge.objects.select_for_update().filter(subject=subject).first()
        refusal = CodeExpired() if challenge is None else _judge(challenge, answer, now=now)
        if challenge is not None:
            challenge.save()
    if refusal is not None or challenge is None:
        raise refusal or CodeExpired()
    return challenge


def _judge(challenge: CodeChallenge, answer: str, *, now: datetime) -> CodeError | None:
    """Write into the challenge what `answer` does to it, and return why it opens nothing, if so."""
    if challenge.blocked_until is not None and now < challenge.blocked_until:
        return CodeThrottled(challenge.blocked_until)
    if not is_live(challenge, now=now):
        return CodeExpired()
    if len(answer) != CODE_DIGITS or not (answer.isascii() and answer.isdigit()):
        return WrongCode(tries_left=TRIES_MAX - challenge.tries)
    if hmac.compare_digest(code_of(challenge), answer):
        challenge.used_at, challenge.wrong_codes = now, 0
        return None
    challenge.tries += 1
    if challenge.tries < TRIES_MAX:
        return WrongCode(tries_left=TRIES_MAX - challenge.tries)
    delay = DELAYS[min(challenge.wrong_codes, len(DELAYS) - 1)]
    challenge.wrong_codes += 1
    challenge.blocked_until = now + delay
    return CodeThrottled(challenge.blocked_until)


def _just_issued(challenge: CodeChallenge, *, phone: str, now: datetime) -> bool:
    return (
        is_live(challenge, now=now)
        and challenge.phone == phone
        and challenge.tries == 0
        and challenge.issued_at is not None
        and now < challenge.issued_at + RESEND_AFTER
    )


def _count_issue(*, phone: str, now: datetime) -> None:
    """Record one code for the caps, or raise CodeThrottled with the time at which the fullest cap has room again."""
    country, number = country_prefix(phone), fingerprint(phone)
    CodeIssue.objects.filter(country=country, at__lte=now - DAY).delete()
    caps: tuple[tuple[dict[str, str], timedelta, int], ...] = (
        ({"number": number}, HOUR, PER_NUMBER_HOUR_MAX),
        ({"number": number}, DAY, PER_NUMBER_DAY_MAX),
        ({"country": country}, DAY, PER_COUNTRY_DAY_MAX),
    )
    waits = [wait for of, span, most in caps if (wait := _full_until(of, span=span, most=most, now=now))]
    if waits:
        raise CodeThrottled(max(waits))
    CodeIssue.objects.create(number=number, country=country, at=now)


def _full_until(of: dict[str, str], *, span: timedelta, most: int, now: datetime) -> datetime | None:
    newest_first = CodeIssue.objects.filter(**of, at__gt=now - span).order_by("-at").values_list("at", flat=True)
    full = list(newest_first[most - 1 : most])
    return full[0] + span if full else None
