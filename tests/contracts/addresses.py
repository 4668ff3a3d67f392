"""Every address of the site, taken from the URL configuration itself, with something for each of its parameters."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from allauth.account.forms import default_token_generator
from allauth.account.models import EmailAddress, EmailConfirmationHMAC
from allauth.account.utils import user_pk_to_url_str
from allauth.mfa.models import Authenticator
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from stafeta.accounts.derived_keys import link_key
from stafeta.accounts.models import User
from stafeta.core.links import Link, Purpose, make_token
from stafeta.outbox.models import Message, Suppression
from stafeta.switches.models import Switch, TrustedContact
from stafeta.vault.models import Attachment, Grant, Handover, KeyFile, PersonalKey, Recipient

ABSENT = 999_999
FORGED = "AQEBAQEAAAAAAAAAAAAAAAAAAAAAAAAA"
QUERIES = {
    "schedule": ("preset=alert", "preset=none"),
    "history": ("what=messages", "page=2", "page=none"),
    "demo": ("still",),
    "sealed-new": ("starter=website", "starter=none"),
    "account_login": ("next=/people/",),
}
Values = dict[str, object]


@dataclass(frozen=True, slots=True)
class Pattern:
    """One line of the URL configuration. parameters: their names."""

    name: str
    route: str
    parameters: tuple[str, ...]


def patterns() -> list[Pattern]:
    """Return every pattern that leads to a view."""
    return list(_walk(get_resolver().url_patterns, Pattern("", "", ())))


def _walk(found: list[URLPattern | URLResolver], above: Pattern) -> Iterator[Pattern]:
    for one in found:
        parameters = (*above.parameters, *one.pattern.regex.groupindex)
        here = Pattern(getattr(one, "name", None) or "", above.route + str(one.pattern), parameters)
        if isinstance(one, URLResolver):
            yield from _walk(one.url_patterns, here)
        else:
            yield here


def all_links() -> list[Link]:
    """Return the link of everybody who is in the database, for everything a link can be for."""
    links = [Link(Purpose.PROBE, 7, 0, 0)]
    for switch in Switch.objects.all():
        links.append(Link(Purpose.CHECKIN, switch.owner_id, switch.pk, switch.cycle))
        for contact in switch.contacts.all():
            links.append(Link(Purpose.TRUSTED, contact.pk, switch.pk, switch.cycle))
            links.append(Link(Purpose.CONTACT_CONSENT, contact.pk, switch.pk, contact.invitation))
        for recipient in Recipient.objects.filter(owner=switch.owner_id):
            links.append(Link(Purpose.RECIPIENT_CONSENT, recipient.pk, switch.owner_id, recipient.invitation))
            links.append(Link(Purpose.RELEASE, recipient.pk, switch.pk, switch.cycle))
    return links


def token_of(link: Link) -> str:
    return make_token(link, key=link_key())


def values_of() -> dict[str, list[Values]]:
    """Return, by the name of a pattern with parameters, what is to stand in them: everybody's, nobody's, forged."""
    people = {"contact": _pks(TrustedContact), "recipient": _pks(Recipient)}
    tokens = [*map(token_of, all_links()), FORGED]
    resets: list[Values] = [
        {"uidb36": user_pk_to_url_str(user), "key": default_token_generator.make_token(user)}
        for user in User.objects.all()
    ]
    keys = [EmailConfirmationHMAC(address).key for address in EmailAddress.objects.all()]
    handovers = _pks(Handover)
    files: list[Values] = [
        {**pk, "number": number} for pk in handovers for number in [*Attachment.objects.values_list("pk", flat=True), 1]
    ]
    return {
        "landing": [{"token": token} for token in tokens],
        "probe": [{"challenge": token} for token in tokens],
        "account_confirm_email": [{"key": key} for key in [*keys, FORGED]],
        "account_reset_password_from_key": [
            *resets,
            {"uidb36": "1", "key": FORGED},
            {"uidb36": "1", "key": "set-password"},
        ],
        **{f"mfa_{verb}_webauthn": _pks(Authenticator) for verb in ("remove", "edit")},
        **{f"{who}-{verb}": pks for who, pks in people.items() for verb in ("edit", "invite", "remove", "move")},
        "recipient-ask-key": people["recipient"],
        "handover": handovers,
        **{f"handover-{page}": handovers for page in HANDOVER_PAGES},
        "handover-version": [{**pk, "number": number} for pk in handovers for number in (0, 1, 2)],
        **{f"sealed-{page}": handovers for page in ("save", "versions")},
        "sealing-acknowledge": _pks(PersonalKey),
        "seal-key-passkey-remove": _pks(KeyFile),
        "handover-attach": handovers,
        **{f"handover-attachment{verb}": files for verb in ("", "-show", "-remove", "-restore")},
        "handover-uploads": handovers,
        **{f"handover-upload-{verb}": files for verb in ("part", "finish", "discard")},
        **{f"release-attachment{verb}": _pks(Attachment) for verb in ("", "-show")},
        "release-mail": _pks(Grant),
        "message-retry": _pks(Message),
        "address-works": _pks(Suppression),
        "receipts-signed": [{"service": service} for service in ("smtp", "webhook", "nobody")],
        "receipts": [{"service": service, "secret": FORGED} for service in ("postmark", "twilio", "nobody")],
        **{f"mailbox-{page}": [{"number": 1}, {"number": ABSENT}] for page in ("message", "html")},
    }


LEVEL_PAGES = ("level", "texts", "seal", "unseal")
HANDOVER_PAGES = (
    "autosave",
    "copy",
    "download",
    "terms",
    "as-recipient",
    "versions",
    "delete",
    "restore",
    *LEVEL_PAGES,
)


def addresses() -> list[tuple[str, str]]:
    """Return (name, address) of everything there is to ask for. Raises LookupError for a pattern nobody can fill in."""
    values = values_of()
    found = []
    for pattern in patterns():
        if not pattern.parameters:
            address = reverse(pattern.name)
            found += [
                (pattern.name, address),
                *((pattern.name, f"{address}?{q}") for q in QUERIES.get(pattern.name, ())),
            ]
        elif pattern.name in values:
            found += [(pattern.name, reverse(pattern.name, kwargs=given)) for given in values[pattern.name]]
        else:
            raise LookupError(f"say in tests/contracts/addresses.py what may stand in {pattern.route} ({pattern.name})")
    return sorted(set(found))


def _pks(
    model: type[
        TrustedContact
        | Recipient
        | Handover
        | Attachment
        | Grant
        | Message
        | Suppression
        | Authenticator
        | PersonalKey
        | KeyFile
    ],
) -> list[Values]:
    return [{"pk": pk} for pk in [*model.objects.values_list("pk", flat=True), ABSENT]]
