"""Make an owner's account. The e-mail counts as verified, since who may run this command vouches for it; the phone is
verified by its owner, with a code, on the account page."""

from __future__ import annotations

import argparse
import getpass
import sys

from stafeta.cli.ready import require_ready, tell, warn


def configure(parser: argparse.ArgumentParser) -> None:
    """Add who the owner is."""
    parser.add_argument("--email", required=True, help="the address to sign in with")
    parser.add_argument("--name", required=True, help="how recipients know the owner")
    parser.add_argument("--phone", required=True, help="e.g. +420601123456; Czech numbers need no prefix")
    parser.add_argument("--language", choices=("cs", "en"), default="cs", help="default: %(default)s")
    parser.add_argument(
        "--password-stdin", action="store_true", help="read the password from standard input; otherwise it is asked for"
    )


def main(args: argparse.Namespace) -> int:
    """Make the account and say so; otherwise name every problem and return 1."""
    require_ready()
    from django.core.exceptions import ValidationError
    from django.utils import translation

    from stafeta.accounts.services.create_owner import create_owner

    password = _password(from_stdin=args.password_stdin)
    if password is None:
        return 1
    try:
        with translation.override("en"):
            user = create_owner(
                email=args.email, name=args.name, phone=args.phone, language=args.language, password=password
            )
    except ValidationError as error:
        for problem in error.messages:
            warn(problem)
        return 1
    tell(f"Made the account {user.email}.")
    return 0


def _password(*, from_stdin: bool) -> str | None:
    """Return the password, or None, having said why, where the two typed ones differ or nobody can type."""
    if from_stdin:
        return sys.stdin.readline().rstrip("\r\n")
    try:
        first, second = getpass.getpass("Password: "), getpass.getpass("Once more: ")
    except EOFError:
        warn("There is nobody to ask for a password here; pass it to --password-stdin. Nothing was made.")
        return None
    if first != second:
        warn("The two passwords differ; nothing was made.")
        return None
    return first
