"""Message-IDs: the same for every attempt at one message, so that a duplicate is seen to be one (RFC 5322, 3.6.4).

After a restore a key may come again in a mailbox that has seen it in the lost history, and which would drop the new
message as a duplicate. So the epoch in which it was queued is part of the id (docs/adr/0008).
"""

from __future__ import annotations

import hashlib
import hmac
from base64 import b32encode
from urllib.parse import urlsplit

from django.conf import settings

from stafeta.accounts.derived_keys import derive

ID_BYTES = 20


def message_id(key: str, epoch: int = 0) -> str:
    """Return the Message-ID of the message called `key` and queued in `epoch`, angle brackets included.

    Nobody else can guess it.
    """
    named = f"{key}\n{epoch}" if epoch else key
    digest = hmac.new(derive("message ids"), named.encode(), hashlib.sha256).digest()[:ID_BYTES]
    host = urlsplit(settings.SITE_URL).hostname or "localhost"
    return f"<{b32encode(digest).decode().lower()}@{host}>"


def thread_id(*, switch: int, cycle: int, person: str = "") -> str:
    """Return the Message-ID that all mails of one cycle answer, so that a mailbox shows them as one conversation.

    person: who reads it, e.g. "owner" or "trusted:3"; two people's conversations have nothing in common.
    """
    return message_id(f"thread:{switch}:{cycle}:{person}")


def thread_headers(*, switch: int, cycle: int, person: str = "") -> dict[str, str]:
    """Return the headers that put a mail into its cycle's conversation."""
    thread = thread_id(switch=switch, cycle=cycle, person=person)
    return {"In-Reply-To": thread, "References": thread}
