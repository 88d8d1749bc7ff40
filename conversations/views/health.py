"""For load balancers and supervisors; and what people see while something of the server fails."""

import sys

from django.db import DatabaseError, InterfaceError, OperationalError, connection
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe
from django.views.defaults import server_error


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
    """The page for a fault of ours; 503 where the database is away, since the same request will work again later."""
    if not isinstance(sys.exception(), OperationalError | InterfaceError):
        return server_error(request)
    response = render(None, "503.html", status=503)
    response.headers["Retry-After"] = "5"
    return response
