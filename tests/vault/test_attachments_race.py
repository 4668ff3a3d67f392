"""Files added, taken and erased at the same moment; on SQLite and on PostgreSQL."""

from __future__ import annotations

from io import BytesIO
from typing import Final

import pytest
from pytest_django.fixtures import Settings

from stafeta import clock
from stafeta.core.errors import FileMissing, PolicyError
from stafeta.vault.models import Attachment, Handover, StoredFile
from stafeta.vault.services.add_attachment import SealedFile, add_attachment, seal_attachment
from stafeta.vault.services.erase_files import ORPHAN_AFTER, erase_orphans
from stafeta.vault.services.open_attachment import open_attachment
from tests import make
from tests.on_both import on_postgresql_too
from tests.switches.test_race import at_once

HEAD_STARTS_S: Final = [-0.25, *(number * 0.0005 for number in range(-8, 9)), 0.25]

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def handover(keys_file: object) -> Handover:
    return make.handover(make.owner())


def sealed(handover: Handover, content: bytes) -> SealedFile:
    return seal_attachment(
        handover=handover, source=BytesIO(content), name="a", size_bytes=len(content), real_now=clock.real_now()
    )


def added(handover: Handover, file: SealedFile) -> Attachment | PolicyError | FileMissing:
    try:
        return add_attachment(handover=handover, sealed=file, now=make.NOON)
    except (PolicyError, FileMissing) as error:
        return error


def test_two_windows_together_do_not_break_the_limit(handover: Handover, settings: Settings) -> None:
    settings.HANDOVER_ATTACHMENTS_BYTES_MAX = 1500
    for head_start_s in HEAD_STARTS_S:
        files = [sealed(handover, b"x" * 1000) for _ in range(2)]
        found = at_once(
            lambda files=files: added(handover, files[0]),
            lambda files=files: added(handover, files[1]),
            head_start_s=head_start_s,
        )
        assert sorted(type(one).__name__ for one in found) == ["Attachment", "PolicyError"]
        Attachment.objects.all().delete()


def test_a_file_taken_while_it_is_being_erased_is_there_whole_or_is_refused(handover: Handover) -> None:
    """Never a row without its file: what erases it first says so, and looks again after the lock."""
    outcomes = set()
    for head_start_s in HEAD_STARTS_S:
        file = sealed(handover, b"x")
        later = clock.real_now() + ORPHAN_AFTER * 2
        found, erased = at_once(
            lambda file=file: added(handover, file),
            lambda later=later: erase_orphans(real_now=later),
            head_start_s=head_start_s,
        )
        outcomes.add(type(found))
        if isinstance(found, Attachment):
            assert erased == 0
            with open_attachment(found) as opened:
                assert opened.read() == b"x"
        else:
            assert isinstance(found, FileMissing)
            assert erased == 1
            assert not StoredFile.objects.filter(pk=file.row.pk).exists()
    assert outcomes == {Attachment, FileMissing}


test_all_this_holds_on_postgresql_too = on_postgresql_too(__file__)
