"""Blocks → sanitised HTML within the limits of one text: the whole text at once, or while it is being written."""

from markdown_it.token import Token

from conversations.markup import delimiters, limits, sanitiser, writer
from conversations.markup.blocks import Block, References, Scanner
from conversations.markup.characters import escaped
from conversations.markup.formulas import Converter
from conversations.markup.highlighting import Highlighter
from conversations.markup.parser import Env, TooMuch, parse_blocks, parse_inlines

_SMALL = 4_000  # characters of an open block that is rendered anew whenever it is asked for
_GROWTH = 32  # a larger one is rendered anew when it has grown by this fraction


def html(text: str) -> str:
    """A whole text, each block with all the link targets of the text."""
    scanner = Scanner()
    blocks = [*scanner.feed(text), *scanner.finish()]
    rendering = _Rendering()
    return "".join(rendering.finished(block, scanner.references) for block in blocks)


class BlockRenderer:
    """Renders one text while it is being written: finished blocks once, the open block when it is asked for.

    All finished blocks together are the HTML of the whole, unless a link is defined after the block that uses it.
    """

    def __init__(self) -> None:
        self._scanner = Scanner()
        self._rendering = _Rendering()
        self._text: list[str] = []
        self._ready: list[str] = []
        self._tail_source = ""
        self._tail_html = ""

    def feed(self, new_text: str) -> None:
        self._text.append(new_text)
        for block in self._scanner.feed(new_text):
            self._add(block)

    def take_blocks(self) -> str:
        """The HTML of the blocks that were finished since the last call."""
        ready, self._ready = "".join(self._ready), []
        return ready

    def tail(self) -> str:
        """The HTML of the open block. A large one is mostly what it was at an earlier call, with the rest as text."""
        source = self._scanner.open_text()
        if self._scanner.open.fence is None and not self._has_grown(source):
            return self._tail_html + self._more(source[len(self._tail_source) :])
        self._tail_source = source
        self._tail_html = self._rendering.unfinished(self._scanner)
        return self._tail_html

    @property
    def tail_is_due(self) -> bool:
        """Whether the open block has changed enough to be sent again; when it has not, the new text alone will do."""
        return self._has_grown(self._scanner.open_text())

    def finish(self) -> str:
        """The HTML of everything that was not taken yet; the text has ended."""
        for block in self._scanner.finish():
            self._add(block)
        return self.take_blocks()

    def whole(self) -> str:
        """The HTML of all the text so far, as `render` makes it."""
        return html("".join(self._text))

    def _add(self, block: Block) -> None:
        self._tail_source = self._tail_html = ""
        self._ready.append(self._rendering.finished(block, self._scanner.references))

    def _more(self, text: str) -> str:
        """New text behind what was rendered before: it flows on in a paragraph, and stands below everything else."""
        is_paragraph = self._tail_html.endswith("</p>\n")
        return sanitiser.clean(escaped(text) if is_paragraph else writer.plain(text))

    def _has_grown(self, source: str) -> bool:
        grown = len(source) - len(self._tail_source)
        return len(source) <= _SMALL or grown * _GROWTH >= len(source)


class _Rendering:
    """What one text has used of its limits, in the order of its blocks."""

    def __init__(self) -> None:
        self._highlighter = Highlighter()
        self._converter = Converter()
        self._room = limits.FREE_OUTPUT
        self._is_spent = False

    def finished(self, block: Block, references: References) -> str:
        self._room += limits.MAX_GROWTH * len(block.source)
        made = sanitiser.clean(self._formatted(block, references))
        self._room -= len(made)
        return made

    def unfinished(self, scanner: Scanner) -> str:
        """The open block: never highlighted, and as it was written where it would cost much."""
        source = scanner.open_text()
        if fence := scanner.open.fence:
            made = writer.code(scanner.fenced(fence), writer.fence_language(fence), None)
        elif self._is_spent or scanner.is_spent or scanner.open_work() > limits.MAX_OPEN_WORK:
            made = writer.plain(source)
        elif delimiters.is_open(scanner.open.first):
            made = f"<p>{writer.formula_source(source.strip(), True)}</p>\n"
        else:
            made = self._open_block(source, scanner)
        return sanitiser.clean(made)

    def _open_block(self, source: str, scanner: Scanner) -> str:
        env: Env = {"references": dict(scanner.references)} if scanner.references else {}
        room = self._room + limits.MAX_GROWTH * len(source)
        try:
            tokens = parse_blocks(source, env, scanner.open_work())
            return _written(tokens, env, room, None, Converter().mathml)
        except (TooMuch, writer.TooLong):
            return writer.plain(source)

    def _formatted(self, block: Block, references: References) -> str:
        if self._is_spent:
            return writer.unwrapped(block.source)
        if block.is_plain:
            return writer.plain(block.source)
        env: Env = {"references": references} if references else {}
        try:
            return _written(block.tokens, env, self._room, self._highlighter.html, self._converter.mathml)
        except writer.TooLong:
            self._is_spent = True
            return writer.unwrapped(block.source)


def _written(
    tokens: list[Token], env: Env, room: int, highlight: writer.Highlight | None, convert: writer.Convert
) -> str:
    parse_inlines(tokens, env)
    return writer.write(tokens, room, highlight, convert)
