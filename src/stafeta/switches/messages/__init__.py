"""What the ladder's messages say: one renderer for each kind, registered when the app starts.

A renderer reads the rows as they are when the message is sent, not as they were when it was queued, and raises
Obsolete for one that has lost its sense: a finished cycle sends nothing (invariant 13). Links and codes are made here
and stored nowhere (invariant 17).
"""

from __future__ import annotations

from stafeta.outbox.kinds import register
from stafeta.switches.messages.contact import ask_contact, contact_code, invite_contact, tell_contact
from stafeta.switches.messages.operator import page_operator
from stafeta.switches.messages.owner import ask_owner, call_owner, tell_owner
from stafeta.switches.messages.restored import tell_restored
from stafeta.switches.messages.unreached import tell_unreached


def register_kinds() -> None:
    """Register every kind of message that this app queues; doing it twice is harmless."""
    register("switches.ask_owner", ask_owner)
    register("switches.tell_owner", tell_owner)
    register("switches.call_owner", call_owner)
    register("switches.page_operator", page_operator)
    register("switches.tell_unreached", tell_unreached)
    register("switches.tell_restored", tell_restored)
    register("switches.ask_contact", ask_contact)
    register("switches.tell_contact", tell_contact)
    register("switches.invite_contact", invite_contact)
    register("switches.contact_code", contact_code)
