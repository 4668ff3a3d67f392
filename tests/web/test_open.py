"""open.html as it leaves with every copy: in a real browser, from a file, with the network cut off."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pyrage
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

from stafeta.vault import copy_zip
from stafeta.vault.markdown import render
from tests.e2e.browsers import CHROMIUM, NO_CHROMIUM, PHONE
from tests.vault.vectors import PASSPHRASE
from tests.web.copies import Made
from tests.web.offline import Asked, chromium, listened

pytestmark = [pytest.mark.browser, pytest.mark.skipif(CHROMIUM is None, reason=NO_CHROMIUM)]

WAIT_MS_MAX = 30_000
EVERYTHING = """# One

## Two *three* `four`

Text with **strong**, _soft_, ~~gone~~, `code`, a line
break\\
and https://example.org/a?b=c&d, www.example.com, dana@example.org.

- [ ] to do **now**
- [x] done
- plain
  1. one
  2. two

5. five

> quoted
> > twice

| a | b | c |
|:--|:-:|--:|
| 1 | 2 | 3 |

```
<script>alert(1)</script>
```

    indented

![picture](https://example.org/x.png) [link](https://example.org "title") [bad](javascript:alert(1))
[data](data:text/html,x)
[tel](tel:+420123456789) <b onclick="alert(1)">raw</b> <img src=x onerror=alert(1)> [here](#t-1) [relative](page.html)

---

### Four &amp; <https://example.net/>
"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A phone without a network, in Czech."""
    context = browser.new_context(viewport=PHONE, locale="cs-CZ", offline=True)
    yield context.new_page()
    context.close()


def opened(page: Page, folder: Path) -> Asked:
    page.set_default_timeout(WAIT_MS_MAX)
    asked = listened(page)
    page.goto((folder / "open.html").as_uri())
    return asked


def give_key(page: Page, key: str) -> None:
    page.fill("#key", key)
    page.click("#card-form button")


def saved(page: Page, name: str) -> bytes:
    """Press the button beside a file and return what the browser saved."""
    with page.expect_download() as download:
        page.click(f'#attachments li:has-text("{name}") button')
    assert download.value.suggested_filename == name
    return Path(download.value.path()).read_bytes()


def complaints_of_axe(page: Page) -> list[str]:
    return [found["id"] for found in Axe().run(page).response["violations"]]


def test_card_opens_text_and_files_and_nothing_is_asked_of_the_network(page: Page, tmp_path: Path) -> None:
    """The key as it stands on paper, in groups and small letters."""
    made = Made(files={"smlouva (2).pdf": b"%PDF-1.7 secret", "účty.csv": b"a;b\n"})
    folder = made.unpacked(tmp_path)
    asked = opened(page, folder)
    assert made.title in page.inner_text("h1")
    assert "9. března 2026" in page.inner_text("main")
    assert "žluťoučký kůň" not in page.content()
    assert complaints_of_axe(page) == []
    key = str(made.identity).removeprefix("AGE-SECRET-KEY-1").lower()
    give_key(page, " ".join(key[at : at + 4] for at in range(0, len(key), 4)))
    page.wait_for_selector("article strong")
    assert page.inner_text("article strong") == "žluťoučký kůň"
    assert saved(page, "smlouva (2).pdf") == b"%PDF-1.7 secret"
    assert saved(page, "účty.csv") == b"a;b\n"
    assert complaints_of_axe(page) == []
    page.click("text=Zavřít")
    assert "žluťoučký kůň" not in page.inner_text("main")
    assert [url for url in asked.urls if not url.startswith(("file:", "blob:"))] == []
    assert len([url for url in asked.urls if url.startswith("file:")]) == 1
    assert asked.complaints == []


def test_passphrase_opens_it_too(page: Page, tmp_path: Path) -> None:
    asked = opened(page, Made(with_passphrase=True).unpacked(tmp_path))
    page.fill("#passphrase", PASSPHRASE + "x")
    page.click("#passphrase-form button")
    page.wait_for_selector("[role=alert]")
    assert "Tímto heslem se kopie neotevře." in page.inner_text("[role=alert]")
    page.fill("#passphrase", PASSPHRASE)
    page.click("#passphrase-form button")
    page.wait_for_selector("article strong")
    assert page.inner_text("article strong") == "žluťoučký kůň"
    assert asked.complaints == []


def test_wrong_key_is_told_in_plain_words(page: Page, tmp_path: Path) -> None:
    """Somebody else's, a mistyped one, half of one, none; and what was typed stays."""
    made = Made()
    opened(page, made.unpacked(tmp_path))
    page.click("#language")
    other, right = str(pyrage.x25519.Identity.generate()), str(made.identity)
    for typed, says in [
        ("", "Type the key from the card first."),
        (right[:40], "does not have the right length"),
        (right[:-1] + ("Q" if right[-1] != "Q" else "P"), "Some character of the key is mistyped"),
        (other, "belongs to another handover or to another copy"),
    ]:
        give_key(page, typed)
        page.wait_for_function(
            "says => document.querySelector('[role=alert]')?.textContent.includes(says)", arg=says, timeout=5000
        )
        assert page.input_value("#key") == typed
        assert page.locator("article").count() == 0


def test_damaged_content_shows_nothing(page: Page, tmp_path: Path) -> None:
    made = Made()
    folder = made.unpacked(tmp_path)
    page_file = folder / "open.html"
    html = page_file.read_text()
    at = html.index("</script>", html.index('data-part="content.md.age"')) - 8
    page_file.write_text(html[:at] + ("A" if html[at] != "A" else "B") + html[at + 1 :])
    opened(page, folder)
    give_key(page, str(made.identity))
    page.wait_for_selector("[role=alert]")
    assert "Soubor je poškozený" in page.inner_text("[role=alert]")
    assert page.locator("article").count() == 0


def test_photo_of_the_card_opens_it(page: Page, tmp_path: Path) -> None:
    made = Made()
    opened(page, made.unpacked(tmp_path))
    picture = tmp_path / "photo.png"
    picture.write_bytes(square_code(page, str(made.identity)))
    page.set_input_files("#picture", picture)
    page.wait_for_selector("article strong")


def test_large_files_are_chosen_beside_the_page(page: Page, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What does not fit into the page is taken from the folder, and a stranger among the files is named."""
    monkeypatch.setattr(copy_zip, "EMBEDDED_BYTES_MAX", 1000)
    made = Made(files={"video.mp4": bytes(200_000)})
    folder = made.unpacked(tmp_path)
    opened(page, folder)
    give_key(page, str(made.identity))
    page.wait_for_selector("#beside")
    assert page.locator("#attachments li button").count() == 0
    page.set_input_files("#beside", folder / "READ-ME.txt")
    assert "Tento soubor k předání nepatří: READ-ME.txt" in page.inner_text("#attachments")
    page.set_input_files("#beside", folder / "attachments" / "video.mp4.age")
    assert saved(page, "video.mp4") == bytes(200_000)


def test_text_is_rendered_as_the_server_renders_it(page: Page, tmp_path: Path) -> None:
    """The same elements and attributes, and nothing that loads or runs."""
    made = Made(text=EVERYTHING)
    asked = opened(page, made.unpacked(tmp_path))
    give_key(page, str(made.identity))
    page.wait_for_selector("article h2")
    same = page.evaluate(
        """html => {
            const server = document.createElement("article");
            server.className = "panel text";
            server.innerHTML = html;
            const ours = document.querySelector("article");
            ours.normalize(); server.normalize();
            return ours.isEqualNode(server) ? "" : ours.innerHTML + "\\n=====\\n" + server.innerHTML;
        }""",
        str(render(EVERYTHING, below=1).html),
    )
    assert same == ""
    assert page.locator("article script, article img, article [onclick], article [href^=javascript]").count() == 0
    assert [url for url in asked.urls if not url.startswith(("file:", "blob:"))] == []


def square_code(page: Page, text: str) -> bytes:
    """Return a picture of a square code, as a camera would see it on a sheet."""
    import zxingcpp

    code = zxingcpp.create_barcode(text, zxingcpp.BarcodeFormat.QRCode)
    shown = code.to_svg()
    sheet = page.context.new_page()
    sheet.set_viewport_size({"width": 900, "height": 700})
    sheet.set_content(f"<body style='padding:120px'>{shown}</body>")
    sheet.evaluate("document.querySelector('svg').style.width = '400px'")
    picture = sheet.screenshot()
    sheet.close()
    return picture
