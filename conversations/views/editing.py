"""Another version of a message one has sent: its form, in its place or on a page of its own, and sending it."""

import uuid
from collections.abc import Collection
from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods
from django_htmx.http import HttpResponseClientRedirect, retarget

from conversations.forms import EditForm
from conversations.models import Message, Part
from conversations.models.message import Kind, Role
from conversations.services import catalog, messages
from conversations.services.errors import Refusal
from conversations.services.messages import Draft
from conversations.services.texts import AttachedText
from conversations.views.branches import from_here
from conversations.views.http import HtmxHttpRequest, member_required


@member_required
@require_http_methods(["GET", "HEAD", "POST"])
def edit(request: HtmxHttpRequest, message_uuid: UUID) -> HttpResponse:
    """The form for another version of an own message; sent, it takes its place, with a reply of its own."""
    mine = Message.objects.visible_to(request.user).filter(role=Role.USER).select_related("conversation", "parent")
    message = get_object_or_404(mine.prefetch_related("parts__attachment"), uuid=message_uuid)
    if request.method != "POST":
        return _form(request, message)
    try:
        sent = messages.edit(request.user, message, _draft(request, message))
    except Refusal as refusal:
        return _form(request, message, refusal)
    if sent.is_repeated and request.htmx:
        return HttpResponseClientRedirect(f"/c/{message.conversation.uuid}/")
    return from_here(request, sent.message)


def _draft(request: HtmxHttpRequest, message: Message) -> Draft:
    form = EditForm(request.POST)
    if not form.is_valid():
        raise Refusal(_("This form is incomplete. Reload the page and send again."))
    kept = [part for part in _beside_the_words(message) if str(part.position) in request.POST.getlist("keep")]
    return Draft(
        text=form.cleaned_data["text"],
        model=form.cleaned_data["model"],
        key=form.cleaned_data["key"],
        order=[str(part.attachment.uuid) for part in kept if part.attachment],
        texts=[AttachedText(part.name, part.text) for part in kept if part.kind == Kind.TEXT],
    )


def _form(request: HtmxHttpRequest, message: Message, refusal: Refusal | None = None) -> HttpResponse:
    """The form with what is stored or, where that was refused, with what was sent."""
    words = "".join(part.text for part in message.parts.all() if part.kind == Kind.TEXT and not part.name)
    parts = _beside_the_words(message)
    kept: Collection[str] = request.POST.getlist("keep") if refusal else [str(part.position) for part in parts]
    context = {
        "message": message,
        "words": request.POST.get("text", "") if refusal else words,
        "parts": [(part, str(part.position) in kept) for part in parts],
        "offers": catalog.offers(message.conversation.owner_id),
        "chosen_model": request.POST.get("model", "") or message.conversation.model,
        "key": uuid.uuid4().hex,
        "refusal": refusal,
    }
    template = "conversations/_edit.html" if request.htmx else "conversations/edit.html"
    response = render(request, template, context, status=refusal.status if refusal else 200)
    if refusal:
        response.headers["HX-Reswap"] = "outerHTML"
        retarget(response, f"#edit-{message.uuid}")
    return response


def _beside_the_words(message: Message) -> list[Part]:
    """Its pictures and attached texts, each of which can be kept or left out."""
    return [part for part in message.parts.all() if part.kind == Kind.IMAGE or part.name]
