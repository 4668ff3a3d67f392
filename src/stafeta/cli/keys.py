"""The instance keyring: list says which key opens what, new adds a first key to the keys file, rotate wraps everything
to the first key while the service runs, lost gives up what no key opens. A secret half is shown by new alone, and only
where the keys come from the environment and no key management service wraps it."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from stafeta.cli.ready import require_ready, start_django, tell, warn
from stafeta.core.errors import ConfigurationError

if TYPE_CHECKING:
    from stafeta.vault.keyring import Keyring
    from stafeta.vault.opening import Closed, Survey

LIST, NEW, ROTATE, LOST = "list", "new", "rotate", "lost"
WORD: Final = "lost"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add what to do."""
    actions = (LIST, NEW, ROTATE, LOST)
    parser.add_argument("action", nargs="?", choices=actions, default=LIST, help="default: %(default)s")
    parser.add_argument("--yes", action="store_true", help="lost: ask nothing")
    parser.add_argument(
        "--kms",
        metavar="KEY",
        default="",
        help="new: let a key management service keep the new key wrapped, by its key of this id, ARN or alias",
    )


def main(args: argparse.Namespace) -> int:
    """Do it and say so. 1: something stays closed, or it was not done."""
    if args.kms and args.action != NEW:
        raise ConfigurationError("--kms", "it goes with `stafeta keys new` only", "Leave it out.")
    if args.action == NEW:
        return _new(kms_key=args.kms)
    require_ready()
    if args.action == ROTATE:
        return _rotate()
    if args.action == LOST:
        return _lost(yes=args.yes)
    return _list()


def _list() -> int:
    from stafeta.vault.keyring import source_words
    from stafeta.vault.opening import survey

    ring = _ring_at_hand()
    found = survey(ring)
    tell(f"The keys come from {source_words()}.")
    for place, (key, opens) in enumerate(zip(ring.public_keys, found.opens, strict=True)):
        tell(f"  {key}  opens {opens}{'' if place else ', and wraps what is new'}{_kept_by(ring, key)}")
    _tell_closed(found)
    return 1 if found.missing else 0


def _kept_by(ring: Keyring, key: str) -> str:
    """Return by which key of a key management service a key is kept wrapped, if it is."""
    return f"; wrapped by the KMS key {ring.kms_keys[key]}" if key in ring.kms_keys else ""


def _new(*, kms_key: str) -> int:
    start_django()
    from django.conf import settings

    from stafeta.vault.keyring import SETTING_ENVIRONMENT, instance_keyring, source
    from stafeta.vault.services.add_instance_key import add_instance_key, new_key

    if source() == SETTING_ENVIRONMENT:
        instance_keyring()
        added = new_key(kms_key=kms_key).line
        warn(f"The keys come from {SETTING_ENVIRONMENT}, which this command cannot change. Put this new key there as")
        warn(
            "the first line, keep the old ones, and restart every web and worker before you run `stafeta keys rotate`."
        )
        tell(added)
        return 1
    path = Path(settings.KEYS_FILE)
    tell(f"Added a new first key to {path}: {add_instance_key(path, kms_key=kms_key)}")
    tell("What is written from now on needs it, so make a new copy of the keys now (`stafeta backup --with-keys`), and")
    tell("bring the file to every machine of this installation. Then run `stafeta keys rotate`.")
    if kms_key:
        tell("The key management service keeps it wrapped: nothing starts without the service, and no copy of the file")
        tell("opens anything without it. Restart every web and worker before you rotate, so that they have asked it.")
    return 0


def _rotate() -> int:
    from stafeta.vault.keyring import instance_keyring
    from stafeta.vault.services.rotate_keys import rotate_keys

    ring = instance_keyring()
    done = rotate_keys(ring=ring, say=tell)
    tell(f"Wrapped anew: {done.changed}. The first key opens {done.after.opens[0]}.")
    if not done.is_complete:
        warn("Older keys open some still: rows were locked, or a web or worker goes on with the keys of before.")
        warn("Restart every web and worker, and run this again.")
    _tell_idle(ring, done.after)
    _tell_closed(done.after)
    return 0 if done.is_complete and not done.after.missing else 1


def _tell_idle(ring: Keyring, found: Survey) -> None:
    """Name the old keys that open nothing any more."""
    idle = [key for key, opens in list(zip(ring.public_keys, found.opens, strict=True))[1:] if not opens]
    if not idle:
        return
    tell("These keys open nothing any more and may be removed, once `stafeta keys list` says so a day later still:")
    for key in idle:
        tell(f"  {key}")
    tell("Older backups still need them: keep a copy for as long as you keep a backup made before now.")


def _tell_closed(found: Survey) -> None:
    """Name every handover that nobody opens."""
    if not found.closed:
        return
    tell(f"No key opens these handovers ({len(found.closed)}); nobody can read them:")
    for closed in found.closed:
        tell(f"  {_words(closed)}")
    if found.missing:
        tell("Bring back the keys that open them; docs/operations.md, “A lost key”, says what else there is.")


def _words(closed: Closed) -> str:
    notes = {
        "deleted": closed.is_deleted,
        "damaged: no key would help": closed.is_damaged,
        "given up as lost": closed.is_set_aside,
        "an earlier key; its text was written anew since": closed.is_earlier,
    }
    said = "".join(f" ({note})" for note, is_so in notes.items() if is_so)
    # An owner chose the title; it must not speak to the operator's terminal.
    title = "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in closed.title)
    return f"handover {closed.handover} “{title}” of {closed.owner_email}{said}"


def _lost(*, yes: bool) -> int:
    from stafeta.vault.opening import survey
    from stafeta.vault.services.set_aside_lost import set_aside_lost

    ring = _ring_at_hand()
    found = survey(ring)
    _tell_closed(found)
    if not any(not closed.is_damaged for closed in found.missing):
        tell("Nothing is lost that was not given up already.")
        return 0
    warn("WARNING: nobody will read these until their key is found. Only go on when every copy of it is lost.")
    if not (yes or _confirmed()):
        warn("Nothing was changed.")
        return 1
    tell(f"Given up: {set_aside_lost(ring=ring)}. Nothing was erased: should the key turn up, put it into the keyring")
    tell("and run `stafeta keys rotate`. Tell these owners to write their handovers anew, as new ones.")
    return 0


def _ring_at_hand() -> Keyring:
    """Return the keyring; an empty one where there is no keys file at all, for then it is lost as a whole."""
    from django.conf import settings

    from stafeta.vault.keyring import SETTING, Keyring, instance_keyring, source

    if source() == SETTING and not Path(settings.KEYS_FILE).exists():
        warn(f"There is no keys file at {settings.KEYS_FILE}.")
        return Keyring(())
    return instance_keyring()


def _confirmed() -> bool:
    """Ask whoever types; nobody is nobody."""
    warn(f"Type {WORD!r} to go on: ")
    return sys.stdin.readline().strip() == WORD
