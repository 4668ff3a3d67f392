"""Both gates before every door to content: whatever is closed, foreign, ended or of another release gives nothing."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse

from stafeta import clock
from stafeta.vault.models import Attachment, Grant, Handover, Recipient
from stafeta.vault.services.release import open_handovers
from tests import make
from tests.web.test_release import CYCLE, NOW_S, SWITCH, closed, deleted, enter_code, expired, follow
from tests.web.test_release import browser as browser  # noqa: PLC0414 - a fixture
from tests.web.test_release import ema as ema  # noqa: PLC0414 - a fixture
from tests.web.test_release import handover as handover  # noqa: PLC0414 - a fixture
from tests.web.test_release import released as released  # noqa: PLC0414 - a fixture


@pytest.fixture
def file(handover: Handover) -> Attachment:
    return make.attachment(handover)


def doors(file: Attachment) -> list[str]:
    """Return every address behind which this file, or something of it, is."""
    return [
        reverse("release-attachment", args=[file.pk]),
        reverse("release-attachment-show", args=[file.pk]),
        reverse("release-download"),
    ]


def opened(browser: Client, file: Attachment) -> list[str]:
    """Return the doors that give this browser anything of the file or of the text."""
    found = []
    for door in doors(file):
        response = browser.get(door)
        content = b"".join(response) if response.streaming else response.content  # type: ignore[arg-type]
        if response.status_code == 200 or b"golden carp" in content or file.name.encode() in content:
            found.append(door)
        assert response.status_code in (200, 302, 404)
    return found


def revoked(released: Handover) -> None:
    Grant.objects.update(closed_at=make.NOON, first_read_at=None)


def taken_off(released: Handover) -> None:
    Grant.objects.update(closed_at=make.NOON)


def declined(released: Handover) -> None:
    Recipient.objects.update(consent="declined")


def another_phone(released: Handover) -> None:
    Recipient.objects.update(phone="+420601999999")


def test_with_both_gates_open_every_door_opens(browser: Client, file: Attachment, released: Handover) -> None:
    """Else nothing below would prove anything."""
    enter_code(browser)
    assert opened(browser, file) == doors(file)


def test_without_a_release_or_without_a_code_none_opens(
    browser: Client, file: Attachment, handover: Handover, ema: Recipient
) -> None:
    assert opened(Client(), file) == opened(browser, file) == []
    open_handovers(owner_id=handover.owner_id, switch_id=SWITCH, cycle=CYCLE, now=make.NOON, service_s=NOW_S)
    assert opened(follow(browser, ema), file) == []
    browser.post(reverse("release-code"), {"send": "1"})
    browser.post(reverse("release-code"), {"code": "00000000"})
    assert opened(browser, file) == []


@pytest.mark.parametrize("end", [expired, deleted, revoked, taken_off, declined, another_phone])
def test_what_has_ended_closes_every_door(
    browser: Client, file: Attachment, released: Handover, end: Callable[[Handover], None]
) -> None:
    enter_code(browser)
    end(released)
    assert opened(browser, file) == []


def test_the_owners_return_closes_every_door_to_what_was_not_opened(
    browser: Client, file: Attachment, released: Handover
) -> None:
    closed(released)
    assert opened(browser, file) == []


def test_the_gate_closes_after_an_hour(
    browser: Client, file: Attachment, released: Handover, monkeypatch: pytest.MonkeyPatch
) -> None:
    enter_code(browser)
    later = clock.real_now() + timedelta(minutes=61)
    monkeypatch.setattr(clock, "real_now", lambda: later)
    assert opened(browser, file) == []


@pytest.mark.parametrize("change", [{"switch": SWITCH + 1}, {"cycle": CYCLE + 1}, {"cycle": CYCLE - 1}])
def test_a_link_of_another_release_opens_no_door(
    browser: Client, file: Attachment, released: Handover, ema: Recipient, change: dict[str, int]
) -> None:
    assert opened(follow(Client(), ema, **change), file) == []
    enter_code(browser)
    assert opened(follow(browser, ema, **change), file) == []


def test_another_recipients_and_another_owners_files_are_behind_no_door_of_hers(
    browser: Client, file: Attachment, released: Handover
) -> None:
    dana = released.owner
    ivo = make.recipient(dana, "ivo@example.org", name="Ivo", phone="+420601000005")
    mallory = make.owner("mallory@example.org", name="Mallory")
    foreign = [
        make.attachment(make.handover(dana, ivo, title="Pro Iva"), name="ivos-plan.pdf"),
        make.attachment(make.handover(mallory, make.recipient(mallory, "eva@example.org")), name="hers.pdf"),
    ]
    for one in (dana, mallory):
        open_handovers(owner_id=one.pk, switch_id=SWITCH, cycle=CYCLE, now=make.NOON, service_s=NOW_S)
    enter_code(browser)
    for theirs in foreign:
        assert [door for door in opened(browser, theirs) if door != reverse("release-download")] == []
        everything = b"".join(browser.get(reverse("release-download")))  # type: ignore[arg-type]
        assert theirs.name.encode() not in everything
