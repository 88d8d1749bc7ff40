"""The proof of the full disk: people are told, nothing is half or lost, and it goes on when there is room."""

import resource
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from tests.faults import invariants
from tests.faults.crash import words
from tests.faults.site import MODEL, Embedded, in_another_thread, logged_in
from tests.live.browserless import Person, Refused, Sent
from tests.live.forms import Upload
from tests.live.pages import Page
from tests.live.transcript import Transcript
from tests.services.photographs import photograph
from tests.serving import until
from tests.simulator import Simulator

PICTURE: Upload = ("p.jpg", photograph(400, 300), "image/jpeg")
LARGE_PICTURE: Upload = ("large.jpg", photograph(400, 300) + bytes(3 << 20), "image/jpeg")
"""Larger than what Django keeps of an upload in memory."""
FORMS = ("plain", "script", "picture", "large picture")


@dataclass
class Figures:
    """What came out. `wrong`: a line for each thing that is not as promised."""

    refused: int = 0
    taken: int = 0
    wrong: list[str] = field(default_factory=list)


@contextmanager
def full(site: Embedded) -> Iterator[None]:
    """No file of the site's processes can grow by a byte, nor be written anew."""
    limits = {pid: resource.prlimit(pid, resource.RLIMIT_FSIZE) for pid in site.pids()}
    for pid, (_, hard) in limits.items():
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (0, hard))
    try:
        yield
    finally:
        for pid, limit in limits.items():
            resource.prlimit(pid, resource.RLIMIT_FSIZE, limit)


def prove(site: Embedded, simulator: Simulator, *, seconds: float) -> Figures:
    """Fill the disk for so long while a reply is being written, and try each kind of write meanwhile."""
    figures = Figures()
    alice = logged_in(site.url, "alice")
    page, keys = alice.page(), {form: uuid.uuid4().hex for form in FORMS}
    sent = alice.send("[[tokens:80]] [[hold:20]]", model=MODEL)
    shown, follower = followed(in_another_thread(alice), sent.reply_uuid)
    until(lambda: shown.text.split() == words(20).split(), "the text so far", 60)
    with full(site):
        last_moment = time.monotonic() + seconds
        simulator.release()
        for form in FORMS:
            figures.wrong += [f"{form}: {line}" for line in _refused(_send(alice, page, form, keys[form]), form)]
            figures.refused += 1
        figures.wrong += _login_refused(site.url)
        for path in ("/", f"/c/{sent.conversation_uuid}/", "/c/", "/settings/", "/healthz"):
            if (status := alice.get(path).status_code) != 200:
                figures.wrong.append(f"{path} could not be read: {status}")
        time.sleep(max(0.0, last_moment - time.monotonic()))
        if shown.text.split() != words(20).split():
            figures.wrong.append(f"shown but not stored: {shown.text[-40:]!r}")
    follower.join(60)
    article = alice.page(sent.conversation_uuid).replies[-1]
    if (article.status, article.text, shown.text) != ("complete", words(80), words(80)):
        figures.wrong.append(f"the reply is {article.status}, {article.error}: {article.text[-40:]!r}")
    for form in FORMS:
        again = _send(alice, page, form, keys[form])
        figures.taken += again.status_code in (200, 303)
    logged_in(site.url, "alice")
    until(lambda: not site.rows(invariants.UNSETTLED), "the end of all replies")
    figures.wrong += invariants.broken(site) + _halves(site)
    return figures


def followed(person: Person, reply: str) -> tuple[Transcript, threading.Thread]:
    shown = Transcript()
    follower = threading.Thread(
        target=person.follow, args=(reply,), kwargs={"into": shown, "reconnect": True, "deadline": 300.0}
    )
    follower.start()
    return shown, follower


def _send(alice: Person, page: Page, form: str, key: str) -> Sent:
    typed = {"text": f"Kept, {form} [[say:Yes.]]", "model": MODEL, "key": key}
    images = {"picture": [PICTURE], "large picture": [LARGE_PICTURE]}.get(form, [])
    return alice.submit(page.form_with("text"), typed, {"images": images}, htmx=form == "script")


def _refused(sent: Sent, form: str) -> Iterator[str]:
    """What is not as promised about the answer to a message that could not be stored."""
    if sent.status_code != 503:
        yield f"answered {sent.status_code}"
    elif "cannot store anything" not in sent.page.text:
        yield f"not said: {sent.page.text[:200]}"
    elif form in ("plain", "picture") and f"Kept, {form}" not in sent.page.html:
        yield "the text is not given back"


def _login_refused(url: str) -> list[str]:
    try:
        logged_in(url, "alice")
    except Refused as refusal:
        return [] if "cannot store anything" in str(refusal) else [f"login: {refusal}"]
    return ["login: stored nothing and was let in"]


def _halves(site: Embedded) -> list[str]:
    """Pictures in the database without their file, and files that were begun."""
    files = {path.name for path in (site.data / "images").rglob("*") if path.is_file()}
    named = [row[0] for row in site.rows("SELECT sha256 FROM conversations_attachment")]
    missing = [digest for digest in named if not any(name.startswith(digest) for name in files)]
    return [f"no file for {digest}" for digest in missing] + [f"half a file {one}" for one in files if ".part" in one]
