"""Model providers: vendors, the models they offer, and how a request becomes bytes. No Django, no settings, no state.

A new vendor of a known format is one file and one name in `VENDORS`; a new format is one entry in `dialects.BODIES`.
"""

from conversations.providers import base, dialects, redaction
from conversations.providers.aimlapi import AIMLAPI
from conversations.providers.base import Endpoint, Model, Prepared, Vendor
from conversations.providers.endpoints import GEMINI, OPENAI
from conversations.providers.errors import TooLarge
from conversations.providers.local import LOCAL
from conversations.providers.segmind import SEGMIND
from conversations.providers.turns import ChatRequest

VENDORS: tuple[Vendor, ...] = (SEGMIND, AIMLAPI, LOCAL)
KINDS: tuple[Vendor, ...] = (OPENAI, GEMINI, SEGMIND, AIMLAPI)
"""What a connection that an administrator sets up may speak; its address, key and models are the administrator's."""

redacted = redaction.redacted


def find(model_id: str) -> tuple[Vendor, Model] | None:
    """The vendor and the model behind an id of the interface; None where there is no such model."""
    return next(((vendor, model) for vendor in VENDORS for model in vendor.models if model.id == model_id), None)


def prepare(vendor: Vendor, model: Model, endpoint: Endpoint, request: ChatRequest) -> Prepared:
    """The HTTP request that asks `model` for the next turn. Pure: the same request gives the same bytes.

    Raises NotConfigured without a usable key, Rejected without a user turn to answer, TooLarge where the text alone
    is more than a body may hold (images are left out, oldest first, before it comes to that).
    """
    auth = base.auth_headers(vendor, endpoint, model)
    body = dialects.BODIES[model.dialect](model, request)
    # Segmind says "no credit" with the status that elsewhere means "cannot satisfy Accept": refuse nothing there.
    accept = "text/event-stream, application/json" if model.streams else "*/*"
    prepared = Prepared(
        method="POST",
        url=base.url(vendor, model, endpoint),
        headers=(*auth, ("Content-Type", "application/json"), ("Accept", accept), *vendor.headers, *endpoint.headers),
        body=body,
    )
    if len(prepared.content) > model.quirks.max_body_bytes:
        raise TooLarge(f"The conversation is larger than {model.quirks.max_body_bytes / base.MEGABYTE:g} MB.")
    return prepared
