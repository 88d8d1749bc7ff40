"""Sending and stopping."""

import uuid
from typing import Any
from uuid import UUID

from django.core.files.uploadedfile import UploadedFile
from django.http import Http404, HttpResponse
from django.middleware.csrf import get_token
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe
from django_htmx.http import HttpResponseClientRedirect, push_url, trigger_client_event

from conversations import markup, queries
from conversations.forms import SendForm
from conversations.models import Attachment, Conversation, Message
from conversations.services import attachments, catalog, columns, messages, replies, texts
from conversations.services.attachments import PicturesRefused
from conversations.services.errors import Refusal
from conversations.services.messages import Draft, Sent
from conversations.services.texts import AttachedText
from conversations.views import chat, stream
from conversations.views.beside import Beside
from conversations.views.http import HtmxHttpRequest, SeeOther, in_notice, member_required, notice


def send(request: HtmxHttpRequest, conversation: Conversation | None) -> HttpResponse:
    """Take the composer's form, for an existing conversation or a new one."""
    form = SendForm(request.POST)
    try:
        sent = messages.send(request.user, _draft(request, form), conversation)
    except Refusal as refusal:
        return _refused(request, conversation, form, refusal)
    return _answer(request, sent, conversation)


@member_required
@require_POST
def stop(request: HtmxHttpRequest, conversation_uuid: UUID) -> HttpResponse:
    """Stop what runs on the branch on show; the stream, or the page itself, shows the end."""
    conversation = get_object_or_404(Conversation.objects.visible_to(request.user), uuid=conversation_uuid)
    for reply in Message.objects.filter(conversation=conversation).on_show().replies().running():
        replies.stop(reply)
    return HttpResponse(status=204) if request.htmx else SeeOther(f"/c/{conversation.uuid}/")


@member_required
@require_POST
def go_on(request: HtmxHttpRequest, reply_uuid: UUID) -> HttpResponse:
    """Let a reply that was cut or stopped be written on, in the same message."""
    reply = _reply(request, reply_uuid)
    messages.go_on(reply)
    reply.refresh_from_db()
    return _article(request, reply)


@member_required
@require_POST
def pick(request: HtmxHttpRequest, reply_uuid: UUID) -> HttpResponse:
    """Go on with one of several replies that stand side by side."""
    reply = _reply(request, reply_uuid)
    columns.pick(reply)
    return _article(request, reply)


def _reply(request: HtmxHttpRequest, reply_uuid: UUID) -> Message:
    mine = Message.objects.visible_to(request.user).replies().select_related("conversation")
    return get_object_or_404(mine, uuid=reply_uuid)


def _article(request: HtmxHttpRequest, reply: Message) -> HttpResponse:
    """A reply that has just begun, for the place of the article whose button was pressed."""
    if not request.htmx:
        return SeeOther(f"/c/{reply.conversation.uuid}/")
    return render(request, "conversations/_message.html", {"shown": queries.single(reply)})


@member_required
@require_safe
def source(request: HtmxHttpRequest, message_uuid: UUID) -> HttpResponse:
    """A message as it was written: Markdown, with the addresses of its pictures."""
    visible = Message.objects.visible_to(request.user).prefetch_related("parts__attachment", "pieces__attachment")
    blocks = queries.shown(get_object_or_404(visible, uuid=message_uuid)).body
    text = "\n\n".join(_picture(request, block.attachment) if block.attachment else block.text for block in blocks)
    return HttpResponse(text, content_type="text/plain; charset=utf-8")


@member_required
@require_safe
def table(request: HtmxHttpRequest, message_uuid: UUID, place: int, number: int) -> HttpResponse:
    """A table in a reply for a spreadsheet: this one of those in the block at this place."""
    visible = (
        Message.objects.visible_to(request.user).replies().prefetch_related("parts__attachment", "pieces__attachment")
    )
    blocks = queries.shown(get_object_or_404(visible, uuid=message_uuid)).body[place : place + 1]
    found = markup.table(blocks[0].text, number) if blocks else None
    if found is None:
        raise Http404
    headers = {"Content-Disposition": 'attachment; filename="table.csv"'}
    # The mark tells Excel that it is UTF-8.
    return HttpResponse(f"\ufeff{found}", content_type="text/csv; charset=utf-8", headers=headers)


def _picture(request: HtmxHttpRequest, attachment: Attachment) -> str:
    return f"![{attachment.name}]({request.build_absolute_uri(reverse('original', args=[attachment.uuid]))})"


def _draft(request: HtmxHttpRequest, form: SendForm) -> Draft:
    """The filled-in form as a draft; raises Refusal that names what does not fit."""
    if not form.is_valid():
        field, errors = next(iter(form.errors.items()))
        if field in ("key", "model"):
            raise Refusal(_("This form is incomplete. Reload the page and send again."))
        raise Refusal(f"{form.fields[field].label}: {errors[0]}")
    attached, images = _brought(request)
    return Draft(
        text=form.cleaned_data["text"],
        model=form.cleaned_data["model"],
        key=form.cleaned_data["key"],
        images=images,
        order=request.POST.getlist("attachments"),
        texts=attached,
        system_prompt=form.cleaned_data["system_prompt"],
        parameters=form.parameters(),
        compare=request.POST.getlist("compare"),
        is_temporary=form.cleaned_data["temporary"],
    )


def _brought(request: HtmxHttpRequest) -> "tuple[list[AttachedText], list[UploadedFile[bytes]]]":
    """The attached texts of the form, and its uploads that are none."""
    read, others = texts.sort_out(request.FILES.getlist("images"))
    return texts.of_fields(request.POST.getlist("text_names"), request.POST.getlist("texts")) + read, others


def _refused(
    request: HtmxHttpRequest, conversation: Conversation | None, form: SendForm, refusal: Refusal
) -> HttpResponse:
    """The sentence, and all that can be used of the message: a browser drops the files of a form it has sent."""
    if request.htmx and not isinstance(refusal, PicturesRefused):
        return notice(request, refusal.sentence, refusal.status)
    attached, images = _brought(request)
    kept = attachments.rescue(request.user, images, request.POST.getlist("attachments"), refusal)
    if not request.htmx:
        return chat.page(request, conversation, form=form, refusal=refusal, beside=Beside(kept, attached))
    context = {"sentence": refusal.sentence, "pictures": kept}
    response = render(request, "conversations/_kept.html", context, status=refusal.status)
    return trigger_client_event(in_notice(response), "kept")


def _compared(sent: Sent) -> dict[str, Any]:
    """What a send changes about comparisons on the page: the one above it ends, the choice of models is made anew."""
    context: dict[str, Any] = (
        {"offers": catalog.offers(sent.message.conversation.owner_id)} if len(sent.replies) > 1 else {}
    )
    if sent.picked:
        sent.picked.refresh_from_db()
        context["picked"] = queries.single(sent.picked)
    return context


def _answer(request: HtmxHttpRequest, sent: Sent, conversation: Conversation | None) -> HttpResponse:
    address = f"/c/{sent.message.conversation.uuid}/"
    if not request.htmx:
        return SeeOther(address)
    # Where the end of the conversation is not on the page, there is no place to add to.
    if sent.is_repeated or "apart" in request.POST:
        return HttpResponseClientRedirect(address)
    # The token it was sent with is as good as a new one, and making one costs more than storing the message.
    token = request.POST.get("csrfmiddlewaretoken") or get_token(request)
    for reply in sent.replies:
        stream.expect(request, request.user, reply, token)
    articles = queries.just_sent(sent.message, sent.parts, sent.replies)
    context = {"articles": articles, "key": uuid.uuid4().hex, "csrf_token": token} | _compared(sent)
    if conversation:
        return render(request, "conversations/_sent.html", context)
    # The page of a new conversation becomes that of this one, piece by piece: what is being typed meanwhile stays.
    response = render(request, "conversations/_begun.html", context | {"conversation": sent.message.conversation})
    return push_url(response, address)
