"""For load balancers and supervisors; and what people see while something of the server fails."""

import errno
import sys
from contextlib import suppress

from django.db import DatabaseError, InterfaceError, OperationalError, connection
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe
from django.views.defaults import server_error

from conversations.views import again

FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


@require_safe
def alive(request: HttpRequest) -> HttpResponse:
    """200 as long as the process answers."""
    return HttpResponse("ok", content_type="text/plain")


@require_safe
def ready(request: HttpRequest) -> HttpResponse:
    """200 when the database answers too, else 503."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        return HttpResponse("database", status=503, content_type="text/plain")
    return HttpResponse("ready", content_type="text/plain")


def failed(request: HttpRequest) -> HttpResponse:
    """What people see after a fault of ours.

    503 where the database or the store of pictures is away, or nothing can be stored, since the same request will work
    again later. What was written without a script comes back in a form: a browser would forget it.
    """
    error = sys.exception()
    is_full = _is_full(error)
    is_away = isinstance(error, OSError) and error.errno == errno.EHOSTUNREACH  # the store of pictures
    if not (is_full or is_away or isinstance(error, OperationalError | InterfaceError)):
        return server_error(request)
    response = render(None, "503.html", {"is_full": is_full, "is_away": is_away}, status=503)
    if (is_full or is_away) and request.POST.get("text") and "HX-Request" not in request.headers:
        with suppress(DatabaseError):
            response = again.written(request, 503)
    response.headers["Retry-After"] = "5"
    return response


def _is_full(error: BaseException | None) -> bool:
    """Whether a file cannot grow; SQLite calls it a full disk or an error of it."""
    if isinstance(error, OperationalError):
        return "disk" in str(error)
    return isinstance(error, OSError) and error.errno in FULL
