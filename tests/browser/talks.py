"""The conversations that the screenshots show, held with the simulator; and what stands around them."""

from collections.abc import Callable

from playwright.sync_api import FilePayload, Page, expect

from tests.browser.conftest import last_reply, send
from tests.services.photographs import photograph
from tests.serving import Server
from tests.simulator import Simulator

FLASH = "aimlapi/google/gemini-2.5-flash"
PAINTER = "segmind/gemini-2-flash-image-generation"

MOONS = """\
Counting the confirmed ones, **Saturn** leads by far:

| Planet | Moons | Rings |
|---|---:|:---:|
| Mars | 2 | no |
| Jupiter | 97 | yes |
| Saturn | 274 | yes |

And here is a greeting for each of them:

```python
def greet(planet: str, moons: int) -> str:
    \"\"\"One line of welcome.\"\"\"
    return f"Hello, {planet}! How are your {moons} moons?"


print(greet("Mars", 2))
```

Save it as `greet.py`, then run `python greet.py`.
"""
ARABIC = """\
البحر في الصباح هادئ، ولونه يتغيّر مع ارتفاع الشمس:

- عند الفجر رمادي
- في الضحى **أزرق فاتح**
- عند الغروب ذهبي

والكلمة الإنجليزية هي `sea`.
"""
LONG = """\
The address is https://example.org/an/address/without/any/place/where/a/line/could/end/0123456789abcdefghijklmnopqrstuvwxyz

```sh
rsync --archive --compress --human-readable --delete --exclude-from=./excluded.txt ./photographs/ backup:/srv/pictures/
```

> Simplicity is prerequisite for reliability.

| Option | What it does | When it is wanted | What to look out for |
|---|---|---|---|
| `--archive` | keeps permissions, times, links and owners | nearly always | needs rights on the other side |
| `--delete` | removes what is gone here | for mirrors | removes what is gone here |
"""
STORY = (
    "Once there was a lighthouse at the edge of a quiet bay. Its keeper wrote down every ship that passed, with the "
    "hour and the colour of its flag, although nobody had ever asked for the list. One winter the fog stayed for "
    "eleven days."
)
FORMULAS = """\
The tunnels of light under a curve add up to its area:

$$\\int_0^1 x^2\\,dx = \\frac{1}{3}$$

For a sign there are two cases:

$$|x| = \\begin{cases} x & x \\ge 0 \\\\ -x & x < 0 \\end{cases}$$

- [x] limits of the sum
- [ ] the same by hand[^1]

[^1]: With rectangles of one width.
"""
PHOTO: FilePayload = {"name": "holiday.jpg", "mimeType": "image/jpeg", "buffer": photograph(1200, 800)}
# Talks of some weeks: pinned, archived, and some to be deleted while pictures are taken.
OLDER = """
from datetime import timedelta
from django.utils import timezone
from conversations.models import Conversation, Message, Part, Preset, Prompt, Rating, User
ada, now = User.objects.get(username="ada"), timezone.now()
old = (
    (1, "Names for a sailing boat"), (1, "Rye bread without yeast"), (3, "Letter to the landlord"),
    (5, "Weekend in Porto"), (12, "How do tides work?"), (20, "SQL window functions"), (45, "Speech for the wedding"),
)
for days, title in (*old, *[(60, "Ideas for a present")] * 8):
    Conversation.objects.create(owner=ada, title=title, model="FLASH", active_at=now - timedelta(days=days))
Conversation.objects.filter(title__in=("Weekend in Porto", "Rye bread without yeast")).update(pinned=True)
Conversation.objects.filter(title="How do tides work?").update(archived=True)
thought = "The question is about counting. Saturn passed Jupiter in 2023, so the newest count matters."
reply = Message.objects.filter(role="assistant", parts__text__contains="Saturn").first()
Part.objects.create(message=reply, position=9, kind="reasoning", text=thought)
Rating.objects.create(message=reply, value=1, comment="The table is just what I needed.")
for name, text in (("explain", "Explain {{topic}} to a child of ten."), ("translate", "Into {{language}}: {{text}}")):
    Prompt.objects.create(owner=ada, name=name, text=text)
Preset.objects.create(owner=ada, name="Kind editor", model="FLASH", system_prompt="You are a kind editor.")
""".replace("FLASH", FLASH)


# A connection beside those of the environment, to the same simulator.
HOUSE = """
from conversations.models import Connection, OfferedModel
from conversations.services import connections
house = Connection(slug="house", label="House models", base_url={url!r}, may_be_private=True, takes_own_keys=True)
connections.store(house, key={key!r}, headers="X-Team: research-and-writing")
OfferedModel.objects.create(
    connection=house, name="google/gemini-2.5-flash", label="House flash", description="Quick, on our own account.",
    position=200, sees_pictures=True, context_window=1048576, default_max_tokens=8192, price_input="0.3",
    price_output="2.5", price_cached="0.075",
)
"""

# Three weeks of calls, budgets, and what is left at a provider.
SPENT = """
import datetime as dt
from django.utils import timezone
from conversations.models import Budget, LedgerEntry, User
from conversations.services import sums
people = list(User.objects.order_by("pk")[:2])
now = timezone.now()
for number in range(120):
    person, at = people[number % 3 % 2], now - dt.timedelta(hours=number * 4)
    model = ("aimlapi/google/gemini-2.5-flash", "segmind/gemini-1.5-pro")[number % 5 % 2]
    is_known = number % 11 > 0
    LedgerEntry.objects.create(
        call=10**9 + number, reply=10**9 + number, attempt=1, at=at, day=timezone.localdate(at), person=person.pk,
        person_name=person.username, model=model, connection=model.partition("/")[0], is_own_key=False,
        outcome="complete", status_code=200, prompt_tokens=900 + 37 * number, output_tokens=300 + 11 * number,
        pictures=number % 7 == 0 or None, remaining=(4000 - number) * 10**8, basis="stated" if is_known else "",
        currency="USD" if is_known else "", amount=(1 + number * 7 % 13) * 10**10 if is_known else None,
    )
sums.add_up()
Budget.objects.create(scope="each", period="month", money="20", set_aside="0.10")
Budget.objects.create(scope="site", period="day", messages=500)
"""


def hold(page: Page, simulator: Simulator, server: Server) -> dict[str, str]:
    """Hold the conversations; gives the address of each, and that of an invitation."""
    addresses: dict[str, str] = {}

    def keep(name: str) -> None:
        page.wait_for_url("**/c/**")
        addresses[name] = page.url
        page.goto("/")

    _texts(page, simulator, keep)
    _states(page, simulator, keep)
    _moons(page, simulator, keep)
    server.manage("shell", "-v0", "-c", OLDER)
    server.manage("shell", "-v0", "-c", SPENT)
    server.manage("shell", "-v0", "-c", HOUSE.format(url=simulator.base_url, key=simulator.key))
    addresses["invited"] = server.manage("invite").stdout.strip()
    _running(page, simulator, keep)
    return addresses


def _texts(page: Page, simulator: Simulator, keep: Callable[[str], None]) -> None:
    """What an answer may hold: long lines, another script, formulas, pictures, an attached text."""
    simulator.script(say=LONG)
    send(page, "How do I mirror my photographs to another machine? " + "Please be thorough. " * 12, model=FLASH)
    last_reply(page)
    keep("long")
    simulator.script(say=ARABIC)
    send(page, "اكتب لي جملة عن البحر في الصباح")
    last_reply(page)
    keep("right-to-left")
    simulator.script(say=FORMULAS)
    send(page, "What is the area under a parabola?")
    last_reply(page)
    keep("mathematics")
    send(page, "Draw a landscape with a yellow sun", model=PAINTER)
    expect(last_reply(page).locator("img")).to_be_visible()
    send(page, "Make the sky darker")
    expect(last_reply(page, count=2).locator("img")).to_be_visible()
    keep("pictures")
    simulator.script(
        say="Two things stand out: the keeper writes everything down, and nobody reads it. That is the story."
    )
    story: FilePayload = {"name": "story.txt", "mimeType": "text/plain", "buffer": (STORY * 9).encode()}
    page.get_by_label("Attach images").set_input_files([story])
    expect(page.locator("#texts li")).to_have_count(1)
    send(page, "What is this text about?", model=FLASH)
    last_reply(page)
    keep("attached-text")
    send(page, "Here is my diary. " + "It rained, and the harbour was empty. " * 1600, model=PAINTER)
    last_reply(page)
    simulator.script(say="From the part that I can still see: it rained, and the harbour was empty.")
    send(page, "And the second part. " + "It rained, and the harbour was empty. " * 1600)
    last_reply(page, count=2)
    keep("memory")


def _states(page: Page, simulator: Simulator, keep: Callable[[str], None]) -> None:
    """What may become of an answer: refused, stopped, given anew, compared."""
    for _ in range(2):
        simulator.script(fault="429")
    send(page, "Write a friendly note that moves our meeting to Thursday.", model=FLASH)
    last_reply(page, "failed")
    keep("error")
    simulator.script(say=STORY, hold=30)
    send(page, "Tell me a story about a lighthouse at the end of a quiet bay.")
    expect(page.locator("[data-tail]")).to_contain_text("hour")
    page.get_by_role("button", name="Stop").click()
    last_reply(page, "stopped")
    simulator.release()
    keep("stopped")
    for answer in ("Call it *Gull*.", "Call it *Second Wind*: it has had another owner.", "Call it *Patience*."):
        simulator.script(say=answer)
    send(page, "A name for my boat?")
    last_reply(page)
    for number in (2, 3):
        page.get_by_role("button", name="Answer again").click()
        expect(page.get_by_text(f"{number} of {number}")).to_be_visible()
        last_reply(page)
    page.get_by_role("button", name="Previous version").click()
    expect(page.get_by_text("2 of 3")).to_be_visible()
    keep("branches")
    page.get_by_role("button", name="Compare", exact=True).click()
    page.get_by_role("checkbox", name="Gemini 1.5 Pro (Segmind)").check()
    page.keyboard.press("Escape")
    simulator.script(say="Because air scatters blue light more than red: short waves are sent to all sides.", times=2)
    send(page, "Why is the sky blue?", model=FLASH)
    expect(page.get_by_role("button", name="Go on with this one")).to_have_count(2)
    keep("columns")


def _moons(page: Page, simulator: Simulator, keep: Callable[[str], None]) -> None:
    simulator.script(say=MOONS)
    send(page, "Which planet has the most moons? Show a table and a small Python greeting.", model=FLASH)
    last_reply(page)
    keep("conversation")


def _running(page: Page, simulator: Simulator, keep: Callable[[str], None]) -> None:
    """Two at the same time are as many as this server lets: the last one waits in line."""
    simulator.script(say="A lake between hills, in the morning: the sun stands low on the left, and the water is calm.")
    page.get_by_label("Attach images").set_input_files([PHOTO])
    send(page, "What is in this picture?", model=FLASH)
    last_reply(page)
    for name in ("running", "waiting"):
        simulator.script(say=STORY, hold=40)
        send(page, "Tell me a story about a lighthouse.")
        expect(page.locator("[data-tail]")).to_contain_text("the colour")
        if name == "waiting":
            send(page, "And how does it end?")
            expect(page.get_by_text("Waiting to be sent")).to_be_visible()
        keep(name)
    send(page, "Is there a light on the other side, too?")
    expect(page.get_by_text("Waiting in line")).to_be_visible()
    keep("queued")
