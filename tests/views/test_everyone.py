"""For every hand and eye, as far as the server decides it: languages, the home screen, the list of shortcuts."""

import re
from datetime import timedelta

import pytest
from django.contrib.staticfiles import finders
from django.template.loader import render_to_string
from django.test import Client
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.functional import Promise
from PIL import Image

from conversations import providers
from conversations.models import Conversation, Look, Preset, Prompt, User
from conversations.services import catalog

REFERENCE = re.compile(r'<link rel="manifest" href="([^"]+)"')


def test_every_page_leads_to_a_manifest_with_icons_that_are_there(as_alice: Client) -> None:
    for client, address in ((as_alice, "/"), (as_alice, "/settings/"), (Client(), "/accounts/login/")):
        found = REFERENCE.search(client.get(address).content.decode())
        assert found
        manifest = client.get(found[1])
        assert manifest.headers["Content-Type"] == "application/manifest+json"
        content = manifest.json()
        assert (content["name"], content["start_url"], content["display"]) == ("Chatsite", "/", "standalone")
        assert {icon["purpose"] for icon in content["icons"]} == {"any", "maskable"}
        for icon in content["icons"]:
            path = finders.find(re.sub(r"^/static/(.+?)(\.[0-9a-f]{12})?(\.png)$", r"\1\3", icon["src"]))
            assert path
            with Image.open(str(path)) as image:
                assert f"{image.width}x{image.height}" == icon["sizes"]


def test_the_manifest_speaks_the_language_of_whoever_installs(as_alice: Client, alice: User) -> None:
    alice.language = "ar"
    alice.save()
    content = as_alice.get("/manifest.webmanifest").json()
    assert (content["lang"], content["dir"]) == ("ar", "rtl")
    assert "New conversation" not in {one["name"] for one in content["shortcuts"]}
    assert Client().get("/manifest.webmanifest", headers={"Accept-Language": "de"}).json()["lang"] == "de"


@pytest.mark.parametrize("language", ["en", "de", "ar"])
def test_languages_are_named_each_in_its_own_words(db: None, language: str) -> None:
    page = Client().get("/accounts/login/", headers={"Accept-Language": language}).content.decode()
    assert re.findall(r'name="language"[^>]*>([^<]+)<', page) == ["English", "Deutsch", "Español", "العربية"]


def test_descriptions_of_models_can_be_translated_and_say_what_vendors_say() -> None:
    for vendor in providers.VENDORS:
        for model in vendor.models:
            assert model.id in catalog.DESCRIPTIONS
            assert catalog.Offer(vendor, model).description == model.description


def test_the_page_of_a_failure_says_its_language() -> None:
    with translation.override("ar"):
        assert '<html lang="ar" dir="rtl">' in render_to_string("500.html")


def test_the_administration_calls_things_by_names_that_can_be_translated(alice: User) -> None:
    User.objects.filter(pk=alice.pk).update(is_staff=True, is_superuser=True)
    client = Client()
    client.force_login(alice, backend="django.contrib.auth.backends.ModelBackend")
    page = client.get(reverse("admin:conversations_look_changelist")).content.decode().lower()
    assert "what was seen" in page
    for model in (Conversation, Look, Prompt, Preset):
        assert isinstance(model._meta.verbose_name_plural, Promise)


def test_seconds_are_counted_in_the_language_of_the_page() -> None:
    with translation.override("ar"):
        message = {"created_at": timezone.now() - timedelta(seconds=3)}
        place = render_to_string("conversations/_running.html", {"shown": {"body": ()}, "message": message})
    assert 'data-lasts="3" data-words="0 ث"' in place
