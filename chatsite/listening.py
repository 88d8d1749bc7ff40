"""The HTTP server of the process, or of several: where it listens, and by which options."""

import os
import socket
import sys
from typing import Any

from django.conf import settings

from chatsite import env

FIRST_INHERITED = 3  # the number of the first descriptor that systemd hands over
STARTUP_FAILED = 3  # as uvicorn says it


def inherited() -> list[socket.socket] | None:
    """The socket on which somebody who outlives this process listens for it: systemd's way, sd_listen_fds(3).

    While one server ends and the next begins, connections wait there instead of being refused.
    """
    is_meant = os.environ.get("LISTEN_PID") == str(os.getpid()) and os.environ.get("LISTEN_FDS") == "1"
    return [socket.socket(fileno=FIRST_INHERITED)] if is_meant else None


def processes() -> int:
    return env.number("WEB_CONCURRENCY", 1, minimum=1)


def options() -> dict[str, Any]:
    return {
        "host": settings.HOST,
        "port": settings.PORT,
        "access_log": False,
        "server_header": False,
        "log_level": "warning",
        "lifespan": "on",
        "timeout_graceful_shutdown": 10,  # seconds for requests under way; streams end at once
        "proxy_headers": False,
        "log_config": None,
        "http": "chatsite.front:Front",
        "ws": "none",
    }


def serve() -> None:
    from chatsite import graceful  # only here: uvicorn is not wanted by every command

    if processes() > 1:
        graceful.serve_in_several(processes(), options())
        return
    has_started = graceful.serve(inherited(), options())
    sys.stdout.flush()
    if not has_started:
        sys.exit(STARTUP_FAILED)
