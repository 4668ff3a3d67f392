"""An instance key that a key management service keeps wrapped: in the keyring lies what only the service opens.

A line of the keyring reads `kms:<instance>:<public key>:<key of the service>:<ciphertext in base64>`. The service is
AWS KMS, or whatever speaks its API. What it opened stays in the memory of the process, so that only a start needs it.
The first two fields are the encryption context too: a line that was changed, or is another installation's, is refused
by the service itself.
"""

from __future__ import annotations

import base64
import binascii
import re
import threading
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from typing import Any, Final

from django.conf import settings
from pyrage import IdentityError, RecipientError
from pyrage.x25519 import Identity, Recipient

from stafeta import clock
from stafeta.core.errors import ConfigurationError

MARK: Final = "kms:"
CIPHERTEXT_BYTES_MAX: Final = 6144  # what Decrypt takes
OPENED_MAX: Final = 256  # more lines than a keys file has room for
CONNECT_S_MAX: Final = 2
READ_S_MAX: Final = 4
ATTEMPTS_MAX: Final = 3
RETRY_AFTER: Final = timedelta(minutes=1)  # in real time, as the service lives in it
_LINE: Final = re.compile(r"kms:([^:\s]+):(age1[^:\s]+):([\w:/+=,.@-]+):([A-Za-z0-9+/=]+)", re.ASCII)
_REGION: Final = re.compile(r"arn:[\w-]+:kms:([\w-]+):")
_UNKNOWN_KEY: Final = frozenset({"NotFoundException", "InvalidArnException", "ValidationException"})
_UNUSABLE_KEY: Final = frozenset({"DisabledException", "KMSInvalidStateException", "InvalidKeyUsageException"})
_WRONG_LINE: Final = frozenset({"InvalidCiphertextException", "IncorrectKeyException"})
_FORBIDDEN: Final = frozenset(
    {"AccessDeniedException", "UnrecognizedClientException", "InvalidSignatureException", "ExpiredTokenException"}
)


class NotAKmsKey(ValueError):
    """A line begins as one of these and is none."""


@dataclass(frozen=True, slots=True)
class KmsKey:
    """A key as it stands in the keyring. instance: the installation it was made for. key_id: the key of the service."""

    instance: str
    public_key: str
    key_id: str
    ciphertext: bytes = field(repr=False)

    def __str__(self) -> str:
        ciphertext = base64.b64encode(self.ciphertext).decode("ascii")
        return f"{MARK}{self.instance}:{self.public_key}:{self.key_id}:{ciphertext}"

    @classmethod
    def parse(cls, text: str) -> KmsKey:
        """Return the key that `text`, a line without blanks, describes. Raises NotAKmsKey."""
        found = _LINE.fullmatch(text)
        if found is None:
            raise NotAKmsKey
        instance, public_key, key_id, encoded = found.groups()
        try:
            Recipient.from_str(public_key)
            ciphertext = base64.b64decode(encoded, validate=True)
        except (RecipientError, binascii.Error):
            raise NotAKmsKey from None
        if not 0 < len(ciphertext) <= CIPHERTEXT_BYTES_MAX:
            raise NotAKmsKey
        return cls(instance, public_key, key_id, ciphertext)

    @property
    def context(self) -> dict[str, str]:
        """What the service binds the ciphertext to; its policies and its log may ask for it by these names."""
        return {"stafeta-instance": self.instance, "stafeta-key": self.public_key}


class Memory:
    """What the service has opened for this process, by line; a process that was forked off has it too."""

    def __init__(self) -> None:
        self.forget()

    def forget(self) -> None:
        """Be as a process that has just begun. has_begun: the whole keyring was opened once."""
        self.has_begun = False
        self._opened: dict[str, Identity] = {}
        self._refused: dict[str, tuple[datetime, ConfigurationError]] = {}
        self._lock = threading.Lock()

    def identity_of(self, text: str, *, setting: str, where: str) -> Identity:
        """Return the identity behind a line, asking the service the first time, and not again for a minute after a
        failure. Raises NotAKmsKey, and ConfigurationError, whose setting and place are the given ones."""
        key = KmsKey.parse(text)
        with self._lock:
            if (known := self._opened.get(text)) is not None:
                return known
            refused = self._refused.get(text)
            if refused is not None and timedelta() <= clock.real_now() - refused[0] < RETRY_AFTER:
                raise refused[1]
            try:
                identity = opened(key, setting=setting, where=where)
            except ConfigurationError as error:
                _keep(self._refused, text, (clock.real_now(), error))
                raise
            _keep(self._opened, text, identity)
            return identity


MEMORY: Final = Memory()


def made(key_id: str) -> KmsKey:
    """Return a new key wrapped by the service's key `key_id`: its id, ARN or alias. Raises ConfigurationError.

    The service has opened it again by then, so that no key is used that could not be.
    """
    identity = Identity.generate()
    public_key = str(identity.to_public())
    unwrapped = KmsKey(settings.KMS_INSTANCE, public_key, key_id, b"")
    what = f"{key_id!r} cannot wrap a key"
    answer = _ask("encrypt", unwrapped, what=what, setting="--kms", Plaintext=str(identity).encode("ascii"))
    key = KmsKey(settings.KMS_INSTANCE, public_key, answer["KeyId"], answer["CiphertextBlob"])
    opened(KmsKey.parse(str(key)), setting="--kms", where="the new key")
    return key


def opened(key: KmsKey, *, setting: str, where: str) -> Identity:
    """Return the identity that the service unwraps. Raises ConfigurationError, which never quotes it."""
    if key.instance != settings.KMS_INSTANCE:
        raise ConfigurationError(
            setting,
            f"{where} was made for the installation {key.instance!r}, and this one is {settings.KMS_INSTANCE!r}",
            f"If it is the same one under another address, set STAFETA_KMS_INSTANCE={key.instance}.",
        )
    answer = _ask("decrypt", key, what=f"{where} cannot be opened", setting=setting, CiphertextBlob=key.ciphertext)
    try:
        identity = Identity.from_str(answer["Plaintext"].decode("ascii"))
    except (IdentityError, UnicodeDecodeError):
        identity = None
    if identity is None or str(identity.to_public()) != key.public_key:
        problem = f"{where} is not what the key management service made of it"
        raise ConfigurationError(setting, problem, "Bring back your copy of the keys.")
    return identity


def _ask(deed: str, key: KmsKey, *, what: str, setting: str, **what_with: bytes) -> dict[str, Any]:
    """Let the service do something with `key`. Raises ConfigurationError."""
    try:
        session = _session()
        from botocore.config import Config
        from botocore.exceptions import BotoCoreError, ClientError
    except ImportError:
        raise ConfigurationError(
            setting, f"{what}: boto3 is not installed", "Install it with Štafeta: pip install 'stafeta[kms]'."
        ) from None
    region = _REGION.match(key.key_id)
    patience = Config(
        connect_timeout=CONNECT_S_MAX,
        read_timeout=READ_S_MAX,
        retries={"total_max_attempts": ATTEMPTS_MAX, "mode": "standard"},
    )
    try:
        client = session.client(
            "kms",
            region_name=settings.KMS_REGION or (region and region[1]) or None,
            endpoint_url=settings.KMS_ENDPOINT or None,
            config=patience,
        )
        answer: dict[str, Any] = getattr(client, deed)(KeyId=key.key_id, EncryptionContext=key.context, **what_with)
    except ClientError as error:
        code = str(error.response.get("Error", {}).get("Code", ""))
        problem, remedy = _words(code)
        raise ConfigurationError(setting, f"{what}: {problem} ({code})", remedy) from None
    except (BotoCoreError, ValueError) as error:
        kind = type(error).__name__
        raise ConfigurationError(
            setting,
            f"{what}: the key management service cannot be asked ({kind})",
            "Nothing is lost. See that it runs, that it can be reached from here, and that STAFETA_KMS_REGION, "
            "STAFETA_KMS_ENDPOINT and the credentials (AWS_…) are right; then start again.",
        ) from None
    return answer


@cache
def _session() -> Any:
    """Return what knows the API and the credentials, which takes long to read. It holds no connection. Raises
    ImportError."""
    import boto3

    return boto3.session.Session()


def _words(code: str) -> tuple[str, str]:
    """Return what is wrong and what to do about it, by the code of an answer."""
    if code in _FORBIDDEN:
        return (
            "the key management service does not let this installation use its key",
            "Allow its credentials kms:Encrypt and kms:Decrypt for this key, with this encryption context.",
        )
    if code in _UNKNOWN_KEY:
        return (
            "the key management service does not know its key",
            "Correct the key, STAFETA_KMS_REGION or STAFETA_KMS_ENDPOINT.",
        )
    if code in _UNUSABLE_KEY:
        return (
            "its key is disabled, is about to be deleted, or does not encrypt",
            "Enable it in the key management service, and cancel its deletion, at once: once it is deleted, nobody "
            "opens what only it opened.",
        )
    if code in _WRONG_LINE:
        return (
            "the key management service finds it changed or foreign",
            "Bring back your copy of the keys; only if nothing needs this key any more, remove its line.",
        )
    return (
        "the key management service refuses for now",
        "Nothing is lost. See what the service says about itself, and start again.",
    )


def _keep(kept: dict[str, Any], text: str, value: object) -> None:
    if len(kept) >= OPENED_MAX:
        kept.pop(next(iter(kept)))
    kept[text] = value
