"""One request in, one Reply out: address, key, body, credit, then the answer. No sockets.

The order is that of the real servers: 404 and 405 by the address, 401 and 403 by the key, 413 and 400 by the body,
403 and 406 by the account.
"""

import hashlib
import json
import threading
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from . import aimlapi, brain, directives, errors, faults, google, segmind
from .directives import Directives
from .errors import Refused, Vendor
from .job import Job, prompt_tokens, usage_of
from .reply import Json, Pause, Reply, Silence, json_reply
from .settings import Settings
from .statuses import OUT_OF_CREDIT, WORDS
from .talk import Asked

CHAT_PATH = "/v1/chat/completions"
CREDITS_PATH = "/v1/get-user-credits"
BILLING_PATH = "/v2/billing"
MODELS_PATH = "/v1/models"
SEGMIND_PRICE = Decimal("0.017")
FREE_CREDITS = Decimal("0.018")
LOCAL_NAME = "smollm2-135m-instruct"
MODELS = {"object": "list", "data": [{"id": name, "object": "model"} for name in (aimlapi.MODEL, LOCAL_NAME)]}


@dataclass(frozen=True, slots=True)
class Request:
    """What came over the wire. `headers` by lower-case name; `number` counts from 1."""

    number: int
    method: str
    path: str
    headers: Mapping[str, str]
    raw: bytes


def decoded(raw: bytes) -> Json:
    """The JSON value, or None where there is none."""
    try:
        return json.loads(raw)
    except (ValueError, RecursionError):
        return None


def vendor_of(path: str, body: Json) -> Vendor:
    if path.startswith("/v1beta/"):
        return "google"
    if path == CHAT_PATH:
        return aimlapi.vendor_of(body)
    return "aimlapi" if path.startswith(("/v1/chat/", "/v1/models", "/v2/", "/v1/billing")) else "segmind"


def method_of(path: str) -> str:
    """The one method a path takes; blank for a path that does not exist."""
    if path in (CREDITS_PATH, BILLING_PATH, MODELS_PATH, google.LIST_PATH):
        return "GET"
    return "POST" if path == CHAT_PATH or google.is_here(path) or path.removeprefix("/v1/") in segmind.MODELS else ""


class Answering:
    """Both vendors behind one address. All state between requests: what was asked how often, and the accounts."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._lock = threading.Lock()
        self._attempts: Counter[bytes] = Counter()

    def reply(self, request: Request, wished: Directives) -> Reply:
        """Never raises for what a client may send; `wished` goes over the directives in the text."""
        body = decoded(request.raw)
        vendor = vendor_of(request.path, body)
        try:
            self._admit(request, vendor)
            made = self._get(request) if request.method == "GET" else self._post(request, vendor, body, wished)
        except Refused as refusal:
            made = errors.reply(vendor, refusal.status, refusal.message, request.path, refusal.style)
        if vendor == "aimlapi":
            return made.adding(*aimlapi.tracing(request.number, request.headers))
        return made

    def _admit(self, request: Request, vendor: Vendor) -> None:
        """Raises Refused for a wrong address, method or key."""
        expected = method_of(request.path)
        if not expected:
            raise Refused(404, f"Cannot {request.method} {request.path}" if vendor == "aimlapi" else WORDS[404])
        if request.method != expected:
            raise Refused(405, WORDS[405])
        if vendor == "segmind":
            self._authorise(segmind.key_of(request.headers, self.settings), vendor)
        elif vendor == "google":
            self._authorise(google.key_of(request.headers), vendor)
        elif vendor == "aimlapi" and request.path != MODELS_PATH:
            self._authorise(aimlapi.key_of(request.headers), vendor)

    def _authorise(self, key: str, vendor: Vendor) -> None:
        known = self.settings.key
        if key == f"{known}-forbidden":
            raise Refused(403, WORDS[403])
        if key not in (known, f"{known}-empty"):
            raise Refused(
                401, WORDS[401] if vendor == "segmind" else "Invalid token: the API key is missing or disabled."
            )

    def _get(self, request: Request) -> Reply:
        if request.path == MODELS_PATH:
            return json_reply(MODELS)
        if request.path == google.LIST_PATH:
            return json_reply(google.LIST)
        if request.path == BILLING_PATH:
            return json_reply({"current_balance": float(self.settings.balance), "currency": "USD"})
        return json_reply({"credits": float(self.settings.credits), "free-credits": float(FREE_CREDITS)})

    def _post(self, request: Request, vendor: Vendor, body: Json, wished: Directives) -> Reply:
        self._check_body(request, body)
        if vendor == "segmind":
            asked = segmind.read(request.path.removeprefix("/v1/"), body, self.settings)
        elif vendor == "google":
            asked = google.read(request.path, body)
        else:
            asked = aimlapi.read(body)
        self._check_credit(request, vendor)
        job = self._job(request, vendor, asked, wished)
        faults.check(job)
        return self._paid(paced(faults.reply(job), job), job)

    def _check_body(self, request: Request, body: Json) -> None:
        if len(request.raw) > self.settings.max_body:
            raise Refused(413, f"Request payload size exceeds the limit: {self.settings.max_body} bytes.")
        if body is None or "application/json" not in request.headers.get("content-type", ""):
            raise Refused(400, "The request body is not valid JSON.")

    def _check_credit(self, request: Request, vendor: Vendor) -> None:
        """Raises Refused when the account, or the one of the key `...-empty`, has nothing left."""
        key = segmind.key_of(request.headers, self.settings) or aimlapi.key_of(request.headers)
        empty = key == f"{self.settings.key}-empty"
        if vendor == "segmind" and (empty or self.settings.credits < SEGMIND_PRICE):
            raise Refused(406, WORDS[406])
        if vendor == "aimlapi" and (empty or self.settings.balance <= 0):
            raise Refused(403, OUT_OF_CREDIT)

    def _job(self, request: Request, vendor: Vendor, asked: Asked, wished: Directives) -> Job:
        last = asked.talk.last
        found, text = directives.parse(part for part in last.parts if isinstance(part, str))
        standing = Directives(delay=self.settings.delay_ms or None, first=self.settings.first_ms or None)
        ask = wished.over(found).over(standing)
        talk = asked.talk.saying(text)
        answer = brain.answer(talk, ask)
        return Job(
            vendor=vendor,
            model=asked.model,
            path=request.path,
            number=request.number,
            answer=answer,
            usage=usage_of(answer, prompt_tokens(talk)),
            ask=ask,
            shape=ask.shape or asked.shape,
            stream=asked.shape in ("sse", "gemini-sse"),
            include_usage=asked.include_usage,
            system=bool(talk.system),
            attempt=self._attempt(request.raw),
        )

    def _attempt(self, raw: bytes) -> int:
        """How often this very body has come, this time included."""
        digest = hashlib.sha256(raw).digest()
        with self._lock:
            self._attempts[digest] += 1
            return self._attempts[digest]

    def _paid(self, made: Reply, job: Job) -> Reply:
        """Charge a reply that succeeds, and put the vendor's account headers on it."""
        good = made.status < 300
        with self._lock:
            if good and job.vendor == "segmind":
                self.settings.credits -= SEGMIND_PRICE
            elif good and job.vendor == "aimlapi":
                self.settings.balance -= job.usage.usd
            left = str(self.settings.credits)
        if job.vendor == "segmind":
            shown = job.ask.credits or left
            return made if shown == "none" else made.adding(("x-remaining-credits", shown))
        if job.vendor == "aimlapi" and good and made.content_type.startswith("application/json"):
            return made.adding(
                ("x-aimlapi-credits-used", str(job.usage.credits)), ("x-aimlapi-usd-spent", str(job.usage.usd))
            )
        return made


def paced(made: Reply, job: Job) -> Reply:
    """The reply after the waiting that was asked for, in writes as small as was asked for."""
    if job.ask.chunk:
        made = made.in_pieces(job.ask.chunk)
    if job.ask.hold == 0 or (job.ask.hold and made.content_type != "text/event-stream"):
        made = made.after(Silence())
    return made.after(Pause((job.ask.first or 0) / 1000))
