"""Keys that people bring for connections: set, replaced and removed, never shown."""

from typing import Any
from uuid import UUID

from django.contrib import messages as flash
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST, require_safe

from conversations.forms import OwnKeyForm
from conversations.models import Connection
from conversations.services import connections
from conversations.views.http import HtmxHttpRequest, SeeOther, member_required


@member_required
@require_safe
def index(request: HtmxHttpRequest) -> HttpResponse:
    """The connections that take a key of one's own, and what one has brought."""
    return _page(request)


@sensitive_post_parameters()
@member_required
@require_POST
def change(request: HtmxHttpRequest, connection_uuid: UUID) -> HttpResponse:
    """Bring a key for one of them, or take it away."""
    connection = get_object_or_404(Connection.objects.taking_keys_of(request.user), uuid=connection_uuid)
    if "remove" in request.POST:
        connections.remove_key(request.user, connection)
        flash.info(request, _("Your key for %(name)s is removed.") % {"name": connection.label})
        return SeeOther("/settings/keys/")
    form = OwnKeyForm(request.POST, auto_id=f"id_{connection.pk}_%s")
    if not form.is_valid():
        return _page(request, {connection.pk: form}, status=422)
    connections.bring_key(request.user, connection, form.cleaned_data["key"])
    flash.success(request, _("Your key for %(name)s is stored.") % {"name": connection.label})
    return SeeOther("/settings/keys/")


def _page(request: HtmxHttpRequest, forms: dict[int, Any] | None = None, status: int = 200) -> HttpResponse:
    found = [
        (one, (forms or {}).get(one.pk) or OwnKeyForm(auto_id=f"id_{one.pk}_%s"))
        for one in Connection.objects.taking_keys_of(request.user)
    ]
    return render(request, "people/keys.html", {"connections": found}, status=status)
