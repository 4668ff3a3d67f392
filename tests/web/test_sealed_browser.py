"""What tests/web/sealed_story.py promises holds. It waits for a browser that works hard, so it runs beside the rest."""

from __future__ import annotations

import pytest

from tests.beside import Done, Lane
from tests.e2e.browsers import CHROMIUM, NO_CHROMIUM

STORY_S_MAX = 300
ABOUT_S = 55


def tell(lane: Lane) -> Done:
    return lane.run("-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/web/sealed_story.py", within_s=STORY_S_MAX)


@pytest.mark.browser
@pytest.mark.skipif(CHROMIUM is None, reason=NO_CHROMIUM)
@pytest.mark.beside(tell, about_s=ABOUT_S)
def test_the_sealed_story_in_a_browser_keeps_every_promise(answer: Done) -> None:
    assert answer.code == 0, answer.text[-6000:]
