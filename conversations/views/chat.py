"""The chat page: a new conversation, or one with its transcript."""

import uuid
from dataclasses import replace
from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_http_methods

from conversations import queries
from conversations.forms import PlaceForm, SendForm, SettingsForm
from conversations.models import Conversation, Message, Preset, User
from conversations.queries import Listing, Window
from conversations.services import catalog, history
from conversations.services.errors import Refusal
from conversations.views import library, messages
from conversations.views.beside import Beside, taken
from conversations.views.http import HtmxHttpRequest, member_required

LONGEST_SUGGESTION = 2000  # characters
MOST_PRESETS = 8  # offered on the page of a new conversation; all of them have a page of their own


@member_required
@require_http_methods(["GET", "HEAD", "POST"])
def home(request: HtmxHttpRequest) -> HttpResponseBase:
    if request.method == "POST":
        return messages.send(request, None)
    if request.GET.keys() & {"prompt", "preset"}:
        return library.begin(request)
    return page(request, form=_begun(request), beside=taken(request))


@member_required
@require_http_methods(["GET", "HEAD", "POST"])
def conversation(request: HtmxHttpRequest, conversation_uuid: UUID) -> HttpResponseBase:
    found = get_object_or_404(Conversation.objects.visible_to(request.user), uuid=conversation_uuid)
    if request.method == "POST":
        return messages.send(request, found)
    if request.htmx and {"before", "after"} & set(request.GET):
        return _part(request, found)
    if request.htmx and "picture" in request.GET:
        return _taken(request, found)
    return page(request, found, beside=taken(request))


def page(
    request: HtmxHttpRequest,
    conversation: Conversation | None = None,
    form: SendForm | None = None,
    settings_form: SettingsForm | None = None,
    refusal: Refusal | None = None,
    beside: Beside | None = None,
    preset: Preset | None = None,
) -> HttpResponse:
    """The whole page; `preset` is the one that filled in the form of a new conversation."""
    window = _window(request, conversation) if conversation else Window([])
    context = _context(request, conversation, form, settings_form, refusal) | {
        "window": window,
        "is_running": any(one.is_running for one in window.shown),
        # A page with somebody's unsent text is never refreshed under their hands.
        "is_refreshed": form is None and "write" not in request.GET,
        "beside": beside,
        "preset": preset,
        "presets": () if conversation else queries.library(request.user, Preset, "system_prompt")[:MOST_PRESETS],
    }
    if conversation and window.after is not None:
        newest = queries.last_answer(conversation)
        context |= {"memory_from": newest and newest.memory_from, "fill": newest and history.fill_after(newest)}
    elif newest := queries.newest_answer(window):
        context |= {"memory_from": newest.memory_from, "fill": history.fill_of(window.shown, newest)}
    if beside and beside.is_edit:
        context |= _painter(request, context["chosen_model"])
    return render(request, "conversations/chat.html", context, status=refusal.status if refusal else 200)


def _taken(request: HtmxHttpRequest, conversation: Conversation) -> HttpResponse:
    """For a page that is there: the picture to edit, and the choice of the model, which may have to be another."""
    context = {"beside": taken(request), "offers": catalog.offers(request.user.pk), "conversation": conversation}
    return render(request, "conversations/_taken.html", context | _painter(request, request.GET.get("model", "")))


def _painter(request: HtmxHttpRequest, model: str) -> dict[str, str]:
    return {"model_before": model, "chosen_model": catalog.drawing(model, request.user.pk)}


def _begun(request: HtmxHttpRequest) -> SendForm | None:
    """The composer with the text, and perhaps the model, that a link suggests."""
    if "text" not in request.GET:
        return None
    text, model = (request.GET.get(name, "") for name in ("text", "model"))
    return SendForm(initial={"text": text[:LONGEST_SUGGESTION], "model": model})


def _part(request: HtmxHttpRequest, conversation: Conversation) -> HttpResponse:
    """What scrolling adds to the transcript at one of its ends."""
    window = _window(request, conversation)
    context = {"is_added": True, "address": _address(conversation), "memory_from": queries.memory_of(conversation)}
    if "before" in request.GET:
        return render(request, "conversations/_window.html", context | {"window": replace(window, after=None)})
    return render(request, "conversations/_below.html", context | {"window": replace(window, before=None)})


def _window(request: HtmxHttpRequest, conversation: Conversation) -> Window:
    """The part of the transcript that the address asks for, else its end."""
    match PlaceForm(request.GET).asked():
        case {"before": depth}:
            return queries.window_before(conversation, depth)
        case {"after": depth}:
            return queries.window_after(conversation, depth)
        case {"message": message_uuid}:
            message = Message.objects.filter(conversation=conversation, uuid=message_uuid).first()
            return queries.window_around(conversation, message) if message else queries.newest(conversation)
    return queries.newest(conversation)


def _address(conversation: Conversation | None) -> str:
    return f"/c/{conversation.uuid}/" if conversation else "/"


def _context(
    request: HtmxHttpRequest,
    conversation: Conversation | None,
    form: SendForm | None,
    settings_form: SettingsForm | None,
    refusal: Refusal | None,
) -> dict[str, Any]:
    offers = catalog.offers(request.user.pk)
    listing = queries.conversation_list(request.user)
    return {
        "conversation": conversation,
        "listing": listing,
        "offers": offers,
        "chosen_model": _chosen_model(request.user, conversation, listing, form, offers),
        "compared": request.POST.getlist("compare"),
        "form": form or SendForm(),
        "settings_form": settings_form,
        "refusal": refusal,
        "key": uuid.uuid4().hex,
        "address": _address(conversation),
        "origin": conversation and queries.origin_of(conversation, request.user),
    }


def _chosen_model(
    user: User,
    conversation: Conversation | None,
    listing: Listing,
    form: SendForm | None,
    offers: tuple[catalog.Offer, ...],
) -> str:
    """What the picker shows first: what was just chosen, this conversation's model, the person's default, the one used
    last, the first."""
    wishes = [str(form["model"].value() or "") if form else "", conversation.model if conversation else ""]
    wishes.append(user.default_model)
    last = max(listing, key=lambda one: one.active_at, default=None)
    wishes += [last.model] if last and not conversation else []
    offered = [offer.model.id for offer in offers]
    return next((wish for wish in wishes if wish in offered), offered[0] if offered else "")
