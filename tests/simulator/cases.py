"""The 25 classic troubles of these interfaces, by number, each as a whole reply or a stream. No I/O."""

from collections.abc import Callable
from dataclasses import replace

from . import errors, shapes, streams
from .job import Answer, Job, Recipe, Usage
from .painter import draw, saved
from .reply import Json, Pause, Reply, Step, json_reply, pieces
from .statuses import OUT_OF_CREDIT, WORDS, refusal

NO_SYSTEM = "Developer instruction is not enabled for models/{model}"
MULTIBYTE = "Grüße aus 東京, 👩🏽\u200d🚀 fliegt: ½ × 8 = 4 €"


def saying(job: Job, *parts: str, thought: str = "", finish: str = "stop", spent: int = 0) -> Job:
    """The same job with another answer, of which `spent` tokens were hidden reasoning."""
    usage = Usage(job.usage.prompt, spent, spent) if spent else job.usage
    return replace(job, answer=Answer(tuple(parts), thought, finish), usage=usage)


def chat(job: Job) -> Reply:
    """In the chat-completions form, streamed where that was asked for."""
    return streams.reply(job) if job.stream else shapes.openai(job)


def spent_on_reasoning(job: Job) -> Reply:
    return chat(saying(job, finish="length", spent=job.usage.output or 512))


def candidate(content: Json, finish: str) -> Callable[[Job], Reply]:
    def build(job: Job) -> Reply:
        usage = {"promptTokenCount": job.usage.prompt, "thoughtsTokenCount": 64}
        return json_reply(
            {"candidates": [{"content": content, "finishReason": finish, "index": 0}], "usageMetadata": usage}
        )

    return build


def blocked(job: Job) -> Reply:
    feedback = {"blockReason": "PROHIBITED_CONTENT", "safetyRatings": []}
    return json_reply({"promptFeedback": feedback, "usageMetadata": {"promptTokenCount": job.usage.prompt}})


def thought_first(job: Job) -> Reply:
    answer = replace(job.answer, thought="The question is simple, so the answer can be short.")
    return shapes.gemini(replace(job, answer=answer))


def raw_picture(job: Job) -> Reply:
    return shapes.picture_bytes("image/png")(job)


def error_under_200(job: Job) -> Reply:
    return json_reply(errors.openai(500, "The provider behind this one has failed."))


def stream_of(job: Job) -> Job:
    """The job as a stream, also where a whole reply was asked for: some troubles exist in streams only."""
    return job if job.shape in streams.BY_NAME else replace(job, shape="sse", stream=True)


def after_some(job: Job, *rest: bytes) -> Reply:
    """A stream that says `[[at:N]]` tokens, then `rest`."""
    whole, first, _ = streams.halves(stream_of(job))
    return replace(whole, body=(*first, *rest))


def error_event(job: Job) -> Reply:
    error = {"message": "Upstream error: the model has stopped.", "type": "server_error", "param": None, "code": 502}
    return after_some(job, streams.sse({"error": error, "choices": []}), b"data: [DONE]\n\n")


def cut_stream(job: Job) -> Reply:
    """The chunked body ends in good order, without finish reason and without [DONE]."""
    return after_some(job)


def usage_last(job: Job) -> Reply:
    return streams.reply(replace(job, include_usage=True))


def split_letters(job: Job) -> Reply:
    """Every byte of a letter beyond ASCII in a write of its own, with time between them."""
    whole = chat(saying(job, MULTIBYTE))
    body: list[Step] = []
    for step in whole.body:
        body += torn(step) if isinstance(step, bytes) else [step]
    return replace(whole, body=tuple(body))


def torn(data: bytes) -> list[Step]:
    if data.isascii():
        return [data]
    start = next(number for number, byte in enumerate(data) if byte > 127)
    end = next(number for number in range(len(data), 0, -1) if data[number - 1] > 127)
    letters = [step for letter in pieces([data[start:end]], 1) for step in (letter, Pause(0.002))]
    return [data[:start], *letters, data[end:]]


def parts_list(job: Job) -> Reply:
    return streams.reply(job, "sse-list") if job.stream else shapes.openai_parts(job)


def message_picture(job: Job) -> Reply:
    return streams.reply(job, "sse-images") if job.stream else shapes.openai_images(job)


def text_and_picture(job: Job) -> Reply:
    picture = saved(draw("a red circle"))
    job = replace(job, answer=Answer(("Here is a red circle:\n\n", picture)))
    return shapes.gemini(job) if job.vendor == "segmind" else chat(job)


def no_system(job: Job) -> Reply:
    """Refuse a system instruction; answer plainly where there is none."""
    if not job.system:
        return streams.plain(job)
    return refusal(job, 400, NO_SYSTEM.format(model=job.model), "google")


def refused(status: int, message: str, style: str = "") -> Callable[[Job], Reply]:
    return lambda job: refusal(job, status, message, style)


ALTERNATE = "Please ensure that multiturn requests alternate between user and model."
CASES: tuple[Recipe, ...] = (
    Recipe("case-1", "empty content, finish length: all tokens went into reasoning", spent_on_reasoning),
    Recipe("case-2", "content holds only the role, finish MAX_TOKENS", candidate({"role": "model"}, "MAX_TOKENS")),
    Recipe("case-3", "no candidates, promptFeedback.blockReason", blocked),
    Recipe("case-4", "STOP without parts", candidate({"role": "model"}, "STOP")),
    Recipe("case-5", "a thought part before the answer", thought_first),
    Recipe("case-6", "Gemini-shaped, whatever the request", shapes.gemini),
    Recipe("case-7", "raw image bytes", raw_picture),
    Recipe("case-8", "406, not enough credits", refused(406, WORDS[406])),
    Recipe("case-9", "403, run out of credits", refused(403, OUT_OF_CREDIT, "aimlapi-string")),
    Recipe("case-10", "status 201", lambda job: replace(chat(job), status=201)),
    Recipe("case-11", "status 200 with an error object", error_under_200),
    Recipe("case-12", "502 as an HTML page", refused(502, "", "html")),
    Recipe("case-13", "an error event after some text", error_event),
    Recipe("case-14", "the stream ends without a finish", cut_stream),
    Recipe("case-15", "usage and meta.usage in a last chunk without choices", usage_last),
    Recipe(
        "case-16",
        "role only in the first chunk, chunks without choices",
        lambda j: streams.reply(j, "sse-empty-choices"),
    ),
    Recipe("case-17", "comments between the events", lambda job: streams.reply(job, "sse-comments")),
    Recipe("case-18", "letters of several bytes torn between writes", split_letters),
    Recipe("case-19", "content as a list of parts", parts_list),
    Recipe("case-20", "a data URL in message.images", message_picture),
    Recipe(
        "case-21",
        "400 as for a blank part",
        refused(400, "Unable to submit request because it must have a text parameter.", "google"),
    ),
    Recipe("case-22", "400 as for roles that do not alternate", refused(400, ALTERNATE, "google")),
    Recipe("case-23", "a JPEG that calls itself PNG and image/jpg", shapes.gemini_mislabelled),
    Recipe("case-24", "text and a drawn picture, to be changed in the next turn", text_and_picture),
    Recipe("case-25", "400 for the system instruction, if there is one", no_system),
)
