"""The list of all, settings, deletion and its undo."""

from typing import Any
from uuid import UUID

from django.contrib import messages as flash
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe
from django_htmx.http import HttpResponseClientRedirect

from conversations import queries
from conversations.forms import ArrangeForm, SettingsForm
from conversations.models import Conversation
from conversations.queries import Key, Listing
from conversations.services import conversations
from conversations.services.errors import Refusal
from conversations.views import chat
from conversations.views.http import HtmxHttpRequest, SeeOther, member_required, refused

PAGE_LENGTH = 100
STOP_POLLING = 286  # the status by which htmx is told so


@member_required
@require_safe
def index(request: HtmxHttpRequest) -> HttpResponse:
    """All own conversations, newest first, page by page; to htmx the next part of the side list."""
    before = Key.read(request.GET.get("before", ""))
    if request.htmx:
        context = _listed(request, queries.conversation_list(request.user, before))
        return render(request, "conversations/_older.html", context | {"before": before})
    is_archive = "archived" in request.GET
    found = queries.older_than(before, queries.all_conversations(request.user, archived=is_archive))
    page = list(found[: PAGE_LENGTH + 1])
    older = Key.of(page[PAGE_LENGTH - 1]) if len(page) > PAGE_LENGTH else None
    context = {"page": page[:PAGE_LENGTH], "older": older, "before": before, "is_archive": is_archive}
    return render(request, "conversations/index.html", context)


@require_safe
def recent(request: HtmxHttpRequest) -> HttpResponse:
    """The newest part of the side list once more, where it has changed since `seen`."""
    if not request.user.is_authenticated:
        return HttpResponse(status=STOP_POLLING)
    listing = queries.conversations_since(request.user, Key.read(request.GET.get("down_to", "")))
    if listing.fingerprint == request.GET.get("seen"):
        return HttpResponse(status=204)
    return render(request, "conversations/_recent.html", _listed(request, listing))


@member_required
@require_POST
def arrange(request: HtmxHttpRequest, conversation_uuid: UUID) -> HttpResponse:
    """Pin to the top of the list, put away, or take either back."""
    conversation = get_object_or_404(Conversation.objects.visible_to(request.user), uuid=conversation_uuid)
    form = ArrangeForm(request.POST)
    if not form.is_valid():
        return refused(request, Refusal(_("This form is incomplete. Reload the page and try again.")))
    conversations.configure(conversation, **{form.cleaned_data["what"]: form.cleaned_data["so"]})
    return _go(request, f"/c/{conversation.uuid}/")


@member_required
@require_http_methods(["GET", "HEAD", "POST"])
def configure(request: HtmxHttpRequest, conversation_uuid: UUID) -> HttpResponse:
    """Title, system prompt and parameters of a conversation: to look at, and to change."""
    conversation = get_object_or_404(Conversation.objects.visible_to(request.user), uuid=conversation_uuid)
    if request.method != "POST":
        return _settings(request, conversation)
    form = SettingsForm(request.POST)
    if not form.is_valid():
        refusal = Refusal(_("These settings cannot be used; see the fields below."))
        return chat.page(request, conversation, settings_form=form, refusal=refusal)
    conversations.configure(
        conversation,
        title=form.cleaned_data["title"],
        system_prompt=form.cleaned_data["system_prompt"],
        parameters=form.parameters(),
    )
    return _go(request, f"/c/{conversation.uuid}/")


@member_required
@require_POST
def delete(request: HtmxHttpRequest, conversation_uuid: UUID) -> HttpResponse:
    """Delete at once, with an undo for an hour instead of a question."""
    conversation = get_object_or_404(Conversation.objects.visible_to(request.user), uuid=conversation_uuid)
    conversations.delete(conversation)
    # The tag lets the page offer the undo beside the sentence.
    flash.info(
        request, _("“%(title)s” was deleted.") % {"title": conversation.title}, extra_tags=str(conversation.uuid)
    )
    return _go(request, "/")


@member_required
@require_POST
def restore(request: HtmxHttpRequest, conversation_uuid: UUID) -> HttpResponse:
    """Take a deletion back."""
    conversation = get_object_or_404(Conversation.objects.deleted_by(request.user), uuid=conversation_uuid)
    conversations.restore(conversation)
    return _go(request, f"/c/{conversation.uuid}/")


def _settings(request: HtmxHttpRequest, conversation: Conversation) -> HttpResponse:
    """The form over the chat, or as a part of the page."""
    form = SettingsForm.of(conversation)
    if not request.htmx:
        return chat.page(request, conversation, settings_form=form)
    context = {"conversation": conversation, "settings_form": form}
    return render(request, "conversations/_settings.html", context)


def _listed(request: HtmxHttpRequest, listing: Listing) -> dict[str, Any]:
    """The list, and which of its conversations is on the page that asks."""
    place = request.htmx.current_url_abs_path or ""
    return {"listing": listing, "conversation": next((one for one in listing if str(one.uuid) in place), None)}


def _go(request: HtmxHttpRequest, address: str) -> HttpResponse:
    return HttpResponseClientRedirect(address) if request.htmx else SeeOther(address)
