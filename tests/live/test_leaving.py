"""Who leaves leaves nothing: what a deleted person wrote is gone to the last byte, while the server runs."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.live.browserless import Person
from tests.live.conftest import settings_for
from tests.security.canaries import Search, made
from tests.services.photographs import photograph
from tests.serving import PASSWORD, Server, until
from tests.simulator import Simulator

FLASH = "aimlapi/google/gemini-2.5-flash"
KEPT = {"the name"}  # records of looks and of calls say whom they are about; see docs/administrator.md
ADD = """
from conversations.models import User
User.objects.create_user({name!r}, {address!r}, {password!r})
"""


@pytest.fixture
def open_to_leave(tmp_path: Path, template_data: Path, simulator: Simulator) -> Iterator[Server]:
    for name in ("chatsite.sqlite3", "secret-key"):
        (tmp_path / name).write_bytes((template_data / name).read_bytes())
    with Server(tmp_path, settings_for(simulator) | {"CHATSITE_SELF_SERVICE": "delete"}) as running:
        yield running


def test_nothing_is_left_of_an_account_that_deleted_itself(open_to_leave: Server, simulator: Simulator) -> None:
    server, search = open_to_leave, Search()
    name = search.make("the name", length=20)
    address = f"{search.make('the address', length=20)}@example.com"
    server.manage("shell", "-v0", "-c", ADD.format(name=name, address=address, password=PASSWORD))
    person = Person(server.url)
    person.log_in(name, PASSWORD)
    picture = write_everywhere(person, search)
    assert {line.split(" in ")[0] for line in found(server, search)} == {*search.secrets}
    assert holding(server.data, picture) == []  # it was made anew
    stored = [path.read_bytes()[-4000:] for path in pictures(server.data)]
    assert len(stored) == 2
    leave(person)
    until(lambda: not [line for line in found(server, search) if line.split(" in ")[0] not in KEPT], "the end of it")
    assert pictures(server.data) == []
    assert [path for one in stored for path in holding(server.data, one)] == []
    assert person.get("/").url.startswith(f"{server.url}/accounts/login/")


def write_everywhere(person: Person, search: Search) -> bytes:
    """Into every box there is for a member; returns the bytes of a picture."""
    picture = photograph(300, 200)
    named = f"{search.make('what a file was called', length=20)}.jpg"
    asked, said = search.make("a question"), search.make("an answer")
    sent = person.send(f"{asked} [[say:{said}]]", model=FLASH, images=[(named, picture, "image/jpeg")])
    person.follow(sent.reply_uuid, reconnect=True)
    talk = f"/c/{sent.conversation_uuid}/settings/"
    title = search.make("a title")
    person.submit(person.get(talk).form_with("title"), {"title": title})
    called = search.knows("the name of a prompt", made(length=20).lower())
    prompt = {"name": called, "text": search.make("a prompt")}
    assert person.submit(person.get("/prompts/new/").form_with("text"), prompt).status_code < 400
    preset = {"name": search.make("the name of a preset", length=20), "system_prompt": search.make("a preset")}
    assert person.submit(person.get("/presets/new/").form_with("system_prompt"), preset).status_code < 400
    return picture


def leave(person: Person) -> None:
    page = person.get("/settings/data/delete/")
    page = person.submit(page.form_with("password"), {"password": PASSWORD}).page
    form = page.form_with("without_export")
    assert person.submit(form, ticked=[("without_export", "yes")]).status_code == 302


def found(server: Server, search: Search) -> list[str]:
    """Database, its log and the pictures of it, pages that are free included."""
    search.said.clear()
    for path in server.data.rglob("*"):
        if path.is_file():
            search.hears(path.name, path.read_bytes())
    return search.found()


def pictures(folder: Path) -> list[Path]:
    return [path for path in (folder / "images").rglob("*") if path.is_file()]


def holding(folder: Path, piece: bytes) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file() and piece[-4000:] in path.read_bytes()]
