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
    """Whether the service can hear, and if not, why: a sentence for the operator, without a secret.

    fenced: another installation with our secret answers at the public address: this one is a copy that was left behind
    or is being tried out, and must neither climb nor send.
    """

    ok: bool
    reason: str = ""
    fenced: bool = False


def probe(*, site_url: str, timeout_s: float, identity: str) -> ProbeResult:
    """Fetch the confirmation page under its public address and check that it was our own service that answered.

    A proxy's login page or a parked domain cannot know the answer to this challenge; nor can a service that reads
    another database than the one of `identity`, whatever secret it has. Follows no redirect, heeds no proxy of the
    environment, changes nothing. Never raises for what the network does.
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
    return _judge(response, page, challenge, identity)


def probe_answer(challenge: str, identity: str) -> str:
    """Return what only this service can answer to `challenge`: one word for its secret, one for its database."""
    return f"{_word('secret', challenge)}.{_word(f'database {identity}', challenge)}"


def _word(of: str, challenge: str) -> str:
    return hmac.new(derive("probe"), f"{of} {challenge}".encode(), hashlib.sha256).hexdigest()


def _judge(response: requests.Response, page: bytes, challenge: str, identity: str) -> ProbeResult:
    if response.status_code != requests.codes.ok:
        return ProbeResult(False, f"the confirmation page answers wrongly (status {response.status_code})")
    answer = response.headers.get(ANSWER_HEADER, "").encode()
    expected = probe_answer(challenge, identity).encode()
    if not hmac.compare_digest(answer.partition(b".")[0], expected.partition(b".")[0]):
        return ProbeResult(False, "somebody else answers at the public address")
    if not hmac.compare_digest(answer, expected):
        return ProbeResult(False, "another installation answers at the public address", fenced=True)
    if BUTTON_MARK not in page:
        return ProbeResult(False, "the confirmation page has lost its button")
    return ProbeResult(True)
