"""Connections to providers and the models on offer: set up, tested, and models picked from the list of the endpoint."""

from typing import Any, cast

from django.conf import settings
from django.contrib import admin, messages
from django.db.models import Count, Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.functional import Promise
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from conversations.admin.connecting import ConnectionForm, OfferedModelForm
from conversations.models import Connection, OfferedModel
from conversations.models.connection import Kind
from conversations.services import connections, keyring, offers, probing
from conversations.services.errors import PROVIDER_SENTENCES, Refusal

MOST_PICKED = 80  # Django refuses forms with many more fields
OF_SERVER = ("base_url", "auth", "may_be_private")
SECRETS = ("key", "removes_key", "headers", "removes_headers")
CONNECTION, MODEL = "admin:conversations_connection", "admin:conversations_offeredmodel"


class RemembersNothing(admin.ModelAdmin):
    """What is changed here holds at once in this process, in others within seconds."""

    def changeform_view(self, *args: Any, **kwargs: Any) -> HttpResponse:
        response = super().changeform_view(*args, **kwargs)
        offers.forget()
        return response

    def delete_view(self, *args: Any, **kwargs: Any) -> HttpResponse:
        response = super().delete_view(*args, **kwargs)
        offers.forget()
        return response

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        super().delete_queryset(request, queryset)
        offers.forget()


@admin.register(Connection)
class ConnectionAdmin(RemembersNothing):
    form = ConnectionForm
    change_form_template = "admin/conversations/connection/change_form.html"
    list_display = ("label", "kind", "key_place", "model_count", "is_enabled")
    list_filter = ("kind", "is_enabled")
    search_fields = ("label", "slug", "base_url")
    show_facets = admin.ShowFacets.NEVER

    def get_queryset(self, request: HttpRequest) -> QuerySet[Connection]:
        counted = Count("models", filter=Q(models__is_enabled=True))
        found: QuerySet[Connection] = super().get_queryset(request).annotate(offered=counted)
        return found

    def get_fields(self, request: HttpRequest, obj: Connection | None = None) -> Any:
        """A key of the environment is shown and not changed; the model on this machine has none."""
        if obj is None:
            names = ("label", "slug", "kind", "base_url", "auth", *SECRETS, "may_be_private", "takes_own_keys")
            return tuple(name for name in names if not name.startswith("removes"))
        if obj.kind == Kind.LOCAL:
            return ("label", "slug", "key_place", "is_enabled")
        if offers.link_of(obj).from_environment:
            return ("label", "slug", "kind", "address", "key_place", "takes_own_keys", "credit_warning", "is_enabled")
        stored = ("base_url", "auth", "key_place", "key", "removes_key", "header_names", "headers", "removes_headers")
        return ("label", "slug", "kind", *stored, "may_be_private", "takes_own_keys", "credit_warning", "is_enabled")

    def get_readonly_fields(self, request: HttpRequest, obj: Connection | None = None) -> tuple[str, ...]:
        return ("slug", "kind", "key_place", "header_names", "address") if obj else ()

    def has_delete_permission(self, request: HttpRequest, obj: Connection | None = None) -> bool:
        """The vendors of this version cannot be deleted, only switched off."""
        return super().has_delete_permission(request, obj) and (obj is None or obj.slug not in offers.VENDOR_SLUGS)

    def save_model(self, request: HttpRequest, obj: Connection, form: ConnectionForm, change: bool) -> None:
        has_secrets = "key" in self.get_fields(request, obj if change else None)
        connections.store(obj, **(form.secrets() if has_secrets else {}))

    @admin.display(description=_("key"))
    def key_place(self, connection: Connection) -> str | Promise:
        """Where its key is, and the end of it."""
        if connection.kind == Kind.LOCAL:
            return _("none needed")
        link = offers.link_of(connection)
        if link.from_environment:
            shown = keyring.hint(settings.PROVIDER_ENDPOINTS[connection.slug][1])
            return _("from the environment") + (f" …{shown}" if shown else "")
        if connection.sealed_key and not link.key:
            return _("stored, but it cannot be read any more: enter it again")
        if link.key:
            return _("stored") + (f" …{connection.key_hint}" if connection.key_hint else "")
        return _("none needed") if link.is_shared else _("none")

    @admin.display(description=_("Address"))
    def address(self, connection: Connection) -> str:
        return offers.address_of(connection)

    @admin.display(description=_("models on offer"), ordering="offered")
    def model_count(self, connection: Connection) -> int:
        return cast(int, connection.offered)  # type: ignore[attr-defined]

    # --- What asks the endpoint ---------------------------------------------------------------------------------------
    def get_urls(self) -> list[URLPattern]:
        views = (("test", self.test_view), ("models", self.models_view), ("pick", self.pick_view))
        guarded = [
            path(
                f"<int:pk>/{name}/",
                self.admin_site.admin_view(require_POST(view)),
                name=f"conversations_connection_{name}",
            )
            for name, view in views
        ]
        return [*guarded, *super().get_urls()]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        connection = self.get_object(request, object_id)
        models = list(connection.models.all()) if connection else []
        lists = bool(connection and offers.vendor_of(connection).models_path)
        more = {"offered_models": models, "lists_models": lists and connection and connection.kind != Kind.LOCAL}
        return super().change_view(request, object_id, form_url, {**(extra_context or {}), **more})

    def test_view(self, request: HttpRequest, pk: int) -> HttpResponseBase:
        """One small real prompt, and how it went."""
        connection = self._changeable(request, pk)
        row = connection.models.filter(pk=_number(request.POST.get("model"))).first()
        if row is None:
            raise Http404
        try:
            with probing.for_a_page() as limits:
                proof = probing.probe(offers.tested(row), limits)
        except Refusal as refusal:
            return self._back(request, connection, str(refusal.sentence))
        code = proof.failure.code if proof.failure else ""
        context = {"proof": proof, "sentence": PROVIDER_SENTENCES.get(code, ""), "row": row}
        return self._page(
            request, connection, "proof", _("Test of %(model)s") % {"model": row.label or row.name}, context
        )

    def models_view(self, request: HttpRequest, pk: int) -> HttpResponseBase:
        """What the endpoint lists, to pick from."""
        connection = self._changeable(request, pk)
        try:
            listed = self._listed(connection)
        except Refusal as refusal:
            return self._back(request, connection, str(refusal.sentence))
        there = set(connection.models.values_list("name", flat=True))
        context = {"listed": [(one, one.name in there) for one in listed], "most": MOST_PICKED}
        return self._page(request, connection, "models", _("Models of %(name)s") % {"name": connection.label}, context)

    def pick_view(self, request: HttpRequest, pk: int) -> HttpResponseBase:
        """Offer the chosen ones, with what the endpoint says of them now: nothing else of the form is believed."""
        connection = self._changeable(request, pk)
        chosen = set(request.POST.getlist("names"))
        try:
            count = connections.add_models(connection, [one for one in self._listed(connection) if one.name in chosen])
        except Refusal as refusal:
            return self._back(request, connection, str(refusal.sentence))
        offers.forget()
        said = ngettext("%(count)d model is on offer now.", "%(count)d models are on offer now.", count)
        return self._back(request, connection, said % {"count": count}, messages.SUCCESS)

    def _listed(self, connection: Connection) -> Any:
        """Raises Refusal, also for what keeps the endpoint from answering."""
        with probing.for_a_page() as limits:
            return probing.models_of(connection, limits)

    def _changeable(self, request: HttpRequest, pk: int) -> Connection:
        found = self.get_queryset(request).filter(pk=pk).first()
        if found is None or not self.has_change_permission(request, found):
            raise Http404
        return found

    def _page(
        self, request: HttpRequest, connection: Connection, name: str, title: str, context: dict[str, Any]
    ) -> HttpResponse:
        shared = {**self.admin_site.each_context(request), "title": title, "opts": self.opts, "connection": connection}
        return TemplateResponse(request, f"admin/conversations/connection/{name}.html", shared | context)

    def _back(
        self, request: HttpRequest, connection: Connection, said: str, level: int = messages.ERROR
    ) -> HttpResponseRedirect:
        self.message_user(request, said, level)
        return HttpResponseRedirect(reverse(f"{CONNECTION}_change", args=[connection.pk]))


@admin.register(OfferedModel)
class OfferedModelAdmin(RemembersNothing):
    form = OfferedModelForm
    list_display = ("shown", "name", "connection", "is_enabled", "prices")
    list_filter = ("is_enabled", "connection", "draws_pictures")
    list_select_related = ("connection",)
    list_per_page = 50
    search_fields = ("name", "label", "connection__label")
    show_facets = admin.ShowFacets.NEVER
    fieldsets = (
        (None, {"fields": ("connection", "name", "label", "description", "is_enabled", "groups", "position")}),
        (
            _("What it can do"),
            {"fields": ("sees_pictures", "draws_pictures", "streams", "context_window", "output_limit")},
        ),
        (
            _("Prices for a million tokens"),
            {"fields": ("currency", "price_input", "price_output", "price_cached", "price_reasoning", "price_picture")},
        ),
        (_("Defaults"), {"fields": ("default_temperature", "default_max_tokens", "extra")}),
        (
            _("How it wants to be asked"),
            {"fields": ("request_form", "system_mode", "auth", "image_only_text", "limit_field", "stream_usage")},
        ),
    )

    def get_readonly_fields(self, request: HttpRequest, obj: OfferedModel | None = None) -> tuple[str, ...]:
        return ("connection", "name") if obj else ()

    @admin.display(description=_("model"), ordering="label")
    def shown(self, model: OfferedModel) -> str:
        return model.label or model.name

    @admin.display(description=_("prices"))
    def prices(self, model: OfferedModel) -> str:
        known = [
            f"{price.normalize():f}" if price is not None else "–" for price in (model.price_input, model.price_output)
        ]
        return f"{' / '.join(known)} {model.currency}" if set(known) != {"–"} else gettext("unknown")


def _number(text: str | None) -> int:
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 18 else 0
