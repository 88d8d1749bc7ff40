"""Taking out everything over the wire: a whole zip, sent while it is made."""

import io
import json
import zipfile

from tests.live.browserless import Person
from tests.serving import Server

MODEL = "aimlapi/google/gemini-2.5-flash"


def test_everything_of_a_person_comes_as_one_file(server: Server, alice: Person) -> None:
    sent = alice.send("[[say:canary-answer]]", model=MODEL)
    alice.follow(sent.reply_uuid, reconnect=True)
    download = alice.press(alice.get("/settings/data/"), "Download everything").response
    assert download.headers["Content-Disposition"] == 'attachment; filename="chatsite-alice.zip"'
    assert download.headers["Cache-Control"] == "private, no-store"
    assert "Content-Length" not in download.headers
    with zipfile.ZipFile(io.BytesIO(download.content)) as archive:
        talk = json.loads(archive.read(f"conversations/{sent.conversation_uuid}.json"))
    assert talk["messages"][-1]["content"][0]["text"] == "canary-answer"
    deleted = server.manage("person", "delete", "alice")
    assert deleted.stdout == "alice is deleted with everything of theirs.\n"
    assert alice.get("/").url.startswith(f"{server.url}/accounts/login/")
