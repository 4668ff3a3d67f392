"""`stafeta keys` with a key management service, as an operator meets it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from pyrage.x25519 import Identity

from tests import make
from tests.cli.conftest import Stafeta
from tests.cli.test_backup import in_python
from tests.cli.test_keys import HANDOVER, READ, SECRET
from tests.servers.kms import Kms, nobody, running_kms


@pytest.fixture
def kms(environ: dict[str, str]) -> Iterator[Kms]:
    """A service, named in the environment of the installation."""
    with running_kms() as running:
        environ.update(running.environ)
        yield running


def test_from_a_key_in_the_file_to_one_that_a_service_keeps(
    stafeta: Stafeta, environ: dict[str, str], kms: Kms, tmp_path: Path
) -> None:
    """The whole way, and what each start says without the service."""
    assert stafeta("init").returncode == 0
    in_python(HANDOVER, environ)
    keys, arn = Path(environ["STAFETA_DATA_DIR"]) / "keys.txt", kms.new_key()
    added = stafeta("keys", "new", "--kms", arn)
    assert added.returncode == 0, added.stderr
    assert "nothing starts without the service" in added.stdout
    assert "Wrapped anew: 1. The first key opens 1." in stafeta("keys", "rotate").stdout
    keys.write_text("".join(line for line in keys.open() if not line.startswith(SECRET)))

    listed = stafeta("keys", "list", STAFETA_LOG_LEVEL="debug")
    assert listed.returncode == 0, listed.stderr
    assert f"opens 1, and wraps what is new; wrapped by the KMS key {arn}" in listed.stdout
    assert SECRET not in listed.stdout + listed.stderr
    assert "Plaintext" not in listed.stderr, "the log of the service's answers holds the key"
    assert stafeta("worker", "--once").returncode == 0
    assert in_python(READ, environ).strip() == make.SECRET_TEXT

    copy = stafeta("backup", str(tmp_path / "b.zip"), "--with-keys", str(tmp_path / "keys.tar"))
    assert f"whoever restores it needs the KMS key {arn} as well" in copy.stderr
    with nobody() as url:
        refused = stafeta("worker", "--once", STAFETA_KMS_ENDPOINT=url)
    assert refused.returncode == 2
    assert "the key management service cannot be asked (EndpointConnectionError)" in refused.stderr
    assert "nobody can read what is there (1 handover of 1 owner)" in refused.stderr
    assert "Nothing is lost." in refused.stderr


def test_a_new_key_for_the_environment_is_no_secret_where_a_service_keeps_it(stafeta: Stafeta, kms: Kms) -> None:
    done = stafeta("keys", "new", "--kms", kms.new_key(), STAFETA_KEYS=str(Identity.generate()))
    assert done.stdout.startswith("kms:localhost:age1")
    assert SECRET not in done.stdout + done.stderr
    assert stafeta("keys", "list", "--kms", "x").returncode == 2
