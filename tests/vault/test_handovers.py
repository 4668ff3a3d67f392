"""Handovers: versions, two windows, limits, deletion."""

from __future__ import annotations

from datetime import timedelta

import pytest

from stafeta.core.errors import Conflict, PolicyError
from stafeta.vault.models import ConsentState, Handover, Recipient
from stafeta.vault.sealing import CONTENT_BYTES_MAX, unseal
from stafeta.vault.selectors import (
    Gap,
    gaps_of,
    handover_of,
    handovers_of,
    read_content,
    releasable_count,
    version_of,
    versions_of,
)
from stafeta.vault.services.create_handover import create_handover
from stafeta.vault.services.delete_handover import DELETED_KEPT, delete_handover, purge_deleted, restore_handover
from stafeta.vault.services.save_handover import VERSIONS_KEPT, save_handover
from stafeta.vault.services.set_handover_terms import set_handover_terms
from tests import make
from tests.vault.conftest import Story


def save(story: Story, content: str, *, base: int, minutes: float = 0, autosave: bool = False) -> Handover:
    return save_handover(
        handover=story.handover,
        title=story.handover.title,
        content=content,
        base_revision=base,
        now=make.NOON + timedelta(minutes=minutes),
        autosave=autosave,
    )


def test_each_save_is_a_version_and_twenty_are_kept(story: Story) -> None:
    for number in range(1, 25):
        save(story, f"text {number}", base=number)
    kept = versions_of(story.handover)
    assert [version.number for version in kept] == list(range(25, 25 - VERSIONS_KEPT, -1))
    assert unseal(version_of(story.handover, 20)) == "text 19"


def test_autosaves_within_ten_minutes_are_one_version(story: Story) -> None:
    """What was saved by hand before stays, and typing for hours still makes a version every ten minutes."""
    for step in range(1, 13):
        save(story, f"typed {step}", base=step, minutes=step * 2, autosave=True)
    assert [version.number for version in versions_of(story.handover)] == [13, 11, 6, 1]
    assert read_content(story.handover) == "typed 12"
    assert unseal(version_of(story.handover, 1)) == make.SECRET_TEXT


def test_two_windows_that_disagree_overwrite_nothing(story: Story) -> None:
    save(story, "from the laptop", base=1)
    with pytest.raises(Conflict) as caught:
        save(story, "from the phone", base=1)
    assert caught.value.revision == 2
    assert read_content(story.handover) == "from the laptop"


def test_the_other_windows_text_stays_among_the_versions(story: Story) -> None:
    """Also where an autosave would have replaced it."""
    save(story, "from the laptop", base=1, autosave=True)
    with pytest.raises(Conflict):
        save(story, "from the phone", base=1, autosave=True)
    save(story, "from the phone", base=2, autosave=True)
    texts = [unseal(version_of(story.handover, version.number)) for version in versions_of(story.handover)]
    assert texts == ["from the phone", "from the laptop", make.SECRET_TEXT]


def test_saving_the_same_twice_is_harmless(story: Story) -> None:
    save(story, "once", base=1)
    assert save(story, "once", base=1).revision == 2


def test_content_over_the_limit_is_refused_and_changes_nothing(story: Story) -> None:
    with pytest.raises(PolicyError) as caught:
        save(story, "ž" * CONTENT_BYTES_MAX, base=1)
    assert caught.value.most == CONTENT_BYTES_MAX
    assert read_content(story.handover) == make.SECRET_TEXT
    save(story, "ž" * (CONTENT_BYTES_MAX // 2), base=1)


def test_line_ends_of_forms_are_those_of_the_editor(story: Story) -> None:
    save(story, "a\r\nb\rc", base=1)
    assert read_content(story.handover) == "a\nb\nc"


def test_a_deleted_handover_comes_back_or_goes_for_good(story: Story) -> None:
    delete_handover(handover=story.handover, now=make.NOON)
    assert handovers_of(story.dana) == []
    assert releasable_count(story.dana) == 0
    with pytest.raises(Handover.DoesNotExist):
        save(story, "too late", base=1)
    assert purge_deleted(now=make.NOON + DELETED_KEPT) == 0
    restore_handover(handover=story.handover)
    assert read_content(handovers_of(story.dana)[0]) == make.SECRET_TEXT
    delete_handover(handover=story.handover, now=make.NOON)
    assert purge_deleted(now=make.NOON + DELETED_KEPT + timedelta(seconds=1)) == 1
    assert not Handover.objects.exists()


def test_mallory_finds_nothing_of_danas(story: Story) -> None:
    mallory = make.owner("mallory@example.org", name="Mallory")
    with pytest.raises(Handover.DoesNotExist):
        handover_of(mallory, story.handover.pk)
    theirs = create_handover(owner=mallory, title="x", content="x", now=make.NOON)
    with pytest.raises(Recipient.DoesNotExist):
        set_handover_terms(handover=theirs, recipients=[story.ema], delay_days=0, access_days=90, now=make.NOON)


@pytest.mark.parametrize(("delay", "access"), [(-1, 90), (366, 90), (0, 29), (0, 366)])
def test_terms_keep_their_limits(story: Story, delay: int, access: int) -> None:
    with pytest.raises(PolicyError):
        set_handover_terms(
            handover=story.handover, recipients=[story.ema], delay_days=delay, access_days=access, now=make.NOON
        )


def test_what_is_missing_is_named(story: Story) -> None:
    assert gaps_of(handover_of(story.dana, story.handover.pk)) == ()
    Recipient.objects.update(consent=ConsentState.DECLINED)
    assert gaps_of(handover_of(story.dana, story.handover.pk)) == (Gap.ALL_DECLINED,)
    assert releasable_count(story.dana) == 0
    blank = create_handover(owner=story.dana, title="blank", content=" \n ", now=make.NOON)
    assert gaps_of(handover_of(story.dana, blank.pk)) == (Gap.EMPTY, Gap.NO_RECIPIENTS)
