"""Whole replies: every documented and observed form in which one answer comes back. No I/O.

Each shape is a function from a Job to a Reply; SHAPES names them for `[[shape:...]]`.
"""

import base64
import json
from collections.abc import Callable

from .job import Job, Recipe
from .painter import opened, saved
from .reply import Json, Pause, Reply, encode, json_reply
from .talk import Part, Picture

# --- OpenAI and what resembles it -------------------------------------------------------------------------------------


def openai_body(job: Job, **changes: Json) -> Json:
    """A `chat.completion`; `changes` replace or add keys of its message."""
    message: dict[str, Json] = {"role": "assistant", "content": job.answer.text, "refusal": None, "annotations": None}
    if job.answer.thought:
        message["reasoning_content"] = job.answer.thought
    if job.answer.pictures:
        message["images"] = [openai_image(picture) for picture in job.answer.pictures]
    choice = {"index": 0, "finish_reason": job.finish, "logprobs": None, "message": message | changes}
    return openai_frame(job, choice)


def openai_frame(job: Job, choice: Json) -> Json:
    return {
        "id": job.id,
        "object": "chat.completion",
        "created": 1_753_456_585 + job.number,
        "model": job.model,
        "choices": [choice],
        "usage": job.openai_usage,
    } | job.meta


def openai_image(picture: Picture) -> Json:
    return {"type": "image_url", "image_url": {"url": picture.url}}


def openai(job: Job) -> Reply:
    return json_reply(openai_body(job))


def openai_201(job: Job) -> Reply:
    return json_reply(openai_body(job), 201)


def openai_bare(job: Job) -> Reply:
    """As AI/ML API's own sample: no meta, no details of the prompt tokens, no annotations."""
    body = openai_body(job)
    body.pop("meta", None)
    del body["usage"]["prompt_tokens_details"]
    body["choices"][0]["message"] = {"role": "assistant", "content": job.answer.text}
    return json_reply(body)


def openai_parts(job: Job) -> Reply:
    """Mistral's list of chunks, with one of a kind nobody knows."""
    content: list[Json] = [{"type": "thinking", "thinking": [{"type": "text", "text": job.answer.thought or "Hm."}]}]
    content += [
        openai_image(p) if isinstance(p, Picture) else {"type": "text", "text": p} for p in halves(job.answer.parts)
    ]
    content.append({"type": "reference", "reference_ids": [1]})
    return json_reply(openai_body(job, content=content, images=None, reasoning_content=None))


def halves(parts: tuple[Part, ...]) -> list[Part]:
    """The first text cut in two, so that a reader has something to join."""
    first = parts[0] if parts else ""
    if isinstance(first, Picture):
        return list(parts)
    return [first[: len(first) // 2], first[len(first) // 2 :], *parts[1:]]


def openai_images(job: Job) -> Reply:
    return json_reply(openai_body(job, images=[openai_image(job.answer.a_picture)]))


def openai_markdown(job: Job) -> Reply:
    content = f"{job.answer.text}\n\n![image]({job.answer.a_picture.url})"
    return json_reply(openai_body(job, content=content, images=None))


def openai_reasoning(job: Job) -> Reply:
    thought = job.answer.thought or "I think before I speak."
    return json_reply(openai_body(job, reasoning=thought, reasoning_content=None))


def openai_refusal(job: Job) -> Reply:
    return json_reply(openai_body(job, content=None, refusal="I cannot help with that."))


def openai_legacy(job: Job) -> Reply:
    return json_reply(openai_frame(job, {"index": 0, "text": job.answer.text, "finish_reason": job.finish}))


# --- Gemini -----------------------------------------------------------------------------------------------------------


def gemini_parts(job: Job) -> list[Json]:
    thought = [{"text": job.answer.thought, "thought": True}] if job.answer.thought else []
    return thought + [gemini_part(part) for part in job.answer.parts]


def gemini_part(part: Part) -> Json:
    if isinstance(part, str):
        return {"text": part}
    return {"inlineData": {"mimeType": part.media_type, "data": part.base64}}


def gemini_body(job: Job, parts: list[Json]) -> Json:
    candidate = {
        "content": {"parts": parts, "role": "model"},
        "finishReason": job.google_finish,
        "index": 0,
        "safetyRatings": [],
    }
    return {"candidates": [candidate], "usageMetadata": job.google_usage}


def gemini(job: Job) -> Reply:
    return json_reply(gemini_body(job, gemini_parts(job)))


def gemini_snake(job: Job) -> Reply:
    return json_reply(snake(gemini_body(job, [*gemini_parts(job), gemini_part(job.answer.a_picture)])))


def snake(value: Json) -> Json:
    """The same value with snake_case keys."""
    if isinstance(value, list):
        return [snake(item) for item in value]
    if not isinstance(value, dict):
        return value
    return {"".join(f"_{c.lower()}" if c.isupper() else c for c in key): snake(item) for key, item in value.items()}


def gemini_list(job: Job) -> Reply:
    return json_reply(gemini_pieces(job))


def gemini_array(job: Job) -> Reply:
    """The stream without `alt=sse`: one pretty-printed array, delivered piecemeal."""
    lines = json.dumps(gemini_pieces(job), ensure_ascii=False, indent=2).encode().splitlines(keepends=True)
    return Reply(body=tuple(lines), framing="chunked", content_type="application/json; charset=UTF-8")


def gemini_pieces(job: Job) -> list[Json]:
    """Several responses that belong together: one part each, the finish reason and the usage in the last."""
    pieces: list[Json] = [{"candidates": [{"content": {"parts": [p], "role": "model"}}]} for p in gemini_parts(job)]
    last = {"candidates": [{"content": {"role": "model"}, "finishReason": job.google_finish}]}
    return [*pieces, last | {"usageMetadata": job.google_usage}]


def gemini_trailing(job: Job) -> Reply:
    return Reply(body=(encode(gemini_body(job, gemini_parts(job))) + b'\n{"trailing": true}\n',))


def gemini_signed(job: Job) -> Reply:
    """Thought signatures on every part, and a last part that has nothing else."""
    parts = [part | {"thoughtSignature": signature(number)} for number, part in enumerate(gemini_parts(job))]
    return json_reply(gemini_body(job, [*parts, {"text": "", "thoughtSignature": signature(len(parts))}]))


def signature(number: int) -> str:
    return base64.b64encode(f"signature {number}".encode()).decode()


def gemini_mislabelled(job: Job) -> Reply:
    """JPEG bytes that call themselves PNG, and the same under the name that no standard knows."""
    jpeg = saved(opened(job.answer.a_picture), "image/jpeg")
    wrong = [{"inlineData": {"mimeType": name, "data": jpeg.base64}} for name in ("image/png", "image/jpg")]
    return json_reply(gemini_body(job, [{"text": job.answer.text}, *wrong]))


def gemini_bare(job: Job) -> Reply:
    """The least of it: no role, no index, no finish reason, no usage."""
    return json_reply({"candidates": [{"content": {"parts": gemini_parts(job)}}]})


# --- What else comes from Segmind -------------------------------------------------------------------------------------


def keyed(key: str) -> Callable[[Job], Reply]:
    return lambda job: json_reply({key: job.answer.text})


def anthropic(job: Job) -> Reply:
    return json_reply({"role": "assistant", "content": [{"type": "text", "text": job.answer.text}]})


def picture_bytes(media_type: str) -> Callable[[Job], Reply]:
    def build(job: Job) -> Reply:
        picture = saved(opened(job.answer.a_picture), media_type)
        return Reply(body=(picture.data,), content_type=media_type, headers=(("x-output-metadata", "{}"),))

    return build


def picture_unlabelled(job: Job) -> Reply:
    return Reply(body=(job.answer.a_picture.data,), content_type="application/octet-stream")


def picture_key(job: Job) -> Reply:
    return json_reply({"image": job.answer.a_picture.base64})


def base64_json(job: Job) -> Reply:
    return json_reply(job.answer.a_picture.base64)


def base64_text(job: Job) -> Reply:
    return Reply(body=(job.answer.a_picture.base64.encode(),), content_type="text/plain")


def link(key: str, *, several: bool) -> Callable[[Job], Reply]:
    def build(job: Job) -> Reply:
        url = f"https://cdn.example.com/{job.id}.png"
        return json_reply({key: [url, url.replace(".png", "-2.png")] if several else url})

    return build


def slow_bytes(job: Job) -> Reply:
    """The documented form, its body in ten unequal runs with a little time between them."""
    data = encode(gemini_body(job, gemini_parts(job)))
    size = max(1, len(data) // 10)
    runs = [data[start : start + size] for start in range(0, len(data), size)]
    return Reply(body=tuple(step for run in runs for step in (run, Pause(0.01))))


SHAPES: tuple[Recipe, ...] = (
    Recipe("openai", "chat.completion, the documented form of AI/ML API", openai),
    Recipe("openai-201", "the same under status 201", openai_201),
    Recipe("openai-bare", "without meta and details", openai_bare),
    Recipe("openai-parts", "content as a list of thinking, text, image_url and unknown parts", openai_parts),
    Recipe("openai-images", "a picture in message.images", openai_images),
    Recipe("openai-markdown", "a picture as a Markdown data URL in the text", openai_markdown),
    Recipe("openai-reasoning", "the key `reasoning` beside the content", openai_reasoning),
    Recipe("openai-refusal", "content null and a refusal", openai_refusal),
    Recipe("openai-legacy", "choices[0].text", openai_legacy),
    Recipe("gemini", "candidates with parts, the documented form of Segmind's Gemini models", gemini),
    Recipe("gemini-snake", "the same in snake_case, with a picture", gemini_snake),
    Recipe("gemini-list", "a list of responses that belong together", gemini_list),
    Recipe("gemini-array", "the same list, pretty-printed and piecemeal", gemini_array),
    Recipe("gemini-trailing", "a second JSON value behind the first", gemini_trailing),
    Recipe("gemini-signed", "thought signatures on every part and one part with nothing else", gemini_signed),
    Recipe("gemini-mislabelled", "JPEG bytes called image/png and image/jpg", gemini_mislabelled),
    Recipe("gemini-bare", "no role, index, finish reason or usage", gemini_bare),
    Recipe("gemini-slow", "the documented form in ten runs of bytes", slow_bytes),
    Recipe("response", '{"response": text}', keyed("response")),
    Recipe("output", '{"output": text}', keyed("output")),
    Recipe("text", '{"text": text}', keyed("text")),
    Recipe("content", '{"content": text}', keyed("content")),
    Recipe("anthropic", "content as a list of text blocks", anthropic),
    Recipe("image-png", "raw PNG bytes", picture_bytes("image/png")),
    Recipe("image-jpeg", "raw JPEG bytes", picture_bytes("image/jpeg")),
    Recipe("image-webp", "raw WebP bytes", picture_bytes("image/webp")),
    Recipe("image-unlabelled", "raw PNG bytes as application/octet-stream", picture_unlabelled),
    Recipe("image-key", '{"image": base64}', picture_key),
    Recipe("base64-json", "a JSON string that is base64", base64_json),
    Recipe("base64-text", "a text body that is base64", base64_text),
    Recipe("link-output", "one address under output", link("output", several=False)),
    Recipe("links-output", "addresses under output", link("output", several=True)),
    Recipe("link-image-url", "one address under image_url", link("image_url", several=False)),
    Recipe("links-outputs", "addresses under outputs", link("outputs", several=True)),
)
