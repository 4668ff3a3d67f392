"""Everything at once: text and files of handovers as one zip, streamed, each looked up anew before it is given."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.utils.http import content_disposition_header
from django.utils.translation import gettext as _

from stafeta.vault.bundle import Folder, Note, Part, Withdrawn, stream_zip, text_part
from stafeta.vault.bundle_names import portable_name
from stafeta.vault.models import Attachment, Handover
from stafeta.vault.selectors import attachments_of, read_content
from stafeta.vault.services.open_attachment import open_attachment
from stafeta.web.attachments import FILE_HEADERS

# Return what is asked for as it is allowed at this moment; raise Withdrawn where it is not any more.
FindHandover = Callable[[int], Handover]
FindFile = Callable[[int, int], Attachment]

__all__ = ["Withdrawn", "folder_of", "zip_response"]


def folder_of(handover: Handover, *, zone: str, find_handover: FindHandover, find_file: FindFile) -> Folder:
    """Return what a handover has to give. It may take an hour to send, so each part asks again when its turn comes."""
    in_zone = ZoneInfo(zone)

    def file_part(one: Attachment) -> Part:
        at = one.created_at.astimezone(in_zone)
        return Part(one.name, at, lambda: open_attachment(find_file(handover.pk, one.pk)))

    text = text_part(
        handover.title, handover.updated_at.astimezone(in_zone), lambda: read_content(find_handover(handover.pk))
    )
    # A sealed text is opened by its reader alone.
    texts = (text,) if handover.content_bytes and not handover.is_sealed else ()
    return Folder(handover.title, (*texts, *map(file_part, attachments_of(handover))))


def zip_response(
    request: HttpRequest, folders: Sequence[Folder], *, name: str, now: datetime, zone: str
) -> HttpResponse | StreamingHttpResponse:
    """Return the folders as a download; a HEAD opens nothing."""
    headers = {
        **FILE_HEADERS,
        "Content-Disposition": content_disposition_header(True, portable_name(name) + ".zip") or "attachment",
    }
    if request.method == "HEAD":
        return HttpResponse(content_type="application/zip", headers=headers)
    note = Note(
        _("WHAT IS MISSING") + ".txt",
        _(
            "These could not be opened and are not in this archive. Please try again later, or write to the operator "
            "of the service:"
        ),
        now.astimezone(ZoneInfo(zone)),
    )
    return StreamingHttpResponse(stream_zip(folders, note), content_type="application/zip", headers=headers)
