"""People who are well: whoever of them is asked by e-mail presses the button behind the link, on the real pages."""

from __future__ import annotations

import threading
from email.message import EmailMessage
from typing import Final

from stafeta.cli.demo.browser import Browser, PageMissing
from stafeta.cli.demo.post import Missing, addressee, link_in
from stafeta.cli.receivers import Inbox
from tests.crash.seed import CONFIRMING

LOOK_EVERY_S: Final = 0.1
CHECKIN: Final = "/checkin/"


class Confirming(threading.Thread):
    """Reads the mails to those who confirm and presses; a web server that is down is tried again, as people do."""

    def __init__(self, inbox: Inbox[EmailMessage], site_url: str) -> None:
        super().__init__(name="confirming", daemon=True)
        self._inbox, self._site_url = inbox, site_url
        self._end = threading.Event()
        self.pressed = 0
        self.tried_again = 0

    def run(self) -> None:
        read = 0
        unanswered: dict[str, str] = {}
        while not self._end.is_set():
            mails = self._inbox.all()[read:]
            read += len(mails)
            for mail in mails:
                if addressee(mail).startswith(CONFIRMING):
                    try:
                        unanswered[addressee(mail)] = link_in(mail)
                    except Missing:
                        continue  # news, without a question
            for who, link in list(unanswered.items()):
                if self._end.is_set():
                    return
                if self._press(link):
                    del unanswered[who]
            self._end.wait(LOOK_EVERY_S)

    def end(self) -> None:
        """Let nobody press any more."""
        self._end.set()
        self.join(60)

    def _press(self, link: str) -> bool:
        browser = Browser(self._site_url, language="cs")
        try:
            page = browser.get(link)
            if not any(form.action.endswith(CHECKIN) for form in page.forms):
                return True  # settled before, by an earlier link
            page = browser.send(page.form(action=CHECKIN))
            self.pressed += page.path == f"{CHECKIN}thanks/"
        except PageMissing:
            self.tried_again += 1
            return False
        else:
            return True
        finally:
            browser.close()
