"""What a message may ask of the simulator: `[[name]]` or `[[name:value]]` in the last user text. Pure functions."""

import re
from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields, replace

from .errors import Refused

PATTERN = re.compile(r"\[\[(\w+)(?::(.*?))?\]\]", re.DOTALL)
BLANK_LINE = re.compile(r"\n[ \t]*\r?\n")

MEANING = {
    "fault": "NAME: answer with this fault (see the list of faults)",
    "once": "NAME: the fault at the first sight of this request, the plain answer at the second, and so on in turn",
    "shape": "NAME: answer in this shape (see the list of shapes)",
    "error": "STYLE: word an error status so (string, message, object, google, detail, title, text, html, empty, ...)",
    "say": "TEXT: answer exactly this; \\n is a new line",
    "think": "TEXT: visible reasoning before the answer",
    "tokens": "N: answer with the N words w1 w2 ... wN, one token each",
    "delay": "MS: milliseconds between two tokens of a stream",
    "first": "MS: milliseconds before the head of the answer",
    "at": "N: a fault in the middle of a stream comes after N tokens (2)",
    "hold": "N: stand still after N tokens until release(); without N before the head",
    "chunk": "N: at most N bytes of the body to a write",
    "finish": "WORD: this finish reason, as it stands on the wire",
    "credits": "TEXT: this value of x-remaining-credits; `none` leaves the header out",
}


@dataclass(frozen=True, slots=True)
class Directives:
    """One request's wishes; the fields are the names of MEANING."""

    fault: str = ""
    once: str = ""
    shape: str = ""
    error: str = ""
    say: str = ""
    think: str = ""
    tokens: int = 0
    delay: int | None = None
    first: int | None = None
    at: int = 2
    hold: int | None = None
    chunk: int = 0
    finish: str = ""
    credits: str = ""

    def over(self, other: "Directives") -> "Directives":
        """Both together; where both say something, this one wins."""
        plain = asdict(Directives())
        return replace(other, **{name: value for name, value in asdict(self).items() if value != plain[name]})


NUMBERS = {field.name for field in fields(Directives) if "int" in str(field.type)}


def parse(texts: Iterable[str]) -> tuple[Directives, str]:
    """The directives in the text parts of one turn, and the text without them. Unknown names stay in the text.

    A directive counts only where no blank line follows it in its part: a turn that was never answered is sent again in
    front of the next one, a blank line between them, and must not make the same trouble twice.
    """
    found: dict[str, str] = {}
    rest = []
    for text in texts:
        for match in PATTERN.finditer(text):
            if match[1] in MEANING and not BLANK_LINE.search(text[match.end() :].rstrip()):
                found[match[1]] = match[2] or ""
        rest.append(PATTERN.sub(lambda match: "" if match[1] in MEANING else match[0], text).strip())
    return of(found), "\n\n".join(text for text in rest if text)


def of(values: dict[str, str]) -> Directives:
    """Raises Refused (400) for a number that is none."""
    return Directives(**{name: number(name, value) if name in NUMBERS else value for name, value in values.items()})  # type: ignore[arg-type]


def number(name: str, value: str) -> int:
    if not value and name == "hold":
        return 0
    if not value.isdecimal():
        raise Refused(400, f"Simulator: [[{name}:{value}]] needs a number.")
    return int(value)
