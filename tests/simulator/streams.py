"""Streamed replies: the chunks of one answer, and the many ways in which servers write them down. No I/O.

A stream is made in two stages: `chunks` gives JSON values in order, a stream shape rewrites them and turns them into
events, the bytes of one server-sent event each. Faults cut and change the list of events.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import NamedTuple

from .job import Job, tokens
from .reply import Checkpoint, Framing, Json, Pause, Reply, Silence, Step, encode
from .shapes import SHAPES, gemini_part, openai_image
from .talk import Part, Picture


@dataclass(frozen=True, slots=True)
class Event:
    """`says`: it carries new text or a picture, so a token's delay goes before it."""

    data: bytes
    says: bool = False


@dataclass(frozen=True, slots=True)
class Chunk:
    json: Json
    says: bool = False


Rewrite = Callable[[list[Chunk], Job], list[Chunk]]
Encode = Callable[[Json], bytes]


class StreamShape(NamedTuple):
    name: str
    about: str
    rewrite: Rewrite
    encode: Encode
    head: bytes = b""
    tail: bytes = b"data: [DONE]\n\n"
    framing: Framing = "chunked"


# --- The chunks ---------------------------------------------------------------------------------------------------


def chunks(job: Job) -> list[Chunk]:
    """Role first, then reasoning, text and pictures, then the finish reason, then usage and price."""
    frame = {"id": job.id, "object": "chat.completion.chunk", "created": 1_753_456_585 + job.number, "model": job.model}
    frame |= {"usage": None} if job.include_usage else {}

    def chunk(delta: Json, finish: str | None = None, *, says: bool = False) -> Chunk:
        return Chunk(frame | {"choices": [{"index": 0, "delta": delta, "finish_reason": finish}]}, says)

    made = [chunk({"role": "assistant", "content": ""})]
    made += [chunk({"reasoning_content": token}, says=True) for token in tokens(job.answer.thought)]
    made += [chunk(delta, says=True) for part in job.answer.parts for delta in deltas(part)]
    made.append(chunk({}, job.finish))
    if job.include_usage:
        return [*made, Chunk(frame | {"choices": [], "usage": job.openai_usage} | job.meta)]
    return [*made[:-1], Chunk(made[-1].json | job.meta)]


def deltas(part: Part) -> Iterator[Json]:
    if isinstance(part, Picture):
        yield {"images": [openai_image(part)]}
    else:
        yield from ({"content": token} for token in tokens(part))


def gemini_chunks(made: list[Chunk], job: Job) -> list[Chunk]:
    """Each event a whole response; finish reason and usage in the last, one without content before it."""
    thought = [{"text": token, "thought": True} for token in tokens(job.answer.thought)]
    said = [part for whole in job.answer.parts for part in gemini_tokens(whole)]
    found = [Chunk(gemini_chunk({"parts": [part], "role": "model"}), says=True) for part in thought + said]
    last = gemini_chunk({"role": "model"}, finishReason=job.google_finish) | {"usageMetadata": job.google_usage}
    return [*found, Chunk({"usageMetadata": job.google_usage}), Chunk(last)]


def gemini_tokens(part: Part) -> list[Json]:
    return [gemini_part(part)] if isinstance(part, Picture) else [{"text": token} for token in tokens(part)]


def gemini_chunk(content: Json, **more: Json) -> Json:
    return {"candidates": [{"content": content, "index": 0} | more]}


# --- Rewriting ----------------------------------------------------------------------------------------------------


def same(made: list[Chunk], job: Job) -> list[Chunk]:
    return made


def each_choice(change: Callable[[Json], Json]) -> Rewrite:
    """A rewriting that changes every choice by itself."""

    def rewrite(made: list[Chunk], job: Job) -> list[Chunk]:
        return [replace(c, json=c.json | {"choices": [change(choice) for choice in c.json["choices"]]}) for c in made]

    return rewrite


def empty_choices(made: list[Chunk], job: Job) -> list[Chunk]:
    """Azure and others: chunks without choices first and in the middle."""
    nothing = Chunk(made[0].json | {"choices": []})
    missing = Chunk({key: value for key, value in made[0].json.items() if key != "choices"} | {"usage": None})
    middle = len(made) // 2
    return [nothing, *made[:middle], nothing, missing, *made[middle:]]


def usage_always(made: list[Chunk], job: Job) -> list[Chunk]:
    """A running count in every chunk; only the last is the whole."""
    said, counted = 0, []
    for chunk in made[:-1]:
        said += chunk.says
        usage = job.openai_usage | {"completion_tokens": said, "total_tokens": job.usage.prompt + said}
        counted.append(replace(chunk, json=chunk.json | {"usage": usage}))
    return [*counted, Chunk(made[-1].json | {"usage": job.openai_usage})]


def listed(choice: Json) -> Json:
    delta = dict(choice["delta"])
    if "content" in delta:
        delta["content"] = [{"type": "text", "text": delta["content"]}]
    if "reasoning_content" in delta:
        text = delta.pop("reasoning_content")
        delta["content"] = [{"type": "thinking", "thinking": [{"type": "text", "text": text}]}]
    return choice | {"delta": delta}


def with_picture(made: list[Chunk], job: Job) -> list[Chunk]:
    picture = {"images": [openai_image(job.answer.a_picture)]}
    drawn = Chunk(made[0].json | {"choices": [{"index": 0, "delta": picture, "finish_reason": None}]}, says=True)
    at = max(number for number, chunk in enumerate(made) if chunk.says or number == 0) + 1
    return [*made[:at], drawn, *made[at:]]


def ollama(choice: Json) -> Json:
    return choice | {"finish_reason": choice["finish_reason"] or "", "delta": {"role": None} | choice["delta"]}


def without_finish(choice: Json) -> Json:
    return {key: value for key, value in choice.items() if key != "finish_reason"}


def as_message(choice: Json) -> Json:
    return {("message" if key == "delta" else key): value for key, value in choice.items()}


def obfuscated(made: list[Chunk], job: Job) -> list[Chunk]:
    return [
        replace(c, json=c.json | {"obfuscation": "x" * (n % 7), "service_tier": "default"}) for n, c in enumerate(made)
    ]


# --- Writing down -------------------------------------------------------------------------------------------------


def sse(value: Json) -> bytes:
    return b"data: " + encode(value) + b"\n\n"


def sse_nospace(value: Json) -> bytes:
    return b"data:" + encode(value) + b"\n\n"


def sse_crlf(value: Json) -> bytes:
    return b"data: " + encode(value) + b"\r\n\r\n"


def sse_cr(value: Json) -> bytes:
    return b"data: " + encode(value) + b"\r\r"


def sse_comments(value: Json) -> bytes:
    """OpenRouter's keep-alive, a ping and an empty event between the real ones."""
    return b": OPENROUTER PROCESSING\n\n: ping\ndata:\n\n" + sse(value)


def sse_named(value: Json) -> bytes:
    return b"event: message\nid: 7\nretry: 1000\n" + sse(value) + b'event: ping\ndata: {"type": "ping"}\n\n'


def sse_lines(value: Json) -> bytes:
    """One JSON value over several data lines."""
    first, rest = encode(value).split(b",", 1)
    return b"data: " + first + b",\ndata: " + rest + b"\n\n"


DONE_CRLF = b"data: [DONE]\r\n\r\n"
STREAMS: tuple[StreamShape, ...] = (
    StreamShape("sse", "chat.completion.chunk events and [DONE], the form of AI/ML API", same, sse),
    StreamShape("sse-no-done", "no [DONE] at the end", same, sse, tail=b""),
    StreamShape("sse-close", "ends by closing the connection", same, sse, framing="close"),
    StreamShape("sse-crlf", "lines end in CRLF", same, sse_crlf, tail=DONE_CRLF),
    StreamShape("sse-cr", "lines end in CR", same, sse_cr, tail=b"data: [DONE]\r\r"),
    StreamShape("sse-nospace", "no space behind `data:`", same, sse_nospace),
    StreamShape("sse-bom", "a byte order mark at the start", same, sse, head=b"\xef\xbb\xbf"),
    StreamShape("sse-lines", "each JSON value over two data lines", same, sse_lines),
    StreamShape("sse-comments", "comments, pings and empty events between the chunks", same, sse_comments),
    StreamShape("sse-named", "event, id and retry fields, and events of another name", same, sse_named),
    StreamShape("sse-after-done", "data behind [DONE]", same, sse, tail=b'data: [DONE]\n\ndata: {"choices": 5}\n\n'),
    StreamShape("sse-empty-choices", "choices empty or missing, first and in the middle", empty_choices, sse),
    StreamShape("sse-usage-always", "a running usage in every chunk", usage_always, sse),
    StreamShape("sse-list", "delta.content as a list of parts", each_choice(listed), sse),
    StreamShape("sse-images", "a picture in delta.images", with_picture, sse),
    StreamShape("sse-ollama", 'finish_reason "" and role null', each_choice(ollama), sse),
    StreamShape("sse-no-finish", "the key finish_reason nowhere", each_choice(without_finish), sse),
    StreamShape("sse-message", "message in place of delta", each_choice(as_message), sse),
    StreamShape("sse-obfuscated", "noise fields in every chunk", obfuscated, sse),
    StreamShape("gemini-sse", "Gemini responses as events, no [DONE]", gemini_chunks, sse, tail=b""),
)
BY_NAME = {shape.name: shape for shape in STREAMS}
WHOLE = {shape.name: shape for shape in SHAPES}


# --- To the wire --------------------------------------------------------------------------------------------------


def events(job: Job, name: str = "sse") -> list[Event]:
    shape = BY_NAME[name]
    made = shape.rewrite(chunks(job), job)
    found = [Event(shape.encode(chunk.json), chunk.says) for chunk in made]
    head = [Event(shape.head)] if shape.head else []
    return head + found + ([Event(shape.tail)] if shape.tail else [])


def reply(job: Job, name: str = "sse") -> Reply:
    return carrying(steps(job, events(job, name)), BY_NAME[name].framing)


def carrying(body: Iterable[Step], framing: Framing = "chunked") -> Reply:
    return Reply(body=body, content_type="text/event-stream", framing=framing, headers=(("Cache-Control", "no-cache"),))


def steps(job: Job, found: Iterable[Event]) -> Iterator[Step]:
    """The events at the pace that was asked for; each token may be held back by the test."""
    pause, said, hold = Pause((job.ask.delay or 0) / 1000), 0, job.ask.hold or None
    for event in found:
        if said == hold:
            yield Silence()
            hold = None
        if event.says:
            if said:
                yield pause
            yield Checkpoint()
            said += 1
        yield event.data


def plain(job: Job) -> Reply:
    """The reply in the shape of the job, streamed or whole, without any fault."""
    return reply(job, job.shape) if job.shape in BY_NAME else WHOLE[job.shape].build(job)


def halves(job: Job) -> tuple[Reply, list[Step], list[Step]]:
    """The plain reply, and its body in two: after `[[at:N]]` tokens, or in the middle of the bytes."""
    whole = plain(job)
    if job.shape not in BY_NAME:
        data = b"".join(step for step in whole.body if isinstance(step, bytes))
        return whole, [data[: len(data) // 2]], [data[len(data) // 2 :]]
    found = events(job, job.shape)
    said = [number for number, event in enumerate(found) if event.says]
    middle = (said[:1] + [number + 1 for number in said] or [0])[min(job.ask.at, len(said))]
    return whole, list(steps(job, found[:middle])), list(steps(job, found[middle:]))
