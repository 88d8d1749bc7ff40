"""A simulator of the model providers: one real HTTP server that speaks the languages of all of them.

It listens on one address and answers, under /v1 unless said otherwise:

    POST gemini-2.5-flash                   Segmind, chat messages             key in `x-api-key`
    POST gemini-2-flash-image-generation    Segmind, Gemini in `messages`      draws and edits real pictures
    POST gemini-1.5-pro                     Segmind, Gemini in `messages`
    GET  models                             what AI/ML API and the local server offer
    GET  get-user-credits                   Segmind's account
    POST chat/completions                   AI/ML API, `google/gemini-2.5-flash`, `Authorization: Bearer`, streams;
                                            a model name with "smollm2" is the local server: no key, no pictures
    GET  /v2/billing                        AI/ML API's account (outside /v1)
    POST /v1beta/models/<name>:generateContent, :streamGenerateContent     Google's own interface, `x-goog-api-key`
    GET  /v1beta/models

It refuses what they refuse, answers from the content of the talk (it remembers names, counts turns, does sums, writes
Markdown, describes pictures, draws "a red circle on a blue background" and then can "make it green", "rotate it", "make
the sky darker", "add a border"), and produces every odd shape and fault that these interfaces are known for.

From the command line
    python -m tests.simulator --port 9001 --key demo-key        prints its address when it is ready
    python -m tests.simulator --list                            all directives, shapes and faults

In a message: directives in the last user text, for instance
    Hello [[fault:case-13]]         [[shape:gemini]] Hello         [[tokens:200]] [[delay:20]]         [[say:Yes.]]
They are cut out of what the model reads. One counts unless a blank line follows it in its text part.

In a test
    with Simulator() as sim:                        any field of Settings by keyword, e.g. refuse_system=True
        sim.url, sim.base_url                       the root, and the root with /v1
        sim.requests[-1].body                       what came: method, path, headers, raw, body, status, outcome
        sim.script(fault="503", times=2)            directives for the next requests, whatever their text
        sim.script(Reply(body=(b"data: x", Cut()))) or the very bytes of a reply, in steps
        sim.hold(), sim.wait_held(), sim.release()  replies stand still before the head and before each token
        sim.open_calls, sim.wait_closed(2)          calls being answered: a stopped one must vanish
        sim.wait_requests(3), sim.wait_for(claim)   wait for something, with a deadline
A bug of the simulator itself fails the `with` block at its end.

The way of a request: `server` reads it, `answering` admits it (`segmind`, `aimlapi`, `checks`, `errors`), `brain` finds
the answer (`painter`, `editor`), `shapes`, `streams` or a fault (`cases`, `statuses`, `breaks`, `bodies`) makes it a
`reply`, and `transport` puts that on the wire. Nothing of the product is imported.
"""

from .painter import COLOURS
from .reply import Checkpoint, Cut, Pause, Raw, Reply, Reset, Silence, json_reply
from .server import Recorded, Simulator
from .settings import Settings

__all__ = [
    "COLOURS",
    "Checkpoint",
    "Cut",
    "Pause",
    "Raw",
    "Recorded",
    "Reply",
    "Reset",
    "Settings",
    "Silence",
    "Simulator",
    "json_reply",
]
