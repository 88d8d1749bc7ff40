"""The clock and the handle of a call, without sockets: each deadline to the moment, and closing from anywhere."""

import time
from dataclasses import astuple, replace

import pytest

from conversations.providers.call import Call, Limits
from conversations.providers.errors import Cancelled, TimedOut

LIMITS = Limits(connect=10, first_byte=100, no_progress=50, after_end=5, total=1_000)
NEAR = 1e-6  # seconds


def test_the_deadlines_where_nobody_sets_others() -> None:
    """In seconds. The engine, the cluster and the documentation of operations count on them."""
    times = astuple(replace(Limits(), caps=None))  # type: ignore[arg-type]
    assert times == (10, 120, 90, 900, 15, 0.2, 0.035, 20, 0.7, None)


def begun(limits: Limits = LIMITS) -> Call:
    call = Call()
    call.begin(limits)
    return call


def ends_in(call: Call, seconds: float, since: float) -> bool:
    """Whether the deadline is so many seconds after something that happened between `since` and now."""
    return not call.overdue(since + seconds - NEAR) and call.overdue(time.monotonic() + seconds)


def test_each_step_sets_a_deadline_of_its_own() -> None:
    since = time.monotonic()
    call = begun()
    assert ends_in(call, 110, since)
    since = time.monotonic()
    call.sent()
    assert ends_in(call, 100, since)
    call.answered(200)
    assert ends_in(call, 100, since)  # as if the head had not come
    since = time.monotonic()
    call.progressed(may_end=False)
    assert ends_in(call, 50, since)
    since = time.monotonic()
    call.progressed(may_end=True)
    assert ends_in(call, 5, since)
    call.end()
    assert not call.overdue(time.monotonic() + 10_000)


def test_a_head_that_comes_late_leaves_the_content_its_own_time() -> None:
    call = begun(Limits(first_byte=10, no_progress=50))
    call.sent()
    since = time.monotonic()
    call.answered(200)
    assert ends_in(call, 50, since)


def test_no_attempt_lasts_beyond_the_total_of_all() -> None:
    limits = Limits(connect=10, first_byte=100, no_progress=50, total=60)
    since = time.monotonic()
    call = begun(limits)
    first_end = time.monotonic()
    call.begin(limits)
    call.sent()
    assert not call.overdue(since + 60 - NEAR)
    assert call.overdue(first_end + 60)
    call.progressed(may_end=False)
    assert not call.overdue(since + 50 - NEAR)
    assert call.overdue(time.monotonic() + 50)


def test_an_attempt_begins_with_nothing_of_the_one_before() -> None:
    call = begun()
    call.answered(503)
    call.end()
    assert call.status_code == 503
    assert None not in (call.started, call.first_byte, call.ended)
    call.begin(LIMITS)
    again = call.status_code, call.first_byte, call.ended
    assert not any(again)


def test_what_remains_ends_with_a_sentence() -> None:
    call = begun()
    assert 0 < call.remaining() <= 110
    with pytest.raises(TimedOut, match="no answer for too long"):
        begun(Limits(connect=0, first_byte=0)).remaining()
    late = begun(Limits(first_byte=0, no_progress=0))
    late.answered(200)
    with pytest.raises(TimedOut, match="no progress for too long"):
        late.remaining()
    with pytest.raises(TimedOut):
        Call().remaining()


def test_closing_hangs_up_once_and_the_first_reason_stays() -> None:
    hung_up: list[str] = []
    call = begun()
    assert not call.is_closed
    call.attach(lambda: hung_up.append("first"))
    call.check()
    call.close()
    call.close()
    assert call.close_if_overdue(time.monotonic() + 10_000)
    assert (call.is_closed, hung_up) == (True, ["first"])
    with pytest.raises(Cancelled):
        call.check()


def test_a_call_that_is_closed_for_its_deadline_says_so() -> None:
    call = begun()
    assert call.started is not None
    assert not call.close_if_overdue(call.started)
    assert not call.close_if_overdue(call.started + 110 - NEAR)
    assert not call.is_closed
    assert call.close_if_overdue(time.monotonic() + 110)
    call.close()
    with pytest.raises(TimedOut, match="no progress for too long"):
        call.check()


def test_a_closed_call_holds_nothing_and_begins_nothing() -> None:
    call = begun()
    call.close()
    with pytest.raises(Cancelled):
        call.attach(call.close)
    with pytest.raises(Cancelled):
        call.begin(LIMITS)
    call.close()
    assert call.wait(0)
    assert not Call().wait(0)


def test_what_was_let_go_is_not_hung_up() -> None:
    hung_up: list[str] = []
    call = begun()
    call.attach(lambda: hung_up.append("old"))
    call.detach()
    call.close()
    assert hung_up == []
