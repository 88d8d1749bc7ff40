"""`make demo`: the server against the simulator of all four systems, with conversations that were really held.

Data lies in data/demo and is made at the first start; the account is demo with the password it prints.
"""

import os
import signal
import sys
from pathlib import Path

from tests.live.browserless import Person
from tests.services.photographs import photograph
from tests.serving import PASSWORD, ROOT, Server
from tests.simulator import Simulator

KEY = "demo-key"
PAINTER = "segmind/gemini-2-flash-image-generation"
FLASH = "aimlapi/google/gemini-2.5-flash"
PRO = "segmind/gemini-1.5-pro"

TALKS: list[tuple[str, list[str]]] = [
    (FLASH, ["My name is Ada. Please answer with a table, a list and some code.", "What is my name?"]),
    (PAINTER, ["Draw a red circle on a blue background", "Make it green", "Add a border"]),
    (FLASH, ["اكتب لي جملة عن البحر"]),
    (FLASH, ["This one runs out of credit [[fault:case-9]]"]),
]


def main() -> int:
    data = Path(os.environ.get("CHATSITE_DATA", ROOT / "data" / "demo"))
    data.mkdir(parents=True, exist_ok=True)
    is_new = not (data / "chatsite.sqlite3").exists()
    with Simulator(key=KEY) as simulator:
        server = Server(data, settings_for(simulator), port=int(os.environ.get("PORT", "8000")))
        if is_new:
            server.add_people("demo", "root")
        with server:
            if is_new:
                hold_talks(server.url)
            print(f"Chatsite's demo is at {server.url}; log in as demo (or root, the administrator): {PASSWORD}")
            print("Ctrl-C ends it.", flush=True)
            signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
            try:
                signal.pause()
            except (KeyboardInterrupt, SystemExit):
                server.stop()
    return 0


def settings_for(simulator: Simulator) -> dict[str, str]:
    return {
        "SEGMIND_API_KEY": KEY,
        "SEGMIND_BASE_URL": simulator.base_url,
        "AIMLAPI_API_KEY": KEY,
        "AIMLAPI_BASE_URL": simulator.base_url,
        "CHATSITE_LOCAL_MODEL": "true",
    }


def hold_talks(url: str) -> None:
    """Sample conversations, sent like anybody's."""
    print("Holding sample conversations …", flush=True)
    demo = Person(url)
    demo.log_in("demo", PASSWORD)
    for model, messages in TALKS:
        conversation = None
        for text in messages:
            conversation = say(demo, text, conversation, model)
    picture = [("holiday.jpg", photograph(1200, 800), "image/jpeg")]
    say(demo, "What is in this picture?", None, PRO, picture)


def say(
    person: Person, text: str, conversation: str | None, model: str, images: list[tuple[str, bytes, str]] | None = None
) -> str:
    sent = person.send(text, conversation, model=model, images=images or [])
    person.follow(sent.reply_uuid, reconnect=True)
    return sent.conversation_uuid


if __name__ == "__main__":
    sys.exit(main())
