"""Log lines: the ids they carry, and what never gets into them."""

import json
import logging
import sys
from collections.abc import Callable

import pytest
from django.db import DataError, OperationalError

from chatsite import logs
from conversations.services.tracing import present, request_id


def line(formatter: logging.Formatter, message: str, *arguments: object, error: BaseException | None = None) -> str:
    raised = (type(error), error, error.__traceback__) if error else None
    record = logging.LogRecord("chatsite.test", logging.WARNING, __file__, 1, message, arguments, raised)
    logs.Ids().filter(record)
    return formatter.format(record)


@pytest.fixture(params=[logs.Text, logs.Json])
def formatter(request: pytest.FixtureRequest) -> logging.Formatter:
    made: logging.Formatter = request.param()
    return made


def raised(work: Callable[[], object]) -> BaseException:
    try:
        work()
    except Exception:
        error = sys.exc_info()[1]
        assert error is not None
        return error
    raise AssertionError("nothing was raised")


def test_a_line_for_people_names_the_request_and_the_reply_once() -> None:
    present.take_up("abc", 7)
    try:
        assert line(logs.Text(), "reply=%s failed", 7).endswith(" WARNING chatsite.test request=abc reply=7 failed")
        assert line(logs.Text(), "slow").endswith(" WARNING chatsite.test request=abc reply=7 slow")
    finally:
        present.put_down()
    assert line(logs.Text(), "slow").endswith(" WARNING chatsite.test slow")


def test_a_line_for_programs_is_one_object() -> None:
    present.take_up("abc")
    try:
        written = line(logs.Json(), "reply=%s failed\nbadly", 7)
    finally:
        present.put_down()
    assert "\n" not in written
    found = json.loads(written)
    assert found.pop("time").endswith("+00:00")
    assert found == {
        "level": "WARNING",
        "logger": "chatsite.test",
        "message": "reply=7 failed\nbadly",
        "request": "abc",
        "reply": 7,
    }


def test_the_words_of_an_exception_are_left_out_and_its_place_is_kept(formatter: logging.Formatter) -> None:
    words = "what somebody wrote".upper()  # not as it stands in the lines of this file

    def store() -> None:
        try:
            raise DataError(words)
        except DataError as error:
            raise ValueError(words) from error

    written = line(formatter, "oh", error=raised(store))
    assert words not in written
    assert "django.db.utils.DataError" in written
    assert "ValueError" in written
    assert "in store" in written


def test_what_the_system_says_is_kept(formatter: logging.Formatter) -> None:
    words = "connection to server at 127.0.0.1, port 5432 failed: Connection refused\n\tIs it running?".rstrip("?")

    def lose() -> None:
        raise OperationalError(words)

    written = line(formatter, "oh", error=raised(lose))
    assert "django.db.utils.OperationalError: connection to server at 127.0.0.1, port 5432 failed" in written


def test_the_address_of_a_provider_is_left_out_even_there(formatter: logging.Formatter) -> None:
    secret = "/v1/model?key=".upper() + "k123"

    def refuse() -> None:
        raise ConnectionError(f"refused: {secret}")

    assert "K123" not in line(formatter, "oh", error=raised(refuse)).upper()


@pytest.mark.parametrize("given", ["", "a b", "x" * 65, "ü", 'a"b', "a\nb"])
def test_what_is_no_id_is_not_taken_for_one(given: str) -> None:
    assert request_id(given) != given
    assert len(request_id(given)) == 16
    assert request_id("from-proxy.1_A") == "from-proxy.1_A"
