"""What people may fill in. Explicit fields only; whether a value makes sense together is a matter of the services."""

from typing import Any

from django import forms
from django.conf import settings
from django.contrib.auth.forms import BaseUserCreationForm
from django.utils.text import slugify
from django.utils.translation import gettext_lazy as _

from conversations.models import Attachment, Conversation, Preset, Prompt, User
from conversations.models.conversation import DEFAULT_MAX_TOKENS
from conversations.models.user import Density, Theme


class LinesField(forms.CharField):
    """A text of lines as it is, its length counted as the browser counts: a line end is one character."""

    widget = forms.Textarea({"rows": 4, "dir": "auto"})

    def __init__(self, **options: Any) -> None:
        super().__init__(strip=False, **options)

    def to_python(self, value: Any) -> str:
        return (super().to_python(value) or "").replace("\r\n", "\n")


class ParametersForm(forms.Form):
    """System prompt and sampling parameters, on the page of a new conversation and in the settings of one."""

    system_prompt = LinesField(label=_("System prompt"), required=False, max_length=50_000)
    temperature = forms.FloatField(
        label=_("Temperature"),
        required=False,
        min_value=0,
        max_value=2,
        widget=forms.NumberInput({"step": "0.1"}),
        help_text=_("0 is strict, 2 is wild; empty leaves it to the model."),
    )
    max_tokens = forms.IntegerField(
        label=_("Maximum tokens"),
        required=False,
        initial=DEFAULT_MAX_TOKENS,
        min_value=1,
        max_value=1_000_000,
        help_text=_("How long an answer may get, hidden reasoning included."),
    )

    def parameters(self) -> dict[str, Any]:
        """The sampling parameters that were chosen: the default limit is no choice, some providers get none then."""
        values = {name: self.cleaned_data.get(name) for name in ("temperature", "max_tokens")}
        if values["max_tokens"] == DEFAULT_MAX_TOKENS:
            values["max_tokens"] = None
        return {name: value for name, value in values.items() if value is not None}


class SendForm(ParametersForm):
    """The composer. Its pictures are read from the request, since they come as a list."""

    text = forms.CharField(label=_("Message"), required=False, strip=False)
    model = forms.CharField(label=_("Model"), max_length=200)
    key = forms.CharField(max_length=64)
    temporary = forms.BooleanField(required=False)


class EditForm(forms.Form):
    """Another version of a message; which of its pictures and texts are kept is read from the request, as a list."""

    text = forms.CharField(required=False, strip=False)
    model = forms.CharField(max_length=200)
    key = forms.CharField(max_length=64)


class RatingForm(forms.Form):
    """What somebody thinks of a reply; without a choice only a report says anything."""

    value = forms.TypedChoiceField(
        choices=[("1", _("Good")), ("-1", _("Bad")), ("", _("No rating"))],
        coerce=int,
        empty_value=None,
        required=False,
        widget=forms.RadioSelect,
    )
    comment = LinesField(required=False, max_length=2000)
    report = forms.BooleanField(required=False)


class DescribeForm(forms.ModelForm):
    """What is to be seen in a picture, in words."""

    alt = forms.CharField(
        label=_("Description"),
        required=False,
        max_length=500,
        widget=forms.Textarea({"rows": 3, "autofocus": True, "dir": "auto"}),
        help_text=_("What is to be seen, for those who cannot see it. Empty: the name of the file."),
    )

    class Meta:
        model = Attachment
        fields = ("alt",)


class SettingsForm(ParametersForm):
    """The settings of one conversation."""

    title = forms.CharField(label=_("Title"), max_length=200, widget=forms.TextInput({"dir": "auto"}))

    @classmethod
    def of(cls, conversation: Conversation) -> "SettingsForm":
        """The form as it is to be shown: filled in with what holds now."""
        names = ("title", "system_prompt", "temperature")
        values = {name: getattr(conversation, name) for name in names}
        return cls(initial=values | {"max_tokens": conversation.max_tokens or DEFAULT_MAX_TOKENS})


class PreferencesForm(forms.Form):
    """What a person prefers; `models` are those to choose from, by id and name."""

    language = forms.ChoiceField(
        label=_("Language"), required=False, choices=[("", _("As the browser")), *settings.LANGUAGES]
    )
    theme = forms.ChoiceField(label=_("Theme"), choices=Theme.choices, widget=forms.RadioSelect)
    density = forms.ChoiceField(label=_("Density"), choices=Density.choices, widget=forms.RadioSelect)
    default_model = forms.ChoiceField(
        label=_("Default model"), required=False, help_text=_("What a new conversation begins with.")
    )
    enter_sends = forms.BooleanField(
        label=_("Enter sends the message"),
        required=False,
        help_text=_("Shift+Enter makes a new line. Switched off, Enter makes the new line and Ctrl+Enter sends."),
    )
    notifies = forms.BooleanField(
        label=_("Tell me when a long answer is done"),
        required=False,
        help_text=_("By a notification of your browser, while its window is in the background."),
    )

    def __init__(self, *args: Any, models: list[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        chosen = self.fields["default_model"]
        assert isinstance(chosen, forms.ChoiceField)
        chosen.choices = [("", _("The one used last")), *models]


class OwnKeyForm(forms.Form):
    """A key that somebody brings for a connection; it is never shown again."""

    key = forms.CharField(
        label=_("Key"),
        max_length=500,
        widget=forms.PasswordInput({"autocomplete": "off", "spellcheck": "false", "dir": "ltr"}, render_value=False),
        help_text=_("As the provider gave it to you."),
    )

    def clean_key(self) -> str:
        key: str = self.cleaned_data["key"]
        if not key.isascii() or not key.isprintable() or " " in key:
            raise forms.ValidationError(_("This is not a key: it holds spaces or letters that keys do not have."))
        return key


class ArrangeForm(forms.Form):
    """One thing about the place of a conversation in the list, and whether it is so from now on."""

    what = forms.ChoiceField(choices=[("pinned", "pinned"), ("archived", "archived")])
    so = forms.BooleanField(required=False)


class PlaceForm(forms.Form):
    """Which part of a long conversation an address asks for; what cannot be read is not asked for."""

    before = forms.IntegerField(required=False, min_value=0)
    after = forms.IntegerField(required=False, min_value=0)
    message = forms.UUIDField(required=False)

    def asked(self) -> dict[str, Any]:
        self.is_valid()
        return {name: value for name, value in self.cleaned_data.items() if value is not None}


class SharedField(forms.BooleanField):
    def __init__(self) -> None:
        super().__init__(
            label=_("Share with everybody here"),
            required=False,
            help_text=_("Others can use and copy it; only you can change it."),
        )


class PromptForm(forms.Form):
    """A prompt of the library."""

    name = forms.CharField(
        label=_("Name"), max_length=50, help_text=_("What you type after the slash: letters, digits and hyphens.")
    )
    text = LinesField(
        label=_("Text"), max_length=50_000, help_text=_("Where it says {{topic}}, the topic is asked for.")
    )
    is_shared = SharedField()

    def clean_name(self) -> str:
        name: str = slugify(self.cleaned_data["name"], allow_unicode=True)
        if not name:
            raise forms.ValidationError(_("Use letters or digits for the name."))
        return name

    def clean_text(self) -> str:
        text: str = self.cleaned_data["text"]
        if not text.strip():
            raise forms.ValidationError(_("Write the text of the prompt."))
        return text

    @classmethod
    def values_of(cls, prompt: Prompt) -> dict[str, Any]:
        return {field: getattr(prompt, field) for field in cls.base_fields}

    def values(self) -> dict[str, Any]:
        return self.cleaned_data


class PresetForm(ParametersForm):
    """A preset; `models` are those to choose from, by id and name."""

    name = forms.CharField(label=_("Name"), max_length=80, widget=forms.TextInput({"dir": "auto"}))
    model = forms.ChoiceField(label=_("Model"))
    is_shared = SharedField()
    field_order = ["name", "model", "system_prompt", "temperature", "max_tokens", "is_shared"]

    def __init__(self, *args: Any, models: list[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        chosen = self.fields["model"]
        assert isinstance(chosen, forms.ChoiceField)
        chosen.choices = models

    @classmethod
    def values_of(cls, source: Preset | Conversation) -> dict[str, Any]:
        """What a preset, or a conversation to make one of, says for the fields of this form and of the composer."""
        values = {"model": source.model, "system_prompt": source.system_prompt, **source.parameters}
        return values | ({"name": source.name, "is_shared": source.is_shared} if isinstance(source, Preset) else {})

    def values(self) -> dict[str, Any]:
        kept = ("name", "model", "system_prompt", "is_shared")
        return {field: self.cleaned_data[field] for field in kept} | {"parameters": self.parameters()}


class VariablesForm(forms.Form):
    """One small field for each variable of a prompt; none has to be filled in."""

    def __init__(self, *args: Any, names: list[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.names = names
        for number, name in enumerate(names):
            self.fields[f"value-{number}"] = LinesField(label=name, required=False, max_length=50_000)
            self.fields[f"value-{number}"].widget.attrs |= {"rows": 1} | ({} if number else {"autofocus": True})

    def values(self) -> dict[str, str]:
        return {name: self.cleaned_data[f"value-{number}"] for number, name in enumerate(self.names)}


class FirstAdministratorForm(BaseUserCreationForm):
    """Name and password of the one who uses the one-time link."""

    class Meta:
        model = User
        fields = ("username", "email")
