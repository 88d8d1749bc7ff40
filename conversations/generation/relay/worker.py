"""What begins and ends with a Celery worker: the publisher, and a look every second at what became of its replies."""

import logging
import threading
from typing import Any

from celery.signals import setup_logging, worker_init, worker_shutdown, worker_shutting_down
from django.conf import settings
from django.db import close_old_connections

from chatsite import database
from conversations.generation.engine import pool
from conversations.generation.log import hub
from conversations.generation.relay.publisher import Publisher
from conversations.models import Message
from conversations.providers import local
from conversations.services import replies

logger = logging.getLogger(__name__)

LOOK_EVERY = 1.0  # seconds
CELERY_IS_BACK_AFTER = 10.0  # seconds after Redis, with a wide margin

publisher = Publisher()
_is_ending = threading.Event()


@setup_logging.connect
def log_as_everywhere(**_: Any) -> None:
    """That somebody listens here keeps Celery from setting logging up in its own way."""


@worker_init.connect
def begin(**_: Any) -> None:
    if not database.take_part():
        raise SystemExit(f"chatsite: {database.NOT_ALONE}")
    hub.on_change = publisher.changed
    publisher.start()
    threading.Thread(target=_keep_looking, name="look", daemon=True).start()


@worker_shutting_down.connect
def end(**_: Any) -> None:
    """Nothing more is taken from now on. What runs may end by itself for a while, then it is parked."""
    if not _is_ending.is_set():
        _is_ending.set()
        threading.Thread(target=_park, name="park", daemon=True).start()


@worker_shutdown.connect
def leave(**_: Any) -> None:
    pool.close()
    publisher.flush(2.0)
    local.stop()


def _park() -> None:
    pool.wait(settings.CHATSITE_GRACE)
    pool.close()


def _keep_looking() -> None:
    while not _is_ending.wait(LOOK_EVERY):
        close_old_connections()  # kept otherwise: a new one each second costs the database more than the look
        try:
            database.keep_place()
            look()
        except Exception:
            logger.exception("a look at the running replies failed")


def look() -> None:
    """Close the calls of replies that were ended elsewhere, silent ones too; without Redis find new ones."""
    running = pool.running()
    alive = set(Message.objects.running().filter(pk__in=running).values_list("pk", flat=True)) if running else set()
    for reply in running - alive:
        pool.cancel(reply)
    if publisher.was_lost(within=CELERY_IS_BACK_AFTER):
        for reply in replies.unclaimed(known=pool.known()):
            pool.go_on(reply)
