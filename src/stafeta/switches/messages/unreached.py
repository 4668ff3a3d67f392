"""What an owner is told when their mailbox or their phone is reached no more: by whichever still is."""

from __future__ import annotations

from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import override

from stafeta.accounts.addresses import mask_phone
from stafeta.accounts.models import User
from stafeta.core.errors import Obsolete
from stafeta.core.policy import By
from stafeta.outbox.kinds import Rendered
from stafeta.outbox.models import Message
from stafeta.outbox.render import render_mail
from stafeta.outbox.selectors import is_suppressed
from stafeta.switches.messages import facts
from stafeta.switches.messages.sms import one_sms


def tell_unreached(message: Message) -> Rendered:
    """Render the news. Raises Obsolete once the address was changed or is reached again."""
    owner = User.objects.filter(pk=message.params["person"], is_active=True).first()
    if owner is None:
        raise Obsolete("the account is gone")
    fails = By(message.params["fails"])
    if not is_suppressed(fails.value, owner.email if fails is By.EMAIL else owner.phone):
        raise Obsolete("it is reached again")
    if message.channel == By.SMS:
        return _by_sms(owner)
    context = {"owner": owner.name, "phone": mask_phone(owner.phone), "button_url": f"{settings.SITE_URL}/account/"}
    mail = render_mail("switches/mail/owner_unreached", context, language=owner.language)
    return Rendered(
        to=owner.email, subject=mail.subject, text=mail.text, html=mail.html, headers={}, language=owner.language
    )


def _by_sms(owner: User) -> Rendered:
    with override(owner.language):
        # Translators: an SMS; at most 110 characters.
        words = _("Stafeta: our e-mails no longer reach you. Sign in and check your address, please:")
    text = one_sms(words, link=f"{settings.SITE_URL}/")
    return Rendered(to=facts.require_phone(owner.phone), text=text, language=owner.language)
