"""What an owner is told when the service came back from a backup (docs/adr/0008)."""

from __future__ import annotations

from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import override

from stafeta.accounts.selectors import current_epoch
from stafeta.core.errors import Obsolete
from stafeta.core.policy import By
from stafeta.outbox.kinds import Rendered
from stafeta.outbox.message_ids import thread_headers
from stafeta.outbox.models import Message
from stafeta.outbox.render import render_mail
from stafeta.switches.messages import facts
from stafeta.switches.messages.owner import checkin_url
from stafeta.switches.messages.sms import one_sms
from stafeta.switches.models import Switch


def tell_restored(message: Message) -> Rendered:
    """Render the news of a restore. Raises Obsolete after another one, and once a suspended release was answered."""
    switch = facts.switch_behind(message)
    if message.params["epoch"] != current_epoch():
        raise Obsolete("there was another restore")
    asks = message.params["asks"]
    if asks:
        facts.require_released(message, switch)
    if message.channel == By.SMS:
        return _sms(switch)
    known = switch.events.exclude(kind__in=["Restored", "InstallationRestored"])
    latest = known.filter(at__lte=message.queued_at).order_by("-number").values_list("at", flat=True).first()
    context = {
        "owner": switch.owner.name,
        "asks": asks,
        "latest": facts.moment(latest, switch, facts.instant_of(message)) if latest else None,
        "button_url": checkin_url(switch) if asks else f"{settings.SITE_URL}/",
    }
    mail = render_mail("switches/mail/owner_restored", context, language=switch.owner.language)
    return Rendered(
        to=switch.owner.email,
        subject=mail.subject,
        text=mail.text,
        html=mail.html,
        headers=thread_headers(switch=switch.pk, cycle=message.params["cycle"], person="owner"),
        language=switch.owner.language,
    )


def _sms(switch: Switch) -> Rendered:
    with override(switch.owner.language):
        # Translators: an SMS; at most 90 characters.
        words = _("Stafeta: the handovers wait to open. If you are all right, confirm now:")
    text = one_sms(words, link=checkin_url(switch))
    return Rendered(to=facts.require_phone(switch.owner.phone), text=text, language=switch.owner.language)
