"""Drives one reply: claim, ask the provider, record what comes, end in an honest state."""

import logging
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from django.db import DatabaseError, connection, transaction

from conversations import markup
from conversations.generation.log import State, hub
from conversations.generation.recorder import Recorder
from conversations.generation.tally import tally
from conversations.models import Message, Part, ProviderCall
from conversations.models.attachment import Origin
from conversations.models.message import Status
from conversations.providers import wire
from conversations.providers.errors import BrokenStream, Cancelled, EmptyReply, ProviderError, TooLarge
from conversations.providers.events import (
    Credits,
    Event,
    Finished,
    ImageDelta,
    Omitted,
    Pause,
    ReasoningDelta,
    TextDelta,
    Usage,
)
from conversations.providers.wire import Attempt, Call
from conversations.services import attachments, budgets, catalog, history, pictures, replies, usage
from conversations.services.catalog import Offer
from conversations.services.dispatch import Fresh
from conversations.services.history import Question
from conversations.services.ledger import Terms
from conversations.services.replies import Ended, Outcome

logger = logging.getLogger(__name__)


@dataclass(slots=True)
class Answer:
    """One reply while it is written. `go_on` and `finish` are called from different threads, one after the other.

    `parked`: whether the process is ending, which interrupts the reply. `asked`: see Fresh.
    """

    reply: Message
    recorder: Recorder
    call: Call
    parked: Callable[[], bool]
    asked: Sequence[Part] | None = None
    begun: float = field(default_factory=time.monotonic)
    first_token: float | None = None
    usage: Usage = field(default_factory=Usage)
    credits: Decimal | None = None
    cost: Decimal | None = None
    finish_reason: str = ""
    notices: list[str] = field(default_factory=list)
    outcome: Outcome | None = None
    _events: Iterator[Event | Pause] | None = None
    _said: list[str] = field(default_factory=list)  # texts that came together are recorded together
    _held: ImageDelta | None = None
    _may_wait: bool = False
    _record: ProviderCall | None = None
    _terms: Terms = field(default_factory=Terms)
    _drawn: int = 0
    _attempted: list[tuple[ProviderCall, Attempt]] = field(default_factory=list)

    @classmethod
    def begin(cls, primary_key: int, call: Call, *, fresh: Fresh | None, parked: Callable[[], bool]) -> "Answer | None":
        """Claim the reply with this primary key; None where somebody was quicker."""
        reply = replies.claim(primary_key, fresh.reply if fresh else None)
        if reply is None:
            return None
        log = hub.open(primary_key)
        log.state = State("waiting")
        hub.wake([log])
        recorder = Recorder(reply=reply.pk, claim=reply.claim, log=log, on_lost=call.close)
        if reply.runs > 1:
            recorder.go_on_from(reply.parts.select_related("attachment"))
        return cls(reply, recorder, call, parked, fresh.asked if fresh else None)

    @property
    def has_begun(self) -> bool:
        """Whether anything was written that can be shown."""
        return self.recorder.has_taken or bool(self._said)

    def go_on(self, *, may_wait: bool) -> Pause | None:
        """Take what has come. What to wait for next, or None at the end; whatever happens ends in an outcome.

        `may_wait`: whether this thread may wait for the network and for pictures to be vetted.
        """
        self._may_wait = may_wait
        try:
            try:
                pause = self._take_more()
            finally:
                self._record_said()
            if pause:
                return pause
        except ProviderError as error:
            self.outcome = self._after_error(error)
        except Exception as error:
            logger.exception("reply=%s could not be answered", self.reply.pk)
            self.outcome = self._outcome(Status.FAILED, error_code=_code_of(error))
        else:
            self.outcome = self._outcome(Status.COMPLETE)
        return None

    def finish(self) -> Ended | None:
        """Store the end. Call it when everything that was taken is written. None where another end came first.

        Raises OperationalError where nothing can be stored at the moment; it may be called again.
        """
        outcome = self.outcome
        assert outcome is not None
        if self.recorder.is_lost and outcome.status is Status.COMPLETE:
            outcome = Outcome(Status.INTERRUPTED, error_code="storage")
        with transaction.atomic():
            self._store_attempts()
            ended = replies.finish(self.reply, outcome, render=_rendered)
            budgets.settle(self.reply.pk, self.reply.runs)
        tally.note_end(self.reply.model, outcome)
        if outcome.error_code:
            logger.warning("reply=%s %s: %s", self.reply.pk, outcome.status, outcome.error_code)
        return ended

    def _take_more(self) -> Pause | None:
        if self._events is None:
            self._events = self._asked()
        if self._held:
            self._take(self._held)
            self._held = None
        for event in self._events:
            if isinstance(event, TextDelta) and not event.signature:
                self._said.append(event.text)
                continue
            if isinstance(event, Pause):
                if event.fileno is None and self._may_wait:
                    continue
                return event
            if isinstance(event, ImageDelta) and not self._may_wait:
                self._held = event
                return Pause()
            self._take(event)
        return None

    def _asked(self) -> Iterator[Event | Pause]:
        offer = catalog.find(self.reply.model, self.reply.conversation.owner_id)
        if offer.model.draws_images:
            self.recorder.log.state = State("drawing")
            hub.wake([self.recorder.log])
        question = self._noted(history.question_for(self.reply, asked=self.asked))
        if catalog.is_local(offer.vendor):
            yield Pause()  # its process may have to be started
        try:
            yield from self._sent(offer, question)
        except TooLarge:
            # The model counts more tokens than were estimated; nothing came yet, and less of the past may fit.
            yield Pause()
            shorter = history.question_for(self.reply, caution=2.0)
            if self.has_begun or len(shorter.request.turns) == len(question.request.turns):
                raise
            yield from self._sent(offer, self._noted(shorter))

    def _noted(self, question: Question) -> Question:
        """Store what is left out of it."""
        if question.memory_from is not None:
            replies.note_memory(self.reply, question.memory_from)
        for notice in question.notices:
            self._notice(notice)
        return question

    def _sent(self, offer: Offer, question: Question) -> Iterator[Event | Pause]:
        endpoint, tell = catalog.endpoint(offer, self.reply.conversation.owner_id), self._on_attempt
        self._terms = Terms(catalog.is_own(endpoint, offer), offer.prices)
        return wire.paced_answer(offer.vendor, offer.model, endpoint, question.request, call=self.call, on_attempt=tell)

    def _record_said(self) -> None:
        if self._said:
            self._note_first_token()
            self.recorder.text("".join(self._said))
            self._said = []

    def _take(self, event: Event) -> None:
        self._record_said()
        match event:
            case TextDelta():
                self._note_first_token()
                self.recorder.text(event.text, event.signature)
            case ReasoningDelta():
                self.recorder.reasoning(event.text)
            case ImageDelta():
                self._note_first_token()
                self._take_image(event)
            case Omitted():
                self._notice("part_omitted")
            case Usage():
                self.usage = event
            case Credits():
                self.credits = event.remaining
            case Finished():
                self.finish_reason = event.raw or event.reason
                if event.reason in ("truncated", "filtered"):
                    self._notice(event.reason)

    def _take_image(self, event: ImageDelta) -> None:
        """Vet and store a picture of the model, then put it in its place."""
        self._drawn += 1  # whoever drew it wants to be paid, whatever becomes of it
        try:
            picture = pictures.vet(event.data, longest_side=None)
        except pictures.PictureRefused as refused:
            logger.info("reply=%s picture refused: %s", self.reply.pk, refused.code)
            self._notice("picture_omitted")
            return
        with transaction.atomic():
            attachment = attachments.store(self.reply.conversation.owner, picture, origin=Origin.GENERATED)
        connection.close()
        self.recorder.image(attachment, event.signature)

    def _note_first_token(self) -> None:
        if self.first_token is None:
            self.first_token = time.monotonic()

    def _notice(self, code: str) -> None:
        if code not in self.notices:
            self.notices.append(code)

    def _on_attempt(self, attempt: Attempt) -> None:
        """Called at the start of an attempt and at its end. The record of a call survives a crash while it runs."""
        if attempt.outcome:
            tally.note_attempt(self.reply.model, attempt)
            if attempt.usage and attempt.usage.cost_usd is not None:
                self.cost = (self.cost or Decimal(0)) + attempt.usage.cost_usd
            if self._record:
                self._attempted.append((self._record, attempt))
            return
        with transaction.atomic():
            self._store_attempts()
            self._record = usage.begin(self.reply, attempt)
        self._attempted = []
        if self._may_wait:
            connection.close()  # none is held while waiting for the network

    def _store_attempts(self) -> None:
        for record, attempt in self._attempted:
            is_last = record is self._record  # an attempt that brings anything is the last one
            drawn = self._drawn if is_last else 0
            usage.complete(record, attempt, reply=self.reply, terms=self._terms, pictures=drawn)

    def _after_error(self, error: ProviderError) -> Outcome:
        if isinstance(error, Cancelled):
            return self._after_cancel()
        has_text = self.first_token is not None
        if isinstance(error, BrokenStream):
            status, code = (Status.INTERRUPTED, error.code) if has_text else (Status.FAILED, "network")
            return self._outcome(status, error_code=code, error_detail=error.detail)
        if isinstance(error, EmptyReply) and error.token_limit:
            self.finish_reason = "token_limit"
        return self._outcome(
            Status.FAILED,
            error_code=error.code,
            error_detail=error.detail,
            retry_after=round(error.retry_after) if error.retry_after else None,
        )

    def _after_cancel(self) -> Outcome:
        """We closed the call: the process ends, nothing can be stored, or a person's stop came first."""
        if self.recorder.is_lost or self.recorder.is_starved:
            return self._outcome(Status.INTERRUPTED, error_code="storage")
        if self.parked():
            return self._outcome(Status.INTERRUPTED, error_code="restarted")
        return self._outcome(Status.STOPPED)

    def _outcome(
        self, status: Status, error_code: str = "", error_detail: str = "", retry_after: int | None = None
    ) -> Outcome:
        if status is Status.FAILED and self.reply.runs > 1:
            status = Status.INTERRUPTED  # what the earlier runs wrote counts, and can be continued again
        first = None if self.first_token is None else usage.milliseconds(self.first_token - self.begun)
        return Outcome(
            status,
            error_code=error_code,
            error_detail=error_detail,
            retry_after=retry_after,
            finish_reason=self.finish_reason[:60],
            notices=self.notices,
            first_token_ms=first,
            prompt_tokens=usage.count(self.usage.prompt),
            output_tokens=usage.count(self.usage.output),
            reasoning_tokens=usage.count(self.usage.reasoning),
            remaining_credits=usage.amount(self.credits),
            cost_usd=usage.amount(self.cost, places=10),
        )


def _rendered(text: str) -> tuple[str, int]:
    return markup.render(text), markup.VERSION


def _code_of(error: Exception) -> str:
    """Full or absent, the disk, the database and the store of pictures are the administrator's; all else is ours."""
    is_storage = isinstance(error, DatabaseError | OSError) and not isinstance(error, FileNotFoundError)
    return "storage" if is_storage else "error"
