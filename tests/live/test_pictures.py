"""Pictures all the way: upload → provider → stored → page → next turn, over real sockets."""

import base64
import io

import pytest
from PIL import Image, ImageChops

from tests.live.browserless import Person
from tests.services.photographs import photograph
from tests.simulator import Simulator

FLASH = "aimlapi/google/gemini-2.5-flash"
PAINTER = "segmind/gemini-2-flash-image-generation"
PRO = "segmind/gemini-1.5-pro"


def opened(data: bytes) -> Image.Image:
    return Image.open(io.BytesIO(data)).convert("RGB")


def differ(one: Image.Image, other: Image.Image) -> bool:
    return one.size != other.size or ImageChops.difference(one, other).getbbox() is not None


def sent_picture(part: dict[str, dict[str, str]]) -> Image.Image:
    return opened(base64.b64decode(part["inlineData"]["data"]))


def test_a_drawn_picture_stands_between_its_texts_and_goes_back_pixel_by_pixel(
    alice: Person, simulator: Simulator
) -> None:
    first = alice.send("Draw a red circle on a blue background", model=PAINTER)
    alice.follow(first.reply_uuid, reconnect=True)
    article = alice.page(first.conversation_uuid).replies[-1]
    drawn = opened(alice.session.get(article.originals[0], timeout=60).content)

    second = alice.send("Make it green", first.conversation_uuid, model=PAINTER)
    streamed = alice.follow(second.reply_uuid, reconnect=True)
    contents = simulator.requests[-1].body["messages"]["contents"]
    assert [content["role"] for content in contents] == ["user", "model", "user"]
    pictures = [part for part in contents[1]["parts"] if "inlineData" in part]
    assert not differ(sent_picture(pictures[0]), drawn)
    edited = alice.page(second.conversation_uuid).replies[-1]
    body = edited.element.find("", {"data-body": None})
    assert body is not None
    assert [element.tag for element in body.walk() if element.tag in ("p", "img")] == ["p", "img", "p"]
    assert streamed.text == edited.text
    assert differ(opened(alice.session.get(edited.originals[0], timeout=60).content), drawn)


def test_the_other_gemini_system_gets_the_drawn_picture_too(alice: Person, simulator: Simulator) -> None:
    first = alice.send("Draw a yellow star", model=PAINTER)
    alice.follow(first.reply_uuid, reconnect=True)
    second = alice.send("What do you see?", first.conversation_uuid, model=PRO)
    answer = alice.follow(second.reply_uuid, reconnect=True)
    assert any("inlineData" in part for part in simulator.requests[-1].body["messages"]["contents"][1]["parts"])
    assert answer.text


@pytest.mark.parametrize("model", [FLASH, PRO])
@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP", "HEIF"])
def test_each_format_of_photograph_arrives_upright_in_a_form_the_provider_takes(
    alice: Person, model: str, format: str
) -> None:
    """The simulator refuses types that do not match the bytes, and describes what it decodes."""
    sent = alice.send("Describe", model=model, images=[(f"a.{format}", photograph(640, 400, format), "image/x")])
    assert "640 × 400" in alice.follow(sent.reply_uuid, reconnect=True).text


def test_a_large_photograph_is_scaled_to_what_models_use(alice: Person) -> None:
    sent = alice.send("Describe", model=PRO, images=[("a.jpg", photograph(3000, 2000), "image/jpeg")])
    assert "2048 × 1365" in alice.follow(sent.reply_uuid, reconnect=True).text


def test_several_pictures_keep_their_order(alice: Person, simulator: Simulator) -> None:
    files = [(f"{side}.png", photograph(side, 100, "PNG"), "image/png") for side in (200, 300, 400)]
    sent = alice.send("Three", model=PRO, images=files)
    alice.follow(sent.reply_uuid, reconnect=True)
    parts = simulator.requests[-1].body["messages"]["contents"][0]["parts"]
    assert [sent_picture(part).width for part in parts if "inlineData" in part] == [200, 300, 400]


def test_a_body_over_the_limit_is_refused_with_a_sentence(alice: Person) -> None:
    sent = alice.send("Too much", model=PRO, images=[("a.jpg", b"x" * (26 * 1024 * 1024), "image/jpeg")])
    assert sent.status_code == 413
    assert "too large" in sent.response.text
