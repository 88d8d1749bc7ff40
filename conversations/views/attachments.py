"""Pictures, for those who may see the message they are in."""

from typing import Literal
from uuid import UUID

from django.core.files.storage import default_storage
from django.http import FileResponse, Http404
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_http_methods, require_safe

from conversations import queries
from conversations.forms import DescribeForm
from conversations.models import Attachment
from conversations.models.attachment import SUFFIX
from conversations.services import attachments
from conversations.views.http import HtmxHttpRequest, SeeOther, member_required

Size = Literal["original", "thumbnail"]


@member_required
@require_safe
def picture(request: HtmxHttpRequest, attachment_uuid: UUID, size: Size) -> HttpResponseBase:
    """The stored picture or its thumbnail; with `?download` as a file to save."""
    found = get_object_or_404(Attachment.objects.visible_to(request.user), uuid=attachment_uuid)
    return file_response(found, size, as_download="download" in request.GET)


@member_required
@require_http_methods(["GET", "HEAD", "POST"])
def describe(request: HtmxHttpRequest, attachment_uuid: UUID) -> HttpResponseBase:
    """Words for what is to be seen: the form as a page, or as a fragment beside the picture in the viewer."""
    found = get_object_or_404(Attachment.objects.visible_to(request.user), uuid=attachment_uuid)
    form = DescribeForm(request.POST or None, instance=found)
    if request.method == "POST" and form.is_valid():
        attachments.describe(found, form.cleaned_data["alt"])
        if not request.htmx:
            return SeeOther(_address(found))
        return render(request, "conversations/_described.html", {"attachment": found})
    template = "conversations/_describe.html" if request.htmx else "conversations/describe.html"
    context = {"attachment": found, "form": form, "back": _address(found)}
    return render(request, template, context, status=422 if form.errors else 200)


def _address(attachment: Attachment) -> str:
    """Where the picture is to be seen."""
    message = queries.message_with(attachment)
    return f"/c/{message.conversation.uuid}/#message-{message.uuid}" if message else "/"


def file_response(attachment: Attachment, size: Size, *, as_download: bool = False) -> FileResponse:
    """The file with the type of our own record, so that no browser makes anything else of it than a picture."""
    is_original = size == "original"
    path = attachment.path if is_original else attachment.thumbnail_path
    try:
        file = default_storage.open(path)
    except FileNotFoundError:
        raise Http404 from None
    media_type = attachment.media_type if is_original else attachment.thumbnail_type
    name = f"picture-{attachment.uuid}.{SUFFIX[media_type]}"
    response = FileResponse(file, content_type=media_type, as_attachment=as_download, filename=name)
    response.headers["Cache-Control"] = "private, max-age=86400, immutable"
    response.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
    return response
