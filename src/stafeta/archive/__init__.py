"""A backup: every row of both databases' one schema in one file that depends on neither (docs/adr/0008).

The file is a zip, written as a stream:

    manifest.json                what it is, of which version and schema, when it was made; last in the file
    tables/<app>.<model>.jsonl   one row a line, as an object of column names and values
    files/…                      the attachments, as the ciphertext that they are; see archive/files.py

Values: moments are ISO 8601 with their offset, bytes Base64, JSON is nested as it is, all else as JSON says it. The
manifest names for each table how many rows it has, the highest id that was ever given out, and the SHA-256 of its
lines; and it carries a keyed seal, by which an installation with the same secret knows the file for unchanged.

It stands on the floor of the commands, because it walks the models of all apps.
"""

from __future__ import annotations

from typing import Final

FORMAT: Final = "stafeta-backup"
FORMAT_VERSION: Final = 1
MANIFEST: Final = "manifest.json"
TABLES: Final = "tables/"
FILES: Final = "files/"
ROWS_AT_ONCE: Final = 500
LINE_BYTES_MAX: Final = 64 * 1024 * 1024
MANIFEST_BYTES_MAX: Final = 4 * 1024 * 1024
TELL_EVERY_ROWS: Final = 50_000
