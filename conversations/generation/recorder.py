"""Persist before publish: what arrives is gathered, written by one statement for all replies, and only then shown.

The one flusher of the process writes after each round of the reader, and the first pieces of a reply at once (grouped
over 2 ms). It renders what it has written (markup) and puts it into the reply's log.
"""

import logging
import math
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from django.db import DatabaseError, InterfaceError, OperationalError, connection
from django.template.loader import render_to_string

from conversations.generation.log import ReplyLog, State, hub
from conversations.generation.tally import tally
from conversations.markup import BlockRenderer, escaped
from conversations.models import Attachment, Part
from conversations.models.message import Kind
from conversations.services import replies
from conversations.services.replies import NewPiece

logger = logging.getLogger(__name__)

INTERVAL = 0.040  # seconds between two flushes
FIRST_GROUPED = 0.002  # seconds the first pieces of a reply wait for others
RENDER_EVERY = 0.250  # seconds between two renderings of an open block
RENDER_PER_REPLY = 0.005  # seconds; with many replies each is rendered less often
GIVE_UP_AFTER = 30.0  # seconds of failing writes after which no more is asked of providers
LONGEST_PAUSE = 1.0  # seconds between two writes that fail


@dataclass(slots=True)
class Arrival:
    """Something that arrived and is not written yet."""

    recorder: "Recorder"
    kind: Kind
    text: str = ""
    attachment: Attachment | None = None
    signature: str = ""


@dataclass(slots=True)
class Recorder:
    """The way of one running reply into the database and its log. Fed by its worker, emptied by the flusher."""

    reply: int
    claim: str
    log: ReplyLog
    on_lost: Callable[[], None]
    sequence: int = 0
    is_lost: bool = False
    is_starved: bool = False
    has_taken: bool = False
    has_shown: bool = False
    _blocks: BlockRenderer | None = None
    _rendered_at: float = 0.0

    def go_on_from(self, parts: Iterable[Part]) -> None:
        """Begin behind what earlier runs of the reply wrote."""
        self._blocks = show_stored(self.log, parts)

    def text(self, text: str, signature: str = "") -> None:
        flusher.add(Arrival(self, Kind.TEXT, text, signature=signature))

    def reasoning(self, text: str) -> None:
        flusher.add(Arrival(self, Kind.REASONING, text))

    def image(self, attachment: Attachment, signature: str = "") -> None:
        flusher.add(Arrival(self, Kind.IMAGE, attachment=attachment, signature=signature))

    def when_drained(self, then: Callable[[], None]) -> None:
        """Call this when everything given so far is written, or is lost."""
        if self.has_taken:
            flusher.drain(then)
        else:
            then()

    def starve(self) -> None:
        """Nothing can be written for too long: end the call. What has arrived is written when that is possible."""
        self.is_starved = True
        self.on_lost()

    def lose(self) -> None:
        """The claim is gone or the database refuses what is to be written: end the call, show nothing more."""
        self.is_lost = True
        self.on_lost()

    def show(self, arrivals: list[Arrival]) -> None:
        """Render what was written into the log. Runs in the flusher, after the commit."""
        self.has_shown = True
        for arrival in arrivals:
            if arrival.kind == Kind.TEXT:
                self._show_text(arrival.text)
            elif arrival.kind == Kind.IMAGE:
                self._show_image(arrival.attachment)
            elif self.log.state.name in ("waiting", "drawing"):
                self.log.state = State("thinking")

    def _show_text(self, text: str) -> None:
        if not text:
            return
        self.log.state = State("writing")
        if self._blocks is None:
            self._blocks = BlockRenderer()
        self._blocks.feed(text)
        now = time.monotonic()
        is_time = "\n" in text or now - self._rendered_at >= flusher.render_every
        finished = self._blocks.take_blocks() if is_time else ""
        if finished or (is_time and self._blocks.tail_is_due):
            self._rendered_at = now
            self.log.append(finished, self._blocks.tail())
        else:
            self.log.add(escaped(text))

    def _show_image(self, attachment: Attachment | None) -> None:
        text = self._blocks.finish() if self._blocks else ""
        self._blocks = None
        self.log.append(text + picture(attachment), "")


def show_stored(log: ReplyLog, parts: Iterable[Part]) -> BlockRenderer | None:
    """Put what earlier runs of a reply wrote into its log, where that is new: followers begin with it.

    Returns the renderer of the text at its end, in which new text goes on; None where there is none.
    """
    finished: list[str] = []
    blocks: BlockRenderer | None = None
    for part in parts:
        if part.kind == Kind.TEXT:
            blocks = blocks or BlockRenderer()
            blocks.feed(part.text)
        elif part.kind == Kind.IMAGE:
            finished += [blocks.finish() if blocks else "", picture(part.attachment)]
            blocks = None
    if blocks:
        finished.append(blocks.take_blocks())
    if log.tail_version == 0 and (blocks or finished):
        log.append("".join(finished), blocks.tail() if blocks else "")
    return blocks


def picture(attachment: Attachment | None) -> str:
    return render_to_string("conversations/_picture.html", {"attachment": attachment})


class Flusher:
    """The one writer of running replies in this process; its thread starts with the first piece."""

    def __init__(self) -> None:
        self._wanted = threading.Condition()
        self._due = math.inf  # monotonic seconds of the next flush
        self._arrivals: list[Arrival] = []
        self._drains: list[Callable[[], None]] = []
        self._thread: threading.Thread | None = None
        self._failing_since: float | None = None
        self._oldest: float | None = None  # monotonic seconds when the first of the arrivals came
        self._writing: float | None = None  # the same of those that are being written
        self.render_every = RENDER_EVERY

    def add(self, arrival: Arrival) -> None:
        arrival.recorder.has_taken = True
        with self._wanted:
            if self._oldest is None:
                self._oldest = time.monotonic()
            self._arrivals.append(arrival)
            self._be_due_in(INTERVAL if arrival.recorder.has_shown else FIRST_GROUPED)

    def drain(self, then: Callable[[], None]) -> None:
        """Call this when everything that was added so far is settled."""
        with self._wanted:
            self._drains.append(then)
            self._be_due_in(0.0)

    @property
    def lag(self) -> float:
        """Seconds for which the oldest arrival has been waiting to be written."""
        oldest = self._writing or self._oldest
        return time.monotonic() - oldest if oldest else 0.0

    def hurry(self) -> None:
        """Flush now where there is anything."""
        with self._wanted:
            if self._arrivals:
                self._be_due_in(0.0)

    def _be_due_in(self, seconds: float) -> None:
        """Flush at the latest then. Call it under the lock."""
        due = time.monotonic() + seconds
        if due < self._due:
            self._due = due
            self._wanted.notify()
        if self._thread is None or not self._thread.is_alive():
            self._thread = threading.Thread(target=self._run, name="flusher", daemon=True)
            self._thread.start()

    def _run(self) -> None:
        while True:
            with self._wanted:
                while (seconds := self._due - time.monotonic()) > 0:
                    self._wanted.wait(None if self._due == math.inf else seconds)
                self._due = math.inf
            try:
                self.flush()
            except Exception:
                logger.exception("flush failed")

    def flush(self) -> None:
        """Write and show everything that is waiting."""
        with self._wanted:
            arrivals, self._arrivals = self._arrivals, []
            drains, self._drains = self._drains, []
            self._writing, self._oldest = self._oldest, None
        kept = [arrival for arrival in arrivals if not arrival.recorder.is_lost]
        if kept and not self._write_and_show(kept):
            with self._wanted:
                self._arrivals, self._drains = kept + self._arrivals, drains + self._drains
                self._oldest = self._writing
                self._be_due_in(INTERVAL)
            return
        if self._writing:
            tally.note_flush(self.lag)
            self._writing = None
        for then in drains:
            then()

    def _write_and_show(self, arrivals: list[Arrival]) -> bool:
        """True when it is settled; False when the database did not take it now and it must be tried again."""
        groups: dict[int, list[Arrival]] = {}
        for arrival in arrivals:
            groups.setdefault(id(arrival.recorder), []).append(arrival)
        try:
            self._write(list(groups.values()))
        except (OperationalError, InterfaceError):
            connection.close()
            self._failed(arrivals)
            return False
        self._failing_since = None
        return True

    def _write(self, groups: list[list[Arrival]]) -> None:
        """One statement for all; where a row of one reply is not acceptable, that reply alone is lost."""
        self.render_every = max(RENDER_EVERY, len(groups) * RENDER_PER_REPLY)
        pieces = [_pieces(group) for group in groups]
        try:
            stored = replies.write([piece for rows in pieces for piece in rows])
        except OperationalError:
            raise
        except DatabaseError:
            logger.exception("reply=%s pieces refused by the database", [rows[0].message for rows in pieces])
            if len(groups) == 1:
                groups[0][0].recorder.lose()
            else:
                for group in groups:
                    self._write([group])
            return
        hub.wake([log for group, rows in zip(groups, pieces, strict=True) if (log := _show(group, rows, stored))])

    def _failed(self, arrivals: list[Arrival]) -> None:
        """A full disk, a database that is away: wait a little, longer each time, and say so twice in the log."""
        now = time.monotonic()
        if self._failing_since is None:
            self._failing_since = now
            logger.exception("pieces of %d arrivals could not be written; trying again", len(arrivals))
        failing = now - self._failing_since
        hungry = {id(one.recorder): one.recorder for one in arrivals if not one.recorder.is_starved}
        if failing >= GIVE_UP_AFTER and hungry:
            logger.error("pieces could not be written for %.0f s; %d calls are ended", failing, len(hungry))
            for recorder in hungry.values():
                recorder.starve()
        time.sleep(min(LONGEST_PAUSE, max(INTERVAL, failing / 4)))


def _show(group: list[Arrival], rows: list[NewPiece], stored: set[tuple[int, int]]) -> ReplyLog | None:
    """Publish what was stored of one reply; None where its claim is gone."""
    recorder = group[0].recorder
    if any((row.message, row.sequence) not in stored for row in rows):
        recorder.lose()
        return None
    recorder.sequence += len(rows)
    try:
        recorder.show(group)
    except Exception:  # the text is safe in the database; the page shows it whole when the reply has ended
        logger.exception("reply=%s could not be rendered while it runs", recorder.reply)
    return recorder.log


def _pieces(group: list[Arrival]) -> list[NewPiece]:
    """The arrivals of one reply as rows: neighbours of a kind become one, a signature closes its text."""
    recorder = group[0].recorder
    rows: list[NewPiece] = []
    open_text: list[str] = []
    for index, arrival in enumerate(group):
        following = group[index + 1] if index + 1 < len(group) else None
        open_text.append(arrival.text)
        joins = following is not None and following.kind == arrival.kind != Kind.IMAGE and not arrival.signature
        if joins:
            continue
        rows.append(
            NewPiece(
                message=recorder.reply,
                claim=recorder.claim,
                sequence=recorder.sequence + len(rows),
                kind=arrival.kind,
                text="".join(open_text),
                attachment=arrival.attachment.pk if arrival.attachment else None,
                signature=arrival.signature,
            )
        )
        open_text = []
    return rows


flusher = Flusher()
tally.gauge("flusher_lag", lambda: flusher.lag)
