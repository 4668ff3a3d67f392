"""The whole sealed story in a real browser; whatever it sends is recorded and searched for what is secret."""

from __future__ import annotations

import re
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote, unquote_to_bytes

import pytest
from django.conf import settings
from django.db import connection
from django.test import Client
from playwright.sync_api import Page, Request, sync_playwright
from pytest_django.live_server_helper import LiveServer

from stafeta.accounts.models import User
from stafeta.vault.holders import key_of, wrapped_for
from stafeta.vault.models import Handover, KeyFile, Recipient, WrappedKey
from stafeta.vault.selectors import read_content
from tests import age_browser, make
from tests.e2e.browsers import ARGUMENTS, CHROMIUM, NO_CHROMIUM, Complaints, look_with_axe
from tests.signin import sign_in
from tests.vault.sealed import Keys
from tests.web.test_passkey_browser import with_virtual_key

MARKER = "zlatý-kapr-7319 ví, kde je klíč"
OLDER = "starší tajemství modrého kapra"
TITLE = "Titulek, který tajný není"
PASSPHRASE = "čtyři hnědí koně nad mlýnem"
SECOND = "sedm zelených lžic pod mostem"
# What a changed script could do: the text, in base64 within something else, as a header of the very same request.
LEAK = """
const send = window.fetch;
window.fetch = (url, options) => {
    const text = document.querySelector("#sealed-text")?.value ?? "";
    return send(url, { ...options, headers: { ...options?.headers, "X-Trace": btoa(`trace ${text} end`) } });
};
"""
IDENTITY = re.compile(r"AGE-SECRET-KEY-1[0-9A-Z]{58}")
SAVE_MS_MAX = 30_000

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(CHROMIUM is None, reason=NO_CHROMIUM),
]


@pytest.fixture(autouse=True)
def beside_playwright(monkeypatch: pytest.MonkeyPatch) -> None:
    """Playwright's loop runs in this thread, which is no reason for Django to refuse the database."""
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")


@dataclass
class Wire:
    """Everything that left the browser: addresses, headers and bodies, each as bytes."""

    sent: list[bytes] = field(default_factory=list)

    def listen(self, page: Page) -> None:
        page.context.on("request", self._on_request)

    def _on_request(self, request: Request) -> None:
        head = " ".join([request.url, *(f"{name}: {value}" for name, value in request.headers.items())]).encode()
        self.sent += [head, unquote_to_bytes(request.url), request.post_data_buffer or b""]
        self.sent.append(unquote_to_bytes((request.post_data_buffer or b"").replace(b"+", b" ")))


def forms_of(secret: str) -> Iterator[bytes]:
    """Yield the forms in which a secret could have left: text, escaped, UTF-16, hex, and base64 wherever it begins."""
    plain = secret.encode()
    yield from (plain, quote(secret).encode(), secret.encode("unicode_escape"), plain.hex().encode())
    yield from (plain.hex().upper().encode(), secret.encode("utf-16-le"), secret.encode("utf-16-be"))
    for encoding in ("utf-8", "utf-16-le"):
        raw = secret.encode(encoding)
        for encode in (b64encode, urlsafe_b64encode):
            for shift in range(3):
                inner = encode(b"\0" * shift + raw)[4 if shift else 0 :]
                yield inner[: len(inner) // 4 * 4 - 4]


def found(secrets: Iterable[str], sent: Iterable[bytes]) -> list[str]:
    """Return which secrets stand in what was sent, in whatever form."""
    return [secret for secret in secrets if any(form in one for form in forms_of(secret) for one in sent)]


@contextmanager
def desk(live_server: LiveServer, dana: User) -> Iterator[tuple[Page, Wire, Complaints]]:
    """Give Dana a browser in which she is signed in, and listen to all that it sends."""
    client = Client()
    sign_in(client, dana)
    site = live_server.url.replace("127.0.0.1", "localhost")
    wire, complaints = Wire(), Complaints()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        context = browser.new_context(base_url=site, locale="en-GB", accept_downloads=True)
        cookie = client.cookies[settings.SESSION_COOKIE_NAME]
        context.add_cookies([{"name": cookie.key, "value": cookie.value, "url": site}])
        page = context.new_page()
        page.set_default_timeout(SAVE_MS_MAX)
        page.on("console", lambda said: complaints.console.append(said.text) if said.type == "error" else None)
        page.on("pageerror", lambda error: complaints.console.append(str(error)))
        wire.listen(page)
        yield page, wire, complaints
        browser.close()


def make_key(page: Page, complaints: Complaints) -> str:
    """Make a key on its page and return what stands on the recovery card."""
    page.goto("/account/key/")
    look_with_axe(page, complaints)
    page.fill("#new-passphrase", "heslo1234567")
    page.fill("#new-passphrase-again", "heslo1234567")
    page.click("[data-passphrase] button[type=submit]")
    page.wait_for_selector("[data-passphrase-error]:not(:empty)")
    page.fill("#new-passphrase", PASSPHRASE)
    page.fill("#new-passphrase-again", PASSPHRASE)
    page.click("[data-passphrase] button[type=submit]")
    page.wait_for_selector('[data-step="card"]:not([hidden])')
    look_with_axe(page, complaints)
    with page.expect_download() as download:
        page.click("[data-card-save]")
    card = Path(download.value.path()).read_bytes()
    page.check("[data-card-kept]")
    page.click("[data-key-submit]")
    page.wait_for_url("**/account/key/")
    return identity_on(card)


def identity_on(card: bytes) -> str:
    """Return the key that is printed on a card."""
    import pypdfium2

    text = re.sub(r"\s", "", pypdfium2.PdfDocument(card)[0].get_textpage().get_text_bounded())
    (identity,) = IDENTITY.findall(text)
    return str(identity)


def unlock(page: Page, passphrase: str = PASSPHRASE) -> None:
    page.fill("#unlock-passphrase", passphrase)
    page.click("[data-unlock-go]")
    page.wait_for_selector("[data-unlocked]:not([hidden])")


def write(page: Page, text: str) -> None:
    """Write and wait until it is saved."""
    with page.expect_response(lambda answer: "/sealed/save/" in answer.url):
        page.fill("#sealed-text", text)
    page.wait_for_selector('[data-editor-state][data-state="saved"]')


def begin(page: Page) -> Handover:
    page.goto("/handovers/new/")
    page.check("[name=level][value=sealed]")
    page.click("main button[value=empty]")
    page.click("[data-go]")
    page.wait_for_url(re.compile(r"/handovers/\d+/$"))
    return Handover.objects.get()


def raw_database() -> bytes:
    """Return the database file as it lies on the disk, with its write-ahead log."""
    if connection.vendor != "sqlite":
        return b""
    path = Path(str(connection.settings_dict["NAME"]))
    return b"".join(one.read_bytes() for one in path.parent.glob(path.name + "*"))


def test_the_server_never_receives_a_text_a_key_or_a_passphrase(live_server: LiveServer, keys_file: Path) -> None:
    """From making the key to reading after a forgotten passphrase; the pages do it all with the policy as it is."""
    dana, keys = make.owner(), Keys()
    ema = make.recipient(dana)
    User.objects.update(language="en")
    with desk(live_server, dana) as (page, wire, complaints):
        card = make_key(page, complaints)
        handover = begin_and_write(page, complaints)
        opened = seal_for(page, complaints, handover, ema, keys)
        unlock_by_passkey(page, complaints)
        choose_another_passphrase_by_the_card(page, card)
        page.goto(f"/handovers/{handover.pk}/")
        unlock(page, SECOND)
        assert MARKER in page.input_value("#sealed-text")
        page.click("[data-versions] summary")
        page.click("[data-version-show]:enabled")
        page.wait_for_selector("[data-version-diff] ins")
        look_with_axe(page, complaints)

        keys_seen = [card, card.removeprefix("AGE-SECRET-KEY-1"), opened, "AGE-SECRET-KEY-"]
        secrets = [MARKER, OLDER, PASSPHRASE, SECOND, *keys_seen]
        assert found(secrets, wire.sent) == []
        assert found(secrets, [raw_database()]) == []
        assert found([TITLE], wire.sent) == found([TITLE], [raw_database()]) == [TITLE], "the search finds nothing"
    assert complaints.console == []
    assert complaints.accessibility == []


def begin_and_write(page: Page, complaints: Complaints) -> Handover:
    """Begin a sealed handover, unlock it at the second try, and write."""
    handover = begin(page)
    look_with_axe(page, complaints)
    page.fill("#unlock-passphrase", "not this one at all")
    page.click("[data-unlock-go]")
    page.wait_for_selector("[data-unlock-error]:not(:empty)")
    unlock(page)
    look_with_axe(page, complaints)
    write(page, OLDER)
    write(page, f"# {MARKER}\n\n- [ ] kapr")
    page.wait_for_selector(f"[data-editor-preview] >> text={MARKER}")
    with page.expect_response(lambda answer: "/sealed/save/" in answer.url):
        page.fill("#sealed-title", TITLE)
    return handover


def seal_for(page: Page, complaints: Complaints, handover: Handover, ema: Recipient, keys: Keys) -> str:
    """Seal by one press for Ema, who opens it with her own key; return the handover's key."""
    handover.recipients.add(ema)
    theirs = keys.new(ema)
    page.goto("/sealing/")
    look_with_axe(page, complaints)
    page.fill("#unlock-passphrase", PASSPHRASE)
    page.click("[data-unlock-go]")
    page.wait_for_selector("text=Sealed for everybody who was waiting.")
    (wrapped,) = wrapped_for(handover, ema)
    opened = age_browser.opened(bytes(wrapped.blob), keys.of[theirs.public_key]).decode()
    ciphertext = bytes(handover.versions.order_by("-number")[0].ciphertext)
    assert MARKER in age_browser.opened(ciphertext, age_browser.Key(opened, handover.public_key)).decode()
    return opened


def unlock_by_passkey(page: Page, complaints: Complaints) -> None:
    """Let a passkey unlock as well, unlock with it, and lock."""
    with_virtual_key(page, prf=True)
    page.goto("/account/key/")
    look_with_axe(page, complaints)
    unlock(page)
    page.fill("#passkey-name", "laptop")
    page.click("[data-passkey-form] button[type=submit]")
    page.wait_for_selector("text=The passkey unlocks your key from now on.")
    assert KeyFile.objects.filter(kind=KeyFile.Kind.PASSKEY).count() == 1
    page.click("[data-unlock-passkeys] button")
    page.wait_for_selector("[data-unlocked]:not([hidden])")
    page.click("[data-lock]")
    page.wait_for_selector("[data-unlock]:not([hidden])")
    assert page.is_hidden("[data-unlocked]")


def choose_another_passphrase_by_the_card(page: Page, card: str) -> None:
    """Mistype the card, type it right, and choose another passphrase."""
    page.click("summary")
    page.fill("#unlock-card", card[:-1] + ("Q" if card[-1] != "Q" else "P"))
    page.click("[data-unlock-card] button")
    page.wait_for_selector("[data-unlock-card-error]:not(:empty)")
    page.fill("#unlock-card", card)
    page.click("[data-unlock-card] button")
    page.wait_for_selector("[data-unlocked]:not([hidden])")
    page.fill("#new-passphrase", SECOND)
    page.fill("#new-passphrase-again", SECOND)
    page.click("[data-passphrase] button[type=submit]")
    page.wait_for_selector("text=From now on the new passphrase counts.")


@pytest.mark.parametrize("leak", ["text", "passphrase", "key"])
def test_the_search_finds_whatever_a_changed_script_would_send(leak: str) -> None:
    """The test above can fail: in each of these forms, a leak is found."""
    secret = {"text": MARKER, "passphrase": PASSPHRASE, "key": "AGE-SECRET-KEY-1QQQQQQ"}[leak]
    for form in (
        secret.encode(),
        b'{"content": "' + secret.encode("unicode_escape") + b'"}',
        b"x" + b64encode(f"before {secret} after".encode()),
        urlsafe_b64encode(f"?? {secret} >>".encode("utf-16-le")),
        f"before {secret}".encode().hex().encode(),
        b"/?q=" + quote(secret).encode(),
    ):
        assert found([secret], [b"nothing", form]) == [secret], form
    assert found([secret], [b"nothing", b64encode(b"something else")]) == []


def test_both_ways_between_the_levels(live_server: LiveServer, keys_file: Path) -> None:
    """Sealed without the text ever being sent back, and guarded again by the owner's unlock, versions and all."""
    dana = make.owner()
    User.objects.update(language="en")
    handover = make.handover(dana, make.recipient(dana), content=f"# {MARKER}")
    with desk(live_server, dana) as (page, wire, complaints):
        make_key(page, complaints)
        page.goto(f"/handovers/{handover.pk}/level/")
        look_with_axe(page, complaints)
        page.click("[data-go]")
        page.wait_for_selector("text=Sealed. From now on")
        assert found([MARKER], wire.sent) == []
        assert not WrappedKey.objects.filter(holder="instance").exists()
        assert [wrap.key_id for wrap in WrappedKey.objects.all()] == [key_of(dana).pk]  # type: ignore[union-attr]
        unlock(page)
        assert page.input_value("#sealed-text") == f"# {MARKER}"

        other = page.context.new_page()
        other.clock.install()
        other.goto(f"/handovers/{handover.pk}/")
        unlock(other)
        write(other, "from the other window")
        page.fill("#sealed-text", "mine")
        page.wait_for_selector("[data-editor-conflict]:not([hidden])")
        page.click("[data-editor-theirs]")
        assert page.input_value("#sealed-text") == "from the other window"
        other.clock.fast_forward("11:00")
        other.wait_for_selector("[data-unlock]:not([hidden])")
        assert other.input_value("#sealed-text") == "", "nobody touched it for ten minutes"

        other.add_init_script(LEAK)
        other.goto(f"/handovers/{handover.pk}/")
        unlock(other)
        assert found(["the leaking window", PASSPHRASE], wire.sent) == []
        write(other, "the leaking window")
        assert found(["the leaking window", PASSPHRASE], wire.sent) == ["the leaking window"]
        write(other, "from the other window")

        before = Handover.objects.get().public_key
        page.goto(f"/handovers/{handover.pk}/level/?fresh")
        page.fill("#unlock-passphrase", PASSPHRASE)
        page.click("[data-unlock-go]")
        page.wait_for_selector("text=Sealed. From now on")
        assert Handover.objects.get().public_key != before

        page.goto(f"/handovers/{handover.pk}/level/")
        page.fill("#unlock-passphrase", PASSPHRASE)
        page.click("[data-unlock-go]")
        page.wait_for_selector("text=It is guarded now")
    # The conflict, of which Chromium tells the console.
    assert [said for said in complaints.console if "409" not in said] == []
    assert read_content(Handover.objects.get()) == "from the other window"
