"""What can be refused, with the sentence a person reads, and the sentences for provider errors by code.

Refusal (422)
├── Busy (409)        another reply of this branch still runs
├── KeyReused (409)   the idempotency key was used for other content
├── NameTaken (409)   the person has another prompt or preset of this name
└── NotNow (409)      the state of the object does not allow it (any more)
"""

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext_lazy

from conversations.providers.replies import outcomes

Sentence = str | Promise


class Refusal(Exception):
    """A request that is understood and not carried out. `sentence` says what to do, `status` is the HTTP status."""

    status = 422

    def __init__(self, sentence: Sentence) -> None:
        super().__init__(str(sentence))
        self.sentence = sentence


class Busy(Refusal):
    status = 409

    def __init__(self) -> None:
        super().__init__(_("A reply is still being written here. Wait for its end or stop it, then send again."))


class KeyReused(Refusal):
    status = 409

    def __init__(self) -> None:
        super().__init__(_("This form was sent before with other content. Reload the page and send again."))


class NameTaken(Refusal):
    status = 409

    def __init__(self, name: str) -> None:
        super().__init__(_("You have one named “%(name)s” already. Choose another name.") % {"name": name})


class NotNow(Refusal):
    status = 409


PROVIDER_SENTENCES: dict[str, Sentence] = {
    "not_configured": _("This model has no key any more. Choose another model, or ask your administrator to add one."),
    "not_allowed": _("This model is not open to you (any more). Choose another one, or ask your administrator."),
    "private_address": _(
        "This model's address is inside a private network, which nobody has allowed. Tell your administrator."
    ),
    "auth": _("The provider refused our key. Ask your administrator to check it, or choose another model."),
    "credits": _("The account with this provider has no credit left. Ask your administrator to top it up."),
    "rate_limited": _("The provider is receiving too many requests. Wait a minute, then retry."),
    "bad_request": _("The provider refused this request. Change the message or the settings, then retry."),
    "too_large": _("This conversation is too large for the model. Start a new one, or use fewer or smaller pictures."),
    "not_found": _("The provider does not know this model (any more). Choose another model."),
    "timeout": _("The provider took too long to answer. Retry in a moment."),
    "provider_down": _("The provider has a problem of its own right now. Retry in a moment."),
    "network": _("The provider cannot be reached right now. Retry in a moment."),
    "interrupted": _("The answer was cut off before its end. What arrived is kept; retry for a whole one."),
    "blocked": _("The provider's filter refused this. Rephrase your message and send it again."),
    "no_image": _("The model drew nothing. Describe the picture differently and send again."),
    "empty_reply": _("The model answered with nothing. Retry, or rephrase your message."),
    "token_limit": _(
        "The model used up its token limit before it wrote an answer. Raise “Maximum tokens” in the settings and retry."
    ),
    "unexpected_reply": _("The provider sent an answer nobody can read. Retry, or tell your administrator."),
    "storage": _("The server could not store the answer (its disk may be full). Tell your administrator, then retry."),
    "restarted": _("The server was restarted while this was being written. What arrived is kept; retry for the rest."),
    "error": _("Something went wrong on this server. Retry; if it happens again, tell your administrator."),
}

NOTICES: dict[str, Sentence] = {
    "truncated": _("Cut off at the token limit. Raise “Maximum tokens” in the settings for longer answers."),
    "filtered": _("The provider's filter cut this answer short."),
    "picture_omitted": _("A picture in this answer could not be used and was left out."),
    "pictures_not_sent": _(
        "Some pictures of this conversation were not sent: this model cannot see them, or takes only so many at a time."
    ),
    "part_omitted": _("A part of this answer could not be shown and was left out."),
}

FINISHES: dict[str, Sentence] = {
    "SAFETY": _("Ended by the provider's safety filter."),
    "RECITATION": _("Ended because it came too close to a text that others wrote."),
    "LANGUAGE": _("Ended because the model does not know this language well enough."),
    "TOOL_CALLS": _("Ended because the model wanted to use a tool, and there are none here."),
    "FUNCTION_CALL": _("Ended because the model wanted to use a tool, and there are none here."),
}


def finish_sentence(word: str) -> Sentence:
    """Why an answer ended, by the provider's word for it; "" for its regular end and for what a notice says."""
    reason = outcomes.reason(word)
    if not outcomes.is_said(word) or reason in ("complete", "truncated"):
        return ""
    if found := FINISHES.get(word.upper()):
        return found
    return "" if reason == "filtered" else _("Ended for a reason the provider calls “%(word)s”.") % {"word": word}


def provider_sentence(code: str, *, retry_after: int | None = None, finish_reason: str = "") -> Sentence:
    """The sentence for an error code, more exact where the wait is known or the token limit was the cause."""
    if code == "rate_limited" and retry_after:
        return ngettext_lazy(
            "The provider is receiving too many requests. Retry in %(seconds)d second.",
            "The provider is receiving too many requests. Retry in %(seconds)d seconds.",
            "seconds",
        ) % {"seconds": retry_after}
    if code == "empty_reply" and finish_reason == "token_limit":
        code = "token_limit"
    return PROVIDER_SENTENCES.get(code, PROVIDER_SENTENCES["error"])
