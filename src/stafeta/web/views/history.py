"""The event log in plain words, and as a table."""

from __future__ import annotations

import csv
from io import StringIO
from math import ceil

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from stafeta.web.history import CSV_ENTRIES_MAX, FILTERS, PAGE_ENTRIES, count_of, entries_of
from stafeta.web.views.owner import owner_of, switch_for

_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_BOM = "\ufeff"  # so that a spreadsheet reads the accents


@login_required
@require_safe
def history(request: HttpRequest) -> HttpResponse:
    """A page of what happened, newest first; ?kind= leaves one kind, ?page= turns the page."""
    owner, switch, kind = owner_of(request), switch_for(request), _kind(request)
    total = count_of(owner, switch, kind=kind)
    pages = max(1, ceil(total / PAGE_ENTRIES))
    page = min(_page(request), pages)
    context = {
        "entries": entries_of(owner, switch, kind=kind, start=(page - 1) * PAGE_ENTRIES),
        "filters": FILTERS.items(),
        "kind": kind,
        "page": page,
        "pages": pages,
        "total": total,
    }
    return render(request, "web/history/history.html", context)


@login_required
@require_safe
def history_csv(request: HttpRequest) -> HttpResponse:
    """The same as a table that a Czech spreadsheet opens as it is; the newest `CSV_ENTRIES_MAX`."""
    owner, switch = owner_of(request), switch_for(request)
    table = StringIO()
    writer = csv.writer(table, delimiter=";", lineterminator="\r\n")
    writer.writerow([_("When"), _("What happened")])
    for entry in entries_of(owner, switch, kind=_kind(request), limit=CSV_ENTRIES_MAX):
        writer.writerow([timezone.localtime(entry.at).isoformat(sep=" ", timespec="seconds"), _cell(entry.text)])
    response = HttpResponse(_BOM + table.getvalue(), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = 'attachment; filename="stafeta.csv"'
    return response


def _kind(request: HttpRequest) -> str:
    kind = request.GET.get("kind", "")
    return kind if kind in FILTERS else ""


def _page(request: HttpRequest) -> int:
    text = request.GET.get("page", "")
    return max(1, int(text)) if text.isascii() and text.isdigit() and len(text) < 10 else 1


def _cell(text: str) -> str:
    """Keep a name that begins like a formula from being one."""
    return f"'{text}" if text.startswith(_FORMULA) else text
