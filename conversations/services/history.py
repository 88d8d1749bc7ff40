"""Stored rows -> the finished request of one reply, in no provider's format yet, and what is left out of it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from conversations import queries
from conversations.models import Message, Part
from conversations.models.message import Kind, Status
from conversations.providers import normalise
from conversations.providers.base import Model
from conversations.providers.turns import ChatRequest, ImagePart, Parameters, TextPart, Turn
from conversations.queries import Shown
from conversations.services import catalog, context, texts
from conversations.services.context import Fill, Weighed, Window

CHUNK = 200  # messages read at a time, newest first: a long conversation is not read beyond what can be sent
GO_ON = "Go on exactly where your last message ended. Repeat nothing of it, and do not introduce what follows."
"""What a model is asked when a reply is continued. Not for people's eyes, and stored nowhere."""

CHARACTERS_PER_TOKEN = 4  # of most prose; good enough for a glance at a page


@dataclass(frozen=True, slots=True)
class Question:
    """What a model is asked. `memory_from`: depth of the oldest message in it where older ones are left out."""

    request: ChatRequest
    memory_from: int | None = None
    notices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Said:
    """A message with its parts."""

    message: Message
    parts: Sequence[Part]


def question_for(reply: Message, *, asked: Sequence[Part] | None = None, caution: float = 1.0) -> Question:
    """The system prompt and as much of the reply's branch as the model's window holds.

    Without the reply, unless it is continued: then what there is of it, and the wish to go on.
    `asked`: the parts of the message it answers, where they are known. `caution`: 2 takes every text for twice as long
    as estimated. Raises TooLarge where the last message alone is too
    long, NotConfigured for a model that is not on offer.
    """
    model, conversation = catalog.find(reply.model).model, reply.conversation
    parameters = Parameters(temperature=conversation.temperature, max_tokens=conversation.max_tokens)
    window = Window.of(model, parameters, conversation.system_prompt, caution=caution)
    path = _newest_first(reply, asked)
    remembered, memory_from = _remembered(path, reply, model, window)
    turns = tuple(_turn(said, keep_signatures=said.message.model == reply.model) for said in remembered)
    if reply.runs > 1:
        turns += (Turn("user", (TextPart(GO_ON),)),)
    request = ChatRequest(turns=turns, system=conversation.system_prompt, parameters=parameters)
    omits_pictures = normalise.omits_pictures(request, model)
    return Question(request, memory_from, ("pictures_not_sent",) if omits_pictures else ())


def _remembered(
    path: Iterator[_Said], reply: Message, model: Model, window: Window | None
) -> tuple[list[_Said], int | None]:
    """What is to be sent of the path, oldest first, and the depth of the oldest where others are left out."""
    if window is None:
        return list(path)[::-1], None
    read: list[_Said] = []

    def weighed() -> Iterator[Weighed]:
        pictures = model.quirks.max_images if model.sees_images else 0
        for said in path:
            read.append(said)
            yield _weighed(said, reply, pictures)
            pictures = max(0, pictures - _count_pictures(said))

    kept = context.kept(weighed(), window)
    remembered = read[: len(kept.messages)][::-1]
    return remembered, remembered[0].message.depth if kept.is_cut else None


def _newest_first(reply: Message, asked: Sequence[Part] | None) -> Iterator[_Said]:
    # Not the branch on show: a person may have switched to another one since the reply was asked for.
    above = reply.pk if reply.runs > 1 else reply.parent_id
    if asked and reply.parent and reply.runs == 1:
        yield _Said(reply.parent, asked)
        above = reply.parent.parent_id
    while above is not None:
        line = Message.objects.line_to(above).order_by("-depth").prefetch_related("parts__attachment")
        chunk = [_Said(message, list(message.parts.all())) for message in line[:CHUNK]]
        yield from chunk
        above = chunk[-1].message.parent_id if chunk else None


def _weighed(said: _Said, reply: Message, pictures: int) -> Weighed:
    """`pictures`: how many of its pictures are sent, the newest first; a note stands for each of the others."""
    message = said.message
    sent, total = 0, context.MESSAGE_TOKENS
    for part in reversed(said.parts):
        if part.kind == Kind.TEXT:
            total += context.tokens(part.text)
        elif part.attachment and sent < pictures:
            sent += 1
            total += context.picture_tokens(part.attachment.width, part.attachment.height)
        elif part.attachment:
            total += context.PICTURE_NOTE_TOKENS
    is_gauge = message.is_reply and message.model == reply.model and message.runs == 1
    return Weighed(
        depth=message.depth,
        is_user=not message.is_reply,
        tokens=0 if message.status == Status.FAILED else total,
        reported=message.prompt_tokens if is_gauge else None,
        since=message.memory_from or 0,
    )


def _count_pictures(said: _Said) -> int:
    return sum(part.kind == Kind.IMAGE for part in said.parts)


def fill_of(transcript: Sequence[Shown], newest: Message) -> Fill | None:
    """How full the window is after this reply, counted from the last report among the messages of a page.

    None where nobody knows, as in the middle of a long conversation without any report.
    """
    used, since = 0, 0 if transcript[0].message.depth == 0 else None
    for place, one in enumerate(transcript):
        if (reported := _reported(one.message)) is not None:
            used, since = reported, place + 1
    if since is None:
        return None
    characters = sum(len(block.text) for one in transcript[since:] for block in one.body)
    return _fill(newest, used + characters // CHARACTERS_PER_TOKEN)


def fill_after(reply: Message) -> Fill | None:
    """How full the window of its model is after this reply; None where nobody knows its size.

    By the tokens the provider reported; where it reported none, or several calls made the reply, by estimate.
    """
    reported = _reported(reply)
    return _fill(reply, queries.characters_up_to(reply) // CHARACTERS_PER_TOKEN if reported is None else reported)


def _reported(reply: Message) -> int | None:
    """Tokens of the conversation up to and with this reply: reasoning is never sent back."""
    if reply.prompt_tokens is None or reply.runs > 1 or reply.status == Status.FAILED:
        return None
    return max(0, reply.prompt_tokens + (reply.output_tokens or 0) - (reply.reasoning_tokens or 0))


def _fill(reply: Message, used: int) -> Fill | None:
    model = catalog.known(reply.model)
    if model is None or model.context_window is None:
        return None
    return Fill(used, model.context_window, is_cut=reply.memory_from is not None)


def _turn(said: _Said, *, keep_signatures: bool) -> Turn:
    """One message as a turn. A thought signature means something to the model it came from alone."""
    return Turn(
        role="assistant" if said.message.is_reply else "user",
        parts=tuple(_part(part, keep_signatures) for part in said.parts if part.kind != Kind.REASONING),
        failed=said.message.status == Status.FAILED,
    )


def _part(part: Part, keep_signatures: bool) -> TextPart | ImagePart:
    signature = part.signature if keep_signatures else ""
    match part.kind:
        case Kind.TEXT:
            return TextPart(texts.as_sent(part.name, part.text) if part.name else part.text, signature)
        case Kind.IMAGE:
            assert part.attachment is not None
            return ImagePart(part.attachment.media_type, part.attachment.read(), signature)
    raise ValueError(f"a part of unknown kind: {part.kind}")
