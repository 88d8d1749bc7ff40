"""A word that stands in every text of bob's: in no answer to alice, and in none of the administration's to staff who
may not review, whatever they search for, filter by or guess."""

import itertools
import re
from collections.abc import Iterator

import pytest
from django.apps import apps
from django.contrib import admin
from django.db.models import CharField, Model, TextField
from pytest_django import Settings

from conversations.services import takeout
from tests.security import asking, policy, routes
from tests.security.asking import NAME, WORD, Site

HTMX = {"HX-Request": "true"}
QUERIES = ("", "?archived", "?page=2", "?before=99999999999999999-999999", f"?q={WORD}", "?days=365", "?by=model")

# Texts of bob's that hold no word: what the installation gives, what is sealed or a digest, what others wrote.
NOT_WRITTEN = {
    ("user", "password"), ("user", "language"), ("user", "default_model"), ("message", "key"),
    ("message", "key_digest"), ("message", "model"), ("message", "claim"), ("message", "error_code"),
    ("message", "finish_reason"), ("message", "error_detail"), ("part", "html"),
    ("conversation", "model"), ("attachment", "sha256"), ("attachment", "media_type"),
    ("attachment", "thumbnail_type"), ("preset", "model"), ("providercall", "model"), ("providercall", "outcome"),
    ("providercall", "reply_shape"), ("ownkey", "sealed_key"), ("ownkey", "key_hint"), ("usersession", "session_key"),
    ("socialaccount", "provider"), ("ledgerentry", "model"), ("ledgerentry", "connection"), ("ledgerentry", "outcome"),
    ("ledgerentry", "stated"), ("ledgerentry", "currency"), ("budget", "model"), ("budget", "currency"),
    ("hold", "reason"), ("hold", "placed_by"), ("look", "reviewer_name"), ("look", "what"), ("look", "reason"),
    ("look", "previous"), ("look", "digest"), ("note", "author_name"), ("invitation", "digest"),
    ("invitation", "email"),
}  # fmt: skip
CONTENT = (
    "message",
    "part",
    "piece",
    "conversation",
    "prompt",
    "preset",
    "rating",
    "flag",
    "note",
    "attachment",
    "look",
)


@pytest.fixture
def site(db: None, settings: Settings) -> Site:
    return asking.opened(settings)


def test_there_is_a_row_of_everything(site: Site) -> None:
    """Otherwise what is asked below might say nothing because there is nothing to say."""
    empty = [
        model for model in apps.get_app_config("conversations").get_models() if not model._default_manager.exists()
    ]
    assert not empty


def test_the_word_stands_in_every_text_of_bobs(site: Site) -> None:
    """A new column of text is written to here, or named above with what it holds instead."""
    written, holding = set(), set()
    for row in asking.fresh(site.bob):
        kind = row._meta.model_name or ""
        for field in row._meta.fields:
            if not isinstance(field, CharField | TextField) or field.choices or (kind, field.name) in NOT_WRITTEN:
                continue
            value = str(getattr(row, field.name) or "")
            written.add((kind, field.name))
            if WORD in value or NAME in value:
                holding.add((kind, field.name))
    assert written - holding - _of_the_site() == set()


def _of_the_site() -> set[tuple[str, str]]:
    """Rows of the installation: no word of anybody is in them."""
    kinds = ("connection", "offeredmodel", "rule", "label", "group", "notices", "socialapp")
    return {(kind, field.name) for kind in kinds for field in _model(kind)._meta.fields}


def _model(name: str) -> type[Model]:
    return next(model for model in apps.get_models() if model._meta.model_name == name)


def test_nothing_that_bob_wrote_or_is_called_reaches_alice(site: Site) -> None:
    """Every page she may open, as a page and as a fragment, with queries that lists understand."""
    asked = 0
    for name in ("shared prompt", "shared preset"):
        site.bob[name].delete()
    for entry in policy.entries():
        if entry.answers["GET"]["owner"] not in ("ok", "away"):
            continue
        address = routes.address(entry.route, asking.named(entry.objects, site.alice))
        for query, headers in itertools.product(QUERIES if entry.route.endswith("/") else ("",), ({}, HTMX)):
            answer = site.ask("owner", "GET", address + query, **headers)
            told = _unasked(answer)
            assert WORD not in told, address + query
            assert NAME not in told, address + query
            asked += 1
    assert asked > 200
    for name, data in takeout.members(site.people["owner"]):
        assert WORD.encode() not in data, name
        assert NAME.encode() not in data, name


def _unasked(answer: asking.Answer) -> str:
    """Without what comes back of the question: the word in the field for searching, and in links that keep it."""
    return re.sub(rf'(value="|q=|q%3D){WORD}', "", answer.text)


def test_what_bob_shares_is_signed_and_nothing_else_of_his_comes_along(site: Site) -> None:
    """The only place where his name is meant to be read."""
    type(site.bob["shared prompt"]).objects.filter(pk=site.bob["shared prompt"].pk).update(text=f"a {WORD} for all")
    page = site.ask("owner", "GET", "/prompts/").text
    assert page.count(NAME) == 1
    assert page.count(WORD) == 1


@pytest.mark.parametrize("name", ["clerk", "staff"])
def test_no_content_is_in_the_administration_without_the_permission_to_review(site: Site, name: str) -> None:
    """Every page of every row of bob's, lists, searches, pop-ups, histories, confirmations, exports."""
    asked = 0
    for entry in policy.entries():
        if not entry.route.startswith("admin/"):
            continue
        address = routes.address(entry.route, asking.named(entry.objects, site.bob))
        is_list = not routes.places(entry.route)
        for query in ("", "?_popup=1", f"?q={WORD}", "?csv=1&by=person", "?o=1") if is_list else ("", "?_popup=1"):
            answer = site.ask(name, "GET", address + query)
            assert WORD not in _unasked(answer), address + query
            asked += 1
    assert asked > 250


def test_no_action_of_a_list_shows_content_to_staff(site: Site) -> None:
    for model, of_model in admin.site._registry.items():
        address = f"/admin/{model._meta.label_lower.replace('.', '/')}/"
        chosen = [str(pk) for pk in model._default_manager.values_list("pk", flat=True)[:50]]
        for action in ("delete_selected", *(of_model.actions or ())):
            said = str(action if isinstance(action, str) else action.__name__)
            answer = site.ask("staff", "POST", address, {"action": said, "_selected_action": chosen})
            assert WORD not in answer.text, f"{said} on {address}"


def _guesses(model: type[Model]) -> Iterator[str]:
    """The ways from a list to a text that people write, of three steps at most."""
    ways: list[tuple[str, type[Model], int]] = [("", model, 0)]
    while ways:
        before, here, steps = ways.pop()
        for field in here._meta.get_fields():
            if isinstance(field, CharField | TextField) and not field.choices and here._meta.model_name in CONTENT:
                yield before + field.name
            further = field.related_model if field.is_relation and field.name not in before.split("__") else None
            if isinstance(further, type) and (steps < 2 or (steps < 3 and further._meta.model_name in CONTENT)):
                ways.append((f"{before}{field.name}__", further, steps + 1))


@pytest.mark.parametrize("name", ["staff", "reviewer"])
def test_no_list_tells_by_its_filters_what_a_text_begins_with(site: Site, name: str) -> None:
    """A right guess is answered as a wrong one, by staff without the permission as by a reviewer without a reason."""
    asked = 0
    for model in admin.site._registry:
        address = f"/admin/{model._meta.label_lower.replace('.', '/')}/"
        if site.ask(name, "GET", address).status_code != 200:
            continue
        for way in sorted(set(_guesses(model)), key=lambda one: (one.count("__"), one))[:40]:
            right = site.ask(name, "GET", f"{address}?{way}__contains={WORD[:6]}")
            wrong = site.ask(name, "GET", f"{address}?{way}__contains=qqqqqq")
            apart = asking.difference(asking.bare(right, WORD[:6]), asking.bare(wrong, "qqqqqq"))
            assert not apart, f"{address}?{way}: {apart}"
            asked += 1
    assert asked > 60
