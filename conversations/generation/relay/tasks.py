"""What Celery workers do: answer replies, and the scheduled work."""

from functools import cache

from celery import current_task, shared_task
from django.db import connection

from conversations.generation import engine
from conversations.generation.relay.engine import CeleryEngine, taken
from conversations.generation.sweeper import Sweeper
from conversations.services import dispatch
from conversations.services.tracing import present

REQUEST = "chatsite_request"  # the header with the id of the request that caused it, for the log


@shared_task(name="chatsite.answer", acks_late=True, ignore_result=True)
def answer(reply: int) -> None:
    """Answer this reply; the task lasts as long. Delivered twice it does no harm: who claims the row writes it."""
    present.take_up(current_task.request.get(REQUEST) or "", reply)
    try:
        taken(reply)
        engine.pool.answer(reply)
    finally:
        present.put_down()


@shared_task(name="chatsite.sweep", ignore_result=True, expires=10)
def sweep() -> None:
    try:
        _sweeper().sweep()
    finally:
        connection.close()


@shared_task(name="chatsite.purge", ignore_result=True, expires=600)
def purge() -> None:
    try:
        _sweeper().purge()
    finally:
        connection.close()


@shared_task(name="chatsite.tidy", ignore_result=True, expires=3600)
def tidy() -> None:
    try:
        _sweeper().tidy()
    finally:
        connection.close()


def hand_on(reply: int) -> None:
    """Raises kombu's OperationalError where the broker cannot be reached."""
    answer.apply_async((reply,), headers={REQUEST: present.request}, retry=False)


@cache
def _sweeper() -> Sweeper:
    """The one of this process: it remembers which leases it has seen."""
    handing = dispatch.engine()
    assert isinstance(handing, CeleryEngine)
    return Sweeper(handing, is_alone=False)
