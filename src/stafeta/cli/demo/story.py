"""The story of the headless demo, scene after scene, told over HTTP, by mail and by SMS only.

Dana confirms once and falls silent; Karel is asked; the release comes; Ema reads, Tomáš does not, Petr, who declined,
hears nothing; Dana returns. Nothing here looks into the database.
"""

from __future__ import annotations

from email.message import EmailMessage
from typing import Final

from django.urls import reverse

from stafeta.cli.demo.cast import CONTENT, DANA, EMA, INTERVAL_DAYS, KAREL, PASSWORD, PETR, SECRET, TITLE, TOMAS
from stafeta.cli.demo.opening import answer_invitations, arm, enter_people, set_schedule, sign_up, write_handover
from stafeta.cli.demo.post import Mark, code_in, link_in
from stafeta.cli.demo.telling import Telling

# The present day may be over, and the hour of the check-in past: one day more than the interval.
FIRST_PROMPT_DAYS: Final = INTERVAL_DAYS + 1.5
RUNG_DAYS: Final = 1.0
TRUSTED_RUNG_DAYS: Final = 2.0


def play(story: Telling) -> None:
    """Play every scene. Raises Missing or PageMissing with what was not as it should be."""
    sign_up(story)
    invited = enter_people(story)
    declined = answer_invitations(story, since=invited)
    write_handover(story)
    set_schedule(story)
    armed = arm(story)
    confirm_once(story, since=armed)
    silent = fall_silent(story)
    released = be_released(story, since=silent)
    ema_reads(story, since=released)
    come_back(story, since=released)
    story.require(story.post.count_to(PETR, since=declined) == 0, f"nothing went to {PETR.name}, who declined")
    story.say(f"{PETR.name}, who declined, got nothing in all this time")
    story.require(not story.post.tells(SECRET), "what the handover says was in no e-mail and no SMS")


def confirm_once(story: Telling, *, since: Mark) -> None:
    """Dana is asked and presses the button; opening the link alone does nothing."""
    story.begin("Dana is well")
    mail = story.mail_to(DANA, since=since, what="Check-in", days=FIRST_PROMPT_DAYS)
    story.new_browser(DANA)
    page = story.open_link(DANA, mail, leads_to=reverse("checkin"))
    page = story.browser(DANA).send(page.form(action=reverse("checkin")))
    story.require(page.path == reverse("checkin-thanks"), "the button on the check-in page is a sign of life")
    story.say("Dana presses the button: she is well")


def fall_silent(story: Telling) -> Mark:
    """Dana answers nothing: she is asked by e-mail twice, by SMS, then Karel is asked twice."""
    story.begin("Dana falls silent")
    silent = story.post.mark()
    mail = story.mail_to(DANA, since=silent, what="Check-in", days=FIRST_PROMPT_DAYS)
    story.mail_to(DANA, since=story.post.after(mail), what="Asked again", days=RUNG_DAYS)
    story.text_to(DANA, since=silent, what="The last call", days=RUNG_DAYS)
    mail = story.mail_to(KAREL, since=silent, what="Somebody close is asked", days=RUNG_DAYS)
    story.text_to(KAREL, since=silent, what="Somebody close is asked")
    page = story.open_link(KAREL, mail, leads_to=reverse("trusted"))
    story.require(page.has_form("answer"), f"{KAREL.name} could say that Dana is well, or ask to wait")
    story.say(f"{KAREL.name} opens the link, and says nothing")
    story.mail_to(KAREL, since=story.post.after(mail), what="Asked again", days=TRUSTED_RUNG_DAYS)
    return silent


def be_released(story: Telling, *, since: Mark) -> dict[str, EmailMessage]:
    """The handover opens to Ema and Tomáš; return the mails that told them."""
    story.begin("The release")
    mails = {}
    for person in (EMA, TOMAS):
        what = "The handover is open"
        mails[person.email] = story.mail_to(person, since=since, what=what, days=TRUSTED_RUNG_DAYS)
        story.text_to(person, since=since, what=what)
    return mails


def ema_reads(story: Telling, *, since: dict[str, EmailMessage]) -> None:
    """Ema opens her link, asks for the code, gets it by SMS, and reads the very text."""
    story.begin("Ema reads")
    story.new_browser(EMA)
    page = story.open_link(EMA, since[EMA.email], leads_to=reverse("release"))
    story.require(SECRET not in page.html, "the link alone shows nothing")
    mark = story.post.mark()
    page = story.browser(EMA).send(page.form("send"), button="send")
    code = code_in(story.text_to(EMA, since=mark, what="The code", aloud=False))
    story.require(SECRET not in page.html, "nothing is shown before the code")
    page = story.browser(EMA).send(page.form("code"), code=code)
    story.require(TITLE in page.text, f"after the code {EMA.name} sees “{TITLE}”")
    for words in _sentences(CONTENT):
        story.require(_squeezed(words) in _squeezed(page.text), f"{EMA.name} reads “{words}”")
    story.say(f"{EMA.name} reads “{TITLE}”, word for word")


def come_back(story: Telling, *, since: dict[str, EmailMessage]) -> None:
    """Dana signs in: everybody learns that it was a false alarm, and what Tomáš has not opened closes."""
    story.begin("Dana returns")
    browser, mark = story.new_browser(DANA), story.post.mark()
    page = browser.get(reverse("account_login"))
    page = browser.send(page.form("login", "password"), login=DANA.email, password=PASSWORD)
    story.require(page.path == reverse("dashboard"), "Dana can sign in")
    story.say("Dana signs in")
    for person in (EMA, TOMAS, KAREL):
        story.mail_to(person, since=mark, what="A false alarm", has_link=False)
    page = story.new_browser(TOMAS).get(link_in(since[TOMAS.email]))
    story.require(not page.has_form("code"), f"the link of {TOMAS.name}, who had not opened it, is closed")
    story.require(page.status in (200, 404, 410), f"the closed link of {TOMAS.name} is answered kindly")
    story.say(f"The link of {TOMAS.name}, who had not opened it, is closed")


def _sentences(markdown: str) -> list[str]:
    """Return the words of every line as a person would see them, without Markdown's signs."""
    lines = []
    for line in markdown.splitlines():
        for cell in line.strip("| ").split("|"):
            words = cell.strip(" #-*`").replace("**", "").replace("`", "")
            lines.append(" ".join(words.removeprefix("1. ").removeprefix("2. ").split()))
    return [line for line in lines if line]


def _squeezed(text: str) -> str:
    """Return the text without its white space, which a page sets as it likes."""
    return "".join(text.split())
