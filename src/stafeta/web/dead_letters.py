"""What a message was about, in plain words: for the messages that could not be delivered."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from stafeta.accounts.addresses import format_phone
from stafeta.outbox.models import Message
from stafeta.switches.models import TrustedContact
from stafeta.vault.models import Recipient

_SUBJECTS: dict[str, Promise] = {
    "switches.ask_owner": gettext_lazy("The question whether you are all right"),
    "switches.call_owner": gettext_lazy("The question whether you are all right"),
    "switches.page_operator": gettext_lazy("A message to the operator"),
    "switches.ask_contact": gettext_lazy("The question to somebody close to you"),
    "switches.tell_owner": gettext_lazy("News for you"),
    "switches.tell_unreached": gettext_lazy("News for you"),
    "switches.tell_contact": gettext_lazy("News for somebody close to you"),
    "switches.invite_contact": gettext_lazy("The invitation of somebody close to you"),
    "switches.contact_code": gettext_lazy("A code for somebody close to you"),
    "vault.invite": gettext_lazy("The invitation of a recipient"),
    "vault.ask_for_key": gettext_lazy("The wish that a recipient choose a passphrase"),
    "vault.code": gettext_lazy("A code for a recipient"),
    "vault.release": gettext_lazy("The news of the handover"),
    "vault.release_sms": gettext_lazy("The news of the handover"),
    "web.recipient_key": gettext_lazy("News of a recipient's key"),
    "web.person_changed": gettext_lazy("News of a changed address"),
}
_BY_APP: dict[str, Promise] = {
    "accounts": gettext_lazy("A message about your account"),
    "vault": gettext_lazy("A message to a recipient"),
    "switches": gettext_lazy("A message about your switch"),
}


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A message that did not arrive: what it was, to whom, why."""

    pk: int
    about: str
    to: str
    problem: str
    message: Message


def dead_letter(message: Message) -> DeadLetter:
    """Return the words about a message that could not be delivered."""
    return DeadLetter(message.pk, about(message.kind), _to(message), _problem(message), message)


def about(kind: str) -> str:
    """Return what a message of this kind is about; a kind nobody described is still "a message"."""
    return str(_SUBJECTS.get(kind) or _BY_APP.get(kind.partition(".")[0]) or _("A message"))


def _to(message: Message) -> str:
    if message.to:
        return format_phone(message.to)
    person = message.params.get("person") or message.params.get("recipient")
    table = TrustedContact if "contact" in message.kind else Recipient
    owned = {"switch__owner": message.owner_id} if table is TrustedContact else {"owner": message.owner_id}
    if message.kind.startswith(("vault.", "switches.")) and "owner" not in message.kind:
        found = table.objects.filter(pk=person, **owned).first()
        return found.name if found else ""
    return ""


def _problem(message: Message) -> str:
    if message.state == Message.State.BOUNCED:
        return _("It came back: %(problem)s") % {"problem": message.problem} if message.problem else _("It came back.")
    return _("It was refused: %(problem)s") % {"problem": message.problem} if message.problem else _("It was refused.")
