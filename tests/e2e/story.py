"""The whole story in browsers: Dana owns, Karel is close to her, Ema receives, Petr declines, Tomáš never answers.

Nothing here looks into the database; every wait has a name and a bound.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from email.message import EmailMessage
from typing import Final

from django.urls import reverse
from playwright.sync_api import FilePayload

from stafeta.cli.demo.cast import DANA, EMA, KAREL, PETR, TOMAS, Person
from stafeta.cli.demo.post import Mark, code_in, link_in
from tests.e2e.browsers import Browsers, Visitor
from tests.e2e.stack import Stack

CANARY: Final = "canary-zlaty-kapr-8842-pampeliska"
PASSWORD: Final = "stafeta-heslo-pampeliska-77"
TITLE: Final = "Weby klientů"
TEXT: Final = f"""\
Nic nehoří, weby poběží dál samy.

## Kde co je

- Registrátor: účet `dana-weby`, heslo `{CANARY}`
- Hosting: **obálka číslo 4** v kanceláři

<script>document.title = "stolen"</script>
"""
SCHEDULE: Final = {
    "interval_days": "1",
    "email_attempts": "2",
    "email_window_s": "86400",
    "sms_attempts": "1",
    "sms_window_s": "86400",
    "trusted_attempts": "1",
    "trusted_window_s": "259200",
}
FILE: Final[FilePayload] = {
    "name": "Smlouva č. 7.pdf",
    "mimeType": "application/pdf",
    "buffer": f"%PDF-1.7 {CANARY}".encode() * 5000,
}
FIRST_PROMPT_DAYS: Final = 2.5
OWNERS_RUNGS_DAYS: Final = 3.0
TRUSTED_RUNG_DAYS: Final = 3.0
HOLD_DAYS: Final = 1.0
SLACK_S: Final = 30.0
SAVED: Final = "[data-editor-state][data-state=saved]:not(:empty)"
_LINK: Final = re.compile(r"https?://[^\s<>\"']+/(?:l|account/auth/confirm-email)/([^\s<>\"'/?]+)")


@dataclass(slots=True)
class Story:
    """One performance. karel_asks_to_wait: otherwise he opens his link and says nothing. scene: what is played now.

    language: everybody's.
    """

    stack: Stack
    browsers: Browsers
    karel_asks_to_wait: bool
    language: str = "cs"
    scene: str = ""

    def mail_to(
        self, person: Person, *, since: Mark, what: str, days: float = 0, link: bool | None = None
    ) -> EmailMessage:
        """Wait for an e-mail that must come within so many simulated days."""
        return self.stack.post.mail_to(person, since=since, what=what, within_s=self._within_s(days), has_link=link)

    def code_to(self, person: Person, *, since: Mark, what: str) -> str:
        """Wait for the code that was just asked for."""
        return code_in(self.stack.post.text_to(person, since=since, what=what, within_s=SLACK_S))

    def text_to(self, person: Person, *, since: Mark, what: str, days: float = 0) -> str:
        """Wait for an SMS that must come within so many simulated days."""
        return self.stack.post.text_to(person, since=since, what=what, within_s=self._within_s(days)).text

    def mark(self) -> Mark:
        return self.stack.post.mark()

    def _within_s(self, days: float) -> float:
        return days * self.stack.plan.day_s + SLACK_S


def play(story: Story) -> Visitor:
    """Play every scene; return Dana as she is at last, signed in again."""
    dana = story.browsers.visitor()
    sign_up(story, dana)
    write(story, dana)
    invited = name_people(story, dana)
    answered = answer(story, invited)
    choose_recipients(story, dana)
    armed = arm(story, dana)
    confirm_once(story, since=armed)
    asked = fall_silent(story)
    be_asked_about(story, since=asked)
    news = be_released(story, since=asked)
    read(story, news[EMA.email])
    dana = come_back(story, tomas_link=link_in(news[TOMAS.email]))
    assert story.stack.post.count_to(PETR, since=answered) == 0, "Petr, who declined, got something"
    assert not story.stack.post.tells(CANARY), "the content was in a message"
    return dana


def sign_up(story: Story, dana: Visitor) -> None:
    """Dana makes her account, proves her e-mail by the link and her phone by the code."""
    story.scene = "sign up"
    mark = story.mark()
    dana.open("/", leads_to=reverse("account_signup"))
    dana.fill(name=DANA.name, email=DANA.email, password1=PASSWORD, phone="601 000 001", language=story.language)
    dana.press()
    dana.open(link_in(story.mail_to(DANA, since=mark, what="to prove the address")))
    assert dana.path == reverse("account-prove-email")
    dana.press(leads_to=reverse("account-phone"))
    mark = story.mark()
    dana.press(leads_to=reverse("account-phone-code"))
    code = story.code_to(DANA, since=mark, what="to prove the phone")
    dana.fill(code=wrong(code))
    dana.press(leads_to=reverse("account-phone-code"))
    assert dana.page.locator(".field-error").count() == 1
    dana.fill(code=f"{code[:4]} {code[4:]}")
    dana.press()
    assert dana.path != reverse("account-phone-code"), dana.text


def write(story: Story, dana: Visitor) -> None:
    """Dana writes; the editor saves by itself, and what she wrote is there when she comes again."""
    story.scene = "write"
    dana.open(reverse("handovers"))
    dana.open(reverse("handover-new"))
    dana.press("button[name=starter][value=empty]")
    editor = dana.path
    dana.page.fill("[name=title]", TITLE)
    dana.page.fill("[name=content]", TEXT)
    dana.page.wait_for_selector(SAVED)
    dana.page.wait_for_selector("[data-editor-preview] h2, [data-editor-preview] h3")
    dana.look()
    dana.page.set_input_files("[name=files]", FILE)
    dana.page.wait_for_selector(f"[data-file-lists] a:has-text('{FILE['name']}')")
    dana.open(editor)
    assert dana.page.input_value("[name=content]").split() == TEXT.split()
    assert dana.page.input_value("[name=title]") == TITLE


def name_people(story: Story, dana: Visitor) -> Mark:
    """Dana enters everybody and invites them; return the mark before their invitations."""
    story.scene = "name people"
    mark = story.mark()
    for page, person in (
        ("contact-new", KAREL),
        ("recipient-new", EMA),
        ("recipient-new", PETR),
        ("recipient-new", TOMAS),
    ):
        dana.open(reverse(page))
        if dana.path == reverse("account_reauthenticate"):
            dana.fill(password=PASSWORD)
            dana.press(leads_to=reverse(page))
        dana.fill(name=person.name, email=person.email, phone=person.phone, language=story.language)
        dana.press("button[name=invite]", leads_to=reverse("people"))
        assert person.name in dana.text
    return mark


def answer(story: Story, since: Mark) -> Mark:
    """Karel and Ema agree and prove their phones, Petr declines, Tomáš never answers; return the mark of that."""
    story.scene = "answer"
    for person, page in ((KAREL, "contact-consent"), (EMA, "consent"), (PETR, "consent")):
        visitor = story.browsers.visitor(phone=True, dark=person is KAREL)
        visitor.open(link_in(story.mail_to(person, since=since, what="invitation")), leads_to=reverse(page))
        if person is PETR:
            visitor.press("form:has([name=answer][value=decline]) button", leads_to=reverse(page))
            continue
        visitor.press("form:has([name=answer][value=agree]) button", leads_to=reverse(f"{page}-phone"))
        mark = story.mark()
        visitor.press("button[name=send]", leads_to=reverse(f"{page}-phone"))
        code = story.code_to(person, since=mark, what="to prove the phone")
        visitor.fill(code=wrong(code))
        visitor.press("form:has([name=code]) button", leads_to=reverse(f"{page}-phone"))
        visitor.fill(code=code)
        visitor.press("form:has([name=code]) button", leads_to=reverse(page))
    return story.mark()


def choose_recipients(story: Story, dana: Visitor) -> None:
    """Dana says who gets what she wrote."""
    story.scene = "choose recipients"
    dana.open(reverse("handovers"))
    dana.press("main a[href^='/handovers/']:not([href$='/new/'])")
    editor = dana.path
    dana.press("a[href$='/terms/']")
    for box in dana.page.locator("[name=recipients]").all():
        box.check()
    dana.press()
    dana.open(f"{editor}as-recipient/")
    assert "obálka číslo 4" in dana.text


def arm(story: Story, dana: Visitor) -> Mark:
    """Dana says when she is asked, and arms the switch; return the mark of that."""
    story.scene = "arm"
    dana.open(reverse("schedule"))
    dana.fill(**SCHEDULE)
    dana.press("#schedule-form button.btn-primary", leads_to=reverse("schedule"))
    assert dana.page.input_value("[name=interval_days]") == "1", dana.text
    mark = story.mark()
    dana.open(reverse("dashboard"))
    dana.press(f"main a[href='{reverse('arm')}']", leads_to=reverse("arm"))
    dana.press(leads_to=reverse("dashboard"))
    assert dana.page.locator(f"form[action='{reverse('im-fine')}']").count() == 1
    for name in ("history", "people", "account", "pause", "disarm"):
        dana.open(reverse(name), leads_to=reverse(name))
    return mark


def confirm_once(story: Story, *, since: Mark) -> None:
    """Dana is asked and confirms, by the keyboard alone; the same link is kind afterwards."""
    story.scene = "confirm once"
    link = link_in(story.mail_to(DANA, since=since, what="check-in", days=FIRST_PROMPT_DAYS))
    dana = story.browsers.visitor(phone=True)
    dana.open(link, leads_to=reverse("checkin"))
    dana.tab_to("#confirm-checkin")
    dana.press_key("Enter", leads_to=reverse("checkin-thanks"))
    dana.open(link, leads_to=reverse("checkin"))
    assert dana.page.locator("#confirm-checkin").count() == 0, "a link of a finished cycle must not ask again"


def fall_silent(story: Story) -> Mark:
    """Dana answers nothing: two e-mails, then the SMS; return the mark of the silence's beginning."""
    story.scene = "fall silent"
    mark = story.mark()
    first = story.mail_to(DANA, since=mark, what="check-in", days=FIRST_PROMPT_DAYS)
    story.mail_to(DANA, since=story.stack.post.after(first), what="asked again", days=1)
    story.text_to(DANA, since=mark, what="the last call", days=1)
    return mark


def be_asked_about(story: Story, *, since: Mark) -> None:
    """Karel is asked by e-mail and SMS; he asks to wait a day, or says nothing."""
    story.scene = "be asked about"
    mail = story.mail_to(KAREL, since=since, what="somebody close is asked", days=OWNERS_RUNGS_DAYS)
    story.text_to(KAREL, since=since, what="somebody close is asked")
    karel = story.browsers.visitor(phone=True, dark=True)
    karel.open(link_in(mail), leads_to=reverse("trusted"))
    if not story.karel_asks_to_wait:
        return
    mark = story.mark()
    story.browsers.complaints.expected.add((reverse("trusted"), 422))
    karel.fill(days="90")
    karel.press("form:has([name=answer][value=wait]) button", leads_to=reverse("trusted"))
    assert karel.page.input_value("[name=days]") == "90"
    assert karel.page.locator(".field-error").count() == 1
    karel.fill(days="1")
    karel.press("form:has([name=answer][value=wait]) button", leads_to=reverse("trusted-thanks"))
    story.mail_to(DANA, since=mark, what="that Karel asked to wait")
    mark = story.mark()
    story.text_to(KAREL, since=mark, what="asked again after the wait", days=HOLD_DAYS)


def be_released(story: Story, *, since: Mark) -> dict[str, EmailMessage]:
    """The handover opens to Ema and Tomáš; return the mails that told them."""
    story.scene = "be released"
    mails = {}
    for person in (EMA, TOMAS):
        mails[person.email] = story.mail_to(person, since=since, what="it is open", days=TRUSTED_RUNG_DAYS)
        assert "http" not in story.text_to(person, since=since, what="it is open")
    return mails


def read(story: Story, mail: EmailMessage) -> None:
    """Ema opens her link, gets the code, reads the very text: with the keyboard alone, and a wrong code in between."""
    story.scene = "read"
    ema = story.browsers.visitor(phone=True)
    ema.open(link_in(mail), leads_to=reverse("release"))
    assert CANARY not in ema.page.content()
    mark = story.mark()
    ema.tab_to("button[name=send]")
    ema.press_key("Enter", leads_to=reverse("release-code"))
    code = story.code_to(EMA, since=mark, what="the code")
    ema.open(reverse("release-read"), leads_to=reverse("release-code"))
    for answered, leads_to in ((wrong(code), "release-code"), (code, "release-read")):
        ema.tab_to("[name=code]")
        ema.page.keyboard.type(answered)
        ema.press_key("Enter", leads_to=reverse(leads_to))
        assert (CANARY in ema.page.content()) is (answered == code)
    assert TITLE in ema.text
    assert "obálka číslo 4" in ema.text
    assert ema.page.locator("main .prose script").count() == 0
    assert "stolen" not in ema.page.title()
    with ema.page.expect_download() as download:
        ema.page.click(f"a:has-text('{FILE['name']}')")
    assert download.value.suggested_filename == FILE["name"]
    assert download.value.path().read_bytes() == FILE["buffer"]
    ema.press("a[href^='/release/mail/']")
    assert CANARY not in ema.page.content()


def come_back(story: Story, *, tomas_link: str) -> Visitor:
    """Dana signs in: she sees who read what, everybody learns that it was a false alarm, what was not opened closes."""
    story.scene = "come back"
    mark = story.mark()
    dana = story.browsers.visitor(dark=True)
    dana.open("/", leads_to=reverse("account_login"))
    dana.fill(login=DANA.email, password="not my password at all")
    dana.press("form:has([name=login]) button", leads_to=reverse("account_login"))
    assert dana.page.input_value("[name=login]") == DANA.email
    dana.fill(login=DANA.email, password=PASSWORD)
    dana.press("form:has([name=login]) button", leads_to=reverse("dashboard"))
    for person, has_read in ((EMA, True), (TOMAS, False)):
        line = dana.page.locator("section[aria-labelledby=release] li", has_text=person.name)
        assert line.count() == 1
        assert (line.locator("[class*=warning]").count() == 1) is has_read, line.inner_text()
    for person in (EMA, TOMAS, KAREL):
        story.mail_to(person, since=mark, what="a false alarm", link=False)
    dana.open(reverse("history"), leads_to=reverse("history"))
    story.browsers.complaints.expected.add((reverse("release"), 404))
    tomas = story.browsers.visitor(phone=True)
    tomas.open(tomas_link, leads_to=reverse("release"))
    assert tomas.page.locator("main form").count() == 0, "the link of somebody who had not opened it must be closed"
    return dana


def wrong(code: str) -> str:
    """Return another code."""
    return f"{(int(code) + 1) % 10**8:08d}"


def tokens_in(story: Story) -> set[str]:
    """Return the token of every signed link in every message that was sent."""
    whole = [mail.as_string() for mail in story.stack.mails.inbox.all()]
    whole += [
        str(part.get_content())
        for mail in story.stack.mails.inbox.all()
        for part in mail.walk()
        if part.get_content_maintype() == "text"
    ]
    whole += [text.text for text in story.stack.texts.inbox.all()]
    return {token.rstrip(".,)=") for text in whole for token in _LINK.findall(text)}


def codes_in(story: Story) -> set[str]:
    """Return every code in every SMS that was sent."""
    return {code_in(text) for text in story.stack.texts.inbox.all() if re.search(r"\b\d{4} ?\d{4}\b", text.text)}
