"""What rendering may cost: an upper bound for a line before it is parsed, so that no text can hold a processor.

Costs are counted, not timed: the same text has the same limits everywhere. One unit is about 0.1 µs of one core.
"""

import re

MAX_WORK = 5_000_000  # units for one text; what comes after is shown as it was written
MAX_OPEN_WORK = 500_000  # units for one rendering of a block that is still being written
MAX_NESTING = 20  # levels of lists and quotes; a list and its item count as two
MAX_INLINE_NESTING = 20  # levels of emphasis and links
MAX_LABEL_NESTING = 8  # levels of square brackets; each costs a scan

MAX_GROWTH = 10  # characters of HTML for each character of text
FREE_OUTPUT = 48 * 1024  # characters of HTML beyond that

BLOCK = 400  # units for each attempt to end a block
LOOK = 30  # units for asking whether one line begins another block
FREE_LOOKS = 500

_LINE = 120
_DEPTH = 40  # a line of text in a quote is looked at once for each quote around it
_MARKER = 150
_ADDRESS = 200
_FOREIGN_ADDRESS = 6_000  # international names are encoded in quadratic time
_SPECIAL = dict.fromkeys("!#$%+-:=>@^{}", 30) | dict.fromkeys("[]*_~`<&\\", 100) | {"|": 150}
_WEIGHTS = bytes(_SPECIAL.get(chr(code), 1) for code in range(256))
_PREFIX = re.compile(r"[ \t>*+\-0-9.)]*")
_MARKERS = bytes(chr(code) in ">*+-.)" for code in range(256))


def work(line: str, level: int) -> tuple[int, int]:
    """The most it may cost to parse and write one line inside of a block that is `level` levels deep, in units; and
    how deep the line itself may stand in lists and quotes."""
    prefix = _PREFIX.match(line)
    start = prefix[0] if prefix else ""
    markers = sum(start.encode().translate(_MARKERS))
    own = min(MAX_NESTING, markers + start.count(" ") // 2 + start.count("\t") * 2)
    characters = sum(line.encode("ascii", "replace").translate(_WEIGHTS))
    addresses = line.count("://") * (_ADDRESS if line.isascii() else _FOREIGN_ADDRESS)
    return _LINE + _DEPTH * max(level, own) + _MARKER * markers + characters + addresses, own
