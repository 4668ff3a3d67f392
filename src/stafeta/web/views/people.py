"""Recipients and trusted contacts: the list, the form, the invitation, the order, the removal."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db import IntegrityError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from stafeta import clock
from stafeta.accounts.addresses import format_phone
from stafeta.core.errors import PolicyError
from stafeta.core.policy import CONTACTS_MAX
from stafeta.core.states import Climbing, Held, Waiting
from stafeta.switches.models import Switch, TrustedContact
from stafeta.switches.services.contacts import move_contact
from stafeta.switches.unreached import unreached_of
from stafeta.vault.holders import key_of, public_keys_of, without_key
from stafeta.vault.models import ConsentState, Recipient
from stafeta.web.doubts import doubts_about
from stafeta.web.forms.people import EntryForm
from stafeta.web.fresh import fresh_signin_required
from stafeta.web.people import Person, Role, ask_key, change, enter, invite, people_of, person_of, remove
from stafeta.web.unreached_words import unreached_sentence
from stafeta.web.views.owner import switch_for

_BADGES = {
    ConsentState.DRAFT: "secondary",
    ConsentState.INVITED: "info",
    ConsentState.GIVEN: "success",
    ConsentState.DECLINED: "danger",
}


@dataclass(frozen=True, slots=True)
class Row:
    """One person as the list shows them."""

    person: Person
    role: Role
    phone: str
    tone: str
    doubts: tuple[str, ...]
    titles: tuple[str, ...]
    unreached: tuple[str, ...]
    lacks_key: bool = False
    public_key: str = ""
    may_be_asked: bool = False

    @property
    def may_be_invited(self) -> bool:
        """Whoever declined is asked no more: they change their answer through the link they have."""
        return self.person.consent != ConsentState.DECLINED

    @property
    def has_answered(self) -> bool:
        return self.person.consent in (ConsentState.GIVEN, ConsentState.DECLINED)


@login_required
@require_safe
def people(request: HttpRequest) -> HttpResponse:
    """Everybody the owner entered, with what is known and doubted about them."""
    switch = switch_for(request)
    contacts, recipients = _rows(switch, Role.CONTACT), _rows(switch, Role.RECIPIENT)
    context = {
        "contacts": contacts,
        "recipients": recipients,
        "has_keys": any(row.public_key for row in recipients),
        "contacts_max": CONTACTS_MAX,
        "has_room": len(contacts) < CONTACTS_MAX,
    }
    return render(request, "web/people/people.html", context)


@fresh_signin_required
@require_http_methods(["GET", "HEAD", "POST"])
def person_new(request: HttpRequest, role: Role) -> HttpResponse:
    """Enter somebody; the second button also invites them."""
    switch = switch_for(request)
    if role is Role.CONTACT and switch.contacts.count() >= CONTACTS_MAX:
        return _full(request)
    form = EntryForm(request.POST or None, others=people_of(switch, role), initial={"language": switch.owner.language})
    if request.method == "POST" and form.is_valid():
        now = clock.now()
        try:
            person = enter(switch=switch, role=role, entry=form.entry, now=now)
        except PolicyError:
            return _full(request)
        except IntegrityError:  # the same form sent twice at once
            form.add_error("email", _("You have entered this e-mail already."))
        else:
            if "invite" in request.POST:
                invite(person=person, now=now)
                messages.success(request, _("%(name)s was entered and invited.") % {"name": person.name})
            else:
                messages.success(
                    request, _("%(name)s was entered. Do not forget to invite them.") % {"name": person.name}
                )
            _warn(request, switch, person, role)
            return redirect("people")
    return render(
        request, "web/people/person.html", {"form": form, "role": role.value, "counts": _counts(switch, role)}
    )


@fresh_signin_required
@require_http_methods(["GET", "HEAD", "POST"])
def person_edit(request: HttpRequest, role: Role, pk: int) -> HttpResponse:
    """Change what is entered about somebody."""
    switch = switch_for(request)
    person = person_of(switch, role, pk)
    others = [other for other in people_of(switch, role) if other.pk != person.pk]
    initial = {name: getattr(person, name) for name in ("name", "email", "phone", "language")}
    form = EntryForm(request.POST or None, others=others, initial=initial)
    if request.method == "POST" and form.is_valid():
        try:
            changed = change(switch=switch, person=person, entry=form.entry, now=clock.now())
        except IntegrityError:
            form.add_error("email", _("You have entered this e-mail already."))
        else:
            messages.success(request, _said_of_change(person.email, changed))
            _warn(request, switch, changed, role)
            return redirect("people")
    context = {"form": form, "role": role.value, "person": person, "counts": _counts(switch, role)}
    return render(request, "web/people/person.html", context)


@login_required
@require_POST
def person_invite(request: HttpRequest, role: Role, pk: int) -> HttpResponse:
    """Send the invitation, or send it again."""
    person = person_of(switch_for(request), role, pk)
    if person.consent == ConsentState.DECLINED:
        messages.warning(request, _("%(name)s declined and is not invited again.") % {"name": person.name})
        return redirect("people")
    before = person.invitation
    if invite(person=person, now=clock.now()).invitation == before:
        messages.info(
            request, _("%(name)s was invited a moment ago; the e-mail is on its way.") % {"name": person.name}
        )
    else:
        messages.success(request, _("The invitation of %(name)s is on its way.") % {"name": person.name})
    return redirect("people")


@login_required
@require_POST
def recipient_ask_key(request: HttpRequest, pk: int) -> HttpResponse:
    """Send a recipient who has agreed the link behind which they choose a passphrase."""
    switch = switch_for(request)
    person = person_of(switch, Role.RECIPIENT, pk)
    name = {"name": person.name}
    if isinstance(person, Recipient) and ask_key(switch=switch, recipient=person, now=clock.now()):
        messages.success(request, _("%(name)s gets an e-mail that asks for a passphrase.") % name)
    else:
        words = _("%(name)s was not asked: they have a passphrase, have not agreed, or were asked a moment ago.")
        messages.info(request, words % name)
    return redirect("people")


@fresh_signin_required
@require_http_methods(["GET", "HEAD", "POST"])
def person_remove(request: HttpRequest, role: Role, pk: int) -> HttpResponse:
    """Ask, then remove somebody."""
    switch = switch_for(request)
    person = person_of(switch, role, pk)
    if request.method == "POST":
        name = person.name
        remove(switch=switch, person=person, now=clock.now())
        messages.success(request, _("%(name)s was removed.") % {"name": name})
        return redirect("people")
    context = {
        "person": person,
        "role": role.value,
        "is_last": role is Role.CONTACT and switch.contacts.count() == 1,
        "counts": _counts(switch, role),
    }
    return render(request, "web/people/remove.html", context)


@login_required
@require_POST
def contact_move(request: HttpRequest, pk: int) -> HttpResponse:
    """Move a trusted contact up or down by one."""
    person = person_of(switch_for(request), Role.CONTACT, pk)
    if isinstance(person, TrustedContact):
        move_contact(contact=person, places=-1 if request.POST.get("way") == "up" else 1, now=clock.now())
    return redirect("people")


def _rows(switch: Switch, role: Role) -> list[Row]:
    members, now = people_of(switch, role), clock.now()
    unreached: dict[int, list[str]] = {}
    for one in unreached_of(switch.owner):
        if one.place.role == role.value:
            sentence = unreached_sentence(one, zone=switch.owner.zone, now=now)
            unreached.setdefault(one.place.pk, []).append(sentence)
    titles: dict[int, list[str]] = {}
    without: list[Recipient] = []
    keys: dict[int, str] = {}
    if role is Role.RECIPIENT:
        without, keys = without_key(switch.owner), public_keys_of(switch.owner)
        for handover in switch.owner.handovers.filter(deleted_at=None).prefetch_related("recipients"):
            for recipient in handover.recipients.all():
                titles.setdefault(recipient.pk, []).append(handover.title)
    is_sealing = role is Role.RECIPIENT and key_of(switch.owner) is not None
    return [
        Row(
            person,
            role,
            format_phone(person.phone),
            _BADGES[ConsentState(person.consent)],
            doubts_about(person, owner=switch.owner, others=members),
            tuple(titles.get(person.pk, [])),
            tuple(unreached.get(person.pk, [])),
            lacks_key=person in without,
            public_key=keys.get(person.pk, ""),
            may_be_asked=person in without or (is_sealing and _lacks_key(person, keys)),
        )
        for person in members
    ]


def _lacks_key(person: Person, keys: Mapping[int, str]) -> bool:
    """Whether somebody who agreed has no key, though nothing sealed waits for it yet."""
    return person.consent == ConsentState.GIVEN and person.pk not in keys


def _counts(switch: Switch, role: Role) -> bool:
    """Whether a change of these people is a sign of life that begins a new cycle (services.contacts)."""
    return role is Role.CONTACT and isinstance(switch.ladder_state, (Waiting, Climbing, Held))


def _warn(request: HttpRequest, switch: Switch, person: Person, role: Role) -> None:
    for doubt in doubts_about(person, owner=switch.owner, others=people_of(switch, role)):
        messages.warning(request, f"{person.name}: {doubt}")


def _said_of_change(before: str, changed: Person) -> str:
    name = {"name": changed.name}
    if changed.email != before and changed.consent == ConsentState.INVITED:
        return _("Saved. %(name)s has a new e-mail, so an invitation went there, and a notice to the old one.") % name
    return _("%(name)s was changed.") % name


def _full(request: HttpRequest) -> HttpResponse:
    words = _("At most %(most)d people close to you can be entered. Remove somebody first.") % {"most": CONTACTS_MAX}
    messages.warning(request, words)
    return redirect("people")
