"""How often a question is asked, without sockets: what ends the asking, and what records hear of it."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from decimal import Decimal

import pytest

from conversations import providers
from conversations.providers import attempts, errors
from conversations.providers.attempts import Attempt, Refused
from conversations.providers.base import Endpoint, Model
from conversations.providers.call import Call
from conversations.providers.events import Credits, Event, Finished, Pause, TextDelta, Usage

from .reading import KEY, QUESTION, QUICK, chosen

Played = list[Event | Pause | Exception]
VENDOR, MODEL = chosen("aimlapi/google/gemini-2.5-flash")


class Waits(Call):
    """A call that notes how long it would have waited."""

    def __init__(self) -> None:
        super().__init__()
        self.waited: list[float] = []

    def wait(self, seconds: float) -> bool:
        self.waited.append(seconds)
        return super().wait(0)


class Exchanges:
    """Plays a list for each exchange that is begun, in their order; a failure in it is raised."""

    decoder = None

    def __init__(self, *played: Played) -> None:
        self.played = list(played)
        self.models: list[Model] = []
        self.prepared = providers.prepare(VENDOR, MODEL, Endpoint("https://a.example", KEY), QUESTION)

    def __call__(self, model: Model) -> "Exchanges":
        self.models.append(model)
        return self

    def events(self) -> Iterator[Event | Pause]:
        for one in self.played.pop(0):
            if isinstance(one, Exception):
                raise one
            yield one


def asked(
    exchanges: Exchanges, *, call: Call | None = None, longest: float = 20.0, pause: float = 0.0
) -> tuple[list[Event | Pause], Exception | None, list[Attempt]]:
    told: list[Attempt] = []
    found: list[Event | Pause] = []
    limits = replace(QUICK, longest_wait=longest, pause=pause)
    try:
        for event in attempts.answer(MODEL, exchanges, call=call or Waits(), limits=limits, tell=told.append):  # type: ignore[arg-type]
            found.append(event)
    except Exception as error:
        return found, error, told
    return found, None, told


def refused_system() -> errors.SystemRefused:
    return errors.SystemRefused("no system instruction", status=400)


def busy(status: int | None = 503, wait: float | None = None) -> errors.Unavailable:
    return errors.Unavailable("busy", status=status, retry_after=wait)


GOOD: Played = [TextDelta("Hello"), Finished("complete", "stop")]


def test_a_good_answer_is_asked_for_once() -> None:
    exchanges = Exchanges(GOOD)
    found, error, told = asked(exchanges)
    assert (found, error, len(exchanges.models)) == (GOOD, None, 1)
    assert [(one.number, one.outcome) for one in told] == [(1, ""), (1, "complete")]


def test_a_retry_and_a_resend_are_three_attempts_and_no_more() -> None:
    retried: Played = [busy()]
    resent: Played = [refused_system()]
    for first, second in ((retried, resent), (resent, retried)):
        exchanges = Exchanges(first, second, GOOD)
        found, error, told = asked(exchanges)
        assert error is None
        assert found[-2:] == GOOD
        assert [one.number for one in told] == [1, 1, 2, 2, 3, 3]
        assert exchanges.models[-1].quirks.system_mode == "prepend"
    exchanges = Exchanges([refused_system()], [busy()], [busy()], GOOD)
    _, error, told = asked(exchanges)
    assert isinstance(error, errors.Unavailable)
    assert told[-1].number == 3
    _, error, told = asked(Exchanges([busy()], [refused_system()], [refused_system()], GOOD))
    assert isinstance(error, errors.SystemRefused)
    assert told[-1].number == 3


def test_nothing_is_asked_again_once_text_has_come() -> None:
    for failure in (busy(), refused_system(), Refused("no")):
        found, error, told = asked(Exchanges([TextDelta("Half"), failure], GOOD))
        assert (found, error, len(told)) == ([TextDelta("Half")], failure, 2)


def test_what_is_no_text_yet_lets_it_be_asked_again() -> None:
    first: Played = [Pause(), Credits(Decimal(7)), Usage(prompt=3), busy()]
    found, error, told = asked(Exchanges(first, GOOD))
    assert (error, found[-2:]) == (None, GOOD)
    assert told[1].credits == Decimal(7)
    assert told[3].credits is None


@pytest.mark.parametrize("wait", [None, 0.0, 5.0])
def test_the_wait_is_what_is_asked_for_and_a_little_more(wait: float | None) -> None:
    call = Waits()
    asked(Exchanges([busy(wait=wait)], GOOD), call=call, pause=2.0)
    least = 2.0 if wait is None else wait
    assert len(call.waited) == 1
    assert least <= call.waited[0] <= least + 2.0


@pytest.mark.parametrize(
    ("failure", "is_retried"),
    [
        (busy(502), True),
        (busy(500), False),
        (busy(None), False),
        (busy(wait=20.0), True),
        (busy(wait=20.1), False),
        (errors.RateLimited("slow", status=429), True),
        (errors.RateLimited("slow", status=403), False),
        (errors.TooLarge("large", status=503), False),
        (errors.Unreachable("gone"), False),
        (Refused("nobody"), True),
    ],
)
def test_only_who_is_busy_or_not_there_is_asked_again(failure: errors.ProviderError, is_retried: bool) -> None:
    exchanges = Exchanges([failure], GOOD)
    _, error, _ = asked(exchanges)
    assert (error is None, len(exchanges.models)) == (is_retried, 1 + is_retried)


def test_a_call_that_was_closed_while_it_waited_asks_nothing_more() -> None:
    class Closed(Call):
        def wait(self, seconds: float) -> bool:
            self.close()
            return True

    exchanges = Exchanges([busy()], GOOD)
    _, error, _ = asked(exchanges, call=Closed())
    assert isinstance(error, errors.Cancelled)
    assert len(exchanges.models) == 1


def test_each_time_nothing_is_done_others_get_their_turn() -> None:
    found, _, _ = asked(Exchanges([busy()], [refused_system()], GOOD))
    assert found == [Pause(), Pause(), *GOOD]


@pytest.mark.parametrize(
    ("failure", "outcome"),
    [(busy(500), "provider_down"), (ValueError("a mistake of ours"), errors.ProviderError.code)],
)
def test_records_hear_how_an_attempt_failed(failure: Exception, outcome: str) -> None:
    _, error, told = asked(Exchanges([failure]))
    assert error is failure
    assert [one.outcome for one in told] == ["", outcome]


def test_records_hear_of_no_times_that_were_not_measured() -> None:
    def at(**clock: float) -> Callable[[], tuple[float | None, float | None]]:
        call = Waits()
        for name, moment in clock.items():
            setattr(call, name, moment)
        last = asked(Exchanges(GOOD), call=call)[2][-1]
        return lambda: (last.first_byte, last.total)

    assert at()() == (None, None)
    assert at(started=10.0)() == (None, None)
    assert at(started=10.0, first_byte=11.0)() == (1.0, None)
    assert at(started=10.0, first_byte=11.0, ended=13.5)() == (1.0, 3.5)
    assert at(started=10.0, ended=13.5)() == (None, 3.5)
