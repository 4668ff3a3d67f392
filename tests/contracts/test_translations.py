"""Czech is complete: nothing untranslated, nothing doubtful, nothing stale."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import polib
import pytest
from tools.catalogs import PACKAGE, catalogs, extract_catalogs

needs_gettext = pytest.mark.skipif(shutil.which("xgettext") is None, reason="gettext is not installed (apt: gettext)")
PLACEHOLDER = re.compile(r"%\(\w+\)[sd]|%[sd]|\{\w*\}")
Key = tuple[str | None, str, str]


def _key(entry: polib.POEntry) -> Key:
    return entry.msgctxt, entry.msgid, entry.msgid_plural


@pytest.fixture(scope="module", params=[path.parent.parent.name for path in catalogs(PACKAGE / "locale")])
def committed(request: pytest.FixtureRequest) -> polib.POFile:
    return polib.pofile(str(PACKAGE / "locale" / request.param / "LC_MESSAGES" / "django.po"))


@pytest.fixture(scope="module")
def extracted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[set[Key]]:
    """Every string that the sources mark for translation today."""
    made = extract_catalogs(PACKAGE, tmp_path_factory.mktemp("sources"))
    return {_key(entry) for entry in polib.pofile(str(made[0])) if not entry.obsolete}


def test_there_is_czech() -> None:
    assert (PACKAGE / "locale" / "cs" / "LC_MESSAGES" / "django.po").exists()


@needs_gettext
def test_every_string_of_the_sources_is_in_the_catalog(committed: polib.POFile, extracted: set[Key]) -> None:
    assert sorted(map(str, extracted - {_key(entry) for entry in committed})) == []


@needs_gettext
def test_the_catalog_holds_nothing_that_the_sources_no_longer_say(committed: polib.POFile, extracted: set[Key]) -> None:
    assert sorted(map(str, {_key(entry) for entry in committed} - extracted)) == []


def test_every_string_is_translated_and_none_is_doubtful(committed: polib.POFile) -> None:
    assert [entry.msgid for entry in committed.untranslated_entries()] == []
    assert [entry.msgid for entry in committed.fuzzy_entries()] == []


def test_every_plural_has_all_the_forms_of_its_language(committed: polib.POFile) -> None:
    """Czech: 1 zpráva, 2 zprávy, 5 zpráv; as many as the header says."""
    header = re.search(r"nplurals=(\d+)", committed.metadata["Plural-Forms"])
    assert header is not None
    plurals = [entry for entry in committed if entry.msgid_plural]
    assert [entry.msgid for entry in plurals if len(entry.msgstr_plural) != int(header[1])] == []


def test_translations_keep_their_placeholders(committed: polib.POFile) -> None:
    """A lost %(name)s is a sentence without its subject; an invented one is an error page."""
    wrong = []
    for entry in committed.translated_entries():
        known = set(PLACEHOLDER.findall(entry.msgid)) | set(PLACEHOLDER.findall(entry.msgid_plural))
        said = [entry.msgstr] if not entry.msgid_plural else list(entry.msgstr_plural.values())
        for text in said:
            used = set(PLACEHOLDER.findall(text))
            if used - known or (not entry.msgid_plural and known - used):
                wrong.append(f"{entry.msgid!r} → {text!r}")
    assert wrong == []


def test_compiled_catalogs_are_those_of_the_sources() -> None:
    """`tests/conftest.py` has compiled them; what pages show is what the .po files say."""
    for source in catalogs(PACKAGE / "locale"):
        compiled = polib.mofile(str(source.with_suffix(".mo")))
        said = polib.pofile(str(source)).translated_entries()
        assert {_key(entry) for entry in compiled} >= {_key(entry) for entry in said}
        assert Path(source.with_suffix(".mo")).stat().st_mtime >= source.stat().st_mtime
