"""What the vault's messages say: one renderer for each kind.

A renderer reads the rows as they are when the message is sent and raises Obsolete for one that has lost its sense.
Links and codes are made here and stored nowhere (invariant 17); content is decrypted here only for who asked for it.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable, Mapping
from email.utils import parseaddr
from typing import Final
from urllib.parse import urlsplit

from django.conf import settings
from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import override

from stafeta import clock
from stafeta.accounts.addresses import mask_phone
from stafeta.accounts.code_sms import code_sms
from stafeta.accounts.moments import Moment
from stafeta.accounts.signed_links import url_for
from stafeta.channels.text import SMS_CHARS_MAX, gsm7, gsm7_length
from stafeta.core.errors import ConfigurationError, DeliveryRefused, Obsolete, SealedAway, VaultError
from stafeta.core.links import Link, Purpose
from stafeta.outbox.kinds import Rendered, Renderer
from stafeta.outbox.message_ids import thread_headers
from stafeta.outbox.models import Message
from stafeta.outbox.render import render_mail
from stafeta.vault.holders import key_of, openers_of
from stafeta.vault.markdown import render as render_markdown
from stafeta.vault.models import ConsentState, Grant, Recipient
from stafeta.vault.sealing import is_closed
from stafeta.vault.selectors import read_content, readable_until

log = logging.getLogger(__name__)

CONTENT_MARK: Final = "STAFETA-CONTENT-HERE"


def invite(message: Message) -> Rendered:
    """Render the invitation. Raises Obsolete once there is a newer one."""
    recipient = _recipient_of(message)
    if recipient.invitation != message.params["invitation"] or recipient.invited_at is None:
        raise Obsolete("there is a newer invitation")
    link = Link(Purpose.RECIPIENT_CONSENT, recipient.pk, recipient.owner_id, recipient.invitation)
    return _mail(recipient, "invite", {"button_url": url_for(link), **operator_facts()})


def ask_for_key(message: Message) -> Rendered:
    """Render the wish that a recipient choose a passphrase. Raises Obsolete once they have, or were invited anew."""
    recipient = _recipient_of(message)
    is_newest = recipient.invitation == message.params["invitation"] and recipient.invited_at is not None
    if not is_newest or recipient.consent != ConsentState.GIVEN or key_of(recipient) is not None:
        raise Obsolete("nothing is wanted of them any more")
    link = Link(Purpose.RECIPIENT_CONSENT, recipient.pk, recipient.owner_id, recipient.invitation)
    context = {"button_url": url_for(link), "phone": mask_phone(recipient.phone)}
    return _mail(recipient, "ask_for_key", context)


def code(message: Message) -> Rendered:
    """Render the SMS with a code. Raises Obsolete when the code has expired, was used or replaced."""
    recipient = _recipient_of(message)
    to, text = code_sms(
        challenge_id=message.params["challenge"],
        counter=message.params["counter"],
        language=recipient.language,
        now=clock.real_now(),
    )
    return Rendered(to=to, text=text, language=recipient.language)


def release(message: Message) -> Rendered:
    """Render the news of a release; it carries a link and never any content. Raises Obsolete once all is closed."""
    recipient = _recipient_of(message)
    grants = _told_grants(message, recipient)
    context = {
        "button_url": release_url(message, recipient),
        "agreed": recipient.consent == ConsentState.GIVEN,
        "phone": mask_phone(recipient.phone),
        "until": _until(grants, recipient),
        "is_sealed": bool(_openable(grants, sealed=True)),
        "closed": closed_share(grants),
    }
    return _mail(recipient, "release", context, headers=_thread(message, recipient))


def release_sms(message: Message) -> Rendered:
    """Render the SMS beside the news: an important e-mail is waiting, and nothing more."""
    recipient = _recipient_of(message)
    _told_grants(message, recipient)
    with override(recipient.language):
        # Translators: an SMS in plain ASCII; with a name of up to 50 characters it must fit 160.
        words = _(
            "Stafeta: an important e-mail from %(name)s is waiting for you. Please check your mail, and spam too."
        )
    return _sms(recipient, words)


def reminder(message: Message) -> Rendered:
    """Render a reminder. Raises Obsolete when everything was opened or closed, or they could not open what is left."""
    recipient = _recipient_of(message)
    grants = _openable(grant for grant in _told_grants(message, recipient) if grant.first_read_at is None)
    if not grants:
        raise Obsolete("everything that they can open was opened")
    context = {
        "button_url": release_url(message, recipient),
        "until": _until(grants, recipient),
        "closed": closed_share(grants),
        "is_sealed": any(grant.handover.is_sealed for grant in grants),
    }
    return _mail(recipient, "reminder", context, headers=_thread(message, recipient))


def false_alarm(message: Message) -> Rendered:
    """Render the news that all is well. Raises Obsolete for somebody whom the bad news never left for."""
    recipient = _recipient_of(message)
    grants = Grant.objects.filter(recipient=recipient, switch=message.params["switch"], cycle=message.params["cycle"])
    stems = set(grants.exclude(news="").values_list("news", flat=True))
    news = Message.objects.filter(key__in=[f"{stem}:{channel}" for stem in stems for channel in ("email", "sms")])
    if not news.exclude(state=Message.State.CANCELLED).exists():
        raise Obsolete("the news of the release was never sent")
    if message.channel == Message.Channel.SMS:
        with override(recipient.language):
            # Translators: an SMS in plain ASCII; with a name of up to 50 characters it must fit 160.
            words = _("Stafeta: a false alarm. %(name)s is all right. We are sorry for the worry.")
        return _sms(recipient, words)
    context = {"has_read": grants.exclude(first_read_at=None).exists()}
    return _mail(recipient, "false_alarm", context, headers=_thread(message, recipient))


def content(message: Message) -> Rendered:
    """Render the copy that the recipient asked for: the only mail with content.

    Raises Obsolete once it has closed, and DeliveryRefused for now where the handover cannot be opened: that is this
    handover's trouble, or the keyring's, and no reason for anybody's ladder to wait.
    """
    recipient = _recipient_of(message)
    grant = _told_grants(message, recipient).filter(pk=message.params["grant"]).first()
    is_late = clock.now().timestamp() >= message.params["until"]
    if grant is None or grant.first_read_at is None or is_late or recipient.consent != ConsentState.GIVEN:
        raise Obsolete("the recipient may not read it any more")
    try:
        markdown = read_content(grant.handover)
    except SealedAway:
        raise Obsolete("the handover was sealed meanwhile") from None
    except (VaultError, ConfigurationError) as error:
        log.error("handover %s cannot be opened (%s): see the keys file", grant.handover_id, type(error).__name__)
        raise DeliveryRefused(f"the handover cannot be opened ({type(error).__name__})", permanent=False) from None
    rendered = _mail(recipient, "content", {"title": grant.handover.title, "mark": CONTENT_MARK}, headers={})
    html = f'<div style="margin:0 0 16px;overflow-wrap:anywhere;">{render_markdown(markdown).html}</div>'
    return Rendered(
        to=rendered.to,
        subject=rendered.subject,
        text=rendered.text.replace(CONTENT_MARK, markdown),
        html=re.sub(rf"<p[^>]*>\s*{CONTENT_MARK}\s*</p>", lambda _found: html, rendered.html),
        headers=rendered.headers,
        language=rendered.language,
    )


RENDERERS: Final[dict[str, Renderer]] = {
    "vault.invite": invite,
    "vault.ask_for_key": ask_for_key,
    "vault.code": code,
    "vault.release": release,
    "vault.release_sms": release_sms,
    "vault.reminder": reminder,
    "vault.false_alarm": false_alarm,
    "vault.content": content,
}


def release_url(message: Message, recipient: Recipient) -> str:
    """Return the recipient's link of the release that a message belongs to: the same in every mail of it."""
    return url_for(Link(Purpose.RELEASE, recipient.pk, message.params["switch"], message.params["cycle"]))


def closed_share(grants: Iterable[Grant]) -> str:
    """Return how much of what was granted no key at hand opens: "", "some" or "all". Nothing that is not there to be
    shown is promised."""
    handovers = {grant.handover_id: grant.handover for grant in grants}
    closed = [is_closed(handover) for handover in handovers.values()]
    return "all" if all(closed) else "some" if any(closed) else ""


def operator_facts() -> dict[str, object]:
    """Return who answers for the data (GDPR, Art. 14): the site and the address its mails come from."""
    return {"site": urlsplit(settings.SITE_URL).hostname or "", "operator": parseaddr(settings.EMAIL_FROM)[1]}


def _recipient_of(message: Message) -> Recipient:
    recipient = Recipient.objects.select_related("owner").filter(pk=message.params["recipient"]).first()
    if recipient is None:
        raise Obsolete("the recipient is gone")
    return recipient


def _told_grants(message: Message, recipient: Recipient) -> QuerySet[Grant]:
    """Return the recipient's open grants of the message's release. Raises Obsolete when there is none."""
    grants = Grant.objects.filter(
        recipient=recipient,
        switch=message.params["switch"],
        cycle=message.params["cycle"],
        closed_at=None,
        told_at__isnull=False,
        handover__deleted_at=None,
    ).select_related("handover")
    if recipient.consent == ConsentState.DECLINED or not grants.exists():
        raise Obsolete("nothing is open to them any more")
    return grants


def _openable(grants: Iterable[Grant], *, sealed: bool = False) -> list[Grant]:
    """Return the grants of what is guarded, or sealed for their recipient; or of these only the sealed ones."""
    found = list(grants)
    openers = openers_of(grant.handover for grant in found if grant.handover.is_sealed)
    return [
        grant
        for grant in found
        if (grant.handover_id, grant.recipient_id) in openers or not (sealed or grant.handover.is_sealed)
    ]


def _until(grants: Iterable[Grant], recipient: Recipient) -> Moment:
    ends = [end for grant in grants if (end := readable_until(grant)) is not None]
    return Moment(min(ends), recipient.owner.zone, clock.now())


def _thread(message: Message, recipient: Recipient) -> Mapping[str, str]:
    return thread_headers(
        switch=message.params["switch"], cycle=message.params["cycle"], person=f"recipient:{recipient.pk}"
    )


def _mail(
    recipient: Recipient, template: str, context: Mapping[str, object], *, headers: Mapping[str, str] | None = None
) -> Rendered:
    people = {"owner": str(recipient.owner), "recipient": recipient.name}
    mail = render_mail(f"vault/mail/{template}", people | dict(context), language=recipient.language)
    return Rendered(
        to=recipient.email,
        subject=mail.subject,
        text=mail.text,
        html=mail.html,
        headers=headers or {},
        language=recipient.language,
    )


def _sms(recipient: Recipient, words: str) -> Rendered:
    """Return `words` with the owner's name, as much of it as one SMS has room for."""
    name = gsm7(str(recipient.owner))
    room = SMS_CHARS_MAX - gsm7_length(gsm7(words % {"name": ""}))
    while name and gsm7_length(name) > room:
        name = name[:-1]
    return Rendered(to=recipient.phone, text=gsm7(words % {"name": name.strip()}), language=recipient.language)
