"""What Celery workers do: answer replies, and the scheduled work."""

from celery import shared_task
from django.db import connection

from conversations.generation import engine
from conversations.generation.relay.engine import CeleryEngine, taken
from conversations.generation.sweeper import Sweeper
from conversations.services import dispatch


@shared_task(name="chatsite.answer", acks_late=True, ignore_result=True)
def answer(reply: int) -> None:
    """Answer this reply; the task lasts as long. Delivered twice it does no harm: who claims the row writes it."""
    taken(reply)
    engine.pool.answer(reply)


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


def hand_on(reply: int) -> None:
    """Raises kombu's OperationalError where the broker cannot be reached."""
    answer.apply_async((reply,), retry=False)


def _sweeper() -> Sweeper:
    handing = dispatch.engine()
    assert isinstance(handing, CeleryEngine)
    return Sweeper(handing, is_alone=False)
