"""Faults of the connection: cut, broken, silent, slow, endless. In streams and in whole replies alike. No I/O.

"In the middle" means after `[[at:N]]` tokens of a stream (2), or half-way through the bytes of a whole reply.
"""

import gzip
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from itertools import chain, repeat

from . import streams
from .cases import stream_of
from .job import Job, Recipe
from .reply import Cut, Pause, Raw, Reply, Reset, Silence, Step, pieces
from .streams import carrying, halves, plain, sse

MIB = 1024 * 1024


def before(*steps: Step) -> Callable[[Job], Reply]:
    """These steps ahead of the head."""
    return lambda job: plain(job).after(*steps)


def middle(*steps: Step) -> Callable[[Job], Reply]:
    """These steps in the middle of the body."""

    def build(job: Job) -> Reply:
        whole, first, rest = halves(job)
        return keeping_length(whole, [*first, *steps, *rest])

    return build


def keeping_length(whole: Reply, body: list[Step]) -> Reply:
    """The reply with another body under the Content-Length of the old one."""
    promised = sum(len(step) for step in whole.body if isinstance(step, bytes)) if whole.framing == "length" else 0
    given = sum(len(step) for step in body if isinstance(step, bytes)) if whole.framing == "length" else 0
    return replace(whole, body=tuple(body), missing=promised - given)


def inside_event(*steps: Step) -> Callable[[Job], Reply]:
    """These steps in the middle of the bytes of one event."""

    def build(job: Job) -> Reply:
        whole, first, rest = halves(job)
        at = next((number for number, step in enumerate(rest) if isinstance(step, bytes)), None)
        torn = [] if at is None else split(rest[at])
        return keeping_length(whole, [*first, *torn[:1], *steps, *torn[1:], *rest[1 if at is None else at + 1 :]])

    return build


def split(step: Step) -> list[Step]:
    assert isinstance(step, bytes)
    return [step[: len(step) // 2], step[len(step) // 2 :]]


def before_end(*steps: Step) -> Callable[[Job], Reply]:
    """All of the content, then these steps, and nothing that says it is over."""

    def build(job: Job) -> Reply:
        if job.shape not in streams.BY_NAME:
            whole, first, rest = halves(job)
            data = b"".join(step for step in first + rest if isinstance(step, bytes))
            return keeping_length(whole, [data[:-1], *steps])
        found = streams.events(job, job.shape)
        last = max(number for number, event in enumerate(found) if event.says or number == 0)
        return replace(plain(job), body=(*streams.steps(job, found[: last + 1]), *steps))

    return build


def half_head(job: Job) -> Reply:
    return plain(job).after(Raw(b"HTTP/1.1 200 OK\r\nContent-Type: applic"), Cut())


def slow_head(job: Job) -> Reply:
    return replace(plain(job), head_pause=(job.ask.delay or 50) / 1000)


def quiet_body(job: Job) -> Reply:
    whole = plain(job)
    return keeping_length(whole, [Silence(), *list(plain(job).body)])


def many_headers(job: Job) -> Reply:
    return plain(job).adding(*((f"x-noise-{number}", "x") for number in range(3000)))


def long_header(job: Job) -> Reply:
    return plain(job).adding(("x-noise", "x" * 100_000))


def close_after(job: Job) -> Reply:
    """A whole reply, then an end of the connection that was not announced: a pooled one turns out dead."""
    whole = plain(job)
    body = list(whole.body)
    end: list[Step] = [Raw(b"0\r\n\r\n"), Cut()] if whole.framing == "chunked" else [Cut()]
    return keeping_length(whole, body + end)


def slow_bytes(job: Job) -> Reply:
    """The rest of the body byte by byte, `[[delay:MS]]` (20) apart."""
    whole, first, rest = halves(job)
    pause = Pause((job.ask.delay or 20) / 1000)
    return keeping_length(whole, [*first, *(step for byte in pieces(rest, 1) for step in (pause, byte))])


def endless(event: Callable[[Job], bytes]) -> Callable[[Job], Reply]:
    """After the first tokens the same event for ever, `[[delay:MS]]` (1) apart."""

    def build(job: Job) -> Reply:
        whole, first, _ = halves(stream_of(job))
        pause = Pause((job.ask.delay or 1) / 1000)
        return replace(whole, body=chain(first, chain.from_iterable(repeat((event(job), pause)))), framing="chunked")

    return build


def one_token(job: Job) -> bytes:
    return delta({"content": " and so on"})


def no_token(job: Job) -> bytes:
    return delta({"content": ""})


def comment(job: Job) -> bytes:
    return b": keep-alive\n\n"


def delta(content: dict[str, object]) -> bytes:
    return sse({"object": "chat.completion.chunk", "choices": [{"index": 0, "delta": content, "finish_reason": None}]})


def comments_only(job: Job) -> Reply:
    """Nothing but keep-alive comments, from the first byte on."""
    pause = Pause((job.ask.delay or 10) / 1000)
    return carrying(chain.from_iterable(repeat((comment(job), pause))))


def comments_first(job: Job) -> Reply:
    """Ten keep-alive comments, then the answer."""
    whole = plain(stream_of(job))
    return replace(whole, body=chain([comment(job)] * 10, whole.body))


def endless_line(job: Job) -> Reply:
    return carrying(chain([b"data: "], repeat(b"x" * 65536)))


def huge_line(job: Job) -> Reply:
    """One event of 33 MiB."""
    size = [b"x" * MIB] * 33
    return carrying([b'data: {"choices":[{"delta":{"content":"', *size, b'"}}]}\n\n', b"data: [DONE]\n\n"])


def huge_text(job: Job) -> Reply:
    """More than 1 MiB of text, in events of 64 KiB."""
    return carrying(chain(repeat(delta({"content": "word " * 13107}), 20), [b"data: [DONE]\n\n"]))


def huge_body(job: Job) -> Reply:
    """A whole reply of 33 MiB."""
    return Reply(body=(b'{"response":"', *[b"x" * MIB] * 33, b'"}'))


def zipped(job: Job) -> Reply:
    whole = plain(job)
    data = gzip.compress(b"".join(step for step in whole.body if isinstance(step, bytes)))
    return Reply(body=(data,), content_type=whole.content_type, headers=(("Content-Encoding", "gzip"),))


def zip_bomb(job: Job) -> Reply:
    return Reply(body=(bomb(),), headers=(("Content-Encoding", "gzip"),))


@cache
def bomb() -> bytes:
    """64 MiB of JSON as some 64 KiB of gzip."""
    return gzip.compress(b'{"response":"' + b"x" * (64 * MIB) + b'"}', 6)


def elsewhere(status: int) -> Callable[[Job], Reply]:
    headers = (("Location", "https://elsewhere.example.com/v1/steal"),)
    return lambda job: Reply(status, (), "", headers=headers)


def bad_chunk(job: Job) -> Reply:
    """A chunk size that is no number."""
    whole, first, _ = halves(stream_of(job))
    return replace(whole, body=(*first, Raw(b"zz\r\nwhat\r\n"), Cut()), framing="chunked")


BREAKS: tuple[Recipe, ...] = (
    Recipe("close-early", "closed before the first byte", before(Cut())),
    Recipe("reset-early", "reset before the first byte", before(Reset())),
    Recipe("silence-early", "silence before the head until release()", before(Silence())),
    Recipe("half-head", "closed in the middle of the head", half_head),
    Recipe("slow-head", "the head line by line, [[delay:MS]] (50) apart", slow_head),
    Recipe("many-headers", "3000 headers", many_headers),
    Recipe("long-header", "one header of 100,000 letters", long_header),
    Recipe("silence-body", "the head, then silence until release()", quiet_body),
    Recipe("silence", "silence in the middle until release()", middle(Silence())),
    Recipe("cut", "closed in the middle", middle(Cut())),
    Recipe("reset", "reset in the middle", middle(Reset())),
    Recipe("cut-event", "closed inside an event", inside_event(Cut())),
    Recipe("reset-event", "reset inside an event", inside_event(Reset())),
    Recipe("silence-event", "silence inside an event until release()", inside_event(Silence())),
    Recipe("cut-end", "closed after all of the text, before the end", before_end(Cut())),
    Recipe("reset-end", "reset after all of the text, before the end", before_end(Reset())),
    Recipe("silence-end", "silence after all of the text until release(), then closed", before_end(Silence(), Cut())),
    Recipe("close-after", "a good reply, then closed without a word", close_after),
    Recipe("bad-chunk", "a chunk size that is no number, in a stream", bad_chunk),
    Recipe("slow-bytes", "byte by byte from the middle on, [[delay:MS]] (20) apart", slow_bytes),
    Recipe("endless", "text that never ends", endless(one_token)),
    Recipe("endless-empty", "empty deltas that never end", endless(no_token)),
    Recipe("endless-comments", "some text, then keep-alive comments for ever", endless(comment)),
    Recipe("comments-only", "keep-alive comments for ever and nothing else", comments_only),
    Recipe("comments-first", "ten keep-alive comments, then the answer", comments_first),
    Recipe("endless-line", "one line that never ends", endless_line),
    Recipe("huge-line", "one event of 33 MiB", huge_line),
    Recipe("huge-text", "1.3 MB of text", huge_text),
    Recipe("huge-body", "a whole reply of 33 MiB", huge_body),
    Recipe("gzip", "compressed although nobody asked", zipped),
    Recipe("gzip-bomb", "64 MiB in a few dozen KiB", zip_bomb),
    Recipe("redirect", "307 to another host", elsewhere(307)),
    Recipe("redirect-302", "302 to another host", elsewhere(302)),
)
