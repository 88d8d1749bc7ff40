"""Prompts and presets: listed, made, changed, copied, deleted, and taken into a new conversation.

Both kinds share their pages; what differs stands in their `Shelf`. One's own can be changed; what others share can be
seen, used and copied; anything else does not exist.
"""

from dataclasses import dataclass
from typing import Any, cast
from uuid import UUID

from django.contrib import messages as flash
from django.core.paginator import Paginator
from django.http import Http404, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe
from django_htmx.http import retarget

from conversations import queries
from conversations.forms import PresetForm, PromptForm, SendForm, VariablesForm
from conversations.models import Conversation, Preset, Prompt
from conversations.services import catalog, library
from conversations.services.errors import NameTaken, Refusal
from conversations.views import chat
from conversations.views.http import HtmxHttpRequest, SeeOther, member_required

PAGE_LENGTH = 100
MOST_OPTIONS = 1000  # of the list that opens in the message box


@dataclass(frozen=True, slots=True)
class Shelf:
    """A kind of thing to keep: its words in addresses and templates, for all and for one, and the field that says
    what it is about."""

    word: str
    one: str
    kind: type[Prompt] | type[Preset]
    about: str


PROMPTS = Shelf("prompts", "prompt", Prompt, "text")
PRESETS = Shelf("presets", "preset", Preset, "system_prompt")


@member_required
@require_safe
def index(request: HtmxHttpRequest, shelf: Shelf) -> HttpResponse:
    """The own ones and what others share, a hundred to a page."""
    items = Paginator(queries.library(request.user, shelf.kind, shelf.about), PAGE_LENGTH)
    return render(request, f"library/{shelf.word}.html", {"page": items.get_page(request.GET.get("page"))})


@member_required
@require_http_methods(["GET", "HEAD", "POST"])
def new(request: HtmxHttpRequest, shelf: Shelf) -> HttpResponse:
    """A form, empty, or for a preset with what the settings of a conversation say."""
    initial = {}
    if shelf is PRESETS and "conversation" in request.GET:
        mine = Conversation.objects.visible_to(request.user)
        initial = PresetForm.values_of(get_object_or_404(mine, uuid=_uuid(request.GET["conversation"])))
    return _edit(request, shelf, shelf.kind(owner=request.user), initial)


@member_required
@require_http_methods(["GET", "HEAD", "POST"])
def item(request: HtmxHttpRequest, shelf: Shelf, item_uuid: UUID) -> HttpResponse:
    """The form of one's own; what somebody else shares is shown without."""
    found = _visible(request, shelf, item_uuid)
    if found.owner_id == request.user.pk:
        values = PresetForm.values_of(found) if isinstance(found, Preset) else PromptForm.values_of(found)
        return _edit(request, shelf, found, values)
    if request.method == "POST":
        raise Http404
    return render(request, "library/shown.html", {"item": found, "shelf": shelf})


@member_required
@require_http_methods(["GET", "HEAD", "POST"])
def delete(request: HtmxHttpRequest, shelf: Shelf, item_uuid: UUID) -> HttpResponse:
    """Asks first: there is no taking back."""
    found = cast(library.Item, get_object_or_404(shelf.kind.objects.of(request.user), uuid=item_uuid))
    if request.method != "POST":
        return render(request, "library/delete.html", {"item": found, "shelf": shelf})
    found.delete()
    flash.info(request, _("“%(title)s” was deleted.") % {"title": found.name})
    return SeeOther(f"/{shelf.word}/")


@member_required
@require_POST
def copy(request: HtmxHttpRequest, shelf: Shelf, item_uuid: UUID) -> HttpResponse:
    """Make it one's own, and open that."""
    found = _visible(request, shelf, item_uuid)
    try:
        mine = library.copy(found, request.user)
    except Refusal as refusal:
        return render(request, "conversations/refused.html", {"refusal": refusal}, status=refusal.status)
    flash.success(request, _("This copy is yours."))
    return SeeOther(f"/{shelf.word}/{mine.uuid}/")


@member_required
@require_safe
def options(request: HtmxHttpRequest) -> HttpResponse:
    """The list that opens in the message box at a slash."""
    prompts = queries.library(request.user, Prompt, "text")[:MOST_OPTIONS]
    return render(request, "library/_options.html", {"prompts": prompts})


@member_required
@require_http_methods(["GET", "HEAD", "POST"])
def use(request: HtmxHttpRequest, item_uuid: UUID) -> HttpResponse:
    """The text of a prompt in the message box; before that its variables are asked for, in a dialog or on a page."""
    prompt = get_object_or_404(Prompt.objects.visible_to(request.user), uuid=item_uuid)
    names = library.variables(prompt.text)
    form = VariablesForm(request.POST if request.method == "POST" else None, names=names)
    if form.is_valid() or not names:
        text = library.fill(prompt.text, form.values() if names else {})
        if request.htmx:
            return render(request, "library/_filled.html", {"text": text})
        return chat.page(request, form=SendForm(initial={"text": text}))
    template = "library/_variables.html" if request.htmx else "library/variables.html"
    response = render(request, template, {"item": prompt, "form": form}, status=422 if form.errors else 200)
    return retarget(response, "#prompt") if request.htmx else response


def begin(request: HtmxHttpRequest) -> HttpResponseBase:
    """A new conversation by an address: `/?prompt=<uuid>`, or `/?preset=<uuid>` with its settings filled in."""
    if "prompt" in request.GET:
        return use(request, _uuid(request.GET["prompt"]))
    preset = get_object_or_404(Preset.objects.visible_to(request.user), uuid=_uuid(request.GET["preset"]))
    if not catalog.is_offered(preset.model, request.user.pk):
        flash.warning(request, _("The model of this preset is not on offer now; another one is chosen."))
    return chat.page(request, form=SendForm(initial=PresetForm.values_of(preset)), preset=preset)


def _visible(request: HtmxHttpRequest, shelf: Shelf, item_uuid: UUID) -> library.Item:
    mine_or_shared = shelf.kind.objects.visible_to(request.user).select_related("owner")
    return cast(library.Item, get_object_or_404(mine_or_shared, uuid=item_uuid))


def _edit(request: HtmxHttpRequest, shelf: Shelf, item: library.Item, initial: dict[str, Any]) -> HttpResponse:
    form, status = _form(request, item, initial), 200
    if form.is_bound:
        refusal = _store(item, form)
        if refusal is None:
            flash.success(request, _("“%(title)s” is saved.") % {"title": item.name})
            return SeeOther(f"/{shelf.word}/")
        status = refusal.status
    return render(request, "library/edit.html", {"form": form, "item": item, "shelf": shelf}, status=status)


def _form(request: HtmxHttpRequest, item: library.Item, initial: dict[str, Any]) -> PromptForm | PresetForm:
    posted = request.POST if request.method == "POST" else None
    if isinstance(item, Preset):
        return PresetForm(posted, initial=initial, models=catalog.choices(initial.get("model", ""), request.user.pk))
    return PromptForm(posted, initial=initial)


def _store(item: library.Item, form: PromptForm | PresetForm) -> Refusal | None:
    """Store what was filled in; what is wrong with it stands in the form then."""
    if not form.is_valid():
        return Refusal("")
    try:
        library.store(item, **form.values())
    except Refusal as refusal:
        form.add_error("name" if isinstance(refusal, NameTaken) else None, str(refusal.sentence))
        return refusal
    return None


def _uuid(text: str) -> UUID:
    """An identifier out of a query; what is none is not found."""
    try:
        return UUID(text)
    except ValueError as exc:
        raise Http404 from exc
