"""The catalogues are complete, current and fit the texts on the screens: nothing falls back to English."""

import gettext
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LOCALE = ROOT / "conversations" / "locale"
LANGUAGES = ["ar", "de", "es"]
PLACEHOLDER = re.compile(r"%\((\w+)\)[sd]|\{(\w+)\}")


def catalogue(language: str) -> dict[str | tuple[str, int], str]:
    """The compiled texts; a plural is found under its singular and the number of its form."""
    with (LOCALE / language / "LC_MESSAGES" / "django.mo").open("rb") as file:
        found: dict[str | tuple[str, int], str] = gettext.GNUTranslations(file)._catalog  # type: ignore[attr-defined]
    return {key: text for key, text in found.items() if key}


def source(language: str) -> str:
    return str(LOCALE / language / "LC_MESSAGES" / "django.po")


@pytest.fixture(scope="module")
def texts(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Every text of the screens as it stands in code and templates now."""
    copy = tmp_path_factory.mktemp("texts")
    for name in ("chatsite", "conversations", "templates"):
        shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__", "*.po", "*.mo"))
    shutil.copy(ROOT / "manage.py", copy)
    command = [sys.executable, "manage.py", "makemessages", "--keep-pot", "-l", "de", "-v0", "-e", "html,txt,py"]
    environment = {"PATH": "/usr/bin:/bin:/usr/local/bin", "CHATSITE_DATA": str(copy / "data")}
    subprocess.run(command, cwd=copy, env=environment, check=True)
    pot = (copy / "conversations" / "locale" / "django.pot").read_text(encoding="utf-8")
    quoted = re.findall(r'^(?:msgctxt "(.*)"\n)?msgid ((?:"(?:[^"\\]|\\.)*"\n?)+)', pot, re.MULTILINE)
    joined = [(context, "".join(re.findall(r'"((?:[^"\\]|\\.)*)"', one))) for context, one in quoted]
    # A compiled catalogue finds a text that has a context under both, with this sign between them.
    whole = [f"{context}\x04{text}" if context else text for context, text in joined]
    return [text.replace('\\"', '"').replace("\\n", "\n").replace("\\\\", "\\") for text in whole if text]


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_text_is_translated(language: str, texts: list[str]) -> None:
    translated = {key if isinstance(key, str) else key[0] for key, text in catalogue(language).items() if text}
    assert len(texts) > 300
    assert [text for text in texts if text not in translated] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_translations_keep_the_places_for_values(language: str) -> None:
    wrong = []
    for key, text in catalogue(language).items():
        original = key if isinstance(key, str) else key[0]
        wanted, found = set(PLACEHOLDER.findall(original)), set(PLACEHOLDER.findall(text))
        # A form for exactly one or two things may say the number in words.
        if not found <= wanted or (isinstance(key, str) and found != wanted):
            wrong.append((original, text))
    assert wrong == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_compiled_catalogues_are_those_of_their_sources(language: str, tmp_path: Path) -> None:
    compiled = tmp_path / "django.mo"
    subprocess.run(["msgfmt", "--check", "-o", str(compiled), source(language)], check=True)
    assert compiled.read_bytes() == (LOCALE / language / "LC_MESSAGES" / "django.mo").read_bytes()


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_translation_waits_for_a_second_look(language: str) -> None:
    assert "#, fuzzy" not in Path(source(language)).read_text(encoding="utf-8")
