"""The forms of connections and models in the administration. Keys and headers can be written, never read."""

import re
from typing import Any
from urllib.parse import urlsplit

from django import forms
from django.utils.translation import gettext_lazy as _

from conversations.models import Connection, OfferedModel
from conversations.models.connection import PRICES, Form, Kind
from conversations.services import connections, offers

HEADER_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,60}")
OUR_HEADERS = {
    *("host", "content-length", "content-type", "transfer-encoding", "accept", "accept-encoding"),
    *("te", "upgrade", "expect", "trailer", "user-agent"),
}
OUR_MEMBERS = {"messages", "model", "stream", "stream_options", "contents", "systemInstruction", "generationConfig"}
SECRET = {"autocomplete": "new-password", "spellcheck": "false"}


class Unshown(forms.Textarea):
    """Like a field for passwords: what was typed does not come back with a refusal."""

    def format_value(self, value: Any) -> str:
        return ""


class ConnectionForm(forms.ModelForm):
    """`key` and `headers` are empty whatever is stored; empty leaves it as it is."""

    key = forms.CharField(
        label=_("Key"),
        required=False,
        strip=True,
        max_length=connections.LONGEST_KEY,
        widget=forms.PasswordInput(SECRET, render_value=False),
        help_text=_("Empty: the stored key stays as it is."),
    )
    removes_key = forms.BooleanField(label=_("Remove the stored key"), required=False)
    headers = forms.CharField(
        label=_("Further headers"),
        required=False,
        max_length=4000,
        widget=Unshown({"rows": 3, "cols": 60, "dir": "ltr"} | SECRET),
        help_text=_("One to a line, as “X-Name: value”. They are kept like the key. Empty: as stored."),
    )
    removes_headers = forms.BooleanField(label=_("Remove the stored headers"), required=False)

    class Meta:
        model = Connection
        fields = (
            *("label", "slug", "kind", "base_url", "auth", "is_enabled", "may_be_private", "takes_own_keys"),
            "credit_warning",
        )
        labels = {
            "label": _("Name"),
            "slug": _("Short name"),
            "kind": _("Kind"),
            "base_url": _("Address"),
            "auth": _("How the key is sent"),
            "is_enabled": _("Enabled"),
            "may_be_private": _("Private addresses are allowed"),
            "takes_own_keys": _("People may bring a key of their own"),
            "credit_warning": _("Warn below so many credits"),
        }
        help_texts = {
            "slug": _("Begins the identifiers of its models and cannot be changed later."),
            "base_url": _("Such as https://api.example.com/v1. Empty: the usual address of this kind."),
            "auth": _("Empty: as usual for this kind."),
            "may_be_private": _(
                "For a server on this machine or in your network. Otherwise nothing is sent to such an address."
            ),
            "takes_own_keys": _("Used for what they send themselves, in place of the key above."),
            "credit_warning": _("Shown on the page of usage, where the provider says what is left. Empty: never."),
        }

    def clean_slug(self) -> str:
        slug: str = self.cleaned_data["slug"].lower()
        if self.instance.pk is None and slug in offers.VENDOR_SLUGS:
            raise forms.ValidationError(_("This short name belongs to a connection that is there already."))
        return slug

    def clean_kind(self) -> str:
        kind: str = self.cleaned_data["kind"]
        if kind == Kind.LOCAL:
            raise forms.ValidationError(_("The model on this machine has its connection already."))
        return kind

    def clean_base_url(self) -> str:
        address: str = self.cleaned_data["base_url"].strip()
        if address and not _is_address(address):
            raise forms.ValidationError(
                _("Write an address that begins with https:// or http://, without a password, “?” and “#”.")
            )
        return address.rstrip("/")

    def clean_key(self) -> str:
        key: str = self.cleaned_data["key"]
        if key and not connections.is_usable_key(key):
            raise forms.ValidationError(_("This is not a key: it holds spaces or letters that keys do not have."))
        return key

    def clean_headers(self) -> str:
        lines = [line.strip() for line in self.cleaned_data["headers"].splitlines() if line.strip()]
        for line in lines:
            name, colon, value = line.partition(":")
            fits = colon and HEADER_NAME.fullmatch(name.strip()) and value.strip().isascii() and value.isprintable()
            if not fits or not value.strip() or name.strip().lower() in OUR_HEADERS:
                raise forms.ValidationError(_("One of these lines is no header that can be sent along."))
        return "\n".join(lines)

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        kind = cleaned.get("kind") or self.instance.kind
        if kind == Kind.OPENAI and "base_url" in cleaned and not cleaned["base_url"]:
            self.add_error("base_url", _("This kind has no usual address: write one."))
        stored = self.initial.get("base_url", "")
        keeps = self.instance.sealed_key or self.instance.sealed_headers
        if keeps and "base_url" in cleaned and connections.origin(stored) != connections.origin(cleaned["base_url"]):
            self._check_renewed(cleaned)
        return cleaned

    def _check_renewed(self, cleaned: dict[str, Any]) -> None:
        """A secret is not sent to another server than it was given for: whoever changes the address knows it."""
        sentence = _("This was stored for another server. Enter it again for the new address, or remove it.")
        if self.instance.sealed_key and not (cleaned.get("key") or cleaned.get("removes_key")):
            self.add_error("key", sentence)
        if self.instance.sealed_headers and not (cleaned.get("headers") or cleaned.get("removes_headers")):
            self.add_error("headers", sentence)

    def secrets(self) -> dict[str, str | None]:
        """What `connections.store` is to do with key and headers."""
        cleaned = self.cleaned_data
        return {
            name: "" if cleaned.get(f"removes_{name}") else cleaned.get(name) or None for name in ("key", "headers")
        }


class OfferedModelForm(forms.ModelForm):
    """What belongs together is checked together; what a field may hold by itself, its model says."""

    class Meta:
        model = OfferedModel
        fields = (
            *("connection", "name", "label", "description", "is_enabled", "position", "groups", "sees_pictures"),
            *("draws_pictures", "streams", "context_window", "output_limit", "default_temperature"),
            *("default_max_tokens", "extra", "request_form", "system_mode", "auth", "image_only_text", "limit_field"),
            *("stream_usage", "currency", *PRICES),
        )
        labels = {
            "connection": _("Connection"),
            "name": _("Name at the provider"),
            "label": _("Name"),
            "description": _("Description"),
            "is_enabled": _("Enabled"),
            "position": _("Place in the list"),
            "groups": _("Groups"),
            "sees_pictures": _("Sees pictures"),
            "draws_pictures": _("Draws pictures"),
            "streams": _("Streams"),
            "context_window": _("Context window"),
            "output_limit": _("Output limit"),
            "default_temperature": _("Default temperature"),
            "default_max_tokens": _("Default maximum of tokens"),
            "extra": _("Further parameters"),
            "request_form": _("Request form"),
            "system_mode": _("System prompt"),
            "auth": _("How the key is sent"),
            "image_only_text": _("Text for pictures alone"),
            "limit_field": _("Name of the limit"),
            "stream_usage": _("Ask for usage in streams"),
            "price_input": _("Input"),
            "price_output": _("Output"),
            "price_cached": _("Cached input"),
            "price_reasoning": _("Reasoning"),
            "price_picture": _("Each picture"),
            "currency": _("Currency"),
        }
        help_texts = {
            "groups": _("Only people of these groups may use it. None: everybody."),
            "context_window": _("Tokens. Empty: nobody knows, and nothing is left out of long conversations."),
            "output_limit": _("Tokens that an answer may have at most."),
            "default_max_tokens": _("Sent where nobody set a limit. Empty: none is sent."),
            "extra": _("Members of the request as JSON, sent as they are; for example {“top_p”: 0.9}."),
            "request_form": _("Empty: as usual for the kind of its connection."),
            "image_only_text": _("Stands in for the text of a message that has only pictures."),
            "price_reasoning": _("Empty: at the price of the output."),
            "price_cached": _("Empty: at the price of the input."),
        }
        widgets = {"groups": forms.CheckboxSelectMultiple}

    def clean_name(self) -> str:
        name: str = self.cleaned_data["name"].strip()
        if not name.isprintable() or set(name) & set("?#\\") or ".." in name:
            raise forms.ValidationError(_("Write the name as the provider does."))
        return name

    def clean_default_temperature(self) -> float | None:
        value: float | None = self.cleaned_data["default_temperature"]
        if value is not None and not 0 <= value <= 2:
            raise forms.ValidationError(_("From 0 to 2."))
        return value

    def clean_extra(self) -> dict[str, Any]:
        extra = self.cleaned_data["extra"] or {}
        if not isinstance(extra, dict) or extra.keys() & OUR_MEMBERS:
            raise forms.ValidationError(_("Write an object in braces, without what Chatsite itself sends."))
        return extra

    def clean_currency(self) -> str:
        currency: str = self.cleaned_data["currency"].strip().upper()
        if not re.fullmatch(r"[A-Z]{3}", currency):
            raise forms.ValidationError(_("Three letters, such as USD."))
        return currency

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        connection = cleaned.get("connection") or (self.instance.connection if self.instance.pk else None)
        form = cleaned.get("request_form")
        if connection and form and (form == Form.GEMINI) != (connection.kind == Kind.GEMINI):
            self.add_error("request_form", _("Its connection does not take this form."))
        return cleaned


def _is_address(text: str) -> bool:
    try:
        parts = urlsplit(text)
        port_is_fine = parts.port is None or 0 < parts.port < 65536
    except ValueError:
        return False
    is_plain = not (parts.query or parts.fragment or parts.username or parts.password or set(text) & set("?#@\\"))
    is_clean = text.isascii() and text.isprintable() and " " not in text
    return parts.scheme in ("http", "https") and bool(parts.hostname) and port_is_fine and is_plain and is_clean
