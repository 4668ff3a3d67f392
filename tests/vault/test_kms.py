"""A key that a key management service keeps wrapped: asked for once, bound to this installation, missed loudly."""

from __future__ import annotations

import logging
import socket
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.conf import settings
from pyrage.x25519 import Identity
from pytest_django.fixtures import Settings

from stafeta.core.errors import ConfigurationError
from stafeta.vault import kms as module
from stafeta.vault.keyring import instance_keyring
from stafeta.vault.kms import MEMORY, KmsKey, NotAKmsKey
from stafeta.vault.selectors import read_content
from stafeta.vault.services.add_instance_key import add_instance_key
from stafeta.vault.services.rotate_keys import rotate_keys
from tests import make
from tests.servers.kms import CREDENTIALS, REGION, Kms, nobody, refusing, running_kms
from tests.vault.conftest import Story

INSTANCE = "stafeta.example.org"


@pytest.fixture(scope="module")
def service() -> Iterator[Kms]:
    with running_kms() as running:
        yield running


@pytest.fixture
def kms(service: Kms, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Kms]:
    """A service that this installation uses, and a process that has just begun."""
    for name, value in CREDENTIALS.items():
        monkeypatch.setenv(name, value)
    settings.KMS_ENDPOINT, settings.KMS_REGION, settings.KMS_INSTANCE = service.url, REGION, INSTANCE
    MEMORY.forget()
    yield service
    MEMORY.forget()


@pytest.fixture
def down(kms: Kms, settings: Settings) -> Iterator[Callable[[], None]]:
    """Take the service away when it is called."""
    with nobody() as url:

        def take_away() -> None:
            settings.KMS_ENDPOINT = url

        yield take_away


@pytest.fixture
def wrapped(story: Story, keys_file: Path, kms: Kms) -> str:
    """The only line of a keys file after everything went from a plain key to a wrapped one."""
    add_instance_key(keys_file, kms_key=kms.new_key())
    assert rotate_keys(ring=instance_keyring(), say=lambda _said: None).is_complete
    (line,) = [line for line in keys_file.read_text().splitlines() if line.startswith("kms:")]
    keys_file.write_text(f"{line}\n")
    return line


def begin_anew() -> None:
    """Be another process."""
    MEMORY.forget()


# There and back ------------------------------------------------------------------------------------------------------


def test_a_wrapped_key_opens_and_nothing_in_the_file_does(story: Story, wrapped: str, keys_file: Path) -> None:
    begin_anew()
    assert read_content(story.handover) == make.SECRET_TEXT
    assert "AGE-SECRET" not in keys_file.read_text()


def test_the_way_back_to_a_key_in_the_file_needs_the_service_no_more(
    story: Story, wrapped: str, keys_file: Path, down: Callable[[], None]
) -> None:
    add_instance_key(keys_file)
    ring = instance_keyring()
    assert [key in ring.kms_keys for key in ring.public_keys] == [False, True]
    assert rotate_keys(ring=ring, say=lambda _said: None).after.opens == (1, 0)
    keys_file.write_text("".join(line for line in keys_file.open() if not line.startswith("kms:")))
    down()
    begin_anew()
    assert read_content(story.handover) == make.SECRET_TEXT


def test_a_wrapped_key_may_come_from_the_environment_beside_others(
    story: Story, wrapped: str, keys_file: Path, settings: Settings
) -> None:
    settings.KEYS = f"{wrapped} {Identity.generate()}"
    keys_file.unlink()
    begin_anew()
    assert read_content(story.handover) == make.SECRET_TEXT
    assert len(instance_keyring().public_keys) == 2


# The service fails ---------------------------------------------------------------------------------------------------


def test_a_process_that_has_begun_goes_on_without_the_service(
    story: Story, wrapped: str, down: Callable[[], None]
) -> None:
    begin_anew()
    assert instance_keyring()
    down()
    assert read_content(story.handover) == make.SECRET_TEXT
    assert read_content(make.handover(story.dana, title="Nové")) == make.SECRET_TEXT


def test_nothing_begins_without_the_service_and_what_to_do_is_said(
    story: Story, wrapped: str, down: Callable[[], None]
) -> None:
    down()
    begin_anew()
    with pytest.raises(ConfigurationError) as caught:
        instance_keyring()
    assert "line 1 of" in caught.value.problem
    assert "cannot be asked (EndpointConnectionError)" in caught.value.problem
    assert caught.value.remedy.startswith("Nothing is lost. See that it runs")


def test_a_service_that_hangs_is_given_up(
    story: Story, wrapped: str, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "READ_S_MAX", 0.1)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        settings.KMS_ENDPOINT = f"http://127.0.0.1:{silent.getsockname()[1]}"
        begin_anew()
        with pytest.raises(ConfigurationError, match="ReadTimeoutError"):
            instance_keyring()


def test_a_key_that_was_added_while_the_service_is_down_is_left_out_loudly(
    story: Story, wrapped: str, kms: Kms, down: Callable[[], None], caplog: pytest.LogCaptureFixture
) -> None:
    """Every page would fail for a key that nothing is wrapped to yet; and it is asked for again a minute later only."""
    begin_anew()
    before = instance_keyring().public_keys
    Path(settings.KEYS_FILE).write_text(f"{module.made(kms.new_key())}\n{wrapped}\n")
    down()
    with caplog.at_level(logging.ERROR, logger="stafeta.vault.keyring"):
        assert instance_keyring().public_keys == before
        assert read_content(story.handover) == make.SECRET_TEXT
    assert "goes on without a key" in caplog.text
    assert caplog.text.count("EndpointConnectionError") == 2, "told each time, asked once"


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("DisabledException", "Enable it in the key management service"),
        ("KMSInvalidStateException", "cancel its deletion, at once"),
        ("AccessDeniedException", "Allow its credentials kms:Encrypt and kms:Decrypt"),
        ("SomethingNewException", "Nothing is lost. See what the service says"),
    ],
)
def test_what_the_service_refuses_is_told_with_the_way_back(
    story: Story, wrapped: str, settings: Settings, code: str, said: str
) -> None:
    begin_anew()
    with refusing(code) as settings.KMS_ENDPOINT, pytest.raises(ConfigurationError) as caught:
        instance_keyring()
    assert code in caught.value.problem
    assert said in caught.value.remedy


def test_a_key_that_the_service_does_not_know_is_not_added(keys_file: Path, kms: Kms) -> None:
    before = keys_file.read_bytes()
    with pytest.raises(ConfigurationError, match="does not know its key"):
        add_instance_key(keys_file, kms_key="alias/nobody")
    assert keys_file.read_bytes() == before


def test_without_boto3_it_is_said_what_to_install(story: Story, wrapped: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "boto3", None)
    module._session.cache_clear()
    begin_anew()
    with pytest.raises(ConfigurationError, match=r"stafeta\[kms\]"):
        instance_keyring()


# Another one's line --------------------------------------------------------------------------------------------------


def test_a_line_of_another_installation_is_refused_by_name(story: Story, wrapped: str, settings: Settings) -> None:
    settings.KMS_INSTANCE = "evil.example.org"
    begin_anew()
    with pytest.raises(ConfigurationError, match=r"STAFETA_KMS_INSTANCE=stafeta\.example\.org"):
        instance_keyring()


def test_a_line_made_to_look_like_ours_is_refused_by_the_service(
    story: Story, wrapped: str, keys_file: Path, kms: Kms, settings: Settings
) -> None:
    settings.KMS_INSTANCE = "evil.example.org"
    theirs = module.made(KmsKey.parse(wrapped).key_id)
    settings.KMS_INSTANCE = INSTANCE
    keys_file.write_text(f"{KmsKey(INSTANCE, theirs.public_key, theirs.key_id, theirs.ciphertext)}\n")
    begin_anew()
    with pytest.raises(ConfigurationError, match="changed or foreign"):
        instance_keyring()


def test_a_ciphertext_put_behind_another_public_key_is_refused(wrapped: str, keys_file: Path) -> None:
    ours = KmsKey.parse(wrapped)
    other = module.made(ours.key_id)
    keys_file.write_text(f"{KmsKey(INSTANCE, ours.public_key, ours.key_id, other.ciphertext)}\n")
    begin_anew()
    with pytest.raises(ConfigurationError, match="changed or foreign"):
        instance_keyring()


def test_what_the_service_keeps_is_bound_to_the_installation_and_the_key(wrapped: str, kms: Kms) -> None:
    key = KmsKey.parse(wrapped)
    with pytest.raises(kms.client.exceptions.InvalidCiphertextException):
        kms.client.decrypt(CiphertextBlob=key.ciphertext, KeyId=key.key_id)
    answer = kms.client.decrypt(CiphertextBlob=key.ciphertext, KeyId=key.key_id, EncryptionContext=key.context)
    assert answer["Plaintext"].startswith(b"AGE-SECRET-KEY-1")
    assert key.context == {"stafeta-instance": INSTANCE, "stafeta-key": key.public_key}


@pytest.mark.parametrize(
    "text",
    [
        "kms:",
        "kms:one:age1x:key:AAAA",
        "kms:one:{public}:key:not*base64",
        "kms:one:{public}:key:A",
        "kms:one:{public}:key:",
        "kms::{public}:key:AAAA",
    ],
)
def test_a_line_that_is_none_is_refused_and_not_quoted(keys_file: Path, wrapped: str, text: str) -> None:
    line = text.format(public=KmsKey.parse(wrapped).public_key)
    with pytest.raises(NotAKmsKey):
        KmsKey.parse(line)
    keys_file.write_text(f"{line}\n")
    with pytest.raises(ConfigurationError, match=r"line 1 of .* is not an age key"):
        instance_keyring()


def test_a_line_reads_as_it_was_written(wrapped: str) -> None:
    key = KmsKey.parse(wrapped)
    assert str(key) == wrapped
    assert key.key_id.startswith(f"arn:aws:kms:{REGION}:"), "an alias may lead elsewhere tomorrow"
    assert "ciphertext" not in repr(key)
