"""What can be done while a reply runs and when it ended too early, against a real server and a real upstream."""

from tests.live.browserless import Person, after_characters, after_events
from tests.live.pages import letters
from tests.live.transcript import Transcript
from tests.serving import Server, until
from tests.simulator import Simulator

MODEL = "aimlapi/google/gemini-2.5-flash"


def words(count: int) -> str:
    return " ".join(f"w{number}" for number in range(1, count + 1))


def press(person: Person, conversation: str, name: str, *, htmx: bool = False) -> None:
    sent = person.press(person.page(conversation), name, htmx=htmx)
    assert sent.page.status_code == 200, sent.page.text


def ended(person: Person, conversation: str, text: str, status: str = "complete") -> None:
    def is_there() -> bool:
        reply = person.page(conversation).replies[-1]
        return (reply.status, reply.text) == (status, text)

    until(is_there, f"a {status} reply of {len(text)} characters")


# --- Continue -------------------------------------------------------------------------------------------------------
def test_a_stopped_reply_is_continued_in_the_same_message(alice: Person, simulator: Simulator) -> None:
    sent = alice.send("[[tokens:60]] [[hold:20]]", model=MODEL)
    alice.follow(sent.reply_uuid, leave=after_characters(len(words(20))))
    alice.stop(sent.conversation_uuid)
    simulator.hold()
    press(alice, sent.conversation_uuid, "Continue")
    assert simulator.wait_held()
    begun = alice.follow(sent.reply_uuid, leave=after_events(2))
    assert begun.names[:2] == ["reset", "tail"]
    assert begun.text.split() == words(20).split()
    assert alice.page(sent.conversation_uuid).replies[-1].text.split() == words(20).split()
    simulator.release()
    assert alice.follow(sent.reply_uuid).text == words(60)
    article = alice.page(sent.conversation_uuid).replies[-1]
    assert (article.uuid, article.status, article.text) == (sent.reply_uuid, "complete", words(60))


def test_new_text_joins_the_old_while_it_streams(alice: Person, simulator: Simulator) -> None:
    sent = alice.send("[[tokens:60]] [[hold:20]]", model=MODEL)
    alice.follow(sent.reply_uuid, leave=after_characters(len(words(20))))
    alice.stop(sent.conversation_uuid)
    simulator.script(hold=15)
    press(alice, sent.conversation_uuid, "Continue")
    assert simulator.wait_held()
    shown = alice.follow(sent.reply_uuid, leave=after_characters(len(words(35))))
    assert letters(shown.text) == letters(words(35))
    assert letters(alice.page(sent.conversation_uuid).replies[-1].text) == letters(words(35))
    simulator.release()
    ended(alice, sent.conversation_uuid, words(60))


def test_a_reply_cut_at_the_token_limit_is_continued_until_it_is_whole(alice: Person) -> None:
    conversation = alice.send("Hello", model=MODEL, values={"max_tokens": "25"}).conversation_uuid
    until(lambda: alice.page(conversation).replies[-1].status == "complete", "the first reply")
    alice.send("[[tokens:60]]", conversation, model=MODEL)
    for count in (25, 50):
        ended(alice, conversation, words(count))
        assert [notice.code for notice in alice.page(conversation).replies[-1].notices] == ["truncated"]
        press(alice, conversation, "Continue")
    ended(alice, conversation, words(60))
    assert alice.page(conversation).replies[-1].notices == ()


def test_the_last_event_id_of_the_first_run_brings_all_of_the_text(alice: Person, simulator: Simulator) -> None:
    sent = alice.send("[[tokens:60]] [[hold:20]]", model=MODEL)
    shown = alice.follow(sent.reply_uuid, leave=after_characters(len(words(20))))
    alice.stop(sent.conversation_uuid)
    simulator.hold()
    press(alice, sent.conversation_uuid, "Continue")
    assert simulator.wait_held()
    again = alice.follow(sent.reply_uuid, shown.last_event_id, leave=after_events(2))
    assert again.text == words(20)
    simulator.release()
    assert alice.follow(sent.reply_uuid, shown.last_event_id, into=shown, reconnect=True).text == words(60)


def test_stop_and_continue_in_quick_turns_lose_and_double_nothing(alice: Person) -> None:
    """The worker of a stopped run may still be closing its call when the next run is wanted."""
    sent = alice.send("[[tokens:400]] [[delay:3]]", model=MODEL)
    for _ in range(8):
        alice.follow(sent.reply_uuid, leave=after_events(6))
        alice.stop(sent.conversation_uuid)
        if alice.page(sent.conversation_uuid).replies[-1].status != "stopped":
            break
        press(alice, sent.conversation_uuid, "Continue")
    shown = Transcript()
    until(lambda: alice.follow(sent.reply_uuid, into=shown, reconnect=True).text == words(400), "the whole text")
    assert shown.text == words(400)
    ended(alice, sent.conversation_uuid, words(400))


def test_a_reply_waiting_in_line_to_be_continued_shows_its_text(
    alice: Person, server: Server, simulator: Simulator
) -> None:
    server.stop()
    server.settings = {**server.settings, "CHATSITE_REPLIES": "1"}
    server.start()
    sent = alice.send("[[tokens:40]] [[hold:20]]", model=MODEL)
    alice.follow(sent.reply_uuid, leave=after_characters(len(words(20))))
    alice.stop(sent.conversation_uuid)
    other = alice.send("[[tokens:5]] [[hold:2]]", model=MODEL)
    assert simulator.wait_held()
    press(alice, sent.conversation_uuid, "Continue")
    queued = alice.follow(sent.reply_uuid, leave=lambda event, _shown: event.name == "state")
    assert "number 1" in queued.state
    assert queued.text == words(20)
    simulator.release()
    ended(alice, sent.conversation_uuid, words(40))
    ended(alice, other.conversation_uuid, words(5))


def test_a_killed_continuation_keeps_both_runs_and_is_continued_by_the_next_server(
    alice: Person, server: Server, simulator: Simulator
) -> None:
    sent = alice.send("[[tokens:300]] [[hold:20]]", model=MODEL)
    alice.follow(sent.reply_uuid, leave=after_characters(len(words(20))))
    alice.stop(sent.conversation_uuid)
    press(alice, sent.conversation_uuid, "Continue")
    shown = alice.follow(sent.reply_uuid, leave=after_characters(len(words(40))))
    server.kill()
    server.start()
    article = alice.page(sent.conversation_uuid).replies[-1]
    if article.status == "interrupted":
        assert letters(article.text).startswith(letters(shown.text))
        press(alice, sent.conversation_uuid, "Continue")
    ended(alice, sent.conversation_uuid, words(300))


def test_a_continuation_that_fails_keeps_the_text_for_the_model_and_can_be_tried_again(
    alice: Person, simulator: Simulator
) -> None:
    sent = alice.send("[[tokens:40]] [[hold:20]]", model=MODEL)
    alice.follow(sent.reply_uuid, leave=after_characters(len(words(20))))
    alice.stop(sent.conversation_uuid)
    simulator.script(fault="401")
    press(alice, sent.conversation_uuid, "Continue")
    until(lambda: alice.page(sent.conversation_uuid).replies[-1].error_code == "auth", "the refusal")
    article = alice.page(sent.conversation_uuid).replies[-1]
    assert (article.status, article.text) == ("interrupted", words(20))
    press(alice, sent.conversation_uuid, "Continue")
    ended(alice, sent.conversation_uuid, words(40))


# --- The next message -----------------------------------------------------------------------------------------------
def test_a_waiting_message_is_sent_when_the_reply_ends(alice: Person, simulator: Simulator) -> None:
    first = alice.send("[[tokens:20]] [[hold:5]]", model=MODEL)
    assert simulator.wait_held()
    waiting = alice.send("[[tokens:7]]", first.conversation_uuid, model=MODEL).page
    assert [article.status for article in waiting.articles][-1] == "waiting"
    assert len(simulator.requests) == 1
    simulator.release()
    assert alice.follow(first.reply_uuid).text == words(20)
    ended(alice, first.conversation_uuid, words(7))
    roles = [turn["role"] for turn in simulator.requests[-1].body["messages"]]
    assert roles == ["user", "assistant", "user"]


def test_a_waiting_message_is_sent_when_the_reply_is_stopped(alice: Person, simulator: Simulator) -> None:
    first = alice.send("[[tokens:20]] [[hold:5]]", model=MODEL)
    assert simulator.wait_held()
    alice.send("[[tokens:7]]", first.conversation_uuid, model=MODEL)
    alice.stop(first.conversation_uuid)
    ended(alice, first.conversation_uuid, words(7))
    statuses = [article.status for article in alice.page(first.conversation_uuid).articles]
    assert statuses == ["complete", "stopped", "complete", "complete"]


def test_a_waiting_message_survives_a_killed_server_and_is_sent_by_hand(
    alice: Person, server: Server, simulator: Simulator
) -> None:
    first = alice.send("[[tokens:20]] [[hold:5]]", model=MODEL)
    assert simulator.wait_held()
    alice.send("[[tokens:7]]", first.conversation_uuid, model=MODEL)
    server.kill()
    server.start()
    page = alice.page(first.conversation_uuid)
    assert [article.status for article in page.articles] == ["complete", "interrupted", "waiting"]
    press(alice, first.conversation_uuid, "Send now")
    ended(alice, first.conversation_uuid, words(7))


def test_a_message_that_waits_behind_a_reply_in_line_is_sent_by_the_next_server(
    alice: Person, server: Server, simulator: Simulator
) -> None:
    """The first reply had not begun when the server died: the next one writes it, then what waited for it."""
    server.stop()
    server.settings = {**server.settings, "CHATSITE_REPLIES": "1"}
    server.start()
    alice.send("[[tokens:5]] [[hold:2]]", model=MODEL)
    assert simulator.wait_held()
    queued = alice.send("[[tokens:6]]", model=MODEL)
    alice.send("[[tokens:7]]", queued.conversation_uuid, model=MODEL)
    server.kill()
    server.start()
    ended(alice, queued.conversation_uuid, words(7))


def test_a_message_left_waiting_behind_an_ended_reply_is_sent_at_the_start_of_a_server(
    alice: Person, server: Server, simulator: Simulator
) -> None:
    first = alice.send("[[tokens:20]] [[hold:5]]", model=MODEL)
    assert simulator.wait_held()
    alice.send("[[tokens:7]]", first.conversation_uuid, model=MODEL)
    server.kill()
    command = "from conversations.models import Message; Message.objects.running().update(status='complete', claim='')"
    server.manage("shell", "-v0", "-c", command)
    server.start()
    ended(alice, first.conversation_uuid, words(7))


def test_deleting_the_conversation_sends_nothing_that_waited(alice: Person, simulator: Simulator) -> None:
    first = alice.send("[[tokens:20]] [[hold:5]]", model=MODEL)
    assert simulator.wait_held()
    alice.send("[[tokens:7]]", first.conversation_uuid, model=MODEL)
    page = alice.get(f"/c/{first.conversation_uuid}/settings/")
    alice.press(page, "Delete conversation")
    assert simulator.wait_closed()
    assert len(simulator.requests) == 1


# --- Columns --------------------------------------------------------------------------------------------------------
OTHER = "segmind/gemini-1.5-pro"


def test_two_columns_are_written_at_the_same_time_each_to_its_own_stream(alice: Person, simulator: Simulator) -> None:
    sent = alice.send("[[tokens:30]] [[hold:10]]", model=MODEL, compare=[OTHER])
    first, second = sent.page.replies
    assert simulator.wait_held(2)
    shown = alice.follow(first.uuid, leave=after_characters(len(words(10))))
    assert letters(shown.text) == letters(words(10))
    assert [article.status for article in alice.page(sent.conversation_uuid).replies] == ["streaming", "streaming"]
    simulator.release()
    assert alice.follow(first.uuid).text == alice.follow(second.uuid).text == words(30)
    assert len(alice.page(sent.conversation_uuid).replies) == 2


def test_stop_ends_all_columns_and_their_calls(alice: Person, simulator: Simulator) -> None:
    sent = alice.send("[[tokens:30]] [[hold:10]]", model=MODEL, compare=[OTHER])
    assert simulator.wait_held(2)
    alice.stop(sent.conversation_uuid)
    assert simulator.wait_closed()
    assert [article.status for article in alice.page(sent.conversation_uuid).replies] == ["stopped", "stopped"]


def test_the_conversation_goes_on_with_the_picked_column(alice: Person, simulator: Simulator) -> None:
    conversation = alice.send("My name is Ada.", model=MODEL, compare=[OTHER]).conversation_uuid
    until(lambda: all(one.status == "complete" for one in alice.page(conversation).replies), "both replies")
    page = alice.page(conversation)
    picked = page.replies[1]
    alice.press(page, "Go on with this one", within=picked.element)
    assert [article.uuid for article in alice.page(conversation).replies] == [picked.uuid]
    alice.send("What is my name?", conversation, model=OTHER)
    until(lambda: "Ada" in alice.page(conversation).replies[-1].text, "the answer")
    assert len(simulator.requests[-1].body["messages"]["contents"]) == 3


def test_columns_of_a_killed_server_end_honestly_and_one_is_retried_in_its_place(
    alice: Person, server: Server, simulator: Simulator
) -> None:
    sent = alice.send("[[tokens:30]] [[hold:10]]", model=MODEL, compare=[OTHER])
    assert simulator.wait_held(2)
    alice.follow(sent.page.replies[0].uuid, leave=after_characters(len(words(10))))
    server.kill()
    server.start()
    page = alice.page(sent.conversation_uuid)
    assert [article.status for article in page.replies] == ["interrupted", "interrupted"]
    alice.press(page, "Retry", within=page.replies[1].element)
    assert simulator.wait_held(1)
    simulator.release()
    until(lambda: alice.page(sent.conversation_uuid).replies[1].text == words(30), "the second column")
    assert len(alice.page(sent.conversation_uuid).replies) == 2
