"""The vectors of `testdata/vectors`, which the tests of the front end read as well (tools/make_vectors.py)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

from pyrage.x25519 import Identity

FOLDER: Final = Path(__file__).resolve().parents[2] / "testdata" / "vectors"
INDEX: Final[dict[str, Any]] = json.loads((FOLDER / "index.json").read_text(encoding="utf-8"))
FILES: Final[list[dict[str, Any]]] = INDEX["files"]
PASSPHRASE: Final[str] = INDEX["passphrase"]


def identity(name: str) -> Identity:
    """Return one of the known identities: "handover", "person" or "stranger"."""
    return Identity.from_str(INDEX["identities"][name]["identity"])


def blob(name: str) -> bytes:
    """Return the bytes of a vector."""
    return (FOLDER / name).read_bytes()
