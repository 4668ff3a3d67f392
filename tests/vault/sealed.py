"""What Dana's and Ema's browsers do with a sealed handover."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta

from stafeta.accounts.models import User
from stafeta.vault.holders import key_of, wrapped_for
from stafeta.vault.models import Handover, PersonalKey, Recipient
from stafeta.vault.selectors import Gap, gaps_of, handover_of, version_of
from stafeta.vault.services.personal_keys import set_key
from stafeta.vault.services.save_sealed import create_sealed, save_sealed
from stafeta.vault.services.set_handover_terms import set_handover_terms
from stafeta.vault.services.wrap_keys import Wrap, wrap_keys
from tests import age_browser, make
from tests.age_browser import Key


@dataclass
class Keys:
    """Everybody's keys, as their browsers and recovery cards have them; the server has none of their private halves."""

    of: dict[str, Key] = field(default_factory=dict)

    def new(self, person: User | Recipient) -> PersonalKey:
        """Let the person make a key, or replace the one they have."""
        key, present = age_browser.new_key(), key_of(person)
        self.of[key.public_key] = key
        return set_key(
            person=person,
            public_key=key.public_key,
            file=key.file,
            replaces=present.pk if present else None,
            now=make.NOON,
        )

    def handover(self, owner: User, *people: Recipient, text: str = make.SECRET_TEXT) -> Handover:
        """Write a sealed handover for these people, wrapped to its owner alone."""
        key, present = age_browser.new_key(), key_of(owner) or self.new(owner)
        self.of[key.public_key] = key
        handover = create_sealed(
            owner=owner,
            title="Web",
            public_key=key.public_key,
            wraps=[Wrap(present.pk, age_browser.wrapped(key, present.public_key))],
            ciphertext=age_browser.encrypted(text, key.public_key),
            is_blank=not text.strip(),
            now=make.NOON,
        )
        set_handover_terms(handover=handover, recipients=people, delay_days=0, access_days=90, now=make.NOON)
        return handover

    def wrap(self, handover: Handover, *keys: PersonalKey) -> int:
        """Do what Dana's browser does after she has unlocked."""
        return wrap_keys(
            handover=handover,
            public_key=handover.public_key,
            wraps=[Wrap(key.pk, self.wrapped(handover, key)) for key in keys],
            now=make.NOON,
        )

    def wrapped(self, handover: Handover, key: PersonalKey) -> bytes:
        """Return the handover's key, wrapped to a personal one."""
        return age_browser.wrapped(self.of[handover.public_key], key.public_key)


def gaps(handover: Handover) -> tuple[Gap, ...]:
    """Return what the handover lacks, as it is now."""
    return gaps_of(handover_of(handover.owner, handover.pk))


def save(handover: Handover, text: str, *, base: int, minutes: float = 0, autosave: bool = False) -> Handover:
    """Save a text as Dana's browser does."""
    return save_sealed(
        handover=handover,
        title=handover.title,
        ciphertext=age_browser.encrypted(text, handover.public_key),
        public_key=handover.public_key,
        is_blank=not text.strip(),
        base_revision=base,
        now=make.NOON + timedelta(minutes=minutes),
        autosave=autosave,
    )


def text_of(keys: Keys, handover: Handover, number: int) -> str:
    """Return a version as Dana's browser reads it: by her own key alone."""
    (wrapped, *_rest) = wrapped_for(handover, handover.owner)
    assert wrapped.key
    identity = age_browser.opened(bytes(wrapped.blob), keys.of[wrapped.key.public_key]).decode()
    key = age_browser.Key(identity, handover.public_key)
    return age_browser.opened(bytes(version_of(handover, number).ciphertext), key).decode()
