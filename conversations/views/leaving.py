"""Taking along what is one's own, and leaving, as far as the organisation lets people do that themselves."""

from collections.abc import AsyncIterator

from allauth.account.decorators import reauthentication_required
from django.conf import settings
from django.contrib import messages as flash
from django.contrib.auth import logout
from django.http import Http404, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.http import content_disposition_header
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from conversations.models import User
from conversations.services import holds, people, takeout
from conversations.services.errors import NotNow
from conversations.views.http import HtmxHttpRequest, member_required
from conversations.views.viewers import in_thread


@member_required
@require_safe
def account(request: HtmxHttpRequest) -> HttpResponse:
    allow("export", "delete")
    return render(request, "people/account.html", {"may_delete": settings.CHATSITE_SELF_SERVICE == "delete"})


@member_required
@require_POST
def export(request: HtmxHttpRequest) -> HttpResponseBase:
    allow("export", "delete")
    return download(request.user)


@member_required
@require_http_methods(["GET", "HEAD", "POST"])
@reauthentication_required  # type: ignore[untyped-decorator]
def delete(request: HtmxHttpRequest) -> HttpResponse:
    """At once and for good, with an export or by saying that none is wanted."""
    allow("delete")
    is_taken = takeout.is_taken(request.user)
    if request.method != "POST":
        return render(request, "people/delete_account.html", {"is_taken": is_taken})
    if not is_taken and not request.POST.get("without_export"):
        return render(request, "people/delete_account.html", {"is_missing": True}, status=422)
    if holds.keeps(request.user):  # why is not for everybody to know
        raise NotNow(_("This account cannot be deleted at the moment. Ask your administrator."))
    people.delete(request.user)
    logout(request)
    flash.success(request, _("Your account and everything in it is deleted."))
    return redirect("account_login")


def allow(*policies: str) -> None:
    if settings.CHATSITE_SELF_SERVICE not in policies:
        raise Http404


def download(person: User) -> StreamingHttpResponse:
    """Everything of this person as a file, sent while it is made."""
    name = content_disposition_header(True, f"chatsite-{person.get_username()}.zip")
    headers = {"Content-Disposition": name or "attachment", "X-Content-Type-Options": "nosniff"}
    return StreamingHttpResponse(_pieces(person), content_type="application/zip", headers=headers)


async def _pieces(person: User) -> AsyncIterator[bytes]:
    pieces = takeout.stream(person)
    while piece := await in_thread(next, pieces, b""):
        yield piece
