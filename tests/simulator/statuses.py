"""Faults that are an error status: worded as each vendor does, and the many ways to say "not so fast". No I/O."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.client import responses

from . import errors
from .job import Job, Recipe
from .reply import Json, Reply, json_reply

WORDS = {
    400: "Invalid message format or parameters",
    401: "User authentication failed",
    402: "Payment required: add credits to continue",
    403: "Insufficient permissions",
    404: "Model or endpoint not found",
    405: "The requested HTTP method is not allowed",
    406: "Not enough credits",
    408: "Request timed out while it was read",
    409: "Conflict",
    413: "Request payload size exceeds the limit: 20971520 bytes.",
    415: "Unsupported media type",
    422: "Unprocessable request",
    429: "Too many requests",
    500: "Server had some issue with processing",
    501: "Not implemented",
    502: "Service temporarily unavailable",
    503: "The model is overloaded. Please try again later.",
    504: "Generation timeout",
    524: "A timeout occurred",
    529: "Overloaded",
}
OUT_OF_CREDIT = (
    "You've run out of credits. Please top up your balance or update your payment method to continue: "
    "https://aimlapi.com/app/billing/"
)
DAILY = "Quota exceeded for quota metric 'Generate requests per day', limit 'GenerateRequestsPerDayPerProject'."


def refusal(job: Job, status: int, message: str, style: str = "") -> Reply:
    """An error in the form that `[[error:...]]` asks for, else in `style`, else in the vendor's own."""
    return errors.reply(job.vendor, status, message, job.path, job.ask.error or style)


def status(code: int, message: str = "", style: str = "") -> Callable[[Job], Reply]:
    text = message or WORDS[code]
    return lambda job: refusal(job, code, text, style)


def waiting(*headers: tuple[str, str], message: str = WORDS[429]) -> Callable[[Job], Reply]:
    """A 429 with these headers."""
    return lambda job: refusal(job, 429, message).adding(*headers)


def waiting_date(job: Job) -> Reply:
    """Retry-After as an HTTP date ten seconds from now."""
    moment = datetime.now(UTC) + timedelta(seconds=10)
    return refusal(job, 429, WORDS[429]).adding(("Retry-After", format_datetime(moment, usegmt=True)))


def waiting_reset(job: Job) -> Reply:
    """Segmind's own headers: nothing left, and the moment of the next."""
    moment = (datetime.now(UTC) + timedelta(seconds=10)).isoformat(timespec="seconds")
    return refusal(job, 429, WORDS[429]).adding(
        ("x-rate-limit-remaining", "0"), ("x-rate-limit-reset-at-utc", moment.replace("+00:00", "Z"))
    )


def waiting_body(message: str, *details: Json) -> Callable[[Job], Reply]:
    """Google's 429: the time stands in the body only."""
    return lambda job: json_reply(errors.google(429, message, list(details)), 429)


def detail(kind: str, **values: Json) -> Json:
    return {"@type": f"type.googleapis.com/google.rpc.{kind}"} | values


BAD_KEY = errors.google(
    400, "API key not valid. Please pass a valid API key.", [detail("ErrorInfo", reason="API_KEY_INVALID")]
)

STATUSES: tuple[Recipe, ...] = (
    *(Recipe(str(code), responses.get(code, words), status(code)) for code, words in WORDS.items()),
    Recipe("400-key", "Google's answer to a bad key: 400 with API_KEY_INVALID", lambda job: json_reply(BAD_KEY, 400)),
    Recipe(
        "400-context",
        "the prompt is longer than the model's context",
        status(
            400, "The input token count (1200000) exceeds the maximum number of tokens allowed (1048576).", "google"
        ),
    ),
    Recipe("403-credits", "AI/ML API's 403: out of credits", status(403, OUT_OF_CREDIT)),
    Recipe("406-format", "406 whose text is about the format", status(406, "messages: contents is required")),
    Recipe("500-text", "500 in plain text", status(500, "Internal Server Error", "text")),
    Recipe("500-empty", "500 without a body", status(500, "", "empty")),
    Recipe("502-html", "502 as a proxy's HTML page", status(502, "", "html")),
    Recipe("503-html", "503 as a proxy's HTML page", status(503, "", "html")),
    Recipe("503-list", "503 in Google's form, wrapped in a list", status(503, WORDS[503], "google-list")),
    Recipe("429-seconds", "Retry-After: 1", waiting(("Retry-After", "1"))),
    Recipe("429-long", "Retry-After: 3600", waiting(("Retry-After", "3600"))),
    Recipe("429-absurd", "Retry-After: 99999999999999999999", waiting(("Retry-After", "9" * 20))),
    Recipe("429-negative", "Retry-After: -5", waiting(("Retry-After", "-5"))),
    Recipe("429-garbage", "Retry-After: soon", waiting(("Retry-After", "soon"))),
    Recipe("429-date", "Retry-After as an HTTP date in ten seconds", waiting_date),
    Recipe("429-past", "Retry-After as a date long ago", waiting(("Retry-After", "Wed, 21 Oct 2015 07:28:00 GMT"))),
    Recipe("429-unit", "Retry-After: 500ms", waiting(("Retry-After", "500ms"))),
    Recipe("429-ms", "retry-after-ms: 500", waiting(("retry-after-ms", "500"))),
    Recipe("429-reset", "Segmind's x-rate-limit-reset-at-utc in ten seconds", waiting_reset),
    Recipe(
        "429-info",
        "Google's RetryInfo in the body",
        waiting_body("Resource has been exhausted.", detail("RetryInfo", retryDelay="2.660853464s")),
    ),
    Recipe(
        "429-quota",
        "quotaResetDelay in the body",
        waiting_body("Quota exceeded.", detail("ErrorInfo", metadata={"quotaResetDelay": "373.801628ms"})),
    ),
    Recipe("429-message", "the time in the sentence only", waiting_body("Quota exceeded. Please retry in 2.66s.")),
    Recipe("429-daily", "a quota per day", waiting_body(DAILY, detail("RetryInfo", retryDelay="1s"))),
    Recipe("429-hourly", "AI/ML API's hourly free limit", status(429, "Free-tier limit: 10 requests per hour.")),
)
