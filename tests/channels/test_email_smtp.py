"""E-mail through a real SMTP server."""

from __future__ import annotations

import datetime as dt
import ssl
import threading
from collections.abc import Iterator
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from stafeta.channels.base import Channel, EmailMessage
from stafeta.channels.registry import email_channel
from stafeta.cli.receivers import Behaviour, SmtpReceiver
from stafeta.core.errors import ChannelUnavailable, DeliveryRefused
from tests.channels.contract import SUBJECT, TEXT, ChannelContract, email

PASSWORD = "hush@hush/:"
NOON = dt.datetime(2026, 1, 1, 12, tzinfo=dt.UTC)


def smtp_channel(provider: SmtpReceiver, *, credentials: str = "", options: str = "") -> Channel[EmailMessage]:
    return email_channel(
        f"smtp://{credentials}127.0.0.1:{provider.port}?timeout=1.5{options}",
        mailbox_dir=Path("/nowhere"),
        sender="Štafeta <stafeta@example.org>",
        now=lambda: NOON,
    )


class TestSmtpChannel(ChannelContract):
    @pytest.fixture
    def provider(self) -> Iterator[SmtpReceiver]:
        with SmtpReceiver() as receiver:
            yield receiver

    def make_channel(self, provider: Any) -> Channel[Any]:
        return smtp_channel(provider)

    def message(self, number: int = 1) -> EmailMessage:
        return email(number)

    def test_czech_text_and_headers_arrive_intact(self, channel: Channel[Any], provider: SmtpReceiver) -> None:
        accepted = channel.send(email())
        (mail,) = provider.inbox.all()
        assert mail["Subject"].strip() == SUBJECT
        assert mail["From"] == "Štafeta <stafeta@example.org>"
        assert mail["To"] == "dana@example.org"
        assert mail["Message-ID"] == accepted.provider_id == "<1.abc@stafeta.test>"
        assert mail["Auto-Submitted"] == "auto-generated"
        assert mail["Content-Language"] == "cs"
        assert mail["X-Stafeta-Kind"] == "ask_owner"
        text, html = mail.get_body(("plain",)), mail.get_body(("html",))
        assert text is not None
        assert text.get_content() == TEXT
        assert html is not None
        assert "žluťoučký" in html.get_content()

    def test_without_html_it_is_plain_text_alone(self, channel: Channel[Any], provider: SmtpReceiver) -> None:
        channel.send(email(html=""))
        assert provider.inbox.all()[0].get_content_type() == "text/plain"

    @pytest.mark.parametrize("behaviour", [Behaviour.DROP, Behaviour.HANG, Behaviour.OUTAGE])
    def test_a_body_that_may_have_been_taken_is_not_sent_twice(
        self, channel: Channel[Any], provider: SmtpReceiver, behaviour: Behaviour
    ) -> None:
        channel.send(email(1))
        provider.stage, provider.behaviour = "DATA", behaviour
        assert isinstance(self.failure(channel), ChannelUnavailable)
        assert provider.bodies == 2

    def test_a_connection_closed_while_idle_is_opened_again(
        self, channel: Channel[Any], provider: SmtpReceiver
    ) -> None:
        channel.send(email(1))
        provider.hang_up()
        channel.send(email(2))
        assert self.received(provider) == 2
        assert provider.connections == 2

    def test_a_refused_body_is_told_without_the_servers_words(
        self, channel: Channel[Any], provider: SmtpReceiver
    ) -> None:
        provider.stage, provider.behaviour = "DATA", Behaviour.REFUSE
        error = self.failure(channel)
        assert isinstance(error, DeliveryRefused)
        assert error.permanent
        assert error.reason == "550"

    def test_a_refused_address_is_told_in_the_servers_words(
        self, channel: Channel[Any], provider: SmtpReceiver
    ) -> None:
        provider.behaviour = Behaviour.REFUSE
        assert "5.1.1 No such user here" in str(self.failure(channel))

    @pytest.mark.parametrize("reply", ["554 5.7.1 Relay access denied", "550 5.7.26 Unauthenticated sender"])
    @pytest.mark.parametrize("stage", ["RCPT", "DATA"])
    def test_a_matter_of_policy_is_never_for_ever(
        self, channel: Channel[Any], provider: SmtpReceiver, stage: str, reply: str
    ) -> None:
        provider.stage, provider.behaviour = stage, Behaviour.REFUSE
        provider.replies[Behaviour.REFUSE] = reply
        error = self.failure(channel)
        assert isinstance(error, DeliveryRefused)
        assert not error.permanent
        assert reply.split()[1] in error.reason

    @pytest.mark.parametrize("behaviour", [Behaviour.LATER, Behaviour.REFUSE, Behaviour.OUTAGE])
    def test_a_refused_sender_is_an_outage(
        self, channel: Channel[Any], provider: SmtpReceiver, behaviour: Behaviour
    ) -> None:
        provider.stage, provider.behaviour = "MAIL", behaviour
        assert isinstance(self.failure(channel), ChannelUnavailable)

    def test_a_message_too_big_is_refused_for_ever(self, channel: Channel[Any], provider: SmtpReceiver) -> None:
        provider.stage, provider.behaviour = "MAIL", Behaviour.REFUSE
        provider.replies[Behaviour.REFUSE] = "552 5.3.4 Too big"
        error = self.failure(channel)
        assert isinstance(error, DeliveryRefused)
        assert error.permanent

    def test_a_refusal_keeps_the_connection(self, channel: Channel[Any], provider: SmtpReceiver) -> None:
        provider.behaviour = Behaviour.REFUSE
        self.failure(channel)
        provider.behaviour = Behaviour.ACCEPT
        channel.send(email(2))
        assert provider.connections == 1

    @pytest.mark.parametrize("address", ["dana@exa mple.org", "da\r\nna@example.org", "d@example.org\nBcc: x"])
    def test_a_malformed_address_is_refused_for_ever_and_harms_nobody_else(
        self, channel: Channel[Any], provider: SmtpReceiver, address: str
    ) -> None:
        with pytest.raises(DeliveryRefused) as raised:
            channel.send(email(1, to=address))
        assert raised.value.permanent
        channel.send(email(2))
        assert self.received(provider) == 1

    def test_threads_take_turns_on_one_connection(self, channel: Channel[Any], provider: SmtpReceiver) -> None:
        threads = [threading.Thread(target=channel.send, args=(email(number),)) for number in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len({mail["Message-ID"] for mail in provider.inbox.all()}) == 8
        assert provider.connections == 1


@pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")
class TestSigningIn:
    def test_the_right_password_is_let_in(self) -> None:
        with SmtpReceiver(credentials=("dana", PASSWORD)) as provider:
            channel = smtp_channel(provider, credentials="dana:hush%40hush%2F%3A@")
            channel.send(email())
            channel.close()
            assert len(provider.inbox.all()) == 1

    def test_the_wrong_password_is_an_outage_and_never_told(self) -> None:
        with SmtpReceiver(credentials=("dana", PASSWORD)) as provider:
            channel = smtp_channel(provider, credentials="dana:mistyped-secret@")
            with pytest.raises(ChannelUnavailable, match="user name and password") as raised:
                channel.send(email())
        assert "mistyped" not in f"{raised.value!r} {channel!r}"

    def test_a_server_that_wants_a_password_we_do_not_have_is_an_outage(self) -> None:
        with SmtpReceiver(credentials=("dana", PASSWORD)) as provider, pytest.raises(ChannelUnavailable):
            smtp_channel(provider).send(email())


class TestStartTls:
    """`?tls=true` means encrypted or not at all."""

    def test_a_trusted_certificate_carries_the_message(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        certificate, context = self_signed(tmp_path)
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        with SmtpReceiver(tls=context) as provider:
            channel = smtp_channel(provider, options="&tls=true")
            channel.send(email(1))
            channel.send(email(2))
            channel.close()
            assert len(provider.inbox.all()) == 2
            assert provider.connections == 1

    def test_a_certificate_nobody_vouches_for_is_an_outage(self, tmp_path: Path) -> None:
        _, context = self_signed(tmp_path)
        with SmtpReceiver(tls=context) as provider:
            with pytest.raises(ChannelUnavailable, match="certificate"):
                smtp_channel(provider, options="&tls=true").send(email())
            assert not provider.bodies

    def test_a_server_without_starttls_gets_nothing(self) -> None:
        with SmtpReceiver() as provider:
            with pytest.raises(ChannelUnavailable, match="STARTTLS"):
                smtp_channel(provider, options="&tls=true").send(email())
            assert not provider.bodies


def self_signed(folder: Path) -> tuple[Path, ssl.SSLContext]:
    """A certificate for 127.0.0.1 and a server's context that uses it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    moment = dt.datetime.now(dt.UTC)
    alternatives = x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(moment - dt.timedelta(days=1))
        .not_valid_after(moment + dt.timedelta(days=1))
        .add_extension(alternatives, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    certificate_file, key_file = folder / "certificate.pem", folder / "key.pem"
    certificate_file.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    key_file.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate_file, key_file)
    return certificate_file, context
