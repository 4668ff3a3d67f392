"""The promises of every channel. A channel's test class inherits them and says how to make both ends."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any, ClassVar, Protocol

import pytest

from stafeta.channels.base import Channel, EmailMessage, SmsMessage
from stafeta.cli.receivers import Behaviour
from stafeta.core.errors import ChannelUnavailable, DeliveryError, DeliveryRefused

SUBJECT = "Žluťoučký kůň: potvrďte prosím, že jste v pořádku"
TEXT = "Dobrý den, Dano,\n\npříliš žluťoučký kůň úpěl ďábelské ódy: https://stafeta.test/l/s3cret/\n"
CODE_TEXT = "Vas kod je 12345678"
BODY_SECRETS = ("s3cret", "12345678")
WAIT_S_MAX = 5.0


class Provider(Protocol):
    """A receiver that can misbehave."""

    behaviour: Behaviour
    connections: int


def email(number: int = 1, **changes: Any) -> EmailMessage:
    fields: dict[str, Any] = {
        "id": f"message-{number}",
        "to": "dana@example.org",
        "subject": SUBJECT,
        "text": TEXT,
        "html": "<p>Příliš <b>žluťoučký</b> kůň</p>",
        "message_id": f"<{number}.abc@stafeta.test>",
        "headers": {"X-Stafeta-Kind": "ask_owner"},
        "language": "cs",
    }
    return EmailMessage(**(fields | changes))


def sms(number: int = 1, **changes: Any) -> SmsMessage:
    fields: dict[str, Any] = {"id": f"message-{number}", "to": "+420777123456", "text": CODE_TEXT}
    return SmsMessage(**(fields | changes))


class ChannelContract:
    """What a provider does, and what the channel must make of it."""

    secrets: ClassVar[tuple[str, ...]] = ()
    """Parts of the URL that no error and no repr may show."""

    @pytest.fixture
    def provider(self) -> Iterator[Any]:
        raise NotImplementedError

    @pytest.fixture
    def channel(self, provider: Any) -> Iterator[Channel[Any]]:
        channel = self.make_channel(provider)
        yield channel
        channel.close()

    def make_channel(self, provider: Any) -> Channel[Any]:
        raise NotImplementedError

    def message(self, number: int = 1) -> EmailMessage | SmsMessage:
        raise NotImplementedError

    def received(self, provider: Any) -> int:
        return len(provider.inbox.all())

    def failure(self, channel: Channel[Any]) -> DeliveryError:
        """Send, expect an error, and see that it gives nothing away."""
        with pytest.raises(DeliveryError) as raised:
            channel.send(self.message())
        shown = f"{raised.value} {raised.value!r} {channel!r} {raised.value.__cause__!r}"
        for secret in self.secrets + BODY_SECRETS:
            assert secret not in shown
        return raised.value

    def test_an_accepted_message_arrives_once_and_has_a_provider_id(self, channel: Channel[Any], provider: Any) -> None:
        accepted = channel.send(self.message())
        assert accepted.provider_id
        assert self.received(provider) == 1

    def test_many_messages_share_one_connection(self, channel: Channel[Any], provider: Any) -> None:
        for number in range(5):
            channel.send(self.message(number))
        assert self.received(provider) == 5
        assert provider.connections == 1

    def test_a_refusal_for_now_may_be_tried_again(self, channel: Channel[Any], provider: Any) -> None:
        provider.behaviour = Behaviour.LATER
        error = self.failure(channel)
        assert isinstance(error, DeliveryRefused)
        assert not error.permanent

    def test_a_refusal_for_ever_is_permanent(self, channel: Channel[Any], provider: Any) -> None:
        provider.behaviour = Behaviour.REFUSE
        error = self.failure(channel)
        assert isinstance(error, DeliveryRefused)
        assert error.permanent

    @pytest.mark.parametrize("behaviour", [Behaviour.OUTAGE, Behaviour.DROP, Behaviour.HANG])
    def test_an_outage_is_not_the_addressees_fault(
        self, channel: Channel[Any], provider: Any, behaviour: Behaviour
    ) -> None:
        provider.behaviour = behaviour
        started_s = time.monotonic()
        assert isinstance(self.failure(channel), ChannelUnavailable)
        assert time.monotonic() - started_s < WAIT_S_MAX

    @pytest.mark.parametrize("behaviour", [behaviour for behaviour in Behaviour if behaviour is not Behaviour.ACCEPT])
    def test_after_any_failure_the_next_message_gets_through(
        self, channel: Channel[Any], provider: Any, behaviour: Behaviour
    ) -> None:
        channel.send(self.message(1))
        provider.behaviour = behaviour
        self.failure(channel)
        provider.behaviour = Behaviour.ACCEPT
        channel.send(self.message(2))
        assert self.received(provider) == 2

    def test_nobody_listening_is_an_outage(self, provider: Any) -> None:
        channel = self.make_channel(provider)
        provider.__exit__()
        assert isinstance(self.failure(channel), ChannelUnavailable)

    def test_closing_twice_and_sending_afterwards_is_harmless(self, channel: Channel[Any], provider: Any) -> None:
        channel.send(self.message(1))
        channel.close()
        channel.close()
        channel.send(self.message(2))
        assert self.received(provider) == 2
