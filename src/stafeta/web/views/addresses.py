"""The owner says that an address is reached again."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from stafeta.outbox.services.suppress import lift
from stafeta.switches.unreached import unreached_of
from stafeta.web.views.owner import owner_of


@login_required
@require_POST
def address_works(request: HttpRequest, pk: int) -> HttpResponse:
    """Forget that an address of the owner's or of their people is not reached; anybody else's is not found."""
    found = next((one for one in unreached_of(owner_of(request)) if one.suppression.pk == pk), None)
    if found is None:
        raise Http404
    lift(channel=found.place.channel, address=found.place.address)
    messages.success(request, _("Noted. Should it come back again, I will tell you."))
    return redirect("dashboard")
