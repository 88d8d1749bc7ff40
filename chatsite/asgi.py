"""The ASGI entry: Django, a limit on request bodies in front of it, and what has to begin and end with the process."""

import asyncio
import gc
import multiprocessing
import os
import signal
import sys
from concurrent.futures import ThreadPoolExecutor
from types import FrameType
from typing import cast

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "chatsite.settings")

import django

django.setup(set_prefix=False)

from django.conf import settings  # noqa: E402

from chatsite import database  # noqa: E402
from chatsite.body_limit import Application, BodyLimit  # noqa: E402
from chatsite.handler import Handler, Receive, Scope, Send  # noqa: E402
from conversations.generation.engine import pool  # noqa: E402
from conversations.generation.log import hub  # noqa: E402
from conversations.generation.sweeper import Sweeper  # noqa: E402
from conversations.providers import local  # noqa: E402
from conversations.views.stream import Direct  # noqa: E402

REQUEST_THREADS = 4
SWITCH_INTERVAL = 0.002  # seconds; each statement gives the interpreter away, and gets it back one interval later
IS_WHOLE = settings.CHATSITE_ENGINE == "embedded"  # this process is the whole server

sweeper = Sweeper(pool, is_alone=True)
limited = BodyLimit(
    Direct(cast(Application, Handler())),
    upload_bytes=settings.UPLOAD_MAX_BYTES,
    other_bytes=settings.BODY_MAX_BYTES,
    upload_paths=r"^/(c/[0-9a-f-]{36}/)?$",
)


async def application(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "lifespan":
        await lifespan(receive, send)
    else:
        await limited(scope, receive, send)


async def lifespan(receive: Receive, send: Send) -> None:
    """Begin housekeeping with the server; at its end park the replies that run and stop the local model."""
    while True:
        message = await receive()
        if message["type"] == "lifespan.startup":
            if not await asyncio.to_thread(database.take_alone if IS_WHOLE else database.take_part):
                await send({"type": "lifespan.startup.failed", "message": database.NOT_ALONE})
                end_supervisor()
                return
            sys.setswitchinterval(SWITCH_INTERVAL)
            end_streams_on(signal.SIGTERM)
            end_streams_on(signal.SIGINT)
            threads = ThreadPoolExecutor(REQUEST_THREADS, thread_name_prefix="request")
            asyncio.get_running_loop().set_default_executor(threads)
            await asyncio.to_thread(begin_alone if IS_WHOLE else begin_beside_others)
            gc.freeze()  # what is there now stays: looking through it again and again would hold up all streams at once
            await send({"type": "lifespan.startup.complete"})
        elif message["type"] == "lifespan.shutdown":
            if IS_WHOLE:
                await asyncio.to_thread(end_alone)
            await send({"type": "lifespan.shutdown.complete"})
            return


def end_supervisor() -> None:
    """A supervisor of several processes would start this one again and again."""
    if supervisor := multiprocessing.parent_process():
        os.kill(supervisor.pid or os.getppid(), signal.SIGTERM)


def begin_alone() -> None:
    database.hold_open()
    sweeper.start()


def end_alone() -> None:
    sweeper.stop()
    pool.close()
    local.stop()


def begin_beside_others() -> None:
    """Others write the replies and keep house; what they write is followed from here."""
    from conversations.generation.relay import engine

    hub.on_unknown = engine.mirror.watch
    engine.mirror.start()


def end_streams_on(number: signal.Signals) -> None:
    """Chain before the server's own handler: it waits for open streams, which would otherwise never end."""
    previous = signal.getsignal(number)

    def handler(received: int, frame: FrameType | None) -> None:
        hub.close()
        if callable(previous):
            previous(received, frame)

    try:
        signal.signal(number, handler)
    except ValueError:  # not in the main thread: a test runs the application, and nobody will signal it
        return
