"""The whole story, once on SQLite and once on PostgreSQL with two workers, and what it must not have left behind."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import pytest

from tests.e2e import thief
from tests.e2e.browsers import CHROMIUM, NO_CHROMIUM, chromium
from tests.e2e.stack import running
from tests.e2e.story import CANARY, PASSWORD, Story, codes_in, play, tokens_in
from tests.e2e.tour import look_around

DAY_S = 4.0

pytestmark = [pytest.mark.browser, pytest.mark.skipif(CHROMIUM is None, reason=NO_CHROMIUM)]


@pytest.fixture(scope="module", params=[1, 2], ids=["sqlite", "postgres-two-workers"])
def told(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    """The story after its end, with everything still running."""
    workers: int = request.param
    with (
        running(directory=tmp_path_factory.mktemp("data"), workers=workers, day_s=DAY_S) as stack,
        chromium(stack.site_url) as browsers,
    ):
        story = Story(stack, browsers, karel_asks_to_wait=workers == 1)
        try:
            dana = play(story)
            if workers == 1:
                look_around(stack, browsers, dana)
        except BaseException:
            sys.stderr.write(f"the story stopped in “{story.scene}”\n")
            raise
        yield story


def test_no_page_breaks_its_own_rules(told: Story) -> None:
    """No script failed, no policy was violated, no file was missing, nothing came from elsewhere."""
    assert told.browsers.complaints.console == []
    assert told.browsers.complaints.foreign == []


def test_every_page_can_be_used_by_everybody(told: Story) -> None:
    """axe found nothing on any page that was shown (WCAG 2.2 AA and its best practices)."""
    assert len(told.browsers.complaints.looked_at) > 20
    assert told.browsers.complaints.accessibility == [], "\n".join(told.browsers.complaints.accessibility)


@pytest.fixture(scope="module")
def loot(told: Story) -> dict[str, bytes]:
    """Everything a thief would have: every row of every table, the files they lie in, every log."""
    files = thief.files_of(told.stack)
    rows = {table: text.encode() for table, text in thief.rows_of(told.stack).items()}
    return files | rows


def test_a_thief_would_look_in_the_right_places(told: Story, loot: dict[str, bytes]) -> None:
    """What does lie in the database is found in all these ways; so what is not found is not there."""
    for table in ("outbox_message", "django_session", "vault_version", "accounts_codechallenge", "stafeta_cache"):
        assert table in loot
    assert thief.holding(["dana@example.org"], loot)
    assert any("web.log" in name for name in loot)
    assert sum("worker" in name for name in loot) == told.stack.plan.workers
    assert len(tokens_in(told)) >= 7
    assert len(codes_in(told)) == 4


def test_content_and_passwords_lie_nowhere(told: Story, loot: dict[str, bytes]) -> None:
    assert thief.holding([CANARY, PASSWORD], loot) == []


def test_no_link_lies_anywhere(told: Story, loot: dict[str, bytes]) -> None:
    assert thief.holding(tokens_in(told), loot) == []


def test_no_code_lies_anywhere(told: Story, loot: dict[str, bytes]) -> None:
    assert thief.codes_in(codes_in(told), loot) == []
