"""Why the service could not hear is told in the reader's language, as far as the words are ours."""

from __future__ import annotations

import pytest
from django.utils import translation

from stafeta.core.service_time import Reading
from stafeta.switches.models import Outage
from stafeta.switches.outage_words import KNOWN, outage_words
from stafeta.switches.services.probe import probe
from stafeta.switches.services.service_clock import read_service_clock
from tests.make import NOON

IDENTITY = "0" * 32


@pytest.mark.parametrize("reason", sorted(KNOWN))
def test_what_we_say_ourselves_is_said_in_czech(reason: str) -> None:
    with translation.override("cs"):
        assert outage_words(f"{reason} (502)") not in (reason, f"{reason} (502)")
        assert outage_words(f"{reason} (502)").endswith(" (502)")


def test_what_a_provider_said_stays_as_it_is() -> None:
    with translation.override("cs"):
        assert outage_words("") == ""
        assert outage_words("sms: twilio said 401; no worker ran") == "sms: twilio said 401; žádný worker neběžel"


def test_what_the_probe_finds_is_among_what_is_known(db: None) -> None:
    found = probe(site_url="http://127.0.0.1:9", timeout_s=1.0, identity=IDENTITY)
    assert found.reason.partition(" (")[0] in KNOWN


def test_a_gap_is_recorded_in_words_that_are_known(db: None) -> None:
    for after_s in (0, 10_000):
        wall = NOON.replace(hour=NOON.hour + after_s // 3600)
        read_service_clock(reading=Reading(wall, after_s * 1000, True, 60_000, None), deaf_reason="")
    assert {part for outage in Outage.objects.all() for part in outage.reason.split("; ")} <= KNOWN
    assert Outage.objects.exists()
