"""LaTeX → MathML Core, or None wherever the formula could come out wrong: its source is shown then. No I/O.

The converter (math-core) sees only commands of a closed list, within bounds of length and nesting; what it makes is
written anew, element by element, and refused as a whole where anything in it is unknown here.
"""

import re
import unicodedata
from collections.abc import Iterator
from functools import cache, lru_cache
from html import unescape
from typing import TYPE_CHECKING

from conversations.markup import formula_commands as commands
from conversations.markup.characters import escaped

if TYPE_CHECKING:
    from math_core import LatexToMathML

MAX_SOURCE = 2_000  # characters of one formula
MAX_SOURCE_IN_ALL = 60_000  # characters of all formulas of one text
MAX_NESTING = 12  # levels of groups, brackets and environments
MAX_BARE = 32  # commands that take their argument without braces, which nests as well
MAX_DEPTH = 24  # levels of elements

_TAGS = """
    math mfrac mi mn mo mover mphantom mpadded mroot mrow mspace msqrt msub msubsup msup mtable mtd mtext mtr munder
    munderover
"""
_ATTRIBUTES = """
    accent accentunder displaystyle form linethickness lspace mathvariant maxsize minsize movablelimits rspace
    scriptlevel stretchy symmetric width
"""
TAGS = frozenset(_TAGS.split())
ATTRIBUTES = frozenset(_ATTRIBUTES.split())
CLASSES = {
    "mtd": frozenset({"left", "right", "flush-left", "flush-right", "wide", "line-left", "line-right", "line-top"})
    | {"line-bottom"},
    "mrow": frozenset({"boxed", "cancel", "overline", "underline"}),
    "mtext": frozenset({"bold", "italic"}),
}

_PIECE = re.compile(
    r"""
      \\(?P<edge>begin|end) \s* \{(?P<name>[a-zA-Z]+\*?)\} (?P<place>\[[tbc]\])?
    | \\(?P<tag>tag\*?) \s* \{(?P<number>[^{}\\$%]*)\}
    | (?P<label>\\label \s* \{[^{}]*\} | \\(?:notag|nonumber)(?![a-zA-Z]))
    | \\(?P<side>left|middle|right) \s* (?P<angle>[<>])
    | (?P<row>\\\\ (?: \* | [ ]*\[ \s* -?[0-9.]+ \s* (?:em|ex|pt|mm|cm|px) \s* \] )?)
    | \\(?P<command>operatorname\* | [a-zA-Z]+ | .)
    | (?P<group>[{}])
    | (?P<refused>[$%\#\\] | &[a-zA-Z]+;)
    | (?P<column>&)
    | [^\\{}&$%\#]+
    """,
    re.VERBOSE | re.DOTALL,
)
_ELEMENT = re.compile(r'<(/?)([a-z]+)((?: [a-z]+="[^"<>]*")*)(/?)>|([^<>]+)')
_ATTRIBUTE = re.compile(r' ([a-z]+)="([^"]*)"')
_VALUE = re.compile(r"true|false|infix|prefix|postfix|normal|-?[0-9]{0,2}(?:\.[0-9]+)?(?:em)?")
_STYLES = {
    "text-align: left": "left",
    "text-align: right": "right",
    "padding-left: 0": "flush-left",
    "padding-right: 0": "flush-right",
    "padding-left:1em": "wide",
    **{
        f"border-{side}: 0.05em {kind} currentcolor": f"line-{side}"
        for side in ("left", "right", "top", "bottom")
        for kind in ("solid", "dashed")
    },
}
_ONLY_SPACING = re.compile(r"justify-items: |padding-|margin-left:-")  # the formula is right without it
_NOTATIONS = {
    "box": "boxed",
    "updiagonalstrike": "cancel",
    "downdiagonalstrike": "overline",  # see OTHER_NAMES
    "updiagonalstrike downdiagonalstrike": "underline",
}
_MACROS = {"substack": r"\begin{subarray}{c}#1\end{subarray}"}
_OTHER_CHARACTERS = {0x20D7: "→", 0xFE00: None, 0xFE01: None}  # what fonts put beside the letter, or do not know
_STROKE = re.compile('<mrow class="menclose-(?:up|down)diagonalstrike"></mrow>')


class _Unsupported(Exception):
    """Something that is not known to come out right."""


class Converter:
    """Converts the formulas of one text; the bound on their length is shared by all of them."""

    def __init__(self) -> None:
        self._characters = MAX_SOURCE_IN_ALL

    def mathml(self, source: str, is_display: bool) -> str | None:
        """The formula without its delimiters as a `<math>` element, or None where the source is to be shown."""
        self._characters -= len(source)
        return mathml(source, is_display) if self._characters >= 0 else None


@lru_cache(maxsize=512)
def mathml(source: str, is_display: bool) -> str | None:
    """The same for one formula alone. Kept for a while: a text that is being written is rendered again and again."""
    if not source.strip() or len(source) > MAX_SOURCE or not all(map(_is_visible, set(source))):
        return None
    try:
        made = _converter().convert_with_local_state(_prepared(source, is_display), displaystyle=is_display)
        inner = "".join(_rewritten(made))
    except _Unsupported:
        return None
    except BaseException as error:  # the converter's own errors, and panics of foreign code, which are no Exception
        if isinstance(error, KeyboardInterrupt | SystemExit | GeneratorExit):
            raise
        return None
    return f'<math dir="ltr" display="block">{inner}</math>' if is_display else f'<math dir="ltr">{inner}</math>'


@cache
def _converter() -> "LatexToMathML":
    from math_core import LatexToMathML  # loaded with the first formula

    return LatexToMathML(fancy_error=False, allow_unreliable_rendering=True, macros=_MACROS)


def _is_visible(char: str) -> bool:
    return char in "\n\t" or (unicodedata.category(char)[0] != "C" and char != "\ufffd")


def _prepared(source: str, is_display: bool) -> str:
    """The source as the converter understands it. Raises _Unsupported for what is not on the lists."""
    reader = _Reader()
    for piece in _PIECE.finditer(source):
        reader.take(piece)
    return reader.text(is_display)


class _Reader:
    """Reads the pieces of one source: checks each, gives some another name, counts what nests."""

    def __init__(self) -> None:
        self._made: list[str] = []
        self._depth = 0
        self._bare = 0
        self._has_rows = False
        self._has_columns = False

    def take(self, piece: re.Match[str]) -> None:
        match piece.lastgroup:
            case "name" | "place":
                self._environment(piece["edge"], piece["name"])
            case "number":
                self._made.append(rf"\qquad\text{{({piece['number']})}}" if piece["number"].strip() else "")
            case "label":
                pass
            case "angle":
                self._nest(piece["side"])
                self._made.append(rf"\{piece['side']}\{'langle' if piece['angle'] == '<' else 'rangle'} ")
            case "row":
                self._has_rows |= self._depth == 0
                self._made.append(r"\\ ")
            case "command":
                self._command(piece["command"], piece.string[piece.end() : piece.end() + 1])
            case "group":
                self._nest("left" if piece[0] == "{" else "right")
                self._made.append(piece[0])
            case "column":
                self._has_columns |= self._depth == 0
                self._made.append("&")
            case "refused":
                raise _Unsupported
            case _:
                self._made.append(piece[0])

    def text(self, is_display: bool) -> str:
        """What the converter gets. Rows outside of any environment are those of a display."""
        if self._depth:
            raise _Unsupported
        self._drop_last_row()
        text = "".join(self._made)
        if not self._has_rows and not self._has_columns:
            return text
        if not is_display:
            raise _Unsupported
        name = "aligned" if self._has_columns else "gathered"
        return rf"\begin{{{name}}}{text}\end{{{name}}}"

    def _command(self, name: str, following: str) -> None:
        if name not in commands.COMMANDS:
            raise _Unsupported
        if name in commands.WITH_ARGUMENTS and following != "{":
            self._bare += 1
        if self._bare > MAX_BARE:
            raise _Unsupported
        self._nest(name)
        name = commands.OTHER_NAMES.get(name, name)
        self._made.append(f"\\{name} " if name[0].isalpha() else f"\\{name}")

    def _environment(self, edge: str, name: str) -> None:
        if name not in commands.ENVIRONMENTS:
            raise _Unsupported
        name = commands.ENVIRONMENTS[name]
        if edge == "end":
            self._drop_last_row()
        if name:
            self._nest("left" if edge == "begin" else "right")
            self._made.append(rf"\{edge}{{{name}}}")

    def _nest(self, name: str) -> None:
        self._depth += (name == "left") - (name == "right")
        if not 0 <= self._depth <= MAX_NESTING:
            raise _Unsupported

    def _drop_last_row(self) -> None:
        """Forget the end of a row behind which nothing comes: the converter would make an empty row of it."""
        while self._made and not self._made[-1].strip():
            self._made.pop()
        if self._made and self._made[-1] == r"\\ ":
            self._made.pop()


def _rewritten(made: str) -> Iterator[str]:
    """Yield the inside of the converter's `<math>` element with known elements, attributes and values alone."""
    made = _STROKE.sub("", made).translate(_OTHER_CHARACTERS)
    for tag, name in (("b", "bold"), ("i", "italic")):
        made = made.replace(f"<mtext><{tag}>", f'<mtext class="{name}">').replace(f"</{tag}></mtext>", "</mtext>")
    end = depth = 0
    for piece in _ELEMENT.finditer(made):
        if piece.start() != end:
            raise _Unsupported
        end = piece.end()
        closing, tag, attributes, is_empty, text = piece.groups()
        if text is not None:
            yield escaped(unescape(text))
            continue
        depth += (not closing and not is_empty) - bool(closing)
        if tag != "math":
            yield f"</{_known(tag)}>" if closing else _opened(tag, attributes)
            yield f"</{tag}>" if is_empty else ""
        if depth > MAX_DEPTH or (tag == "math" and piece.start() > 0 and end < len(made)):
            raise _Unsupported
    if end != len(made) or depth:
        raise _Unsupported


def _known(tag: str) -> str:
    tag = "mrow" if tag == "menclose" else tag
    if tag not in TAGS:
        raise _Unsupported
    return tag


def _opened(tag: str, attributes: str) -> str:
    classes: list[str] = []
    kept = ""
    for name, value in _ATTRIBUTE.findall(attributes):
        if name == "style":
            classes += _classes(value)
        elif name == "notation" and value in _NOTATIONS:
            classes.append(_NOTATIONS[value])
        elif name == "class":
            classes.append(value)
        elif name in ATTRIBUTES and _VALUE.fullmatch(value):
            kept += f' {name}="{value}"'
        else:
            raise _Unsupported
    if not CLASSES.get(_known(tag), frozenset()).issuperset(classes):
        raise _Unsupported
    if classes:
        kept += f' class="{" ".join(classes)}"'
    return f"<{_known(tag)}{kept}>"


def _classes(style: str) -> Iterator[str]:
    """Yield the classes that stand for a style: a page may have none in its elements."""
    for declaration in filter(None, style.split(";")):
        if declaration.strip() in _STYLES:
            yield _STYLES[declaration.strip()]
        elif not _ONLY_SPACING.match(declaration.strip()):
            raise _Unsupported
