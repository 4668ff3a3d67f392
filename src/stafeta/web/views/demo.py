"""The demo's page: watch the ladder climb and the mailbox fill; it exists only where the clock is fast."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from zoneinfo import ZoneInfo

from allauth.account.utils import perform_login
from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from stafeta import clock
from stafeta.accounts.models import User
from stafeta.accounts.moments import Moment
from stafeta.channels.mailbox import read_mailbox
from stafeta.core.states import Evidence, Resting
from stafeta.switches.models import Switch, TrustedContact
from stafeta.switches.selectors import switch_of
from stafeta.switches.services.arm import arm
from stafeta.switches.services.checkin import record_checkin
from stafeta.vault.models import Recipient
from stafeta.vault.selectors import recipients_of
from stafeta.web.demo import demo_owner, is_demo
from stafeta.web.demo_ladder import ladder_of
from stafeta.web.history import entries_of

MESSAGES_SHOWN = 6
ENTRIES_SHOWN = 5

View = Callable[[HttpRequest, User], HttpResponseBase]


def of_the_demo(view: View) -> Callable[[HttpRequest], HttpResponseBase]:
    """Hand the demo's owner to the view; where there is no demo, there is no such page."""

    @wraps(view)
    def guarded(request: HttpRequest) -> HttpResponseBase:
        owner = demo_owner() if is_demo() else None
        if owner is None:
            raise Http404
        return view(request, owner)

    return guarded


@require_safe
@of_the_demo
def demo(request: HttpRequest, owner: User) -> HttpResponse:
    """Show the page, and let it renew itself each second unless `?still` asks it to stand still."""
    context = {**_now(owner), "is_still": "still" in request.GET}
    with timezone.override(ZoneInfo(owner.zone)):
        return render(request, "web/demo/page.html", context)


@require_safe
@of_the_demo
def demo_now(request: HttpRequest, owner: User) -> HttpResponse:
    """Return the part of the page that changes."""
    with timezone.override(ZoneInfo(owner.zone)):
        return render(request, "web/demo/now.html", _now(owner))


@require_POST
@of_the_demo
def demo_sign_in(request: HttpRequest, owner: User) -> HttpResponseBase:
    """Sign the visitor in as the invented owner, without a password. As any sign-in, it is a sign of life.

    From then on she speaks the visitor's language.
    """
    owner.language = get_language() or owner.language
    owner.save(update_fields=["language"])
    response: HttpResponseBase = perform_login(request, owner, redirect_url=reverse("dashboard"))
    return response


@require_POST
@of_the_demo
def demo_restart(request: HttpRequest, owner: User) -> HttpResponse:
    """Let the owner return, and arm the switch again where the release had disarmed it: the story starts anew."""
    now = clock.now()
    record_checkin(owner=owner, evidence=Evidence.BUTTON, now=now)
    if isinstance(switch_of(owner).ladder_state, Resting):
        arm(owner=owner, now=now)
    messages.success(request, _("%(owner)s was here, and falls silent again.") % {"owner": owner.name})
    return redirect("demo")


def _now(owner: User) -> dict[str, object]:
    now = clock.now()
    switch = switch_of(owner)
    names = _names(switch)
    newest = read_mailbox(settings.MAILBOX_DIR, limit=MESSAGES_SHOWN)
    return {
        "owner": owner,
        "now": now,
        "clock": Moment(now, owner.zone, now),
        "ladder": ladder_of(switch, now=now),
        "mailbox": [(message, names.get(message.to, message.to)) for message in newest],
        "entries": entries_of(owner, switch, limit=ENTRIES_SHOWN),
    }


def _names(switch: Switch) -> dict[str, str]:
    """Return who is behind each e-mail and phone of the story."""
    people: list[User | TrustedContact | Recipient] = [
        switch.owner,
        *switch.contacts.all(),
        *recipients_of(switch.owner),
    ]
    return {address: person.name for person in people for address in (person.email, person.phone)}
