"""Let an account see the operator's page, and be told when somebody has to look. An operator may hold everything, and
can release nothing and read nothing."""

from __future__ import annotations

import argparse

from stafeta.cli.ready import require_ready, tell, warn


def configure(parser: argparse.ArgumentParser) -> None:
    """Add whose account."""
    parser.add_argument("email", help="the address with which the account signs in")
    parser.add_argument("--revoke", action="store_true", help="make it an ordinary account again")


def main(args: argparse.Namespace) -> int:
    """Change the account and say so; 1 where there is none."""
    require_ready()
    from stafeta.accounts.services.set_operator import set_operator

    if not set_operator(email=args.email, is_operator=not args.revoke):
        warn(f"There is no account {args.email}.")
        return 1
    tell(f"{args.email} is {'no operator any more' if args.revoke else 'an operator now'}.")
    return 0
