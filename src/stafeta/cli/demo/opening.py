"""How it begins: Dana makes an account, writes, names people; they answer; she arms the switch."""

from __future__ import annotations

from typing import Final

from django.urls import reverse

from stafeta.cli.demo.browser import Page
from stafeta.cli.demo.cast import (
    CONTENT,
    DANA,
    EMA,
    INTERVAL_DAYS,
    KAREL,
    LANGUAGE,
    PASSWORD,
    PETR,
    RECIPIENTS,
    TITLE,
    TOMAS,
    Person,
)
from stafeta.cli.demo.post import Mark, code_in, link_in
from stafeta.cli.demo.telling import Telling

ORDER: Final = ("name", "email", "phone", "language")


def sign_up(story: Telling) -> None:
    """Dana makes an account, and proves her e-mail and her phone."""
    story.begin("Dana makes an account")
    browser, mark = story.browser(DANA), story.post.mark()
    page = browser.get("/")
    form = page.form("email", "password1", "phone")
    browser.send(
        form, name=DANA.name, email=DANA.email, password1=PASSWORD, phone=_as_typed(DANA.phone), language=LANGUAGE
    )
    mail = story.mail_to(DANA, since=mark, what="To prove the address")
    page = browser.get(link_in(mail))
    page = browser.send(page.form(action=reverse("account-prove-email")))
    story.require(page.path == reverse("account-phone"), f"after the e-mail the phone is to be proved, not {page.path}")
    mark = story.post.mark()
    page = browser.send(page.form("phone"), phone=_as_typed(DANA.phone))
    code = code_in(story.text_to(DANA, since=mark, what="To prove the phone", aloud=False))
    page = browser.send(page.form("code"), code=code)
    story.require(not page.has_form("code"), "the code from the SMS proves Dana's phone")
    story.say("Dana has an account; e-mail and phone are proved")


def enter_people(story: Telling) -> Mark:
    """Dana enters everybody and invites them; return the mark before their invitations."""
    story.begin("Dana names her people")
    mark = story.post.mark()
    _enter(story, "contact-new", KAREL)
    for person in RECIPIENTS:
        _enter(story, "recipient-new", person)
    return mark


def answer_invitations(story: Telling, *, since: Mark) -> Mark:
    """Karel, Ema and Tomáš agree and prove their phones; Petr declines. Return the mark of that."""
    story.begin("The people answer")
    for person in (KAREL, EMA, TOMAS, PETR):
        mail = story.mail_to(person, since=since, what="Invitation")
        page = story.open_link(person, mail, leads_to=reverse("contact-consent" if person is KAREL else "consent"))
        if person is PETR:
            story.browser(person).send(page.form(answer="decline"))
            story.say(f"{person.name} declines")
        else:
            _prove_phone(story, person, story.browser(person).send(page.form(answer="agree")))
            story.say(f"{person.name} agrees, and the phone is proved")
    return story.post.mark()


def _enter(story: Telling, page_name: str, person: Person) -> None:
    browser = story.browser(DANA)
    form = _open_guarded(story, reverse(page_name)).form(*ORDER)
    page = browser.send(
        form, button="invite", name=person.name, email=person.email, phone=_as_typed(person.phone), language=LANGUAGE
    )
    story.require(page.path == reverse("people"), f"{person.name} can be entered")
    story.say(f"Dana enters and invites {person.name}")


def _open_guarded(story: Telling, address: str) -> Page:
    """Open a page of Dana's that may ask for her password first."""
    browser = story.browser(DANA)
    page = browser.get(address)
    if page.path == reverse("account_reauthenticate"):
        page = browser.send(page.form("password"), password=PASSWORD)
    return page


def _prove_phone(story: Telling, person: Person, page: Page) -> None:
    browser, mark = story.browser(person), story.post.mark()
    page = browser.send(page.form("send"), button="send")
    code = code_in(story.text_to(person, since=mark, what="To prove the phone", aloud=False))
    page = browser.send(page.form("code"), code=code)
    story.require(not page.has_form("code"), f"the code from the SMS proves the phone of {person.name}")


def _as_typed(phone: str) -> str:
    """Return a Czech number as people type it."""
    local = phone.removeprefix("+420")
    return f"{local[:3]} {local[3:6]} {local[6:]}"


def write_handover(story: Telling) -> None:
    """Dana writes what is to be handed over, and says to whom."""
    story.begin("Dana writes her handover")
    browser = story.browser(DANA)
    page = browser.get(reverse("handover-new"))
    page = browser.send(page.form("starter"), button="empty")
    form = page.form("title", "content", "revision")
    page = browser.send(form, title=TITLE, content=CONTENT)
    kept = page.form("title", "content").fields["content"][0]
    story.require(kept.split() == CONTENT.split(), "the editor shows what was saved")
    page = browser.get(page.link("/terms/"))
    form = page.form("recipients", "delay_days")
    story.require(len(form.offers["recipients"]) == len(RECIPIENTS), "everybody can be chosen as a recipient")
    page = browser.send(form, recipients=form.offers["recipients"])
    for person in RECIPIENTS:
        story.require(person.name in page.text, f"the handover names {person.name}")
    story.say(f"Dana writes “{TITLE}” for {', '.join(person.name for person in RECIPIENTS)}")


def set_schedule(story: Telling) -> None:
    """Dana chooses the preset that asks most often."""
    story.begin("Dana says how often she is asked")
    browser = story.browser(DANA)
    page = browser.get(f"{reverse('schedule')}?preset=alert")
    page = browser.send(page.form("interval_days", "email_attempts"))
    story.require(page.path == reverse("schedule") and page.status == 200, "the preset “alert” can be saved")
    story.say(f"Dana is to be asked every {INTERVAL_DAYS} days")


def arm(story: Telling) -> Mark:
    """Dana arms her switch; return the mark of that."""
    story.begin("Dana arms the switch")
    browser, mark = story.browser(DANA), story.post.mark()
    page = _open_guarded(story, browser.get(reverse("dashboard")).link(reverse("arm")))
    page = browser.send(page.form(action=reverse("arm")))
    story.require(page.path == reverse("dashboard"), "the switch can be armed")
    story.require(any(form.action.endswith(reverse("im-fine")) for form in page.forms), "the switch is armed")
    story.say("The switch is armed")
    return mark
