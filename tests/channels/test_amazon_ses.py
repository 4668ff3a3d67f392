"""E-mail through Amazon SES, against a server that speaks its API over real HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from email import message_from_string
from email.policy import default
from typing import Any

import boto3
import pytest
from moto.server import ThreadedMotoServer
from moto.ses.models import ses_backends

from stafeta.channels.base import Channel, EmailMessage
from stafeta.core.errors import ChannelUnavailable
from tests.channels.contract import SUBJECT, TEXT, email
from tests.channels.test_email_anymail import anymail_channel
from tests.servers.kms import REGION, nobody

SECRET = "s3cret-of-the-account"


@pytest.fixture(scope="module")
def api() -> Iterator[str]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def channel(api: str) -> Iterator[Channel[EmailMessage]]:
    made = channel_to(api)
    yield made
    made.close()


def channel_to(api: str) -> Channel[EmailMessage]:
    return anymail_channel(f"anymail+amazon-ses://KEY:{SECRET}@{REGION}?api={api}&timeout=2")


@pytest.fixture
def account(api: str) -> Any:
    """The account in which the sender is verified."""
    client = boto3.session.Session().client(
        "sesv2", endpoint_url=api, region_name=REGION, aws_access_key_id="KEY", aws_secret_access_key=SECRET
    )
    client.create_email_identity(EmailIdentity="stafeta@example.org")
    yield client
    client.delete_email_identity(EmailIdentity="stafeta@example.org")


def test_the_message_arrives_whole_under_the_services_id(account: Any, channel: Channel[EmailMessage]) -> None:
    accepted = channel.send(email())
    (backend,) = [regions[REGION] for regions in ses_backends.values()]
    sent = backend.sent_messages[-1]
    assert accepted.provider_id == sent.id
    mail: Any = message_from_string(sent.raw_data, policy=default)
    assert mail["Subject"].strip() == SUBJECT  # folded after its name
    assert mail["Auto-Submitted"] == "auto-generated"
    plain, html = mail.get_body(("plain",)), mail.get_body(("html",))
    assert plain is not None
    assert html is not None
    assert plain.get_content().strip() == TEXT.strip()
    assert "žluťoučký" in html.get_content()


def test_a_sender_that_the_account_may_not_use_is_an_outage_of_ours(api: str, channel: Channel[EmailMessage]) -> None:
    with pytest.raises(ChannelUnavailable) as raised:
        channel.send(email())
    assert SECRET not in f"{raised.value!r} {channel!r}"


def test_a_service_that_is_down_is_an_outage() -> None:
    with nobody() as down:
        channel = channel_to(down)
        with pytest.raises(ChannelUnavailable) as raised:
            channel.send(email())
    assert SECRET not in f"{raised.value!r} {raised.value.__cause__!r}"
