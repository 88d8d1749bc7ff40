"""Source code → spans with classes, within bounds of size and time; None wherever it should stay plain."""

import re
import time
from collections.abc import Callable, Iterator
from functools import cache

from pygments.lexer import Lexer
from pygments.lexers import find_lexer_class_by_name, get_all_lexers
from pygments.token import Comment, Generic, Keyword, Literal, Name, Operator, String, Token, _TokenType

from conversations.markup.characters import escaped

MAX_CODE = 50_000  # characters of one block
MAX_LINE = 2_000  # characters of one line; some patterns take the square of it
MAX_CODE_IN_ALL = 150_000  # characters of all blocks of one text
MAX_SECONDS = 0.3  # CPU of all blocks of one text
MAX_GROWTH = 8  # characters of HTML for each character of code

# A closed list: each language is a module that stays loaded, and lexers off the list were seen to take minutes for a
# few kilobytes.
_NAMES = """
    bash batch c clojure cmake console cpp csharp css dart diff django docker elixir erlang fortran fsharp glsl go
    graphql groovy haskell hcl html http ini java javascript json jsx julia kotlin latex less lua make
    markdown nasm nginx nim nix objective-c ocaml octave perl php powershell properties protobuf python r rst ruby rust
    scala scheme scss solidity sql swift text toml tsx typescript vbnet verilog vim vue xml yaml zig
"""

_CLASSES: dict[_TokenType, str] = {
    Token: "",
    Comment: "c",
    Comment.Preproc: "k",
    Comment.PreprocFile: "s",
    Keyword: "k",
    Operator.Word: "k",
    Literal: "m",
    String: "s",
    String.Escape: "se",
    String.Interpol: "se",
    Name.Attribute: "na",
    Name.Builtin: "nb",
    Name.Class: "nc",
    Name.Decorator: "nd",
    Name.Exception: "nc",
    Name.Function: "nf",
    Name.Tag: "nt",
    Name.Variable: "nv",
    Generic.Deleted: "gd",
    Generic.Heading: "gh",
    Generic.Inserted: "gi",
    Generic.Prompt: "gp",
    Generic.Subheading: "gh",
}
CLASSES = frozenset(_CLASSES.values()) - {""}
_MORE_ALIASES = {"json5": "json", "jsonc": "json", "matlab": "octave", "plaintext": "text", "txt": "text"}


def _aliases() -> dict[str, str]:
    names = set(_NAMES.split())
    found: dict[str, str] = {}
    for _, aliases, _, _ in get_all_lexers(plugins=False):
        main = next((alias for alias in aliases if alias in names), "")
        found |= {alias.lower(): main for alias in aliases if main}
    return found | _MORE_ALIASES


_ALIASES = _aliases()
LANGUAGES = frozenset(_ALIASES.values())


def language(info: str) -> str:
    """The name of the language an info string asks for, one of LANGUAGES, or "" for an unknown one."""
    word = re.match(r"[\w+#.-]+", info.strip())
    return _ALIASES.get(word[0].lower(), "") if word else ""


class Highlighter:
    """Highlights the code blocks of one text; its bounds are shared by all of them. `clock`: seconds of CPU."""

    def __init__(self, clock: Callable[[], float] = time.thread_time) -> None:
        self._clock = clock
        self._seconds = MAX_SECONDS
        self._characters = MAX_CODE_IN_ALL

    def html(self, code: str, name: str) -> str | None:
        """The escaped code in spans of CLASSES, or None for an unknown language or code beyond the bounds."""
        if name not in LANGUAGES or self._seconds <= 0 or not self._fits(code):
            return None
        self._characters -= len(code)
        lexer = _lexer(name)  # the first of a language is loaded here; that is nobody's fault
        start = self._clock()
        try:
            return self._spans(code, lexer, start + self._seconds)
        except Exception:  # noqa: BLE001  lexers are many foreign parsers; each may fail in its own way
            return None
        finally:
            self._seconds -= self._clock() - start

    def _fits(self, code: str) -> bool:
        return len(code) <= min(MAX_CODE, self._characters) and max(map(len, code.split("\n"))) <= MAX_LINE

    def _spans(self, code: str, lexer: Lexer, deadline: float) -> str | None:
        pieces: list[str] = []
        values: list[str] = []
        for kind, value in _merged(self._until(deadline, lexer.get_tokens(code))):
            values.append(value)
            text = escaped(value)
            pieces.append(f'<span class="{kind}">{text}</span>' if kind else text)
        html = "".join(pieces)
        is_whole = "".join(values) == code
        return html if is_whole and len(html) <= MAX_GROWTH * len(code) + 1024 else None

    def _until(self, deadline: float, tokens: Iterator[tuple[_TokenType, str]]) -> Iterator[tuple[_TokenType, str]]:
        for token in tokens:
            if self._clock() > deadline:
                raise TimeoutError
            yield token


def _merged(tokens: Iterator[tuple[_TokenType, str]]) -> Iterator[tuple[str, str]]:
    """Yield (class, text), neighbours of one class together; white space joins whatever is before it."""
    last, text = "", ""
    for kind, value in tokens:
        name = _class(kind)
        if name == last or value.isspace():
            text += value
        else:
            if text:
                yield last, text
            last, text = name, value
    if text:
        yield last, text


@cache
def _class(kind: _TokenType) -> str:
    while kind not in _CLASSES and kind.parent is not None:
        kind = kind.parent
    return _CLASSES.get(kind, "")


def _lexer(name: str) -> Lexer:
    # Lexers keep state while they work, so that each call takes its own.
    return find_lexer_class_by_name(name)(stripnl=False, ensurenl=False)
