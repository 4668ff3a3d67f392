"""E-mail through a mail service's API, by way of django-anymail; Postmark stands for all."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from stafeta.channels.base import Channel, EmailMessage
from stafeta.channels.email_anymail import SERVICES
from stafeta.channels.registry import email_channel
from stafeta.cli.receivers import Behaviour
from stafeta.core.errors import ChannelUnavailable, ConfigurationError, DeliveryRefused
from tests.channels.contract import SUBJECT, TEXT, ChannelContract, email
from tests.servers.providers import POSTMARK_TOKEN, PostmarkStandIn


def anymail_channel(url: str) -> Channel[EmailMessage]:
    return email_channel(
        url,
        mailbox_dir=Path("/nowhere"),
        sender="Štafeta <stafeta@example.org>",
        now=lambda: dt.datetime(2026, 1, 1, tzinfo=dt.UTC),
    )


class TestAnymailChannel(ChannelContract):
    secrets = (POSTMARK_TOKEN,)

    @pytest.fixture
    def provider(self) -> Iterator[PostmarkStandIn]:
        with PostmarkStandIn() as receiver:
            yield receiver

    def make_channel(self, provider: Any) -> Channel[Any]:
        return anymail_channel(provider.url)

    def message(self, number: int = 1) -> EmailMessage:
        return email(number)

    def test_the_message_arrives_whole_under_the_services_id(
        self, channel: Channel[Any], provider: PostmarkStandIn
    ) -> None:
        accepted = channel.send(email())
        (posted,) = provider.inbox.all()
        assert accepted.provider_id == "pm-1"
        assert posted.fields["Subject"] == SUBJECT
        assert posted.fields["TextBody"] == TEXT
        assert "žluťoučký" in posted.fields["HtmlBody"]
        assert posted.headers["Message-ID"] == "<1.abc@stafeta.test>"
        assert posted.headers["Auto-Submitted"] == "auto-generated"

    @pytest.mark.parametrize("content", [None, [], {}, "noise"])
    def test_an_unintelligible_answer_is_an_outage(
        self, channel: Channel[Any], provider: PostmarkStandIn, content: Any
    ) -> None:
        provider.fixed = (200, content)
        assert isinstance(self.failure(channel), ChannelUnavailable)

    @pytest.mark.parametrize("status", [302, 402, 429])
    def test_a_redirect_or_an_empty_purse_is_an_outage(
        self, channel: Channel[Any], provider: PostmarkStandIn, status: int
    ) -> None:
        provider.fixed = (status, {"ErrorCode": 1, "Message": ""})
        assert isinstance(self.failure(channel), ChannelUnavailable)

    def test_a_wrong_key_is_an_outage(self, provider: PostmarkStandIn) -> None:
        channel = anymail_channel(provider.url.replace(POSTMARK_TOKEN, "mistyped"))
        assert isinstance(self.failure(channel), ChannelUnavailable)

    def test_a_refusal_in_words_that_anymail_does_not_know_is_not_taken_for_acceptance(
        self, channel: Channel[Any], provider: PostmarkStandIn
    ) -> None:
        provider.behaviour, provider.refusal = Behaviour.REFUSE, "Error parsing 'To': something new."
        error = self.failure(channel)
        assert isinstance(error, DeliveryRefused)
        assert not error.permanent

    def test_a_malformed_address_is_refused_for_ever(self, channel: Channel[Any]) -> None:
        with pytest.raises(DeliveryRefused) as raised:
            channel.send(email(to="dana@@example.org"))
        assert raised.value.permanent


@pytest.mark.filterwarnings("ignore:django-anymail has dropped official support")
@pytest.mark.parametrize("service", SERVICES)
def test_every_service_is_made_from_its_url_alone(service: str) -> None:
    channel = anymail_channel(f"anymail+{service}://KEY:SECRET@your.domain")
    assert channel.name == f"anymail-{service}"
    channel.close()


@pytest.mark.parametrize("service", SERVICES)
def test_a_missing_key_is_named_with_an_example(service: str) -> None:
    with pytest.raises(ConfigurationError, match="STAFETA_EMAIL_URL") as raised:
        anymail_channel(f"anymail+{service}://")
    assert f"anymail+{service}://" in raised.value.remedy
