"""`manage.py serve`: bring the database up to date and serve; by default as one process on one SQLite file."""

import ctypes
import os
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from chatsite import database, listening
from conversations.services import connections, setup

M_MMAP_THRESHOLD = -3  # from glibc's malloc.h


class Command(BaseCommand):
    help = "Serve chatsite at HOST:PORT (default http://127.0.0.1:8000)."
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        is_whole = settings.CHATSITE_ENGINE == "embedded"
        if is_whole and listening.processes() > 1:
            raise CommandError("WEB_CONCURRENCY: several processes need CHATSITE_ENGINE=celery and REDIS_URL.")
        if not (database.take_alone() if is_whole else database.take_part()):
            raise CommandError(database.NOT_ALONE)
        with database.one_at_a_time():
            prepare()
        self.greet()
        connection.close()
        give_large_buffers_back()
        if is_whole and settings.CHATSITE_ONE_CORE:
            stay_on_one_core()
        listening.serve()

    def greet(self) -> None:
        address = f"http://{settings.HOST}:{settings.PORT}"
        self.stdout.write(f"Chatsite is at {address}")
        if token := setup.token():
            self.stdout.write(f"Create the first administrator, once: {address}/setup/{token}/")
        self.stdout.flush()


def prepare() -> None:
    """Bring the database and the static files up to date."""
    executor = MigrationExecutor(connection)
    if executor.migration_plan(executor.loader.graph.leaf_nodes()):
        call_command("migrate", verbosity=0)
    connections.register_vendors()
    if not (settings.STATIC_ROOT / "staticfiles.json").exists():
        call_command("collectstatic", interactive=False, verbosity=0)


def give_large_buffers_back() -> None:
    """Let glibc return buffers of a mebibyte and more to the system when they are freed.

    By itself it keeps more and more of them after the first large one: measured, 285 MB instead of 117 after some
    replies with pictures of 20 MB.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt:
        mallopt(M_MMAP_THRESHOLD, 1 << 20)


def stay_on_one_core() -> None:
    """Keep this process on one processor, the last one it may use; its children free themselves.

    Only one thread of a Python process runs at a time. Spread over processors the threads fight for that turn: measured
    on two, 200 replies took nearly twice the processor time and began nearly twice as late.
    """
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
