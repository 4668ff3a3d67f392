"""The demo for somebody with a browser: seeded people, the built-in mailbox, a page that shows the ladder climb."""

from __future__ import annotations

import threading

from stafeta.cli.demo import cast
from stafeta.cli.demo.installation import Installation, Plan, make_ready
from stafeta.cli.ready import tell


def show(plan: Plan) -> int:
    """Serve the demo until Ctrl-C or SIGTERM (0), or until a part of it has died (1)."""
    make_ready(plan, may_hold=cast.DANA.email)
    stop = threading.Event()
    installation = Installation(plan, stop)
    try:
        dana = cast.seed()
        if not installation.start():
            return installation.children.verdict()
        cast.begin(dana)
        tell(f"The demo is at {plan.site_url}/demo/ – one day takes {plan.day_s:g} s; Ctrl-C ends it")
        tell(f"Sign in as {cast.DANA.email} with the password {cast.PASSWORD}, or press the button on that page")
        installation.children.wait()
        return installation.children.verdict()
    except KeyboardInterrupt:
        stop.set()
        return installation.children.verdict()
    finally:
        installation.end()
