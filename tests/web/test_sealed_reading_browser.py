"""What tests/web/sealed_reading_story.py promises holds; a browser that works hard runs beside the other tests."""

from __future__ import annotations

import pytest

from tests.beside import Done, Lane
from tests.e2e.browsers import CHROMIUM, NO_CHROMIUM

STORY_S_MAX = 300
ABOUT_S = 40


def tell(lane: Lane) -> Done:
    story = "tests/web/sealed_reading_story.py"
    return lane.run("-m", "pytest", "-q", "-p", "no:cacheprovider", story, within_s=STORY_S_MAX)


@pytest.mark.browser
@pytest.mark.skipif(CHROMIUM is None, reason=NO_CHROMIUM)
@pytest.mark.beside(tell, about_s=ABOUT_S)
def test_recipients_of_what_is_sealed_keep_every_promise_of_their_story(answer: Done) -> None:
    assert answer.code == 0, answer.text[-6000:]
