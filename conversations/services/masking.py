"""Masking names, e-mail addresses and telephone numbers in what leaves the review.

Names are those of people who have an account here: user names, first and last names; and what follows "Mr", "Dr" and
their like. Other names cannot be told from other words, and stay.
"""

import re
from collections.abc import Iterable, Iterator
from typing import Any

from django.db.models import Q

from conversations.models import User

EMAIL = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
# As people write them: with a + or 0 in front, or an area code in brackets.
PHONE = re.compile(r"(?<![\w.,+-])(?:\+|0|\(\d{2,5}\)[ -]?)\d(?:[ ()/.-]{0,2}\d){5,13}(?![\w-]|[.,]\d)")
TITLES = "Mr|Mrs|Ms|Mx|Dr|Prof|Herrn?|Frau|Sra?|Señora?|Mme|Mlle|Monsieur|Madame"
TITLED = re.compile(rf"(?<!\w)((?:{TITLES})(?:\.|\b))((?:[ \u00a0]+[A-ZÀ-ÖØ-Þ][\w'’-]*\.?)+)")
WORD = re.compile(r"\w+(?:[.@+-]\w+)*")
FIELDS = ("username", "first_name", "last_name")
AT_ONCE = 200  # words that one statement asks for


class Mask:
    """Masks the people named in `values`, each always by the same number."""

    def __init__(self, values: Iterable[Any]) -> None:
        words = {word for value in values for text in texts(value) for word in _words(text)}
        self._numbers = {name: number for number, names in enumerate(_people(words), start=1) for name in names}

    def text(self, text: str) -> str:
        known = WORD.sub(self._word, EMAIL.sub("[e-mail]", text))
        return PHONE.sub("[phone]", TITLED.sub(r"\1 [name]", known))

    def value(self, value: Any) -> Any:
        """The same for every text in a value made of lists and dictionaries; keys stay."""
        match value:
            case str():
                return self.text(value)
            case list():
                return [self.value(one) for one in value]
            case dict():
                return {key: self.value(one) for key, one in value.items()}
        return value

    def _word(self, found: re.Match[str]) -> str:
        whole = found[0]
        if number := self._numbers.get(whole.lower()):
            return f"[person {number}]"
        # "alice.smith", "alice-like": the parts of a word that is no name itself
        return "".join(self._piece(one) for one in re.split(r"([.@+-])", whole))

    def _piece(self, piece: str) -> str:
        number = self._numbers.get(piece.lower())
        return f"[person {number}]" if number else piece


def texts(value: Any) -> Iterator[str]:
    match value:
        case str():
            yield value
        case list():
            for one in value:
                yield from texts(one)
        case dict():
            for one in value.values():
                yield from texts(one)


def _words(text: str) -> Iterator[str]:
    for whole in WORD.findall(text):
        yield whole
        yield from re.split(r"[.@+-]", whole)


def _people(words: set[str]) -> list[set[str]]:
    """The names, in small letters, of everybody who has one of them among these words."""
    spelt = sorted({form for word in words if len(word) > 1 for form in (word, word.lower(), word.title())})
    people: dict[int, set[str]] = {}
    for begin in range(0, len(spelt), AT_ONCE):
        some = spelt[begin : begin + AT_ONCE]
        named = Q(username__in=some) | Q(first_name__in=some) | Q(last_name__in=some)
        for pk, *names in User.objects.filter(named).values_list("pk", *FIELDS):
            people[pk] = {part for name in names for part in (name.lower(), *name.lower().split()) if len(part) > 1}
    return [people[pk] for pk in sorted(people)]
