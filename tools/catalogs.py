"""The translations: `compile` makes the .mo files, `extract` brings the .po files up to date (needs gettext).

python tools/catalogs.py compile
python tools/catalogs.py extract
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

PACKAGE = Path(__file__).resolve().parent.parent / "src" / "stafeta"
LANGUAGES = ("cs",)
EXTENSIONS = ("py", "html", "txt")


def catalogs(locale: Path) -> list[Path]:
    """Return the .po files under a locale directory."""
    return sorted(locale.glob("*/LC_MESSAGES/*.po"))


def compile_catalogs(locale: Path) -> list[Path]:
    """Write the .mo beside every .po that has changed since, and return those. Fuzzy entries are left out."""
    from babel.messages.mofile import write_mo
    from babel.messages.pofile import read_po

    made = []
    for source in catalogs(locale):
        target = source.with_suffix(".mo")
        if target.exists() and target.stat().st_mtime >= source.stat().st_mtime:
            continue
        with source.open("rb") as file:
            catalog = read_po(file, locale=source.parent.parent.name)
        # Written beside and renamed: a server that is reading sees the old file or the new one, never half of one.
        unfinished = target.with_suffix(".mo.new")
        with unfinished.open("wb") as file:
            write_mo(file, catalog)
        unfinished.replace(target)
        made.append(target)
    return made


def extract_catalogs(package: Path, into: Path) -> list[Path]:
    """Copy the sources of `package` into the empty directory `into`, bring its .po files up to date there, and return
    them. The package itself is not touched."""
    for source in package.rglob("*"):
        wanted = source.suffix.lstrip(".") in (*EXTENSIONS, "po") and "static" not in source.parts
        if wanted and source.is_file():
            target = into / source.relative_to(package)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, target)
    (into / "locale").mkdir(exist_ok=True)
    options = [f"--extension={','.join(EXTENSIONS)}", "--no-obsolete", "--no-wrap", "--add-location=file"]
    options += [f"--locale={language}" for language in LANGUAGES]
    environ = {name: value for name, value in os.environ.items() if name != "DJANGO_SETTINGS_MODULE"}
    command = [sys.executable, "-m", "django", "makemessages", *options]
    done = subprocess.run(command, cwd=into, env=environ, capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode:
        raise RuntimeError(done.stderr.strip())
    return catalogs(into / "locale")


def main(words: list[str]) -> int:
    """Run `compile` or `extract`."""
    match words:
        case ["compile"]:
            compile_catalogs(PACKAGE / "locale")
        case ["extract"]:
            with tempfile.TemporaryDirectory() as directory:
                into = Path(directory)
                for made in extract_catalogs(PACKAGE, into):
                    target = PACKAGE / made.relative_to(into)
                    target.parent.mkdir(parents=True, exist_ok=True)
                    shutil.copyfile(made, target)
        case _:
            sys.stderr.write(__doc__ or "")
            return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
