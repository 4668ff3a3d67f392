"""Write a backup of the database into one file, while everything goes on running. Handovers in it are ciphertext; the
keys that open them, and the secret key, are only written with --with-keys, into a file of their own."""

from __future__ import annotations

import argparse
from pathlib import Path

from stafeta.cli.ready import require_ready, tell, warn
from stafeta.core.errors import ArchiveError


def configure(parser: argparse.ArgumentParser) -> None:
    """Add where the files go."""
    parser.add_argument("file", metavar="FILE", type=Path, help="the backup; it must not exist yet")
    parser.add_argument(
        "--with-keys",
        metavar="KEYSFILE",
        type=Path,
        help="write the secret key and the keys file into this tar, too; keep it apart from the backup, for together "
        "they open everything",
    )


def main(args: argparse.Namespace) -> int:
    """Write the backup and say so; 1 where it could not be written."""
    require_ready()
    from stafeta import clock
    from stafeta.archive.keys import write_keys
    from stafeta.archive.write import taken, write_archive

    file, keys = args.file.absolute(), args.with_keys and args.with_keys.absolute()
    try:
        for path in (file, keys):
            if path and path.exists():
                raise taken(path)
        rows = write_archive(file, now=clock.now(), say=warn)
        if keys:
            kept_by_kms = write_keys(keys)
    except ArchiveError as error:
        warn(str(error))
        return 1
    tell(f"Wrote the backup {file}: {rows} rows")
    if keys:
        tell(f"Wrote the secret key and the keys {keys}")
        for public_key, kms_key in kept_by_kms.items():
            warn(f"{public_key} is wrapped: whoever restores it needs the KMS key {kms_key} as well.")
        if kept_by_kms:
            warn("If that key is ever deleted in the key management service, this copy does not open what it opened.")
        if keys.parent == file.parent:
            warn("The keys lie beside the backup; together they open everything. Take one of the two elsewhere.")
    return 0
