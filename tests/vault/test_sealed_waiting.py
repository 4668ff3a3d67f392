"""Who can open a sealed handover, what waits for its owner's unlock, and the keys that people make."""

from __future__ import annotations

import pytest

from stafeta.accounts.models import User
from stafeta.core.errors import Conflict, NotSealed, PolicyError
from stafeta.vault.holders import Seat, changed_keys_of, keys_of, seats_of, waiting_for, without_key, wrapped_for
from stafeta.vault.models import ConsentState, Handover, PersonalKey, Recipient, WrappedKey
from stafeta.vault.selectors import Gap, handover_of, releasable_count
from stafeta.vault.services.personal_keys import accept_key, add_passkey, change_passphrase, remove_passkey
from stafeta.vault.services.recipients import remove_recipient
from stafeta.vault.services.set_handover_terms import set_handover_terms
from stafeta.vault.services.wrap_keys import WRAPS_MAX, Wrap, wrap_keys
from tests import age_browser, make
from tests.on_both import on_postgresql_too
from tests.vault.sealed import Keys, gaps, text_of

test_all_this_holds_on_postgresql_too = on_postgresql_too(__file__)


def seats(handover: Handover) -> dict[str, Seat]:
    return {str(one.recipient or "Dana"): one.seat for one in seats_of(handover_of(handover.owner, handover.pk))}


# What waits for the owner ------------------------------------------------------------------------------------------
def test_until_somebody_can_open_it_the_handover_is_not_ready_and_arming_does_not_count_it(
    keys: Keys, handover: Handover, ema: Recipient
) -> None:
    """A release that nobody can read is a missed release, so it is said long before."""
    assert gaps(handover) == (Gap.NOBODY_OPENS, Gap.NO_KEY)
    assert without_key(handover.owner) == [ema]
    assert releasable_count(handover.owner) == 0

    key = keys.new(ema)
    assert gaps(handover) == (Gap.NOBODY_OPENS, Gap.NOT_SEALED)
    assert [(one.handover, one.keys) for one in waiting_for(handover.owner)] == [(handover, (key,))]
    assert without_key(handover.owner) == []

    assert keys.wrap(handover, key) == 1
    assert gaps(handover) == ()
    assert waiting_for(handover.owner) == []
    assert releasable_count(handover.owner) == 1
    assert seats(handover) == {"Dana": Seat.HOLDS, "Ema Malá": Seat.HOLDS}


def test_who_is_put_on_later_waits_and_who_is_taken_off_loses_their_key(
    keys: Keys, handover: Handover, ema: Recipient
) -> None:
    petr = make.recipient(handover.owner, "petr@example.org", name="Petr")
    first, second = keys.new(ema), keys.new(petr)
    keys.wrap(handover, first)
    assert keys.wrap(handover, second) == 0, "Petr is not on it"
    set_handover_terms(handover=handover, recipients=[ema, petr], delay_days=0, access_days=90, now=make.NOON)
    assert gaps(handover) == (Gap.NOT_SEALED,)
    assert keys.wrap(handover, second) == 1
    set_handover_terms(handover=handover, recipients=[petr], delay_days=0, access_days=90, now=make.NOON)
    assert wrapped_for(handover, ema) == []
    assert gaps(handover) == ()
    remove_recipient(recipient=petr, now=make.NOON)
    assert {wrap.holder for wrap in WrappedKey.objects.all()} == {f"key:{keys_of(handover.owner)[0].pk}"}


def test_who_declined_does_not_count_as_somebody_who_opens_it(keys: Keys, handover: Handover, ema: Recipient) -> None:
    petr = make.recipient(handover.owner, "petr@example.org", name="Petr")
    set_handover_terms(handover=handover, recipients=[ema, petr], delay_days=0, access_days=90, now=make.NOON)
    keys.wrap(handover, keys.new(ema))
    assert releasable_count(handover.owner) == 1
    Recipient.objects.filter(pk=ema.pk).update(consent=ConsentState.DECLINED)
    assert releasable_count(handover.owner) == 0
    assert Gap.NOBODY_OPENS in gaps(handover)


def test_a_changed_key_gets_nothing_until_the_owner_has_acknowledged_it(
    keys: Keys, handover: Handover, ema: Recipient
) -> None:
    """Whoever took over Ema's mailbox could make a key; and meanwhile Ema's own still opens what it opened."""
    old = keys.new(ema)
    keys.wrap(handover, old)
    new = keys.new(ema)
    assert gaps(handover) == (Gap.KEY_CHANGED,)
    assert changed_keys_of(handover.owner) == [new]
    assert waiting_for(handover.owner) == []
    assert keys.wrap(handover, new) == 0
    assert [wrap.key_id for wrap in wrapped_for(handover, ema)] == [old.pk]
    assert {one.pk: one.files.count() for one in keys_of(ema)} == {new.pk: 1, old.pk: 1}

    accept_key(key=new, now=make.NOON)
    assert gaps(handover) == (Gap.NOT_SEALED,)
    assert keys.wrap(handover, new) == 1
    assert [wrap.key_id for wrap in wrapped_for(handover, ema)] == [new.pk]
    assert keys_of(ema) == [new], "the old one opens nothing any more, so its private half is gone"
    assert PersonalKey.objects.get(pk=old.pk).files.count() == 0


def test_a_key_replaced_before_anything_was_wrapped_to_it_is_no_change(
    keys: Keys, handover: Handover, ema: Recipient
) -> None:
    keys.new(ema)
    new = keys.new(ema)
    assert changed_keys_of(handover.owner) == []
    assert keys.wrap(handover, new) == 1


def test_a_key_changed_twice_is_still_a_change(keys: Keys, handover: Handover, ema: Recipient) -> None:
    keys.wrap(handover, keys.new(ema))
    for _ in range(30):
        new = keys.new(ema)
    assert changed_keys_of(handover.owner) == [new]
    with pytest.raises(PersonalKey.DoesNotExist):
        accept_key(key=PersonalKey.objects.filter(recipient=ema).exclude(pk=new.pk)[0], now=make.NOON)


def test_nothing_is_stored_for_foreign_keys_or_for_the_handovers_former_key(
    keys: Keys, handover: Handover, ema: Recipient
) -> None:
    mallory = make.owner("mallory@example.org", name="Mallory")
    eve = make.recipient(mallory, "eve@example.org", name="Eve")
    assert keys.wrap(handover, keys.new(mallory), keys.new(eve)) == 0
    key = keys.new(ema)
    with pytest.raises(Conflict):
        wrap_keys(
            handover=handover,
            public_key=age_browser.new_key().public_key,
            wraps=[Wrap(key.pk, keys.wrapped(handover, key))],
            now=make.NOON,
        )
    with pytest.raises(NotSealed):
        wrap_keys(
            handover=handover,
            public_key=handover.public_key,
            wraps=[Wrap(key.pk, keys.of[handover.public_key].identity.encode())],
            now=make.NOON,
        )
    with pytest.raises(PolicyError):
        wrap_keys(
            handover=handover,
            public_key=handover.public_key,
            wraps=[Wrap(key.pk, keys.wrapped(handover, key))] * (WRAPS_MAX + 1),
            now=make.NOON,
        )


# Personal keys -----------------------------------------------------------------------------------------------------
def test_the_owners_new_key_opens_nothing_until_their_old_one_has_wrapped_to_it(
    keys: Keys, handover: Handover, dana: User
) -> None:
    """The passphrase is forgotten, the recovery card is not: it is the old key, and it still opens everything."""
    (old,) = keys_of(dana)
    new = keys.new(dana)
    assert [one.keys for one in waiting_for(dana)] == [(new,)]
    assert keys_of(dana) == [new, old]
    assert keys.wrap(handover, new) == 1
    assert keys_of(dana) == [new]
    assert text_of(keys, handover, 1) == make.SECRET_TEXT


def test_two_windows_that_make_a_key_make_one(keys: Keys, dana: User) -> None:
    from stafeta.vault.services.personal_keys import set_key

    first, second = age_browser.new_key(), age_browser.new_key()
    made = set_key(person=dana, public_key=first.public_key, file=first.file, replaces=None, now=make.NOON)
    again = set_key(person=dana, public_key=first.public_key, file=first.file, replaces=None, now=make.NOON)
    assert again == made
    with pytest.raises(Conflict):
        set_key(person=dana, public_key=second.public_key, file=second.file, replaces=None, now=make.NOON)


def test_a_recipient_makes_a_key_only_once_they_have_agreed(keys: Keys, dana: User) -> None:
    invited = make.recipient(dana, consent=ConsentState.INVITED)
    with pytest.raises(PolicyError):
        keys.new(invited)


def test_a_new_passphrase_takes_the_place_of_the_old_one_and_passkeys_stand_beside_it(keys: Keys, dana: User) -> None:
    key = keys.new(dana)
    blob = age_browser.passphrase_file(keys.of[key.public_key].identity.encode())
    change_passphrase(key=key, file=blob, now=make.NOON)
    passkey = age_browser.passkey_file(keys.of[key.public_key].identity.encode())
    added = add_passkey(key=key, file=passkey, name="laptop", hint="AGE-PLUGIN-FIDO2PRF-1", now=make.NOON)
    assert [bytes(file.blob) for file in key.files.all()] == [blob, passkey]
    remove_passkey(file=added)
    assert [bytes(file.blob) for file in key.files.all()] == [blob]
    remove_passkey(file=key.files.get())
    assert key.files.count() == 1, "the passphrase is not a passkey"
