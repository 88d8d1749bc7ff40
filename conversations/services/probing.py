"""A small real prompt to a model, and the list of models that an endpoint gives: the way of any other call.

For a page, that waits for a provider in one of the few threads that answer requests: so one at a time, not for long.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from django.utils.translation import gettext as _

from conversations.models import Connection
from conversations.providers import wire
from conversations.providers.call import DEFAULT_LIMITS, Limits
from conversations.providers.errors import ProviderError
from conversations.providers.events import Finished, ImageDelta, TextDelta
from conversations.providers.listings import Listed
from conversations.providers.turns import ChatRequest, Parameters, TextPart, Turn
from conversations.providers.wire import Attempt, Call
from conversations.services import catalog, offers
from conversations.services.errors import NotNow, Refusal, provider_sentence
from conversations.services.offers import Offer

PROMPT = "Answer with the single word: ready"
DRAW = "Draw a small red circle on white."
FOR_A_PAGE = Limits(connect=5.0, first_byte=25.0, no_progress=20.0, total=30.0, longest_wait=1.0)

_turn = threading.Lock()


@dataclass(frozen=True, slots=True)
class Proof:
    """What came of a prompt. `said`: the answer, pictures in words; `attempt`: the last, None where none was made."""

    offer: Offer
    attempt: Attempt | None
    said: str
    failure: ProviderError | None


@contextmanager
def for_a_page() -> Iterator[Limits]:
    """Raises NotNow where another page waits for a provider already."""
    if not _turn.acquire(blocking=False):
        raise NotNow(_("Another connection is being tested right now. Try again in a moment."))
    try:
        yield FOR_A_PAGE
    finally:
        _turn.release()


def probe(offer: Offer, limits: Limits = DEFAULT_LIMITS) -> Proof:
    """One prompt, never retried by hand; a failure is part of the proof."""
    attempts: list[Attempt] = []
    prompt = DRAW if offer.model.draws_images else PROMPT
    request = ChatRequest(
        turns=(Turn("user", (TextPart(prompt),)),), parameters=Parameters(max_tokens=2048, temperature=0)
    )
    said, failure = "", None
    try:
        endpoint = catalog.endpoint(offer)
        asked = (offer.vendor, offer.model, endpoint, request)
        for event in wire.answer(*asked, call=Call(), on_attempt=attempts.append, limits=limits):
            said += _words(event)
    except ProviderError as error:
        failure = error
    return Proof(offer, attempts[-1] if attempts else None, said, failure)


def models_of(connection: Connection, limits: Limits = DEFAULT_LIMITS) -> tuple[Listed, ...]:
    """What the endpoint lists. Raises Refusal with the reason where it cannot be had."""
    endpoint = offers.link_of(connection).endpoint()
    try:
        return wire.listing(offers.vendor_of(connection), endpoint, call=Call(), limits=limits)
    except ProviderError as error:
        raise Refusal(f"{provider_sentence(error.code)} ({error.detail})") from error


def _words(event: object) -> str:
    match event:
        case TextDelta(text=text):
            return text
        case ImageDelta(media_type=media_type, data=data):
            return f"[{media_type}, {len(data)} bytes]"
        case Finished(reason=reason) if reason != "complete":
            return f" ({reason})"
    return ""
