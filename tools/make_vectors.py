"""The test vectors of `testdata/vectors`: age files of known plaintext by three programs, and what secrets give.

    .venv/bin/python tools/make_vectors.py NEW_DIRECTORY

They were made once and are kept: a vector that changes is a format that changes. Needs Debian's `age`, node, and
`npm ci` in frontend/.
"""

from __future__ import annotations

import hashlib
import json
import os
import pty
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pyotp
import pyrage
from pyrage.x25519 import Identity, Recipient

from stafeta.channels.receipts_signed import signature
from stafeta.core.links import Link, Purpose, make_token

FRONTEND: Final = Path(__file__).resolve().parent.parent / "frontend"
TEXT: Final = "# Předání\n\nHeslo: **žluťoučký kůň** 🐎\n\n- [ ] zavolat Karlovi\n"
PASSPHRASE: Final = "čtyři náhodná slova 9"  # noqa: S105  # known to everybody
CHUNK_BYTES: Final = 64 * 1024
# By every program around the length of a chunk; by one of them elsewhere, for they are large.
SIZES: Final = {
    0: ("typage",),
    1: ("age",),
    CHUNK_BYTES - 1: ("pyrage",),
    CHUNK_BYTES: ("pyrage", "typage", "age"),
    CHUNK_BYTES + 1: ("typage", "age"),
    2 * CHUNK_BYTES: ("pyrage",),
    2 * CHUNK_BYTES + 1: ("typage",),
}
NODE: Final = """
import { Encrypter } from "age-encryption";
let plaintext = Buffer.alloc(0);
for await (const piece of process.stdin) plaintext = Buffer.concat([plaintext, piece]);
const [how, secret] = process.argv.slice(1);
const encrypter = new Encrypter();
if (how === "passphrase") { encrypter.setPassphrase(secret); encrypter.setScryptWorkFactor(18); }
else encrypter.addRecipient(secret);
process.stdout.write(await encrypter.encrypt(new Uint8Array(plaintext)));
"""

WORDS: Final = """
import { wordlist as cs } from "@scure/bip39/wordlists/czech.js";
import { wordlist as en } from "@scure/bip39/wordlists/english.js";
const composed = (list) => list.map((word) => word.normalize("NFC"));
process.stdout.write(JSON.stringify({ cs: composed(cs), en: composed(en) }));
"""


def pattern(size: int) -> bytes:
    """Return so many bytes that every test can make again: byte i is (7 i + i / 256) modulo 251."""
    return bytes((7 * i + (i >> 8)) % 251 for i in range(size))


def encrypted(program: str, plaintext: bytes, recipient: str) -> bytes:
    """Return an age file for one recipient, made by one program."""
    if program == "pyrage":
        blob: bytes = pyrage.encrypt(plaintext, [Recipient.from_str(recipient)])
        return blob
    if program == "typage":
        return _node(plaintext, "recipient", recipient)
    return _output(["age", "--recipient", recipient], plaintext)


def _node(plaintext: bytes, how: str, secret: str) -> bytes:
    return _output(["node", "--input-type=module", "--eval", NODE, how, secret], plaintext)


def _output(command: list[str], given: bytes) -> bytes:
    done = subprocess.run(command, cwd=FRONTEND, input=given, capture_output=True, check=True)  # noqa: S603
    return done.stdout


def _under_passphrase(plaintext: bytes, folder: Path) -> bytes:
    """Return an age file under the passphrase, made by Debian's age, which asks for it at a terminal, twice."""
    source, target = folder / "plain", folder / "sealed"
    source.write_bytes(plaintext)
    process, terminal = pty.fork()
    if process == 0:
        os.execvp("age", ["age", "--passphrase", "--output", str(target), str(source)])  # noqa: S606, S607
    for asked in (b"(leave empty", b"Confirm"):
        said = b""
        while asked not in said:
            said += os.read(terminal, 1024)
        os.write(terminal, PASSPHRASE.encode() + b"\n")
    os.waitpid(process, 0)
    blob = target.read_bytes()
    source.unlink()
    target.unlink()
    return blob


def age_files(folder: Path, keys: dict[str, Identity]) -> Iterator[dict[str, Any]]:
    """Write the age files and yield the line of each: what opens it, and what is in it."""
    handover = str(keys["handover"].to_public())

    def line(name: str, blob: bytes, plaintext: bytes, *, opens: str, kind: str) -> dict[str, Any]:
        (folder / name).write_bytes(blob)
        told = {"sha256": hashlib.sha256(plaintext).hexdigest(), "size_bytes": len(plaintext)}
        return {"file": name, "kind": kind, "opens": opens, **told}

    for program in ("pyrage", "typage", "age"):
        text = TEXT.encode()
        yield line(f"content.{program}.age", encrypted(program, text, handover), text, opens="handover", kind="content")
        key = str(keys["handover"]).encode()
        blob = encrypted(program, key, str(keys["person"].to_public()))
        yield line(f"wrapped_key.{program}.age", blob, key, opens="person", kind="wrapped_key")
    for size, programs in SIZES.items():
        for program in programs:
            name, plaintext = f"attachment-{size}.{program}.age", pattern(size)
            blob = encrypted(program, plaintext, handover)
            yield line(name, blob, plaintext, opens="handover", kind="attachment")
    key = str(keys["person"]).encode()
    blob = _node(key, "passphrase", PASSPHRASE)
    yield line("passphrase.typage.age", blob, key, opens="passphrase", kind="passphrase")
    yield line("passphrase.age.age", _under_passphrase(key, folder), key, opens="passphrase", kind="passphrase")


def fingerprints(keys: dict[str, Identity]) -> list[dict[str, Any]]:
    """Return the words of public keys, in both languages: by the numbers that SHA-256 gives and the lists of BIP 39."""
    lists = json.loads(_output(["node", "--input-type=module", "--eval", WORDS], b""))
    found = []
    for public_key in (str(key.to_public()) for key in keys.values()):
        bits = int.from_bytes(hashlib.sha256(f"stafeta fingerprint 1\n{public_key}".encode()).digest(), "big")
        places = [bits >> (256 - 11 * (at + 1)) & 2047 for at in range(6)]
        found.append(
            {"public_key": public_key} | {name: [words[place] for place in places] for name, words in lists.items()}
        )
    return found


def derived() -> dict[str, Any]:
    """Return what is computed from a secret: tokens of links, codes, the signature of a receipt."""
    key = hashlib.sha256(b"a key for vectors").digest()
    links = [(purpose, person, 3, cycle) for purpose in Purpose for person, cycle in ((1, 0), (127, 128), (2**40, 9))]
    secret = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXPJBSW"  # noqa: S105  # known to everybody
    body = '{"id":"17","status":"delivered"}'
    return {
        "links": {
            "key_hex": key.hex(),
            "tokens": [
                {
                    "purpose": int(purpose),
                    "person": person,
                    "switch": switch,
                    "cycle": cycle,
                    "token": make_token(Link(purpose, person, switch, cycle), key=key),
                }
                for purpose, person, switch, cycle in links
            ],
        },
        "codes": {
            "secret": secret,
            "digits": 8,
            "codes": {str(counter): pyotp.HOTP(secret, digits=8).at(counter) for counter in (0, 1, 2, 9, 1000)},
        },
        "receipt": {
            "secret": "known to everybody",
            "timestamp": "1790000000",
            "body": body,
            "signature": signature(secret="known to everybody", timestamp="1790000000", body=body.encode()),  # noqa: S106
        },
    }


def main(words: list[str]) -> int:
    """Make them all anew in an empty directory."""
    if len(words) != 1 or not shutil.which("age") or not shutil.which("node"):
        sys.stderr.write(__doc__ or "")
        return 2
    folder = Path(words[0])
    folder.mkdir(parents=True)
    keys = {name: Identity.generate() for name in ("handover", "person", "stranger")}
    index = {
        "identities": {name: {"identity": str(key), "recipient": str(key.to_public())} for name, key in keys.items()},
        "passphrase": PASSPHRASE,
        "text": TEXT,
        "files": list(age_files(folder, keys)),
        "fingerprints": fingerprints(keys),
        **derived(),
    }
    (folder / "index.json").write_text(json.dumps(index, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
