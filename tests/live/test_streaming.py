"""A real server, a real upstream, real event streams: what is shown is what was sent, whatever happens in between."""

import random
import threading
from collections.abc import Callable

import pytest
import requests

from tests.live.browserless import Person, after_characters, after_events
from tests.live.pages import Page, letters
from tests.live.transcript import Transcript
from tests.serving import Server, until
from tests.simulator import Simulator

MODEL = "aimlapi/google/gemini-2.5-flash"


def words(count: int) -> str:
    return " ".join(f"w{number}" for number in range(1, count + 1))


def stored_text(person: Person, conversation: str) -> str:
    return person.page(conversation).replies[-1].text


def test_a_reply_streams_and_ends_complete(alice: Person) -> None:
    sent = alice.send("[[tokens:120]]", model=MODEL)
    shown = alice.follow(sent.reply_uuid)
    assert shown.text == words(120)
    article = alice.page(sent.conversation_uuid).replies[-1]
    assert (article.status, article.text) == ("complete", words(120))


def test_going_away_and_coming_back_at_random_points_loses_and_doubles_nothing(alice: Person) -> None:
    """Reloads (no id), reconnects (with the last id) and reconnects with an unknown id, in the middle of the reply."""
    chance = random.Random(7)
    sent = alice.send("[[tokens:400]] [[delay:5]]", model=MODEL)
    shown = Transcript()
    for visit in range(40):
        leave = after_events(chance.randint(1, 6))
        how = chance.choice(["reload", "resume", "stranger"])
        if how == "reload":
            shown = alice.follow(sent.reply_uuid, leave=leave)
        else:
            last = shown.last_event_id if how == "resume" else f"nobody:{visit}.0.0"
            shown = alice.follow(sent.reply_uuid, last, into=shown, leave=leave)
        assert letters(words(400)).startswith(letters(shown.text))
        if shown.ending == "final":
            break
    shown = alice.follow(sent.reply_uuid, shown.last_event_id, into=shown, reconnect=True)
    assert shown.text == words(400)


def test_the_forms_of_a_reply_that_has_just_ended_can_be_used(alice: Person) -> None:
    """By the page that was given the reply, and by one that came back to it."""
    sent = alice.send("[[tokens:3]]", model=MODEL, htmx=True)
    for _visit in range(2):
        shown = alice.follow(sent.reply_uuid)
        article = Page(f"{alice.base_url}/c/{sent.conversation_uuid}/", 200, shown.article)
        assert alice.press(article, "Fork from here", htmx=True).status_code == 200


def test_two_tabs_and_a_late_one_see_the_same(alice: Person, simulator: Simulator) -> None:
    sent = alice.send("[[tokens:60]] [[hold:30]]", model=MODEL)
    tabs = [Transcript(), Transcript()]
    threads = [threading.Thread(target=alice.follow, args=(sent.reply_uuid,), kwargs={"into": tab}) for tab in tabs]
    for thread in threads:
        thread.start()
    assert simulator.wait_held()
    until(lambda: all("w30" in tab.text for tab in tabs), "both tabs at the thirtieth word")
    late = alice.follow(sent.reply_uuid, leave=after_characters(len(words(30))))
    assert letters(late.text) == letters(tabs[0].text) == letters(tabs[1].text) == letters(words(30))
    simulator.release()
    for thread in threads:
        thread.join(60)
    assert tabs[0].text == tabs[1].text == words(60)


def test_markdown_streams_into_the_html_of_the_whole(alice: Person) -> None:
    sent = alice.send(
        "[[say:# Title\\n\\n- one\\n- two\\n\\n```python\\nprint(1)\\n```\\n\\n[link][l]\\n\\n[l]: https://example.com\\n]]",
        model=MODEL,
    )
    shown = alice.follow(sent.reply_uuid)
    page = alice.page(sent.conversation_uuid).replies[-1]
    assert shown.text == page.text
    assert "Title" in page.text
    assert "print(1)" in page.text


def test_stop_from_another_tab_keeps_the_text_and_closes_the_upstream(alice: Person, simulator: Simulator) -> None:
    sent = alice.send("[[tokens:50]] [[hold:20]]", model=MODEL)
    assert simulator.wait_held()
    shown = Transcript()
    follower = threading.Thread(target=alice.follow, args=(sent.reply_uuid,), kwargs={"into": shown})
    follower.start()
    until(lambda: "w20" in shown.text, "the text so far")
    alice.stop(sent.conversation_uuid)
    assert simulator.wait_closed()
    follower.join(60)
    article = alice.page(sent.conversation_uuid).replies[-1]
    assert (article.status, article.text) == ("stopped", words(20))
    assert shown.text == words(20)


def test_stop_closes_an_upstream_that_has_not_said_a_word(alice: Person, simulator: Simulator) -> None:
    sent = alice.send("[[fault:silence-early]]", model="segmind/gemini-1.5-pro")
    assert simulator.wait_held()
    alice.stop(sent.conversation_uuid)
    assert simulator.wait_closed()
    assert alice.page(sent.conversation_uuid).replies[-1].status == "stopped"


def test_deleting_the_conversation_closes_its_upstream(alice: Person, simulator: Simulator) -> None:
    sent = alice.send("[[fault:silence-early]]", model=MODEL)
    assert simulator.wait_held()
    alice.press(alice.get(f"/c/{sent.conversation_uuid}/settings/"), "Delete conversation")
    assert simulator.wait_closed()
    assert alice.get(f"/c/{sent.conversation_uuid}/").status_code == 404


def test_deactivating_a_person_closes_stream_and_upstream(
    alice: Person, person: Callable[[str], Person], simulator: Simulator, server: Server
) -> None:
    sent = alice.send("[[tokens:50]] [[hold:5]]", model=MODEL)
    assert simulator.wait_held()
    shown = Transcript()
    follower = threading.Thread(target=alice.follow, args=(sent.reply_uuid,), kwargs={"into": shown})
    follower.start()
    until(lambda: "w5" in shown.text, "the text so far")
    command = "from conversations.models import User; User.objects.filter(username='alice').update(is_active=False)"
    server.manage("shell", "-v0", "-c", command)
    assert simulator.wait_closed()
    follower.join(60)
    assert not follower.is_alive()


def test_logging_out_ends_the_stream_and_lets_the_reply_finish(
    alice: Person, person: Callable[[str], Person], simulator: Simulator
) -> None:
    sent = alice.send("[[tokens:30]] [[hold:5]]", model=MODEL)
    assert simulator.wait_held()
    shown = Transcript()
    follower = threading.Thread(target=alice.follow, args=(sent.reply_uuid,), kwargs={"into": shown})
    follower.start()
    until(lambda: "w5" in shown.text, "the text so far")
    alice.press(alice.page(), "Log out")
    follower.join(60)
    assert not follower.is_alive()
    assert simulator.open_calls == 1
    simulator.release()
    again = person("alice")
    until(lambda: again.page(sent.conversation_uuid).replies[-1].status == "complete", "the end of the reply")
    assert stored_text(again, sent.conversation_uuid) == words(30)


def test_a_stream_of_another_person_is_not_found(
    alice: Person, person: Callable[[str], Person], simulator: Simulator
) -> None:
    sent = alice.send("[[tokens:5]] [[hold:2]]", model=MODEL)
    bob = person("bob")
    theirs = bob.session.get(f"{bob.base_url}/replies/{sent.reply_uuid}/events/", timeout=60)
    missing = bob.session.get(f"{bob.base_url}/replies/00000000-0000-4000-8000-000000000000/events/", timeout=60)
    assert (theirs.status_code, missing.status_code) == (404, 404)
    assert theirs.content == missing.content
    assert requests.get(theirs.url, timeout=60).status_code == 401
    assert simulator.wait_held()
    simulator.release()


def test_kill_in_the_middle_keeps_every_character_that_was_shown(
    alice: Person, server: Server, simulator: Simulator
) -> None:
    sent = alice.send("[[tokens:500]] [[delay:4]]", model=MODEL)
    shown = alice.follow(sent.reply_uuid, leave=after_characters(300))
    server.kill()
    server.start()
    article = alice.page(sent.conversation_uuid).replies[-1]
    assert (article.status, article.error_code) == ("interrupted", "restarted")
    assert letters(article.text).startswith(letters(shown.text))
    assert words(500).startswith(article.text)


def test_the_stream_of_a_killed_server_reconnects_to_the_honest_end(
    alice: Person, server: Server, simulator: Simulator
) -> None:
    sent = alice.send("[[tokens:500]] [[hold:100]]", model=MODEL)
    shown = alice.follow(sent.reply_uuid, leave=after_characters(len(words(100))))
    server.kill()
    server.start()
    after = alice.follow(sent.reply_uuid, shown.last_event_id, into=shown, reconnect=True)
    assert after.text == words(100)
    retried = alice.retry(sent.conversation_uuid)
    assert simulator.wait_held()
    simulator.release()
    assert alice.follow(retried.reply_uuid, reconnect=True).text == words(500)


def test_a_reply_still_waiting_in_line_starts_with_the_next_server(
    alice: Person, server: Server, simulator: Simulator
) -> None:
    server.stop()
    server.settings = {**server.settings, "CHATSITE_REPLIES": "1"}
    server.start()
    first = alice.send("[[tokens:5]] [[hold:2]]", model=MODEL)
    assert simulator.wait_held()
    second = alice.send("[[tokens:7]]", model=MODEL)
    queued = alice.follow(second.reply_uuid, leave=lambda event, _shown: event.name == "state")
    assert "number 1" in queued.state
    server.kill()
    server.start()
    until(lambda: alice.page(second.conversation_uuid).replies[-1].status == "complete", "the waiting reply")
    assert stored_text(alice, second.conversation_uuid) == words(7)
    assert alice.page(first.conversation_uuid).replies[-1].status == "interrupted"


def test_sigterm_parks_the_reply_with_its_text(alice: Person, server: Server, simulator: Simulator) -> None:
    sent = alice.send("[[tokens:50]] [[hold:10]]", model=MODEL)
    alice.follow(sent.reply_uuid, leave=after_characters(len(words(10))))
    assert server.terminate() in (0, -15)
    server.start()
    article = alice.page(sent.conversation_uuid).replies[-1]
    assert (article.status, article.text) == ("interrupted", words(10))


def test_a_second_server_on_the_same_data_is_refused(server: Server) -> None:
    other = Server(server.data, server.settings)
    result = other.manage("serve", check=False)
    assert result.returncode != 0
    assert "Another server is already using" in result.stderr


@pytest.mark.parametrize("cuts", [3])
def test_a_proxy_that_answers_503_on_reconnect_doubles_nothing(alice: Person, simulator: Simulator, cuts: int) -> None:
    """After a 503 a browser gives up on its stream and htmx opens a fresh one, without the last id."""
    sent = alice.send("[[tokens:300]] [[delay:4]]", model=MODEL)
    shown = Transcript()
    for _ in range(cuts):
        alice.follow(sent.reply_uuid, shown.last_event_id or None, into=shown, leave=after_events(4))
        alice.follow(sent.reply_uuid, None, into=shown, leave=after_events(3))
    alice.follow(sent.reply_uuid, None, into=shown, reconnect=True)
    assert shown.text == words(300)


def test_many_people_at_once_see_only_their_own(server: Server, person: Callable[[str], Person]) -> None:
    people = [person("alice"), person("bob")]
    results: dict[str, str] = {}

    def chat(who: Person, name: str, number: int) -> None:
        sent = who.send(f"[[say:answer for {name} {number}]]", model=MODEL)
        results[f"{name} {number}"] = who.follow(sent.reply_uuid, reconnect=True).text

    for number in range(5):
        threads = [
            threading.Thread(target=chat, args=(who, name, number))
            for who, name in zip(people, ("alice", "bob"), strict=True)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
    assert results == {
        f"{name} {number}": f"answer for {name} {number}" for name in ("alice", "bob") for number in range(5)
    }
    assert "answer for bob" not in people[0].page().text
