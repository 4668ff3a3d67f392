"""The instance keyring: list says which key opens what, new adds a first key to the keys file, rotate wraps everything
to the first key while the service runs, lost gives up what no key opens. A secret half is shown by new alone, and only
where the keys come from the environment."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from stafeta.cli.ready import require_ready, start_django, tell, warn

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


def main(args: argparse.Namespace) -> int:
    """Do it and say so. 1: something stays closed, or it was not done."""
    if args.action == NEW:
        return _new()
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
        tell(f"  {key}  opens {opens}{'' if place else ', and wraps what is new'}")
    _tell_closed(found)
    return 1 if found.missing else 0


def _new() -> int:
    start_django()
    from django.conf import settings

    from stafeta.vault.keyring import SETTING_ENVIRONMENT, instance_keyring, source
    from stafeta.vault.services.add_instance_key import add_instance_key, new_key_line

    if source() == SETTING_ENVIRONMENT:
        instance_keyring()
        warn(f"The keys come from {SETTING_ENVIRONMENT}, which this command cannot change. Put this new key there as")
        warn(
            "the first line, keep the old ones, and restart every web and worker before you run `stafeta keys rotate`."
        )
        tell(new_key_line())
        return 1
    path = Path(settings.KEYS_FILE)
    tell(f"Added a new first key to {path}: {add_instance_key(path)}")
    tell("What is written from now on needs it, so make a new copy of the keys now (`stafeta backup --with-keys`), and")
    tell("bring the file to every machine of this installation. Then run `stafeta keys rotate`.")
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
