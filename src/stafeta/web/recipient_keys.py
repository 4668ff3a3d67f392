"""A recipient makes a key, and their owner hears of it: a first one is to be sealed for, a changed one to be checked.

What makes a key: the link of the newest invitation, and a code by SMS in the same browser. So who has the mailbox alone
neither makes a recipient's first key nor replaces it; and a replaced one gets nothing until the owner acknowledges it.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final

from django.conf import settings
from django.db import transaction
from django.urls import reverse
from django.utils.translation import override

from stafeta.accounts.addresses import format_phone
from stafeta.accounts.moments import Moment
from stafeta.core.errors import Obsolete
from stafeta.outbox.kinds import Rendered, register
from stafeta.outbox.models import Message
from stafeta.outbox.render import render_mail
from stafeta.outbox.services.queue import Draft, enqueue
from stafeta.vault.holders import is_changed, key_of, waiting_for
from stafeta.vault.models import PersonalKey, Recipient
from stafeta.vault.services.personal_keys import set_key
from stafeta.web.owners import note

KEY_MADE: Final = "web.recipient_key"


def register_key_notices() -> None:
    """Tell the outbox who renders the news of a recipient's key; doing it twice is harmless."""
    register(KEY_MADE, _recipient_key)


@transaction.atomic
def make_key(*, recipient: Recipient, public_key: str, file: bytes, replaces: int | None, now: datetime) -> PersonalKey:
    """Give the recipient a key, log it, and tell the owner. Sent again it is harmless. Raises as `set_key` does."""
    present = key_of(recipient)
    if present is not None and present.public_key == public_key:
        return present
    # First the switch, then what hangs on it, as a release locks them.
    kind = "RecipientKeyReplaced" if present else "RecipientKeyMade"
    note(recipient.owner, kind, {"recipient": recipient.pk}, now=now)
    made = set_key(person=recipient, public_key=public_key, file=file, replaces=replaces, now=now)
    params = {"person": recipient.owner_id, "key": made.pk}
    draft = Draft(
        key=f"web:recipient_key:{made.pk}",
        kind=KEY_MADE,
        channel="email",
        owner_id=recipient.owner_id,
        params=params,
    )
    enqueue([draft], now=now)
    return made


def _recipient_key(message: Message) -> Rendered:
    """Render the news for the owner. Raises Obsolete where there is nothing for them to do (any more)."""
    key = PersonalKey.objects.select_related("recipient__owner").filter(pk=message.params["key"]).first()
    if key is None or key.recipient is None or key.replaced_at is not None:
        raise Obsolete("there is another key")
    owner, changed = key.recipient.owner, is_changed(key)
    if not changed and key not in {waiting for one in waiting_for(owner) for waiting in one.keys}:
        raise Obsolete("nothing waits to be sealed for it")
    with override(owner.language):
        context = {
            "name": key.recipient.name,
            "phone": format_phone(key.recipient.phone),
            "when": Moment(key.made_at, owner.zone, key.made_at).on,
            "button_url": f"{settings.SITE_URL}{reverse('sealing')}",
        }
    template = "key_changed" if changed else "key_made"
    mail = render_mail(f"web/people/mail/{template}", context, language=owner.language)
    return Rendered(to=owner.email, subject=mail.subject, text=mail.text, html=mail.html, language=owner.language)
