"""AI/ML API and the local server: chat completions, whole or streamed. Checks and reading; no I/O."""

import re
from collections.abc import Mapping

from . import checks
from .errors import Refused, Vendor
from .job import prompt_tokens
from .reply import Json
from .talk import Asked, Talk, from_openai

MODEL = "google/gemini-2.5-flash"
LOCAL = re.compile(r"smollm2", re.IGNORECASE)
LOCAL_CONTEXT = 8192
CLIENT_REQUEST_ID = re.compile(r"[A-Za-z0-9._:-]{1,128}")


def vendor_of(body: Json) -> Vendor:
    """The local model is known by its name; everything else is AI/ML API's."""
    model = body.get("model") if isinstance(body, dict) else None
    return "local" if isinstance(model, str) and LOCAL.search(model) else "aimlapi"


def key_of(headers: Mapping[str, str]) -> str:
    scheme, _, token = headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def read(body: Json) -> Asked:
    """The request to /v1/chat/completions. Raises Refused: 404 for a model that is not on offer, 400 for the rest."""
    talk = read_local(body) if vendor_of(body) == "local" else read_own(body)
    shape = "sse" if body.get("stream") else "openai"
    return Asked(body["model"], talk, shape, bool(body.get("stream_options", {}).get("include_usage")))


def read_own(body: Json) -> Talk:
    model = body.get("model") if isinstance(body, dict) else None
    if isinstance(model, str) and model.strip() and model != MODEL:
        raise Refused(404, f"The model `{model[:80]}` does not exist or you do not have access to it.")
    checks.form("aimlapi-sent-request", body, title="Body validation error")
    checks.openai_pictures(body, "")
    return from_openai(body)


def read_local(body: Json) -> Talk:
    """Looser than AI/ML API: a limit is not demanded. No pictures, and a small context."""
    checks.form("aimlapi-sent-request", body, "anyOf")
    talk = from_openai(body)
    if talk.pictures:
        raise Refused(
            500, "image input is not supported - hint: if this is unexpected, you may need to provide the mmproj"
        )
    size = prompt_tokens(talk)
    if size > LOCAL_CONTEXT:
        raise Refused(400, f"request ({size} tokens) exceeds the available context size ({LOCAL_CONTEXT} tokens)")
    return talk


def tracing(number: int, headers: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    """The headers on every reply: an id of the inference, and the client's own id where it is a proper one."""
    own = headers.get("x-client-request-id", "")
    echo = (("x-client-request-id", own),) if CLIENT_REQUEST_ID.fullmatch(own) else ()
    return (("x-inference-id", f"inf-{number:06d}"), *echo)
