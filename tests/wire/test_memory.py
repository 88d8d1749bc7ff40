"""What a large reply costs in memory: at its peak, and after it was refused."""

import json
import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager

from conversations.providers.errors import TooLarge
from conversations.providers.replies.collector import Caps
from conversations.providers.replies.decoder import Decoder

from .reading import decoded

MIB = 1 << 20
CUT = 1 << 16
EVENTS = {"content-type": "text/event-stream"}


@contextmanager
def traced() -> Iterator[None]:
    tracemalloc.start()
    yield
    tracemalloc.stop()


def in_pieces(data: bytes) -> Iterator[bytes]:
    return (data[at : at + CUT] for at in range(0, len(data), CUT))


def test_a_reply_that_is_too_large_is_forgotten_at_once() -> None:
    decoder = Decoder(200, EVENTS, caps=Caps(body=4 * MIB))
    with traced():
        for _ in range(8 * MIB // CUT):
            decoder.feed(b"data:" + b"x" * CUT)
        held, _ = tracemalloc.get_traced_memory()
    try:
        decoder.close()
    except TooLarge:
        assert held < MIB
    else:
        raise AssertionError("it was taken")


def test_a_picture_is_not_copied_more_often_than_it_must_be() -> None:
    data = "iVBORw0KGgoA" + "A" * (8 * MIB)
    url = {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{data}"}}
    event = json.dumps({"choices": [{"delta": {"content": [url]}}]})
    stream = f"data: {event}\n\ndata: [DONE]\n\n".encode()
    size = len(data)
    with traced():
        found = decoded(in_pieces(stream), headers=EVENTS)
        _, peak = tracemalloc.get_traced_memory()
    assert len(found.images[0].data) == size * 3 // 4
    assert peak < 2.5 * size  # the text once more than its bytes, or the text and the picture
