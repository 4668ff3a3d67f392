"""The secret lies in a file that only its owner may read; a wider one is refused, an existing one never replaced."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from stafeta.config.secret_key import create_secret_key, read_secret_key
from stafeta.core.errors import ConfigurationError


def test_a_new_secret_is_long_private_and_different_each_time(tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    assert create_secret_key(first)
    assert create_secret_key(second)
    assert stat.S_IMODE(first.stat().st_mode) == 0o600
    assert len(read_secret_key(first)) >= 48
    assert read_secret_key(first) != read_secret_key(second)


def test_an_existing_secret_stays(tmp_path: Path) -> None:
    path = tmp_path / "secret-key"
    create_secret_key(path)
    secret = read_secret_key(path)
    assert create_secret_key(path) is False
    assert read_secret_key(path) == secret


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644, 0o666])
def test_a_secret_that_others_may_read_is_refused(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "secret-key"
    create_secret_key(path)
    path.chmod(mode)
    with pytest.raises(ConfigurationError, match="others may read") as caught:
        read_secret_key(path)
    assert f"chmod 600 {path}" in str(caught.value)


@pytest.mark.parametrize("content", [b"", b"short\n", "klíč, který není ASCII, ale je dost dlouhý".encode()])
def test_a_file_without_a_secret_is_refused_and_not_quoted(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "secret-key"
    path.write_bytes(content)
    path.chmod(0o600)
    with pytest.raises(ConfigurationError) as caught:
        read_secret_key(path)
    assert "short" not in str(caught.value)


def test_a_missing_secret_is_none_yet(tmp_path: Path) -> None:
    assert read_secret_key(tmp_path / "secret-key") == ""
