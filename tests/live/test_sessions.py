"""Sessions against a real server: what is ended elsewhere stops streaming, and the reply is finished."""

import threading

import requests

from tests.live.browserless import Person
from tests.live.transcript import Transcript
from tests.serving import PASSWORD, Server, until
from tests.simulator import Simulator

MODEL = "aimlapi/google/gemini-2.5-flash"
PATIENCE = 10.0  # seconds: 5 are promised, and the machine of a test may be busy; nothing else would end the stream


def follow(person: Person, reply: str) -> tuple[threading.Thread, Transcript]:
    """Once the text so far is there."""
    shown = Transcript()
    follower = threading.Thread(target=person.follow, args=(reply,), kwargs={"into": shown})
    follower.start()
    until(lambda: "w5" in shown.text, "the text so far")
    return follower, shown


def test_an_ended_session_stops_streaming_and_the_reply_is_finished(server: Server, simulator: Simulator) -> None:
    here, there = Person(server.url), Person(server.url)
    for person in (there, here):
        person.log_in("alice", PASSWORD)
    sent = there.send("[[tokens:40]] [[hold:5]]", model=MODEL)
    assert simulator.wait_held()
    (kept, shown), (ended, _) = (follow(person, sent.reply_uuid) for person in (here, there))
    here.press(here.get("/accounts/sessions/"), "End all others")
    ended.join(PATIENCE)
    assert not ended.is_alive()
    assert kept.is_alive()
    assert requests.get(f"{server.url}/replies/{sent.reply_uuid}/events/", timeout=60).status_code == 401
    assert there.get("/").url.startswith(f"{server.url}/accounts/login/")
    simulator.release()
    kept.join(60)
    assert shown.text.endswith("w40")
