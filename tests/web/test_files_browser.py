"""Files in a real browser under the real policy: sent in parts, through a lost connection and a reload."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Route, expect
from pytest_django.live_server_helper import LiveServer

from stafeta.accounts.models import User
from stafeta.vault.models import Attachment, Handover, PartialUpload, StoredFile
from stafeta.vault.selectors import read_content
from stafeta.vault.services import receive_upload
from stafeta.vault.services.open_attachment import open_attachment
from stafeta.web.views import uploads as views
from tests import make
from tests.e2e.browsers import CHROMIUM, NO_CHROMIUM, Browsers, Visitor, chromium
from tests.pdf import pdf, png

PART = 64 * 1024
DROP = """
([selector, name, text]) => {
  const files = new DataTransfer();
  files.items.add(new File([text], name));
  const facts = {dataTransfer: files, bubbles: true, cancelable: true};
  for (const type of ["dragenter", "dragover", "drop"]) {
    document.querySelector(selector).dispatchEvent(new DragEvent(type, facts));
  }
}
"""
DRAWN = """
() => {
  const context = document.querySelector(".pdf-page canvas").getContext("2d");
  return context.getImageData(0, 0, 600, 400).data.some((value, place) => place % 4 === 0 && value < 100);
}
"""

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(CHROMIUM is None, reason=NO_CHROMIUM),
]


@pytest.fixture
def browsers(live_server: LiveServer, handover: Handover, monkeypatch: pytest.MonkeyPatch) -> Iterator[Browsers]:
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")  # Playwright's loop runs in the thread that asks the database
    for module in (receive_upload, views):
        monkeypatch.setattr(module, "PART_BYTES", PART)
    with chromium(live_server.url.replace("127.0.0.1", "localhost"), locale="en-GB") as found:
        yield found
        assert found.complaints.accessibility == []
        assert found.complaints.foreign == []


@pytest.fixture
def handover(db: None, keys_file: Path) -> Handover:
    dana = make.owner()
    User.objects.update(language="en")
    return make.handover(dana, make.recipient(dana))


def signed_in(browsers: Browsers, dana: User) -> Visitor:
    visitor = browsers.visitor()
    visitor.open("/account/auth/login/")
    visitor.fill(login=dana.email, password=make.PASSWORD)
    visitor.press("main form button[type=submit]:not(#passkey_login)", leads_to="/")
    return visitor


def test_files_are_sent_through_a_lost_connection_and_a_reload_and_the_text_stays(
    browsers: Browsers, handover: Handover, tmp_path: Path
) -> None:
    large = tmp_path / "plán.pdf"
    large.write_bytes(b"%PDF-" + os.urandom(5 * PART))
    dana = signed_in(browsers, handover.owner)
    page = dana.page
    dana.open(f"/handovers/{handover.pk}/")
    expect(page.get_by_role("button", name="Add them")).to_be_hidden()

    # A file beside its place neither replaces the page nor what is being written on it.
    page.locator("textarea[name=content]").fill("still being written")
    page.evaluate(DROP, ["h1", "dropped.txt", "a golden carp"])
    expect(page.get_by_role("link", name="dropped.txt")).to_be_visible()
    expect(page.locator("textarea[name=content]")).to_have_value("still being written")

    # The connection is lost in the middle; what arrived stays, and the page is left meanwhile.
    lost = {"parts": 0}

    def lose(route: Route) -> None:
        lost["parts"] += 1
        if lost["parts"] > 2:
            route.abort("internetdisconnected")
        else:
            route.continue_()

    page.route("**/part/?part=*", lose)
    page.set_input_files("#id_files", large)
    row = page.locator("[data-upload-rows] li", has_text="plán.pdf")
    expect(row).to_contain_text("The connection is lost")
    expect(page.locator("[data-upload-said]")).to_contain_text("The connection is lost")
    assert PartialUpload.objects.get(attachment=None).parts.count() == 2
    page.on("dialog", lambda dialog: dialog.accept())  # "leave the page?"
    dana.open(f"/handovers/{handover.pk}/")
    expect(page.locator("[data-unfinished]")).to_contain_text("plán.pdf")
    expect(page.locator("[data-unfinished]")).to_contain_text("128.0 KB of 320.0 KB have arrived")

    # Chosen again it goes on from there.
    page.unroute("**/part/?part=*")
    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.url) if "part=" in request.url else None)
    page.set_input_files("#id_files", large)
    expect(page.get_by_role("link", name="plán.pdf", exact=True)).to_be_visible()
    assert [address[-1] for address in sent] == ["2", "3", "4", "5"]
    expect(page.locator("[data-unfinished]")).to_have_count(0)
    with open_attachment(Attachment.objects.get(name="plán.pdf")) as file:
        assert file.read() == large.read_bytes()
    assert StoredFile.objects.count() == 2
    assert read_content(handover) == "still being written"


def test_what_is_refused_says_why_and_what_is_cancelled_leaves_nothing(
    browsers: Browsers, handover: Handover, tmp_path: Path, settings: object
) -> None:
    settings.ATTACHMENT_BYTES_MAX = 2 * PART  # type: ignore[attr-defined]
    large, fitting = tmp_path / "large.mov", tmp_path / "fitting.txt"
    large.write_bytes(b"x" * (3 * PART))
    fitting.write_bytes(b"x" * (2 * PART))
    dana = signed_in(browsers, handover.owner)
    page = dana.page
    dana.open(f"/handovers/{handover.pk}/")
    browsers.complaints.expected.add((f"/handovers/{handover.pk}/uploads/", 413))
    page.route("**/part/?part=1", lambda route: route.abort("internetdisconnected"))
    page.set_input_files("#id_files", [large, fitting])
    rows = page.locator("[data-upload-rows] li")
    expect(rows.first).to_contain_text("“large.mov” cannot be added: it is 192.0 KB, the most is 128.0 KB.")
    expect(rows.nth(1)).to_contain_text("The connection is lost")
    page.get_by_role("button", name="Cancel – fitting.txt").focus()
    page.keyboard.press("Enter")
    expect(page.locator("[data-upload-said]")).to_have_text("“fitting.txt” was cancelled.")
    expect(rows).to_have_count(1)
    page.reload()
    expect(page.locator("[data-unfinished]")).to_have_count(0)
    assert not StoredFile.objects.exists()


def test_a_pdf_is_shown_in_the_page_and_what_cannot_be_is_offered(browsers: Browsers, handover: Handover) -> None:
    plan = make.attachment(handover, pdf("A golden carp", "in the second", "and the last pond"), name="plan.pdf")
    broken = make.attachment(handover, b"%PDF-1.7 and nothing of one", name="broken.pdf")
    picture = make.attachment(handover, png(3, 2), name="picture.png")
    dana = signed_in(browsers, handover.owner)
    page = dana.page
    dana.open(f"/handovers/{handover.pk}/attachments/{plan.pk}/show/")
    expect(page.locator("[data-pdf-count]")).to_have_text("3")
    expect(page.locator(".pdf-text").first).to_contain_text("A golden carp")
    expect(page.locator("[data-pdf-fallback]")).to_be_hidden()
    page.wait_for_function(DRAWN)
    dana.look()
    page.locator("[data-pdf-pages]").focus()
    page.keyboard.press("ArrowRight")
    expect(page.locator("[data-pdf-page]")).to_have_value("2")
    expect(page.get_by_role("group", name="Page 2 of 3")).to_contain_text("in the second")
    page.keyboard.press("End")
    expect(page.locator("[data-pdf-page]")).to_have_value("3")
    expect(page.get_by_role("button", name="Next page")).to_be_disabled()
    before = page.locator("[data-pdf-zoom]").inner_text()
    page.keyboard.press("+")
    expect(page.locator("[data-pdf-zoom]")).not_to_have_text(before)

    dana.open(f"/handovers/{handover.pk}/attachments/{broken.pk}/show/")
    expect(page.get_by_role("alert")).to_contain_text("It cannot be shown here.")
    with page.expect_download() as download:
        page.locator("[data-pdf-fallback] a").click()
    assert download.value.suggested_filename == "broken.pdf"

    dana.open(f"/handovers/{handover.pk}/as-recipient/")
    image = page.get_by_role("img", name="picture.png")
    page.wait_for_function("image => image.naturalWidth === 3", arg=image.element_handle())
    dana.open(f"/handovers/{handover.pk}/attachments/{picture.pk}/show/")
    assert browsers.complaints.console == []


def test_without_its_script_a_pdf_is_offered_for_download(browsers: Browsers, handover: Handover) -> None:
    plan = make.attachment(handover, pdf("A golden carp"), name="plan.pdf")
    dana = signed_in(browsers, handover.owner)
    dana.page.route("**/dist/pdf.js", lambda route: route.abort())
    dana.page.goto(f"{dana.page.url}handovers/{handover.pk}/attachments/{plan.pk}/show/")
    expect(dana.page.locator("[data-pdf-fallback]")).to_be_visible()
