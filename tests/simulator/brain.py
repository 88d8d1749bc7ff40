"""What the simulated models say: short, true answers from the content of the talk. Pure functions, no I/O.

RULES are tried in order; each gives the parts of an answer, or None where it has nothing to say.
"""

import re
from collections.abc import Callable
from dataclasses import replace

from . import editor, painter
from .directives import Directives, parse
from .job import Answer
from .talk import Part, Picture, Talk

DRAW = re.compile(
    r"\b(draw|sketch|generate|create|imagine|design)\b(?!\s+(it|this|that)\b)|\bpaint\b(?!\s+(it|this|that|the)\b)"
    r"|\bmake\s+(me\s+)?(a|an|another)\s+(\w+\s+)?(picture|image|drawing|photo)",
    re.IGNORECASE,
)
EDIT = re.compile(
    r"\b(make|turn|change|rotate|mirror|flip|add|darken|brighten|lighten|invert|blur|paint|colou?r|dye|recolou?r|enlarge"
    r"|shrink|convert)\b",
    re.IGNORECASE,
)
LOOK = re.compile(r"\b(picture|image|photo|drawing|see|show|shown)s?\b", re.IGNORECASE)
# "My name is Ada", "my favourite colour is dark green."
TOLD = re.compile(r"\bmy ([a-z][a-z ]{0,30}?) is ([^.,;!?\n]{1,60})", re.IGNORECASE)
ASKED = re.compile(r"\b(?:what|who|where|which)(?:'s| is| was) my ([a-z][a-z ]{0,30}?)\s*\?", re.IGNORECASE)
SUM = re.compile(r"(?<![\w.-])(-?\d{1,9})\s*([-+*/×x])\s*(-?\d{1,9})(?![\w-])")
# "Reply with exactly: OK", "Say hello.", 'Repeat the word "tree"'
SAY = re.compile(
    r"^\s*(?:please\s+)?(?:say|repeat|(?:reply|answer|respond)\s+with)\b"
    r"(?:\s+(?:exactly|only|just|after me|the words?))*\s*:?\s+[\"“']?(.+?)[\"”']?[.!]?\s*$",
    re.IGNORECASE,
)

GO_ON = re.compile(r"go on exactly where your last message ended\b", re.IGNORECASE)

HEADING = "# A small tour"
LIST = "- first, a plain point\n- then one with **bold** and *italic* words\n- last, one with `code` in it"
TABLE = "| Planet | Moons | Rings |\n|---|---:|:---:|\n| Earth | 1 | no |\n| Mars | 2 | no |\n| Saturn | 146 | yes |"
CODE = '```python\ndef greet(name: str) -> str:\n    return f"Hello, {name}!"\n\n\nprint(greet("world"))\n```'
QUOTE = "> Simplicity is prerequisite for reliability."
LINK = "More in the [documentation](https://docs.python.org/3/)."
MARKDOWN = (
    (r"\bheadings?\b", HEADING),
    (r"\blists?\b|\bbullet", LIST),
    (r"\btable\b", TABLE),
    (r"\bcode\b|\bprogram\b|\bpython\b", CODE),
    (r"\bquote", QUOTE),
)
STORY = (
    "Once there was a lighthouse at the edge of a quiet bay. Its keeper wrote down every ship that passed, with the "
    "hour and the colour of its flag, although nobody had ever asked for the list.",
    "One winter the fog stayed for eleven days. The keeper rang the bell at every hour, and in the nights he read the "
    "old pages aloud, so that the bay would not be silent.",
    "On the twelfth day a small boat came in. The woman at the oars said that she had followed the voice, not the "
    "bell, and that she had been on page forty-one, many years ago, under a green flag.",
)


def answer(talk: Talk, ask: Directives) -> Answer:
    """What the model says to `talk`, the last turn's text being free of directives."""
    parts = ordered(talk, ask)
    if re.search(r"\b(capitals?|upper ?case)\b", talk.system, re.IGNORECASE):
        parts = tuple(part.upper() if isinstance(part, str) else part for part in parts)
    return Answer(parts, thought=ask.think.replace("\\n", "\n")).within(talk.max_tokens)


def ordered(talk: Talk, ask: Directives) -> tuple[Part, ...]:
    if ask.tokens:
        return (" ".join(f"w{number}" for number in range(1, ask.tokens + 1)),)
    if ask.say:
        return (ask.say.replace("\\n", "\n"),)
    return next(parts for rule in RULES if (parts := rule(talk)) is not None)


def seen(talk: Talk) -> str:
    count = len(talk.turns)
    return f"So far I have seen {count} turn{'s' * (count != 1)}."


def going_on(talk: Talk) -> tuple[Part, ...] | None:
    """The rest of an answer that was cut short, where the last turn wishes for it."""
    if len(talk.turns) < 3 or not GO_ON.match(talk.last.text):
        return None
    ask, text = parse([talk.turns[-3].text])
    parts = ordered(replace(talk, turns=talk.turns[:-2]).saying(text), ask)
    whole, said = "".join(part for part in parts if isinstance(part, str)), talk.turns[-2].text
    return (whole[len(said) :] if whole.startswith(said) and whole != said else " And that is all.",)


def repeat(talk: Talk) -> tuple[Part, ...] | None:
    match = SAY.match(talk.last.text)
    return (match[1],) if match else None


def drawing(talk: Talk) -> tuple[Part, ...] | None:
    """New pictures, one for each part of "... then ..."."""
    text = talk.last.text
    wanted = DRAW.search(text) or (painter.knows(text) and not talk.pictures and not text.rstrip().endswith("?"))
    if not wanted:
        return None
    if not talk.draws:
        return (f"I answer in words only and cannot draw. {seen(talk)}",) if DRAW.search(text) else None
    parts: list[Part] = []
    for words in re.split(r",?\s+(?:and\s+)?then\s+", text):
        caption = wish(words)
        parts += [f"Here is {caption}:\n\n", painter.saved(painter.draw(caption))]
    return tuple(parts)


def wish(words: str) -> str:
    """What is to be drawn: the words after the verb, or all of them."""
    match = DRAW.search(words)
    rest = words[match.end() :] if match else words
    return re.sub(r"^\s*(me|us|of)\b", "", rest).strip(" .!,:\n") or "a picture"


def editing(talk: Talk) -> tuple[Part, ...] | None:
    """The last picture of the whole talk, changed."""
    if not talk.draws or not EDIT.search(talk.last.text):
        return None
    usable = [picture for picture in talk.pictures if picture.media_type in ("image/png", "image/jpeg", "image/webp")]
    if not usable:
        return (f"There is no picture yet that I could change. Ask me to draw one. {seen(talk)}",)
    changed = editor.edit(painter.opened(usable[-1]), talk.last.text)
    if changed is None:
        return None
    return ("Here is the changed picture:\n\n", painter.saved(changed), "\n\nShall I change anything else?")


def looking(talk: Talk) -> tuple[Part, ...] | None:
    """A description of the pictures just sent, or of earlier ones when the text speaks of them."""
    pictures = talk.last.pictures or (talk.pictures if LOOK.search(talk.last.text) else ())
    if not pictures:
        return None
    said = f"\n\nYou wrote: “{talk.last.text}”" if talk.last.text.strip() else ""
    return (f"{sight(pictures)}{said}\n\n{seen(talk)}",)


def sight(pictures: tuple[Picture, ...]) -> str:
    if len(pictures) == 1:
        return f"I see {painter.describe(pictures[0])}."
    lines = [f"{number}. {painter.describe(picture)}" for number, picture in enumerate(pictures, 1)]
    return f"I see {len(pictures)} pictures:\n\n" + "\n".join(lines)


def remembered(talk: Talk) -> tuple[Part, ...] | None:
    """What the person said of themselves earlier; the latest word on it counts."""
    asked = ASKED.search(talk.last.text)
    if not asked:
        return None
    thing = asked[1].lower()
    told = [
        m[2].strip()
        for turn in talk.turns
        if turn.role == "user"
        for m in TOLD.finditer(turn.text)
        if m[1].lower() == thing
    ]
    return (
        f"Your {thing} is {told[-1]}. {seen(talk)}" if told else f"You have not told me your {thing}. {seen(talk)}",
    )


def told(talk: Talk) -> tuple[Part, ...] | None:
    match = TOLD.search(talk.last.text)
    if not match:
        return None
    if match[1].lower() == "name":
        return (f"Nice to meet you, {match[2].strip()}. {seen(talk)}",)
    return (f"I shall remember that your {match[1].lower()} is {match[2].strip()}. {seen(talk)}",)


def instructed(talk: Talk) -> tuple[Part, ...] | None:
    if not re.search(r"\bsystem (prompt|instruction|message)|\byour instructions?\b", talk.last.text, re.IGNORECASE):
        return None
    return (f"My instructions are: “{talk.system}”" if talk.system.strip() else "I have no instructions.",)


def reckoning(talk: Talk) -> tuple[Part, ...] | None:
    match = SUM.search(talk.last.text)
    if not match:
        return None
    first, sign, second = int(match[1]), match[2], int(match[3])
    if sign == "/":
        return ("A division by zero has no answer.",) if second == 0 else (f"{first} / {second} = {first / second:g}",)
    result = first + second if sign == "+" else first - second if sign == "-" else first * second
    return (f"{first} {sign} {second} = {result}",)


def markdown(talk: Talk) -> tuple[Part, ...] | None:
    text = talk.last.text.lower()
    if "markdown" in text:
        return ("\n\n".join((HEADING, "## A list", LIST, "## A table", TABLE, "## Some code", CODE, QUOTE, LINK)),)
    pieces = [piece for pattern, piece in MARKDOWN if re.search(pattern, text)]
    return ("\n\n".join(pieces),) if pieces else None


def story(talk: Talk) -> tuple[Part, ...] | None:
    return ("\n\n".join(STORY),) if re.search(r"\bstory\b|\btale\b", talk.last.text, re.IGNORECASE) else None


def greeting(talk: Talk) -> tuple[Part, ...] | None:
    if not re.match(r"\s*(hi|hello|hey|good (morning|evening|day))\b[\s!.,]*$", talk.last.text, re.IGNORECASE):
        return None
    return (f"Hello! What can I do for you? {seen(talk)}",)


def echo(talk: Talk) -> tuple[Part, ...] | None:
    text = talk.last.text.strip()
    return (f"You wrote: “{text}”\n\n{seen(talk)}" if text else f"You wrote nothing. {seen(talk)}",)


RULES: tuple[Callable[[Talk], tuple[Part, ...] | None], ...] = (
    going_on,
    repeat,
    drawing,
    editing,
    looking,
    remembered,
    told,
    instructed,
    reckoning,
    markdown,
    story,
    greeting,
    echo,
)
