"""What the simulated models say and draw: true to the talk, and to the pixel where pictures are changed."""

import pytest
from PIL import Image

from . import COLOURS, Simulator
from .asking import (
    CHAT,
    DRAWING,
    OLDER,
    Json,
    chat,
    chunks,
    colour_share,
    file_of,
    gemini,
    image_in,
    image_url,
    inline,
    messages,
    parts,
    plain_picture,
    said,
    segmind,
    streamed,
)
from .directives import parse
from .painter import colour_name


def ask(sim: Simulator, *turns: str | list[Json], system: str = "") -> str:
    return said(segmind(sim, OLDER, gemini(*turns, system=system)))


# --- Words ----------------------------------------------------------------------------------------------------------


def test_the_last_text_is_echoed_and_turns_are_counted(sim: Simulator) -> None:
    assert ask(sim, "Bananas are bent") == "You wrote: “Bananas are bent”\n\nSo far I have seen 1 turn."
    assert ask(sim, "One", "Two", "Three").endswith("“Three”\n\nSo far I have seen 3 turns.")


def test_names_and_other_things_are_remembered(sim: Simulator) -> None:
    first = "Hello, my name is Ada. My favourite colour is dark green!"
    assert ask(sim, first).startswith("Nice to meet you, Ada.")
    assert ask(sim, first, "Hello", "What is my name?").startswith("Your name is Ada.")
    assert ask(sim, first, "Hello", "what's my favourite colour?").startswith("Your favourite colour is dark green.")
    assert ask(sim, first, "Hi", "My name is Eve.", "Hi", "What is my name?").startswith("Your name is Eve.")
    assert ask(sim, "What is my name?").startswith("You have not told me")


def test_an_answer_that_was_cut_short_is_continued_where_it_ended(sim: Simulator) -> None:
    wish = "Go on exactly where your last message ended."
    assert ask(sim, "[[tokens:6]]", "w1 w2 w3", wish) == " w4 w5 w6"
    assert ask(sim, "[[tokens:6]]", "w1 w2 w3 w4 w5 w6", wish) == " And that is all."
    assert ask(sim, wish).startswith("You wrote")


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("What is 12 * 12?", "12 * 12 = 144"),
        ("3 - 5", "3 - 5 = -2"),
        ("7 / 2?", "7 / 2 = 3.5"),
        ("Reply with exactly: OK", "OK"),
        ("Say “good night”.", "good night"),
        ("[[say:Line one\\nline two]]", "Line one\nline two"),
        ("[[tokens:4]]", "w1 w2 w3 w4"),
    ],
)
def test_simple_things_have_exact_answers(sim: Simulator, question: str, answer: str) -> None:
    assert ask(sim, question) == answer
    assert said(chat(sim, question)) == answer
    assert said(segmind(sim, CHAT, {"messages": messages(question)})) == answer


def test_markdown_has_all_that_a_page_must_show(sim: Simulator) -> None:
    text = ask(sim, "Show me some Markdown")
    for piece in ("# A small tour", "## ", "- first", "|---|", "```python\n", "> ", "**bold**", "](https://"):
        assert piece in text
    assert ask(sim, "a table please").startswith("| Planet |")


def test_a_system_instruction_is_known_and_obeyed(sim: Simulator) -> None:
    told = "Answer in capitals."
    assert ask(sim, "What are your instructions?", system=told) == "MY INSTRUCTIONS ARE: “ANSWER IN CAPITALS.”"
    chat_told = {"messages": messages("What is your system prompt?", system="Be kind.")}
    assert said(segmind(sim, CHAT, chat_told)) == "My instructions are: “Be kind.”"
    assert ask(sim, "What are your instructions?") == "I have no instructions."


def test_a_token_limit_is_kept_and_told(sim: Simulator) -> None:
    choice = chat(sim, "[[tokens:50]]", max_tokens=3).json()["choices"][0]
    assert (choice["message"]["content"], choice["finish_reason"]) == ("w1 w2 w3", "length")
    stream = chat(sim, "[[tokens:50]]", max_tokens=3, stream=True, stream_options={"include_usage": True})
    assert streamed(stream.text) == "w1 w2 w3"
    assert chunks(stream.text)[-1]["usage"]["completion_tokens"] == 3
    body = gemini("[[tokens:50]]")
    body["messages"]["generationConfig"] = {"maxOutputTokens": 3}
    candidate = segmind(sim, OLDER, body).json()["candidates"][0]
    assert (candidate["content"]["parts"], candidate["finishReason"]) == ([{"text": "w1 w2 w3"}], "MAX_TOKENS")


def test_reasoning_spends_the_limit_first(sim: Simulator) -> None:
    body = chat(sim, "[[think:one two three]] [[tokens:9]]", max_tokens=4).json()
    message = body["choices"][0]["message"]
    assert (message["reasoning_content"], message["content"]) == ("one two three", "w1")
    assert body["usage"]["completion_tokens_details"]["reasoning_tokens"] == 3
    body = chat(sim, "[[think:one two three]] [[tokens:9]]", max_tokens=2).json()
    assert body["choices"][0]["message"]["content"] == ""
    assert body["choices"][0]["finish_reason"] == "length"


def test_an_unanswered_turn_before_does_not_repeat_its_directives() -> None:
    found, text = parse(["[[fault:500]] first\n\nsecond [[delay:7]] [[unknown:x]]"])
    assert (found.fault, found.delay, text) == ("", 7, "first\n\nsecond  [[unknown:x]]")
    found, text = parse(["[[fault:500]] mine", "[a note]"])
    assert (found.fault, text) == ("500", "mine\n\n[a note]")


# --- Seeing ---------------------------------------------------------------------------------------------------------


def test_pictures_are_described_by_size_colour_and_format(sim: Simulator) -> None:
    red = inline(file_of(plain_picture("red", (64, 48))))
    blue = inline(file_of(plain_picture("blue", (10, 20)), "jpeg"), "image/jpeg")
    text = ask(sim, [{"text": "What do you see?"}, red, blue])
    assert "1. a PNG picture of 64 × 48 pixels, mostly red" in text
    assert "2. a JPEG picture of 10 × 20 pixels, mostly blue" in text
    assert "“What do you see?”" in text
    assert "1 turn" in ask(sim, [red])


def test_chat_models_see_data_urls_too(sim: Simulator) -> None:
    green = image_url(file_of(plain_picture("green", (5, 6)), "webp"), "image/webp")
    assert "I see a WEBP picture of 5 × 6 pixels, mostly green." in said(chat(sim, [green]))
    assert "WEBP picture of 5 × 6" in said(segmind(sim, CHAT, {"messages": messages([green])}))


def test_earlier_pictures_are_looked_at_when_asked_for(sim: Simulator) -> None:
    red = inline(file_of(plain_picture("red")))
    assert "mostly red" in ask(sim, [red], "I see it.", "Describe the picture again")
    assert "mostly red" not in ask(sim, [red], "I see it.", "How are you?")


@pytest.mark.parametrize(("name", "colour"), COLOURS.items())
def test_colours_have_their_own_names(name: str, colour: tuple[int, int, int]) -> None:
    assert colour_name(colour) == name


@pytest.mark.parametrize("name", ["red", "lime", "blue", "yellow", "white", "black", "grey"])
def test_pure_colours_have_sensible_names(name: str) -> None:
    value = Image.new("RGB", (1, 1), name).tobytes()
    assert colour_name((value[0], value[1], value[2])) == name.replace("lime", "green")


# --- Drawing --------------------------------------------------------------------------------------------------------


def draw(sim: Simulator, *turns: str | list[Json]) -> list[Json]:
    return parts(segmind(sim, DRAWING, gemini(*turns)))


def share(image: Image.Image, name: str) -> float:
    """The share of pixels of exactly this colour."""
    return colour_share(image, lambda *value: value == COLOURS[name])


def test_shapes_are_drawn_where_they_belong(sim: Simulator) -> None:
    image = image_in(draw(sim, "Please draw a red circle and a blue square on a yellow background."))
    width, height = image.size
    assert image.getpixel((width // 4, height // 2)) == COLOURS["red"]
    assert image.getpixel((width * 3 // 4, height // 2)) == COLOURS["blue"]
    assert image.getpixel((2, 2)) == COLOURS["yellow"]
    assert share(image, "red") > 0.05


@pytest.mark.parametrize("shape", ["circle", "ring", "square", "rectangle", "triangle", "star", "heart"])
def test_every_shape_is_another(sim: Simulator, shape: str) -> None:
    image = image_in(draw(sim, f"a green {shape}"))
    assert 0.02 < share(image, "green") < 0.5
    other = image_in(draw(sim, "a green disc" if shape != "circle" else "a green box"))
    assert image.tobytes() != other.tobytes()


def test_a_landscape_has_sky_above_and_land_below(sim: Simulator) -> None:
    image = image_in(draw(sim, "Draw a mountain landscape under a blue sky"))
    red, _, blue = (int(value) for value in image.getpixel((5, 5)))  # type: ignore[union-attr]
    assert blue > red + 50
    low = image.crop((0, image.height - 20, image.width, image.height))
    assert colour_share(low, lambda r, g, b: g > r and g > b) > 0.99


def test_text_and_pictures_come_in_their_order(sim: Simulator) -> None:
    found = draw(sim, "Draw a red circle, then a blue square")
    kinds = ["inlineData" if "inlineData" in part else part["text"] for part in found]
    assert kinds == ["Here is a red circle:\n\n", "inlineData", "Here is a blue square:\n\n", "inlineData"]


def test_anything_else_is_drawn_as_lettering_and_the_same_words_give_the_same_pixels(sim: Simulator) -> None:
    first, second = (image_in(draw(sim, "Draw serendipity")) for _ in range(2))
    assert first.tobytes() == second.tobytes()
    assert image_in(draw(sim, "Draw tranquillity")).tobytes() != first.tobytes()


def test_the_drawing_model_also_talks(sim: Simulator) -> None:
    assert draw(sim, "How are you?") == [{"text": "You wrote: “How are you?”\n\nSo far I have seen 1 turn."}]


def test_models_that_do_not_draw_say_so(sim: Simulator) -> None:
    assert "cannot draw" in ask(sim, "Draw a red circle")


# --- Editing --------------------------------------------------------------------------------------------------------


def edited(sim: Simulator, first: str, *changes: str) -> tuple[Image.Image, Image.Image]:
    """The drawing and what became of it, each change being a turn of its own with all earlier replies sent back."""
    turns: list[str | list[Json]] = [first]
    answer = draw(sim, *turns)
    before = image_in(answer)
    for change in changes:
        turns += [answer, change]
        answer = draw(sim, *turns)
        assert answer[0]["text"].startswith("Here is the changed picture")
    return before, image_in(answer)


def test_make_it_blue(sim: Simulator) -> None:
    before, after = edited(sim, "Draw a red circle", "Make it blue")
    assert share(after, "blue") == pytest.approx(share(before, "red"), abs=0.005)
    assert share(after, "red") == 0
    assert after.getpixel((0, 0)) == before.getpixel((0, 0)) == COLOURS["white"]


def test_two_changes_one_after_the_other(sim: Simulator) -> None:
    _, after = edited(sim, "Draw a red circle", "Make it blue", "Now make the background yellow")
    assert after.getpixel((after.width // 2, after.height // 2)) == COLOURS["blue"]
    assert after.getpixel((0, 0)) == COLOURS["yellow"]


def test_one_of_two_colours_is_changed(sim: Simulator) -> None:
    before, after = edited(sim, "Draw a red circle and a green square", "Change the red circle to purple")
    assert share(after, "green") == share(before, "green")
    assert share(after, "purple") >= share(before, "red") > 0


@pytest.mark.parametrize("scene", ["Draw a mountain landscape", "Draw mountains at sunset by the sea"])
def test_make_the_sky_darker(sim: Simulator, scene: str) -> None:
    before, after = edited(sim, scene, "Make the sky darker")
    width, height = before.size

    def light(image: Image.Image, top: float, bottom: float) -> int:
        return sum(image.crop((0, int(height * top), width, int(height * bottom))).tobytes())

    assert light(after, 0, 0.15) < 0.6 * light(before, 0, 0.15)
    assert light(after, 0.7, 1) == light(before, 0.7, 1)
    assert light(after, 0.63, 0.66) > 0.9 * light(before, 0.63, 0.66)


def test_rotate(sim: Simulator) -> None:
    before, after = edited(sim, "Draw a red circle and a blue square", "Rotate it")
    assert after.size == (before.height, before.width)
    assert after.tobytes() == before.transpose(Image.Transpose.ROTATE_270).tobytes()
    before, after = edited(sim, "Draw a red circle and a blue square", "rotate it by 180 degrees")
    assert after.tobytes() == before.transpose(Image.Transpose.ROTATE_180).tobytes()


def test_mirror(sim: Simulator) -> None:
    before, after = edited(sim, "Draw a red circle and a blue square", "Mirror it, please")
    assert after.tobytes() == before.transpose(Image.Transpose.FLIP_LEFT_RIGHT).tobytes()


def test_add_a_border(sim: Simulator) -> None:
    before, after = edited(sim, "Draw a red circle", "Add a green border")
    width = (after.width - before.width) // 2
    assert width > 0
    assert after.getpixel((0, 0)) == COLOURS["green"]
    inner = after.crop((width, width, width + before.width, width + before.height))
    assert inner.tobytes() == before.tobytes()


def test_add_a_shape(sim: Simulator) -> None:
    before, after = edited(sim, "Draw a red square", "Add a small green star")
    assert share(before, "green") == 0
    assert share(after, "green") > 0.001
    assert after.getpixel((after.width // 2, after.height * 3 // 4)) == COLOURS["red"]


@pytest.mark.parametrize("change", ["make it brighter", "blur it", "invert it", "add a funny hat", "make it smaller"])
def test_other_changes_change_something(sim: Simulator, change: str) -> None:
    before, after = edited(sim, "Draw a mountain landscape", change)
    assert after.tobytes() != before.tobytes()


def test_grey_has_no_colour(sim: Simulator) -> None:
    _, after = edited(sim, "Draw a red circle", "Make it black and white")
    assert colour_share(after, lambda red, green, blue: red == green == blue) == 1


def test_an_uploaded_photograph_is_changed_too(sim: Simulator) -> None:
    photo = Image.effect_mandelbrot((80, 60), (-2, -1, 1, 1), 40).convert("RGB")
    upload = [{"text": "Make it green"}, inline(file_of(photo, "jpeg"), "image/jpeg")]
    after = image_in(draw(sim, upload))
    assert after.size == photo.size
    assert colour_share(after, lambda red, green, blue: green >= red) > 0.95


def test_the_newest_picture_is_the_one_that_changes(sim: Simulator) -> None:
    old = [{"text": "look"}, inline(file_of(plain_picture("black", (30, 30))))]
    new = [{"text": "Rotate it"}, inline(file_of(plain_picture("red", (40, 20))))]
    assert image_in(draw(sim, old, "I see it.", new)).size == (20, 40)


def test_nothing_to_change(sim: Simulator) -> None:
    assert "no picture yet" in draw(sim, "Make it blue")[0]["text"]
