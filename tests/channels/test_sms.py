"""SMS through a real HTTP gateway, and through Twilio's and SMSManager's APIs as they look on the wire."""

from __future__ import annotations

import datetime as dt
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from stafeta.channels.base import Channel, SmsMessage
from stafeta.channels.registry import sms_channel
from stafeta.cli.receivers import HttpReceiver, HttpRequest, SmsReceiver
from stafeta.core.errors import ChannelUnavailable, DeliveryRefused
from tests.channels.contract import CODE_TEXT, ChannelContract, sms
from tests.servers.providers import (
    SMSMANAGER_KEY,
    TWILIO_SID,
    TWILIO_TOKEN,
    SmsManagerStandIn,
    TwilioStandIn,
)

WEBHOOK_TOKEN = "s3cret-webhook-token"


def channel_to(url: str) -> Channel[SmsMessage]:
    return sms_channel(url, mailbox_dir=Path("/nowhere"), now=lambda: dt.datetime(2026, 1, 1, tzinfo=dt.UTC))


class SmsContract(ChannelContract):
    def make_channel(self, provider: Any) -> Channel[Any]:
        return channel_to(provider.url)

    def message(self, number: int = 1) -> SmsMessage:
        return sms(number)


class TestWebhookChannel(SmsContract):
    secrets = (WEBHOOK_TOKEN,)

    @pytest.fixture
    def provider(self) -> Iterator[SmsReceiver]:
        with SmsReceiver(token=WEBHOOK_TOKEN) as receiver:
            yield receiver

    def make_channel(self, provider: Any) -> Channel[Any]:
        return channel_to(f"{provider.url}&timeout=1.5")

    def test_number_text_and_id_arrive(self, channel: Channel[Any], provider: SmsReceiver) -> None:
        accepted = channel.send(sms())
        (received,) = provider.inbox.all()
        assert (received.id, received.to, received.text) == ("message-1", "+420777123456", CODE_TEXT)
        assert accepted.provider_id == "gateway-message-1"

    def test_a_wrong_token_is_an_outage(self, provider: SmsReceiver) -> None:
        channel = channel_to(provider.url.replace(WEBHOOK_TOKEN, "mistyped"))
        assert isinstance(self.failure(channel), ChannelUnavailable)


class Fixed(HttpReceiver):
    """Answers every request alike and keeps it."""

    def __init__(self, status: int = 200, content: Any = None) -> None:
        super().__init__()
        self.fixed = (status, content)
        self.requests: list[HttpRequest] = []

    def answer(self, request: HttpRequest) -> tuple[int, Any]:
        self.requests.append(request)
        return self.fixed


class TestWhatAStatusMeans:
    @pytest.mark.parametrize("status", [200, 201, 202, 204])
    def test_2xx_is_accepted(self, status: int) -> None:
        with Fixed(status) as gateway:
            channel_to(f"webhook+http://127.0.0.1:{gateway.port}").send(sms())

    @pytest.mark.parametrize("status", [301, 302, 307, 401, 402, 403, 404, 407, 500, 502, 503, 504])
    def test_what_is_about_us_is_an_outage(self, status: int) -> None:
        with Fixed(status) as gateway, pytest.raises(ChannelUnavailable):
            channel_to(f"webhook+http://127.0.0.1:{gateway.port}").send(sms())
        assert len(gateway.requests) == 1

    @pytest.mark.parametrize(("status", "permanent"), [(400, True), (422, True), (408, False), (429, False)])
    def test_what_is_about_the_message_is_a_refusal(self, status: int, permanent: bool) -> None:
        with Fixed(status) as gateway, pytest.raises(DeliveryRefused) as raised:
            channel_to(f"webhook+http://127.0.0.1:{gateway.port}").send(sms())
        assert raised.value.permanent is permanent

    @pytest.mark.parametrize("content", [None, [], "ok", {"id": None}, {"id": {}}, {}])
    def test_an_answer_that_names_no_id_leaves_us_with_ours(self, content: Any) -> None:
        with Fixed(200, content) as gateway:
            accepted = channel_to(f"webhook+http://127.0.0.1:{gateway.port}").send(sms())
        assert accepted.provider_id == "message-1"

    def test_basic_credentials_and_foreign_options_are_passed_on(self) -> None:
        with Fixed() as gateway:
            channel_to(f"webhook+http://dana:h%40sh@127.0.0.1:{gateway.port}/a/b?account=7&timeout=1").send(sms())
        (request,) = gateway.requests
        assert request.basic_credentials == ("dana", "h@sh")
        assert request.path == "/a/b?account=7"

    def test_noise_instead_of_http_is_an_outage(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            channel = channel_to(f"webhook+http://127.0.0.1:{listener.getsockname()[1]}?timeout=0.3")
            with pytest.raises(ChannelUnavailable):
                channel.send(sms())


class TestTwilioChannel(SmsContract):
    secrets = (TWILIO_TOKEN, TWILIO_SID)

    @pytest.fixture
    def provider(self) -> Iterator[TwilioStandIn]:
        with TwilioStandIn() as receiver:
            yield receiver

    def test_number_text_and_sender_arrive(self, channel: Channel[Any], provider: TwilioStandIn) -> None:
        accepted = channel.send(sms())
        (received,) = provider.inbox.all()
        assert (received.to, received.text) == ("+420777123456", CODE_TEXT)
        assert accepted.provider_id == received.id
        assert provider.senders == [{"From": "+420600000001"}]

    @pytest.mark.parametrize(
        ("sender", "parameter"), [("Stafeta", "From"), ("MG" + "aB1" * 10 + "00", "MessagingServiceSid")]
    )
    def test_a_name_or_a_messaging_service_may_send(self, provider: TwilioStandIn, sender: str, parameter: str) -> None:
        channel_to(provider.url.replace("+420600000001", sender)).send(sms())
        assert provider.senders == [{parameter: sender}]

    def test_a_wrong_token_is_an_outage(self, provider: TwilioStandIn) -> None:
        channel = channel_to(provider.url.replace(TWILIO_TOKEN, "mistyped"))
        assert isinstance(self.failure(channel), ChannelUnavailable)

    @pytest.mark.parametrize(("status", "code"), [(400, 21606), (400, 21659), (429, 20429), (500, 20500)])
    def test_what_is_about_our_account_is_an_outage(
        self, channel: Channel[Any], provider: TwilioStandIn, status: int, code: int
    ) -> None:
        provider.error = (status, code)
        assert isinstance(self.failure(channel), ChannelUnavailable)

    @pytest.mark.parametrize(("code", "permanent"), [(21211, True), (21610, True), (21614, True), (21408, False)])
    def test_what_is_about_the_number_is_a_refusal(
        self, channel: Channel[Any], provider: TwilioStandIn, code: int, permanent: bool
    ) -> None:
        provider.error = (400, code)
        error = self.failure(channel)
        assert isinstance(error, DeliveryRefused)
        assert error.permanent is permanent
        assert str(code) in error.reason


@pytest.mark.parametrize("content", [None, [], {}, "noise", {"sid": None}])
def test_an_unintelligible_answer_of_twilio_is_an_outage(content: Any) -> None:
    with Fixed(201, content) as gateway, pytest.raises(ChannelUnavailable):
        channel_to(f"twilio://AC1:token@+420600000001?api=http://127.0.0.1:{gateway.port}").send(sms())


class TestSmsManagerChannel(SmsContract):
    secrets = (SMSMANAGER_KEY,)

    @pytest.fixture
    def provider(self) -> Iterator[SmsManagerStandIn]:
        with SmsManagerStandIn() as receiver:
            yield receiver

    def test_the_request_is_the_documented_one(self, channel: Channel[Any], provider: SmsManagerStandIn) -> None:
        accepted = channel.send(sms())
        assert accepted.provider_id == "e27ff0ac-1"
        assert provider.requests == [
            {
                "body": CODE_TEXT,
                "to": [{"phone_number": "420777123456"}],
                "tag": "transactional",
                "flow": [{"sms": {"type": "sms"}}],
            }
        ]

    def test_a_sender_and_unicode_are_named_where_needed(self, provider: SmsManagerStandIn) -> None:
        channel_to(f"{provider.url}&sender=Stafeta").send(sms(text="Příliš"))
        assert provider.requests[0]["flow"] == [{"sms": {"type": "utf", "sender": "Stafeta"}}]
        assert provider.requests[0]["body"] == "Příliš"

    def test_a_wrong_key_is_an_outage(self, provider: SmsManagerStandIn) -> None:
        channel = channel_to(provider.url.replace(SMSMANAGER_KEY, "mistyped"))
        assert isinstance(self.failure(channel), ChannelUnavailable)

    @pytest.mark.parametrize("content", [None, [], {}, {"accepted": [], "rejected": []}, {"accepted": [{}]}])
    def test_an_unintelligible_answer_is_an_outage(self, content: Any) -> None:
        with Fixed(200, content) as gateway, pytest.raises(ChannelUnavailable):
            channel_to(f"smsmanager://key?api=http://127.0.0.1:{gateway.port}").send(sms())
