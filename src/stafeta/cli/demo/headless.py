"""The demo without a browser: real web server and workers, a real SMTP server and SMS gateway, the story over HTTP."""

from __future__ import annotations

import logging
import threading
from dataclasses import replace

from stafeta import clock
from stafeta.cli.demo.browser import PageMissing
from stafeta.cli.demo.installation import Installation, Plan, make_ready
from stafeta.cli.demo.post import Missing, Post
from stafeta.cli.demo.story import play as play_story
from stafeta.cli.demo.telling import Telling
from stafeta.cli.ready import tell, warn
from stafeta.cli.receivers import SmsReceiver, SmtpReceiver


def play(plan: Plan) -> int:
    """Play the story once; return 0 after `demo: ok`, or 1 after saying what was missing."""
    with SmtpReceiver() as mails, SmsReceiver() as texts:
        plan = replace(plan, email_url=mails.url, sms_url=texts.url)
        make_ready(plan)
        logging.getLogger("mail.log").setLevel(logging.WARNING)  # aiosmtpd would tell every command
        tell(f"Štafeta at {plan.site_url}, one day takes {plan.day_s:g} s, {plan.workers} worker(s)")
        installation = Installation(plan, threading.Event())
        try:
            return _told(plan, installation, Post(mails.inbox, texts.inbox, dead=installation.children.dead))
        finally:
            installation.end()


def _told(plan: Plan, installation: Installation, post: Post) -> int:
    if not installation.start():
        return _failed("the web server did not start", installation)
    story = Telling(plan, post, start=clock.now())
    try:
        play_story(story)
    except (Missing, PageMissing) as missing:
        return _failed(f"missing in “{story.scene}”: {missing}", installation)
    finally:
        story.close()
    if dead := installation.children.dead():
        return _failed(f"{', '.join(dead)} ended before the story did", installation)
    tell("demo: ok")
    return 0


def _failed(why: str, installation: Installation) -> int:
    warn(installation.tail())
    warn(f"demo: failed – {why}")
    return 1
