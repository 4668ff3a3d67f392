"""The sentence about an address that nothing reaches any more."""

from __future__ import annotations

from datetime import datetime

from django.utils.translation import gettext as _

from stafeta.accounts.addresses import format_phone
from stafeta.accounts.moments import Moment
from stafeta.core.policy import By
from stafeta.switches.unreached import Unreached


def unreached_sentence(unreached: Unreached, *, zone: str, now: datetime) -> str:
    """Return what its owner has to know: whose address, which, since when, and what happens meanwhile."""
    place, since = unreached.place, unreached.suppression.since
    by_email = place.channel == By.EMAIL
    facts = {
        "name": place.name,
        "address": place.address if by_email else format_phone(place.address),
        "day": Moment(since, zone, now).day,
    }
    if place.role == "owner" and by_email:
        words = _(
            "E-mails to you (%(address)s) are no longer delivered, since %(day)s. I ask you by SMS as well until you "
            "change the address, or it works again."
        )
    elif place.role == "owner":
        words = _(
            "SMS to you (%(address)s) are no longer delivered, since %(day)s. I ask you by e-mail as well until you "
            "change the number, or it works again."
        )
    elif by_email:
        words = _("E-mails to %(name)s (%(address)s) are no longer delivered, since %(day)s. Please check the address.")
    else:
        words = _("SMS to %(name)s (%(address)s) are no longer delivered, since %(day)s. Please check the number.")
    return words % facts
