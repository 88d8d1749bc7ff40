"""`/metrics` for Prometheus: off unless a token is set, and only for who knows it. No person and no text is in it."""

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.crypto import constant_time_compare
from django.views.decorators.http import require_safe


@require_safe
def page(request: HttpRequest) -> HttpResponse:
    """What this process knows of itself, and what the database knows of all of them."""
    if not settings.CHATSITE_METRICS_TOKEN:
        raise Http404
    if not may_read(request.headers.get("Authorization", "")):
        return HttpResponse(status=401, headers={"WWW-Authenticate": "Bearer"})
    from conversations.views import figures  # its package is there only where it is wanted

    return HttpResponse(figures.text(), content_type=figures.CONTENT_TYPE_LATEST)


def may_read(authorization: str) -> bool:
    """Whether this header brings the token."""
    token = settings.CHATSITE_METRICS_TOKEN
    return bool(token) and constant_time_compare(authorization, f"Bearer {token}")
