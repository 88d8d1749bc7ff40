"""Texts attached to a message: long pastes and text files, each under its name. No models in here."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from conversations.services.errors import Refusal

TEXT_NAME = re.compile(
    r"\.(txt|text|md|markdown|rst|tex|bib|log|csv|tsv|jsonl?|ya?ml|toml|ini|cfg|conf|env|xml|html?|css|scss|m?js|tsx?|jsx"
    r"|vue|svelte|pyi?|ipynb|rb|php|pl|lua|r|jl|java|kt|scala|swift|c|h|cc|cpp|hpp|cs|go|rs|zig|hs|ml|exs?|erl|clj|dart"
    r"|sql|sh|bash|zsh|fish|ps1|bat|diff|patch|srt|vtt|po|tf|graphql|proto|cmake|gradle|eml)$",
    re.IGNORECASE,
)
UNREADABLE = gettext_lazy("This text cannot be read. Save it as UTF-8, then attach it again.")


@dataclass(frozen=True, slots=True)
class AttachedText:
    name: str
    text: str


def is_named_so(name: str) -> bool:
    """Whether a file of this name says that it is a text."""
    return TEXT_NAME.search(name) is not None


def of_fields(names: Sequence[str], texts: Sequence[str]) -> list[AttachedText]:
    """Texts as a form sends them, in two lists; one without a name gets one, a blank one is none."""
    named = [*names, *[""] * len(texts)]
    pairs = enumerate(zip(named, texts, strict=False), start=1)
    return [
        AttachedText(name.strip() or f"pasted-{number}.txt", text) for number, (name, text) in pairs if text.strip()
    ]


def sort_out(
    files: "Iterable[UploadedFile[bytes]]",
) -> "tuple[list[AttachedText], list[UploadedFile[bytes]]]":
    """The readable texts among the uploaded files; and the rest: pictures, or nothing that can be used."""
    texts, others = [], []
    for file in files:
        text = _read(file) if is_named_so(file.name or "") else None
        if text is None:
            others.append(file)
        elif text.strip():
            texts.append(AttachedText(file.name or "", text))
    return texts, others


def check(texts: Iterable[AttachedText]) -> None:
    limit = settings.MESSAGE_MAX_ATTACHED
    if sum(len(attached.text) for attached in texts) > limit:
        raise Refusal(_("The attached texts are longer than %(limit)d characters. Remove some.") % {"limit": limit})


def as_sent(name: str, text: str) -> str:
    """What a model reads: the text between lines that name it, apart from what follows."""
    return f"--- {name} ---\n{text}\n--- end of {name} ---\n\n"


def _read(file: "UploadedFile[bytes]") -> str | None:
    try:
        data: bytes = file.read()
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return None
    finally:
        file.seek(0)
