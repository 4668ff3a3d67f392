"""What a backup says of the secret it was made under, revealing nothing: a check value, and a seal over all of it."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping
from typing import Any

from stafeta.accounts.derived_keys import derive


def secret_check() -> str:
    """Return the same value for the same secret, and no way back to it."""
    return hmac.new(derive("backup"), b"check", hashlib.sha256).hexdigest()


def seal_of(manifest: Mapping[str, Any]) -> str:
    """Return the seal over a manifest, its own place left out: whoever lacks the secret cannot make it."""
    rest = {key: value for key, value in manifest.items() if key != "seal"}
    text = json.dumps(rest, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hmac.new(derive("backup"), b"seal " + text.encode(), hashlib.sha256).hexdigest()
