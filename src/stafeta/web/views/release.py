"""The pages behind a release link: the news, a code by SMS, and only then the content (vault.md, "Levels")."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps

from django.contrib import messages
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from stafeta import clock
from stafeta.accounts.addresses import mask_phone
from stafeta.accounts.moments import Moment
from stafeta.core.errors import BadLink, CodeError, CodeThrottled
from stafeta.core.links import Link, Purpose
from stafeta.core.states import Released
from stafeta.switches.models import Switch
from stafeta.switches.selectors import on_wall, service_second
from stafeta.vault.messages import closed_share
from stafeta.vault.models import Attachment, ConsentState, Grant, Handover
from stafeta.vault.selectors import OpenRelease, attachment_behind, attachments_of, release_behind
from stafeta.vault.services.consent import decline, give_consent
from stafeta.vault.services.reading import ask_code, mail_content, open_by_code, record_reading
from stafeta.web.attachments import answer_with
from stafeta.web.bundles import Withdrawn, folder_of, zip_response
from stafeta.web.code_words import code_problem
from stafeta.web.forms.account import CodeForm
from stafeta.web.gates import gate_is_open, open_gate
from stafeta.web.languages import speak
from stafeta.web.reading import section_of
from stafeta.web.sealed_reading import sealed_of
from stafeta.web.session_links import session_link
from stafeta.web.showing import Shown, how_shown

Answer = HttpResponse | FileResponse | StreamingHttpResponse
Page = Callable[..., Answer]
ASKED_KEY = "release_code_asked"


def behind_the_link(page: Page) -> Page:
    """Give the page its link and what that opens now; whatever opens nothing gets one and the same kind page."""

    @wraps(page)
    def opened(request: HttpRequest, **kwargs: object) -> Answer:
        link = session_link(request, Purpose.RELEASE)
        try:
            found = release_behind(link, service_s=service_second())
            speak(request, found.recipient.language)
            return page(request, link, found, **kwargs)
        except BadLink:
            return render(request, "web/release/closed.html", status=404)

    return never_cache(require_http_methods(["GET", "HEAD", "POST"])(opened))


def behind_the_code(page: Page) -> Page:
    """Let only those on who agreed and proved their phone in this browser within the last hour."""

    @wraps(page)
    def proved(request: HttpRequest, link: Link, found: OpenRelease, **kwargs: object) -> Answer:
        if not _has_agreed(found):
            return redirect("release")
        if not _is_open(request, link, found):
            return redirect("release-code")
        return page(request, link, found, **kwargs)

    return proved


@behind_the_link
def release(request: HttpRequest, link: Link, found: OpenRelease) -> HttpResponse:
    """Tell the news; who never agreed is asked first. POST takes "agree" or "decline".

    Once the owner has returned, it is open only to who has read already, and the news is that all is well.
    """
    if request.method == "POST":
        if request.POST.get("answer") == "agree":
            give_consent(recipient=found.recipient, now=clock.now())
            return redirect("release-code")
        if request.POST.get("answer") == "decline":
            decline(recipient=found.recipient, now=clock.now())
        return redirect("release")
    context = _people(found) | {
        "has_agreed": _has_agreed(found),
        "has_declined": found.recipient.consent == ConsentState.DECLINED,
        "is_open": _is_open(request, link, found),
        "until": _until(found.grants, found),
        "closed": closed_share(found.grants),
    }
    page = "returned" if _has_returned(link) else "news"
    return render(request, f"web/release/{page}.html", context)


@behind_the_link
def code(request: HttpRequest, link: Link, found: OpenRelease) -> HttpResponse:
    """Send a code to the recipient's phone, and take it: a right one opens the content in this browser for an hour."""
    if not _has_agreed(found):
        return redirect("release")
    if request.method == "POST" and "send" in request.POST:
        return _send_code(request, link, found)
    form = CodeForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            open_by_code(release=found, digits=form.cleaned_data["code"], real_now=clock.real_now())
        except CodeError as problem:
            form.add_error("code", code_problem(problem, now=clock.real_now()))
        else:
            record_reading(grants=found.grants, now=clock.now())
            open_gate(request, link, phone=found.recipient.phone, real_now=clock.real_now())
            return redirect("release-read")
    asked = request.session.get(ASKED_KEY) == _ids(link) or request.method == "POST"
    return render(request, "web/release/code.html", _people(found) | {"form": form, "asked": asked})


@behind_the_link
@behind_the_code
def read(request: HttpRequest, link: Link, found: OpenRelease) -> HttpResponse:  # noqa: ARG001 - every page takes it
    """Show the content of what was opened; POST opens what has come since, which is recorded too."""
    if request.method == "POST":
        if found.unopened:
            record_reading(grants=found.unopened, now=clock.now())
        return redirect("release-read")
    owner, now = found.recipient.owner, clock.now()
    sealed = sealed_of(found.recipient, found.opened, zone=owner.zone, now=now)
    sections = [
        section_of(
            one.handover,
            zone=owner.zone,
            now=now,
            file_url=_file_url,
            show_url=_show_url,
            grant=one.pk,
            seal=sealed.seals.get(one.handover_id),
        )
        for one in found.opened
    ]
    context = _people(found) | {
        "sections": sections,
        "sealed": sealed,
        "has_download": any(section.page or section.files for section in sections),
        "unopened": len(found.unopened),
        "until": _until(found.opened, found) if found.opened else None,
    }
    return render(request, "web/release/read.html", context)


@behind_the_link
@behind_the_code
def attachment(
    request: HttpRequest,
    link: Link,  # noqa: ARG001 - as above
    found: OpenRelease,
    *,
    pk: int,
) -> HttpResponse | FileResponse:
    """Give a file of what was opened. That it was opened is recorded already; looking changes nothing."""
    try:
        one = attachment_behind(found, pk)
    except Attachment.DoesNotExist as error:
        raise Http404("no such file") from error
    return answer_with(request, one, otherwise="release-read")


@behind_the_link
@behind_the_code
def show(request: HttpRequest, link: Link, found: OpenRelease, *, pk: int) -> HttpResponse:  # noqa: ARG001 - as above
    """Show a picture or a PDF of what was opened; it is fetched by the page, behind the same gates."""
    try:
        one = attachment_behind(found, pk)
    except Attachment.DoesNotExist as error:
        raise Http404("no such file") from error
    if (how := how_shown(one)) is Shown.NOT:
        raise Http404("not shown")
    return render(request, "web/release/show_file.html", {"file": one, "how": how, "url": _file_url(one)})


@behind_the_link
@behind_the_code
def download_all(request: HttpRequest, link: Link, found: OpenRelease) -> Answer:
    """Give everything that was opened as one zip. Whoever comes back meanwhile stops what was not sent yet."""

    def still_open() -> OpenRelease:
        try:
            release = release_behind(link, service_s=service_second())
        except BadLink:
            raise Withdrawn from None
        if not _has_agreed(release):
            raise Withdrawn
        return release

    def find_handover(handover: int) -> Handover:
        opened = [grant.handover for grant in still_open().opened if grant.handover_id == handover]
        if not opened:
            raise Withdrawn
        return opened[0]

    def find_file(handover: int, number: int) -> Attachment:  # noqa: ARG001 - the file says whose it is
        try:
            return attachment_behind(still_open(), number)
        except Attachment.DoesNotExist:
            raise Withdrawn from None

    if not found.opened:
        return redirect("release-read")
    owner = found.recipient.owner
    folders = [
        folder_of(grant.handover, zone=owner.zone, find_handover=find_handover, find_file=find_file)
        for grant in found.opened
    ]
    return zip_response(request, folders, name=str(owner), now=clock.now(), zone=owner.zone)


@behind_the_link
@behind_the_code
def mail(request: HttpRequest, link: Link, found: OpenRelease, *, pk: int) -> HttpResponse:  # noqa: ARG001 - as above
    """Warn what a copy by e-mail means; POST sends it."""
    grant = next((one for one in found.opened if one.pk == pk), None)
    if grant is None or grant.handover.is_sealed:
        raise Http404("no such grant")
    if request.method == "POST":
        mail_content(grant=grant, now=clock.now(), service_s=service_second())
        words = _("A copy is on its way to %(email)s. Please delete it once you no longer need it.")
        messages.success(request, words % {"email": found.recipient.email})
        return redirect("release-read")
    context = _people(found) | {
        "title": grant.handover.title,
        "email": found.recipient.email,
        "has_files": bool(attachments_of(grant.handover)),
    }
    return render(request, "web/release/mail.html", context)


def _file_url(one: Attachment) -> str:
    return reverse("release-attachment", args=[one.pk])


def _show_url(one: Attachment) -> str:
    return reverse("release-attachment-show", args=[one.pk])


def _send_code(request: HttpRequest, link: Link, found: OpenRelease) -> HttpResponse:
    try:
        ask_code(release=found, now=clock.now(), real_now=clock.real_now())
    except CodeThrottled as problem:
        messages.warning(request, code_problem(problem, now=clock.real_now()))
    else:
        messages.success(request, _("A code is on its way. The newest one counts."))
        request.session[ASKED_KEY] = _ids(link)
    return redirect("release-code")


def _ids(link: Link) -> list[int]:
    return [link.person, link.switch, link.cycle]


def _has_returned(link: Link) -> bool:
    """Whether the owner was heard from after the release that the link belongs to."""
    switch = Switch.objects.filter(pk=link.switch).first()
    return switch is not None and not (switch.cycle == link.cycle and isinstance(switch.ladder_state, Released))


def _is_open(request: HttpRequest, link: Link, found: OpenRelease) -> bool:
    return gate_is_open(request, link, phone=found.recipient.phone, real_now=clock.real_now())


def _has_agreed(found: OpenRelease) -> bool:
    return found.recipient.consent == ConsentState.GIVEN


def _until(grants: tuple[Grant, ...], found: OpenRelease) -> Moment:
    """Return until when the first of the grants may be read, if nothing is interrupted."""
    now = clock.now()
    end = on_wall(min(grant.expires_at_s for grant in grants), now=now)
    return Moment(end, found.recipient.owner.zone, now)


def _people(found: OpenRelease) -> dict[str, object]:
    recipient = found.recipient
    return {"owner": str(recipient.owner), "name": recipient.name, "phone": mask_phone(recipient.phone)}
