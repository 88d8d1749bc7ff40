"""What rendering may cost: an upper bound for a line before it is parsed, so that no text can hold a processor.

Costs are counted, not timed: the same text has the same limits everywhere. One unit is about 0.1 µs of one core.
"""

import re

MAX_WORK = 4_000_000  # units for one text; what comes after is shown as it was written
MAX_OPEN_WORK = 500_000  # units for one rendering of a block that is still being written
MAX_NESTING = 20  # levels of lists and quotes; a list and its item count as two
MAX_INLINE_NESTING = 20  # levels of emphasis and links
MAX_LABEL_NESTING = 8  # levels of square brackets; each costs a scan

MAX_GROWTH = 10  # characters of HTML for each character of text
FREE_OUTPUT = 48 * 1024  # characters of HTML beyond that

_LINE = 120
_DEPTH = 40  # a line of text in a quote is looked at once for each quote around it
_MARKER = 150
_SPECIAL = dict.fromkeys("!#$%+-:=>@^{}", 15) | dict.fromkeys("[]*_~`<&\\|", 75)
_WEIGHTS = bytes(_SPECIAL.get(chr(code), 1) for code in range(256))
_PREFIX = re.compile(r"[ \t>*+\-0-9.)]*")
_MARKERS = bytes(1 if chr(code) in ">*+-.)" else 0 for code in range(256))


def depth(line: str) -> tuple[int, int]:
    """How many list and quote markers may start the line, and how deep it may stand in such blocks."""
    prefix = _PREFIX.match(line)
    start = prefix[0] if prefix else ""
    markers = sum(start.encode().translate(_MARKERS))
    return markers, min(MAX_NESTING, markers + start.count(" ") // 2 + start.count("\t") * 2)


def work(line: str, level: int) -> int:
    """The most it may cost to parse and write one line that stands `level` blocks deep, in units."""
    markers, own = depth(line)
    characters = sum(line.encode("ascii", "replace").translate(_WEIGHTS))
    return _LINE + _DEPTH * max(level, own) + _MARKER * markers + characters
