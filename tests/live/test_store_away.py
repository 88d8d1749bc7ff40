"""A store of pictures that cannot be reached, for a real server: said plainly, with the text kept."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.live.browserless import Person
from tests.live.conftest import settings_for
from tests.services.photographs import photograph
from tests.serving import PASSWORD, Server, free_port
from tests.simulator import Simulator

SAID = "Pictures cannot be stored or shown at the moment."


@pytest.fixture
def alice(tmp_path: Path, template_data: Path, simulator: Simulator) -> Iterator[Person]:
    for name in ("chatsite.sqlite3", "secret-key"):
        (tmp_path / name).write_bytes((template_data / name).read_bytes())
    nowhere = {"S3_BUCKET": "pictures", "S3_ENDPOINT_URL": f"http://127.0.0.1:{free_port()}", "S3_REGION": "us-east-1"}
    keys = {"S3_ACCESS_KEY_ID": "key", "S3_SECRET_ACCESS_KEY": "secret"}
    with Server(tmp_path, settings_for(simulator) | nowhere | keys) as server:
        person = Person(server.url)
        person.log_in("alice", PASSWORD)
        yield person


def test_a_message_with_a_picture_comes_back_with_its_text(alice: Person) -> None:
    sent = alice.send("Look at this", images=[("boat.jpg", photograph(64, 48), "image/jpeg")])
    assert sent.status_code == 503
    assert ("text", "Look at this") in sent.page.form_with("text").fields()


def test_a_script_is_told_the_same_with_a_status(alice: Person) -> None:
    sent = alice.send("Look at this", images=[("boat.jpg", photograph(64, 48), "image/jpeg")], htmx=True)
    assert (sent.status_code, SAID in sent.page.text) == (503, True)


def test_a_text_is_sent_as_ever(alice: Person) -> None:
    sent = alice.send("Just words")
    assert alice.follow(sent.reply_uuid, reconnect=True).final


def test_a_picture_of_the_model_that_cannot_be_stored_is_said_below_the_reply(alice: Person) -> None:
    sent = alice.send("Draw a red circle on a blue background", model="segmind/gemini-2-flash-image-generation")
    alice.follow(sent.reply_uuid, reconnect=True)
    reply = alice.page(sent.conversation_uuid).replies[-1]
    assert reply.status == "failed"
    assert reply.error
    assert reply.error.code == "storage"
