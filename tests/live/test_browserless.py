"""The client that the live tests and the benchmark rely on, tried against a site whose every byte is known."""

import asyncio
import threading
from collections.abc import Iterator

import pytest

from tests.live import browserless, fake_site, hypertext, pages, rawhttp
from tests.live.browserless import Person, Refused
from tests.live.eventstream import EventStream, ServerEvent
from tests.live.fake_site import CONVERSATION, REPLY, FakeSite, Stream
from tests.live.forms import Form
from tests.live.rawhttp import Reply
from tests.live.transcript import Transcript

GRAMMAR: dict[str, tuple[bytes, list[ServerEvent]]] = {
    "lf": (b"event: a\ndata: 1\n\n", [ServerEvent("a", "1", "")]),
    "cr": (b"event: a\rdata: 1\r\r", [ServerEvent("a", "1", "")]),
    "crlf": (b"event: a\r\ndata: 1\r\n\r\n", [ServerEvent("a", "1", "")]),
    "mixed line ends": (b"event: a\r\ndata: 1\rdata: 2\n\r\n", [ServerEvent("a", "1\n2", "")]),
    "byte order mark": (b"\xef\xbb\xbfdata: 1\n\n", [ServerEvent("message", "1", "")]),
    "second mark is data": (b"\xef\xbb\xbf\xef\xbb\xbfdata: 1\n\ndata: 2\n\n", [ServerEvent("message", "2", "")]),
    "comment": (b": ping\n\ndata: 1\n:\n\n", [ServerEvent("message", "1", "")]),
    "several data lines": (b"data: a\ndata:\ndata: b\n\n", [ServerEvent("message", "a\n\nb", "")]),
    "empty data is an event": (b"data\n\ndata:\n\n", [ServerEvent("message", "", "")] * 2),
    "no data is no event": (b"event: a\n\ndata: 1\n\n", [ServerEvent("message", "1", "")]),
    "only one space goes": (b"data:  a\ndata:b\ndata: c: d\n\n", [ServerEvent("message", " a\nb\nc: d", "")]),
    "name holds for one event": (
        b"event: a\ndata: 1\n\ndata: 2\n\n",
        [ServerEvent("a", "1", ""), ServerEvent("message", "2", "")],
    ),
    "id holds": (
        b"id: 7\ndata: 1\n\ndata: 2\n\n",
        [ServerEvent("message", "1", "7"), ServerEvent("message", "2", "7")],
    ),
    "id is emptied": (
        b"id: 7\ndata: 1\n\nid\ndata: 2\n\n",
        [ServerEvent("message", "1", "7"), ServerEvent("message", "2", "")],
    ),
    "id with nul is ignored": (b"id: 7\nid: 8\x00\ndata: 1\n\n", [ServerEvent("message", "1", "7")]),
    "id without data": (b"id: 7\n\ndata: 1\n\n", [ServerEvent("message", "1", "7")]),
    "unknown field": (b"datum: x\ndata : y\ndata: 1\n\n", [ServerEvent("message", "1", "")]),
    "unfinished event is lost": (b"data: 1\n\ndata: 2\n", [ServerEvent("message", "1", "")]),
    "characters of many bytes": ("data: é€😀\n\n".encode(), [ServerEvent("message", "é€😀", "")]),
    "broken bytes": (b"data: a\xff\xe2\x82\n\n", [ServerEvent("message", "a\ufffd\ufffd", "")]),
    "other separators are text": (
        "data: a\u2028b\u0085c\x0bd\n\n".encode(),
        [ServerEvent("message", "a\u2028b\u0085c\x0bd", "")],
    ),
}


@pytest.mark.parametrize(("stream", "events"), GRAMMAR.values(), ids=GRAMMAR.keys())
def test_every_rule_of_the_grammar_holds_for_every_cutting(stream: bytes, events: list[ServerEvent]) -> None:
    def read(*pieces: bytes) -> list[ServerEvent]:
        reader = EventStream()
        return [event for piece in pieces for event in reader.feed(piece)]

    assert read(stream) == events
    assert read(*(bytes([byte]) for byte in stream)) == events
    for cut in range(len(stream) + 1):
        assert read(stream[:cut], b"", stream[cut:]) == events


def test_retry_is_taken_from_digits_only() -> None:
    reader = EventStream()
    reader.feed(b"retry: soon\nretry: 5e2\nretry: \xd9\xa1\n")
    assert reader.retry is None
    reader.feed(b"retry: 500\nretry: -1\n")
    assert reader.retry == 500


def test_comments_are_counted_and_the_last_id_is_kept_for_the_next_connection() -> None:
    reader = EventStream("41")
    assert reader.feed(b":\n: ping\ndata: 1\n\n") == [ServerEvent("message", "1", "41")]
    reader.feed(b"id: 42\n")
    assert (reader.comments, reader.last_event_id) == (2, "41")
    reader.feed(b"\n")
    assert reader.last_event_id == "42"


# --- What a stream makes of the page ----------------------------------------------------------------------------------
def shown(*events: tuple[str, str]) -> Transcript:
    transcript = Transcript()
    for number, (name, data) in enumerate(events):
        transcript.apply(ServerEvent(name, data, str(number)), float(number))
    return transcript


def test_blocks_are_added_and_the_tail_is_replaced_and_continued() -> None:
    transcript = shown(
        ("reset", "<p>one</p>"), ("tail", "<p>tw</p>"), ("more", "o &lt; "), ("more", "3"), ("state", "<i>writing</i>")
    )
    assert transcript.text == "one\ntwo < 3"
    transcript.apply(ServerEvent("tail", "<p>two <b>&lt; 3</b></p>", "9"), 9.0)
    assert transcript.text == "one\ntwo < 3"
    transcript.apply(ServerEvent("append", "<p>two <b>&lt; 3</b></p>", "10"), 10.0)
    assert (transcript.text, transcript.tail, transcript.last_event_id) == ("one\ntwo < 3", "", "10")
    assert transcript.state == "<i>writing</i>"


def test_reset_replaces_the_blocks_and_leaves_the_tail_to_the_next_event() -> None:
    transcript = shown(("reset", ""), ("append", "<p>one</p>"), ("tail", "<p>tw</p>"), ("reset", "<p>one</p>"))
    assert transcript.text == "one\ntw"
    transcript.apply(ServerEvent("tail", "<p>two</p>", "4"), 4.0)
    assert transcript.text == "one\ntwo"


def test_the_final_article_replaces_everything() -> None:
    transcript = shown(("tail", "<p>tw</p>"), ("final", fake_site.ARTICLES.partition('role="log">')[2]))
    assert transcript.final is not None
    assert transcript.ending == "final"
    assert transcript.streamed_text == "tw"
    assert transcript.text == transcript.final.text


def test_nothing_may_come_after_the_end() -> None:
    transcript = shown(("tail", "<p>x</p>"), ("end", ""))
    with pytest.raises(ValueError, match="came after 'end'"):
        transcript.apply(ServerEvent("more", "y", ""), 0.0)
    assert shown(("final", ""), ("end", "")).ending == "final"


def test_an_event_of_an_unknown_name_is_noted() -> None:
    assert shown(("tail", "x"), ("surprise", "y")).unknown == ["surprise"]


# --- Pages ------------------------------------------------------------------------------------------------------------
def test_an_article_is_read_by_its_names() -> None:
    user, reply = pages.articles_in(hypertext.parse(fake_site.ARTICLES), "http://site/c/x/")
    assert (user.role, user.status, user.text) == ("user", "complete", "Look & tell")
    assert user.images == ("http://site/attachments/a1/thumb",)
    assert user.originals == ("http://site/attachments/a1/original",)
    assert (reply.uuid, reply.role, reply.status, reply.is_running) == (REPLY, "assistant", "failed", False)
    assert reply.text == "Half an answer\na  b\nc"
    assert reply.error == pages.Remark("rate-limited", "Too many requests. Try again in 20 s.")
    assert reply.notices == (pages.Remark("cut", "Cut at the limit."),)
    assert reply.reasoning == "Thoughts\nHm."
    assert reply.footer == "12 tokens"
    assert reply.sse_url == f"http://site/replies/{REPLY}/events/"


def test_what_stands_beside_the_answer_is_not_its_text() -> None:
    beside = '<p role="alert">No credit.</p><p data-notice="n">Cut.</p><details data-reasoning>Hm</details>'
    beside += "<button>Copy</button><footer>9 tokens</footer>"
    html = f'<article data-message="1"><div data-body><p>Yes</p>{beside}</div></article>'
    assert pages.articles_in(hypertext.parse(html))[0].text == "Yes"


def test_a_button_is_looked_for_inside_its_message() -> None:
    articles = [
        f'<article data-message="{name}"><form action="/{name}/"><button>Retry</button></form></article>'
        for name in "ab"
    ]
    page = pages.Page("http://site/", 200, "".join(articles))
    assert page.button("Retry", page.article("b").element)[0].action == "http://site/b/"
    with pytest.raises(LookupError, match="no button 'Stop'"):
        page.button("Stop")


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("a<br>b", "a\nb"),
        ("<p>a <b>b</b>  c</p><p>d</p>", "a b c\nd"),
        ("<pre>\n a\n\n b</pre>", " a\n\n b"),
        ("a<script>b</script><style>c</style><i hidden>d</i>e", "ae"),
        ("&lt;b&gt;&nbsp;x", "<b>\xa0x"),
        ("<ul><li>a<li>b</ul>", "a\nb"),
        ("<p>a</i></p>b", "a\nb"),
    ],
)
def test_visible_text(html: str, text: str) -> None:
    assert hypertext.parse(html).text == text


def form(html: str) -> Form:
    root = hypertext.parse(html)
    found = root.find("form")
    assert found is not None
    return Form(found, root, "http://site/page/")


def test_a_form_sends_what_a_browser_would() -> None:
    fields = form(
        '<form id="f"><input name="a" value="1"><input value="nameless"><input name="off" disabled value="2">'
        '<input type="checkbox" name="c1"><input type="checkbox" name="c2" checked><input type="submit" name="s">'
        '<input type="radio" name="r" value="x"><input type="radio" name="r" value="y" checked>'
        '<select name="s1"><option disabled value="">-<option value="p">P</option></select>'
        '<select name="s2"><option>P</option><option selected>Q</option></select>'
        '<textarea name="t">\nA &amp; B</textarea>'
        '</form><input name="out" form="f" value="3"><input name="other" form="g" value="4">'
    ).fields()
    assert fields == [
        ("a", "1"), ("c2", "on"), ("r", "y"), ("s1", "p"), ("s2", "Q"), ("t", "A & B"), ("out", "3")
    ]  # fmt: skip


def test_typing_into_a_field_that_is_not_there_is_an_error() -> None:
    with pytest.raises(LookupError, match="no field named nickname"):
        form('<form><input name="a"></form>').submission({"nickname": "x"})


def test_a_form_without_action_goes_to_its_page() -> None:
    submission = form('<form method="post"><input name="a" value="ä b"></form>').submission()
    assert (submission.method, submission.url, submission.body) == ("POST", "http://site/page/", b"a=%C3%A4+b")


# --- A person ---------------------------------------------------------------------------------------------------------
@pytest.fixture
def site() -> Iterator[FakeSite]:
    with fake_site.running() as running:
        yield running


@pytest.fixture
def alice(site: FakeSite) -> Person:
    person = Person(site.url, timeout=5)
    person.log_in("alice", "correct horse")
    return person


def test_a_wrong_password_is_refused(site: FakeSite) -> None:
    with pytest.raises(Refused, match="Wrong password"):
        Person(site.url).log_in("alice", "wrong")


def test_sending_fills_in_the_composer(site: FakeSite, alice: Person) -> None:
    sent = alice.send("two\nlines ä", images=[("a b.png", b"\x89PNG\r\n", "image/png")], model="segmind/gemini-1.5-pro")
    post = site.posts[-1]
    assert post.fields == [
        ("csrfmiddlewaretoken", "form-token"),
        ("key", "key-of-page"),
        ("text", "two\r\nlines ä"),
        ("model", "segmind/gemini-1.5-pro"),
    ]
    assert post.files == [("images", "a b.png", b"\x89PNG\r\n", "image/png")]
    assert (post.headers["Origin"], post.headers["Referer"]) == (site.url, site.url + "/")
    assert (sent.status_code, sent.conversation_uuid, sent.reply_uuid) == (303, CONVERSATION, REPLY)


def test_a_file_input_without_a_choice_sends_an_empty_part(site: FakeSite, alice: Person) -> None:
    alice.send("hello", CONVERSATION, key="mine")
    assert site.posts[-1].files == [("images", "", b"", "application/octet-stream")]
    assert ("key", "mine") in site.posts[-1].fields


def test_sending_by_htmx_reads_the_fragment(site: FakeSite, alice: Person) -> None:
    sent = alice.send("hello", htmx=True)
    headers = site.posts[-1].headers
    assert (headers["HX-Request"], headers["HX-Target"], headers["HX-Current-URL"]) == (
        "true",
        "transcript",
        site.url + "/",
    )
    assert (sent.status_code, sent.conversation_uuid, sent.reply_uuid) == (200, CONVERSATION, REPLY)


def test_a_refused_message_tells_why(alice: Person) -> None:
    sent = alice.send("")
    assert (sent.status_code, sent.page.alerts) == (422, ["Write something."])
    with pytest.raises(Refused, match="Write something"):
        _ = sent.reply_uuid


def test_stop_and_retry_press_the_buttons_of_the_page(site: FakeSite, alice: Person) -> None:
    alice.stop(CONVERSATION)
    assert (site.posts[-1].path, dict(site.posts[-1].fields)["reply"]) == ("/stop/", REPLY)
    alice.retry(CONVERSATION, REPLY)
    assert site.posts[-1].path == "/retry/"


# --- Following --------------------------------------------------------------------------------------------------------
FINAL = f'event: final\nid: 5\ndata: <article data-message="{REPLY}"><div data-body><p>Grüße 😀</p></div></article>\n\n'
WHOLE = (
    "retry: 20\nid: 1\nevent: reset\ndata:\n\n: ping\n\nid: 2\nevent: tail\ndata: <p>Grü</p>\n\n"
    "id: 3\nevent: more\ndata: ße\n\n" + FINAL
).encode()


def one_by_one(stream: bytes) -> list[bytes]:
    return [bytes([byte]) for byte in stream]


def test_a_reply_is_followed_to_its_final_article_in_the_smallest_chunks(site: FakeSite, alice: Person) -> None:
    site.streams = [Stream(one_by_one(WHOLE))]
    transcript = alice.follow(REPLY)
    assert (transcript.names, transcript.ending) == (["reset", "tail", "more", "final"], "final")
    assert (transcript.streamed_text, transcript.text, transcript.comments) == ("Grüße", "Grüße 😀", 1)
    assert [seen.event.id for seen in transcript.events] == ["1", "2", "3", "5"]
    arrivals = [seen.at for seen in transcript.events]
    assert arrivals == sorted(arrivals)


def test_leaving_after_events_and_going_on_with_the_last_id(site: FakeSite, alice: Person) -> None:
    site.streams = [Stream([WHOLE]), Stream([b"id: 3\nevent: more\ndata: \xc3\x9fe\n\n" + FINAL.encode()])]
    transcript = alice.follow(REPLY, leave=browserless.after_events(2))
    assert (transcript.ending, transcript.text, transcript.last_event_id) == ("left", "Grü", "2")
    assert transcript.final is None
    alice.follow(REPLY, transcript.last_event_id, into=transcript)
    assert (transcript.ending, transcript.streamed_text, transcript.connections) == ("final", "Grüße", 2)
    assert site.last_event_ids == [None, "2"]


def test_leaving_after_characters(site: FakeSite, alice: Person) -> None:
    site.streams = [Stream(one_by_one(WHOLE))]
    assert alice.follow(REPLY, leave=browserless.after_characters(5)).text == "Grüße"


def test_a_torn_connection_is_resumed_with_the_last_id_and_a_503_starts_afresh(site: FakeSite, alice: Person) -> None:
    start = WHOLE.partition(b"id: 3")[0]
    site.streams = [Stream([start], torn=True), Stream([], status=503), Stream([WHOLE])]
    transcript = alice.follow(REPLY, reconnect=True)
    assert site.last_event_ids == [None, "2", None]
    assert (transcript.ending, transcript.text, transcript.connections) == ("final", "Grüße 😀", 3)


def test_each_connection_ends_in_its_own_way(site: FakeSite, alice: Person) -> None:
    site.streams = [Stream([WHOLE]), Stream([b": nothing new\n\n"])]
    transcript = alice.follow(REPLY, leave=browserless.after_events(1))
    assert alice.follow(REPLY, "1", into=transcript).ending == "eof"


def test_without_reconnecting_every_ending_is_told_apart(site: FakeSite, alice: Person) -> None:
    site.streams = [Stream([b"event: tail\ndata: x\n\n"]), Stream([], torn=True), Stream([], status=404)]
    site.streams += [Stream([b"event: end\ndata: \n\n"])]
    assert [alice.follow(REPLY).ending for _ in range(4)] == ["eof", "cut", "refused", "end"]


def test_reading_past_the_final_article_sees_the_end(site: FakeSite, alice: Person) -> None:
    site.streams = [Stream([FINAL.encode() + b"event: end\ndata:\n\n"])]
    transcript = alice.follow(REPLY, past_final=True)
    assert (transcript.names, transcript.ending) == (["final", "end"], "final")


def test_the_final_article_closes_a_stream_that_the_server_leaves_open(site: FakeSite, alice: Person) -> None:
    site.streams = [Stream([WHOLE], held=True)]
    assert alice.follow(REPLY).ending == "final"


def test_a_stream_that_goes_on_for_too_long_says_what_was_there(site: FakeSite, alice: Person) -> None:
    site.streams = [Stream([WHOLE.partition(b"id: 3")[0]])]
    with pytest.raises(TimeoutError, match=r"2 events, last .* text so far 'Grü'"):
        alice.follow(REPLY, deadline=0)


def test_a_silent_stream_is_too_long_as_well(site: FakeSite, alice: Person) -> None:
    alice.timeout = 0.1
    site.streams = [Stream([], held=True)]
    with pytest.raises(TimeoutError, match="did not end in time: status 200, 0 events"):
        alice.follow(REPLY)


def test_reconnecting_ends_with_the_deadline(site: FakeSite, alice: Person) -> None:
    site.streams = [Stream([b"retry: 10\n\n"])] + [Stream([], status=503) for _ in range(100)]
    with pytest.raises(TimeoutError, match="status 503"):
        alice.follow(REPLY, reconnect=True, deadline=0.2)


def test_a_server_that_is_gone_is_a_cut(site: FakeSite, alice: Person) -> None:
    alice.base_url = "http://127.0.0.1:9"
    assert alice.follow(REPLY).ending == "cut"


def test_many_threads_follow_at_once(site: FakeSite, alice: Person) -> None:
    site.streams = [Stream(one_by_one(WHOLE)) for _ in range(8)]
    texts: list[str] = []
    threads = [threading.Thread(target=lambda: texts.append(alice.follow(REPLY).text)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert texts == ["Grüße 😀"] * 8


# --- The same on asyncio ----------------------------------------------------------------------------------------------
HEAD = b"HTTP/1.1 200 OK\r\nX-One: a: b\r\n"


@pytest.mark.parametrize(
    "reply",
    [
        HEAD + b"Content-Length: 5\r\n\r\nhello",
        HEAD + b"Transfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n3;x=y\r\nllo\r\n0\r\n\r\n",
    ],
)
def test_a_raw_reply_is_read_in_every_cutting(reply: bytes) -> None:
    for cut in range(len(reply) + 1):
        reader = Reply()
        assert reader.feed(reply[:cut]) + reader.feed(reply[cut:]) == b"hello"
        assert (reader.status, reader.headers["x-one"], reader.complete) == (200, "a: b", True)
        short = Reply()
        short.feed(reply[: min(cut, len(reply) - 1)])
        assert not short.complete


@pytest.mark.parametrize("stream", [b"x\n\nevent: final\n", b"event:end\ndata:\n\n"])
def test_the_name_of_a_closing_event_is_noticed_in_every_cutting(stream: bytes) -> None:
    watch = rawhttp.Watch()
    assert [watch.feed(byte) for byte in one_by_one(stream)][-1]
    assert not rawhttp.Watch().feed(b"data: the end, the final\n\nevent: more\n")


class Sink(asyncio.Transport):
    def write(self, data: object) -> None:
        """Nobody reads it."""

    def is_closing(self) -> bool:
        return False


def test_asyncio_follows_until_the_closing_event_is_whole() -> None:
    async def feed() -> rawhttp.Recording:
        connection = rawhttp.Connection()
        connection.connection_made(Sink())
        following = asyncio.ensure_future(connection.follow(b""))
        await asyncio.sleep(0)
        for byte in one_by_one(HEAD + b"\r\n" + WHOLE):
            assert not following.done()
            connection.data_received(byte)
            await asyncio.sleep(0)
        return await following

    assert asyncio.run(feed()).transcript().text == "Grüße 😀"


def test_asyncio_records_the_same_reply(site: FakeSite, alice: Person) -> None:
    site.streams = [Stream(one_by_one(WHOLE), held=True), Stream([WHOLE]), Stream([WHOLE[:60]], torn=True)]
    site.streams += [Stream([], status=503)]
    headers = {"Cookie": "session=s1"}
    address = f"{site.url}/replies/{REPLY}/events/"

    async def follow_all() -> list[Transcript]:
        recordings = [await asyncio.wait_for(rawhttp.follow(address, headers, "7"), 5) for _ in range(4)]
        return [recording.transcript() for recording in recordings]

    small, whole, torn, refused = asyncio.run(follow_all())
    assert small.text == whole.text == "Grüße 😀"
    assert small.names == whole.names == ["reset", "tail", "more", "final"]
    assert (small.ending, torn.ending, refused.ending) == ("final", "cut", "refused")
    assert site.last_event_ids == ["7"] * 4


def test_asyncio_asks_for_pages_on_one_connection(site: FakeSite) -> None:
    async def ask_twice() -> list[tuple[int, bytes]]:
        connection = await rawhttp.connect(site.url)
        asked = rawhttp.request("GET", site.url + "/accounts/login/", {})
        answers = [(await connection.ask(asked)).body() for _ in range(2)]
        connection.close()
        return [(reply.status, body) for reply, body in answers]

    for status, body in asyncio.run(ask_twice()):
        assert status == 200
        assert b"csrfmiddlewaretoken" in body
