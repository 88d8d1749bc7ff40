"""The list of all, settings, deletion and its undo."""

from uuid import UUID

from django.contrib import messages as flash
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe
from django_htmx.http import HttpResponseClientRedirect

from conversations.forms import SettingsForm
from conversations.models import Conversation
from conversations.services import conversations
from conversations.services.errors import Refusal
from conversations.views import chat
from conversations.views.http import HtmxHttpRequest, SeeOther, member_required

PAGE_LENGTH = 100


@member_required
@require_safe
def index(request: HtmxHttpRequest) -> HttpResponse:
    """All own conversations, newest first, a hundred to a page; the side list holds only the newest."""
    mine = Conversation.objects.listed_for(request.user).order_by("-active_at", "-id")
    page = Paginator(mine, PAGE_LENGTH).get_page(request.GET.get("page"))
    return render(request, "conversations/index.html", {"page": page})


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


def _go(request: HtmxHttpRequest, address: str) -> HttpResponse:
    return HttpResponseClientRedirect(address) if request.htmx else SeeOther(address)
