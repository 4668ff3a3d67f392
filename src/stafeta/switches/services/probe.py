"""Can the owner be heard? Ask the public confirmation page, as a person's browser would (ladder.md, "Service time")."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from typing import Final

import requests

from stafeta.accounts.derived_keys import derive, link_key
from stafeta.core.links import Link, Purpose, make_token

ANSWER_HEADER: Final = "X-Stafeta-Probe"
BUTTON_MARK: Final = b'id="confirm-checkin"'
NONCE_BITS: Final = 62
PAGE_BYTES_MAX: Final = 256 * 1024


@dataclass(frozen=True, slots=True)
class ProbeResult:
    """Whether the service can hear, and if not, why: a sentence for the operator, without a secret."""

    ok: bool
    reason: str = ""


def probe(*, site_url: str, timeout_s: float) -> ProbeResult:
    """Fetch the confirmation page under its public address and check that it was our own service that answered.

    A proxy's login page, a parked domain or an old copy cannot know the answer to this challenge. Follows no
    redirect, heeds no proxy of the environment, changes nothing. Never raises for what the network does.
    """
    challenge = make_token(Link(Purpose.PROBE, secrets.randbits(NONCE_BITS), 0, 0), key=link_key())
    try:
        with requests.Session() as session:
            session.trust_env = False
            url = f"{site_url}/probe/{challenge}/"
            with session.get(url, timeout=timeout_s, allow_redirects=False, stream=True) as response:
                page = response.raw.read(PAGE_BYTES_MAX, decode_content=True)
    except (requests.RequestException, OSError) as error:
        return ProbeResult(False, f"the confirmation page does not answer ({type(error).__name__})")
    except Exception as error:  # urllib3's own errors while the body is read
        return ProbeResult(False, f"the confirmation page breaks off ({type(error).__name__})")
    return _judge(response, page, challenge)


def probe_answer(challenge: str) -> str:
    """Return what only this service can answer to `challenge`."""
    return hmac.new(derive("probe"), challenge.encode(), hashlib.sha256).hexdigest()


def _judge(response: requests.Response, page: bytes, challenge: str) -> ProbeResult:
    if response.status_code != requests.codes.ok:
        return ProbeResult(False, f"the confirmation page answers with status {response.status_code}")
    answer = response.headers.get(ANSWER_HEADER, "")
    if not hmac.compare_digest(answer.encode(), probe_answer(challenge).encode()):
        return ProbeResult(False, "somebody else answers at the public address")
    if BUTTON_MARK not in page:
        return ProbeResult(False, "the confirmation page has lost its button")
    return ProbeResult(True)
