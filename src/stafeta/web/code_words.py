"""What is said to somebody whose code did not open anything; the same words on every page that takes one."""

from __future__ import annotations

from datetime import datetime
from math import ceil

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from stafeta.core.errors import CodeError, CodeThrottled, WrongCode

HOUR_MINUTES = 60
# In the address of a page that takes a code: one was asked for just now, so writing it comes next.
SENT = "sent"


def code_problem(problem: CodeError, *, now: datetime) -> str:
    """Return one or two sentences: what is wrong and what helps. now: `clock.real_now()`."""
    match problem:
        case WrongCode(tries_left=left):
            tries = ngettext("You have %(left)d more try.", "You have %(left)d more tries.", left) % {"left": left}
            return " ".join([_("This is not the code. Check the digits in the newest SMS."), tries])
        case CodeThrottled(retry_at=retry_at):
            return " ".join([_("There were too many codes or attempts."), _wait(retry_at, now=now)])
        case _:
            return _("This code does not count any more. Ask for a new one.")


def _wait(retry_at: datetime, *, now: datetime) -> str:
    minutes = max(1, ceil((retry_at - now).total_seconds() / 60))
    if minutes <= HOUR_MINUTES:
        return ngettext("Try again in %(n)d minute.", "Try again in %(n)d minutes.", minutes) % {"n": minutes}
    hours = ceil(minutes / HOUR_MINUTES)
    return ngettext("Try again in %(n)d hour.", "Try again in %(n)d hours.", hours) % {"n": hours}
