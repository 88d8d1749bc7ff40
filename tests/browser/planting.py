"""A site where every text that somebody can write holds all hostile inputs, and every place in which it then shows one.

    CHATSITE_DATA=… python -m tests.browser.planting FOLDER

The data folder is a migrated one, whose people are forgotten. What is left in FOLDER: planted.json (see Planted), and
the answers it names.
"""

import json
import os
import re
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlencode, urlsplit

os.environ["DJANGO_SETTINGS_MODULE"] = "chatsite.settings"

import django

django.setup()

from django.conf import settings  # noqa: E402
from django.db import connection  # noqa: E402
from django.db.models import F, JSONField, Model, QuerySet, TextField, Value  # noqa: E402
from django.db.models.fields import CharField, Field  # noqa: E402
from django.db.models.functions import Replace  # noqa: E402
from django.test import Client  # noqa: E402
from django.test.utils import setup_test_environment  # noqa: E402
from pytest_django import Settings  # noqa: E402

from conversations import markup, models  # noqa: E402
from conversations.services import dispatch, takeout  # noqa: E402
from tests.browser.hostile import BEGIN, MESSAGE, TEXTS, all_in_one, pages_of  # noqa: E402
from tests.conftest import MODEL, IdleEngine  # noqa: E402
from tests.live.forms import Form  # noqa: E402
from tests.live.hypertext import parse  # noqa: E402
from tests.security import asking, policy, routes  # noqa: E402
from tests.security.asking import Site  # noqa: E402

WORDS = ("alicework", "alicename")  # in what alice writes and is called; each becomes all of the inputs
OF_ONE = 4  # messages of one conversation, which hold all of the inputs together
IS_LONG = os.environ.get("CHATSITE_FUZZ") == "1"  # `make fuzz` also sends every form
IN_A_QUERY = 20_000  # characters: a head may not be much longer
TYPED = ("text", "search", "email", "url", "password")
WHO = ("anonymous", "owner", "administrator")
HTMX = {"HX-Request": "true"}
# What the installation is told by those who run it.
OF_THE_SITE: dict[type[Model], tuple[str, ...]] = {
    models.Connection: ("label",),
    models.OfferedModel: ("label", "description", "image_only_text"),
    models.Rule: ("name", "words"),
    models.Label: ("name",),
    models.Notices: ("banner", "terms"),
    models.Hold: ("reason", "placed_by"),
    models.Note: ("author_name",),
    models.LedgerEntry: ("person_name", "model", "connection", "stated"),
    models.Look: ("reason", "reviewer_name", "owner_name"),
}
# Beside every address of the policy.
MORE = (
    *(("administrator", f"/admin/conversations/ledgerentry/?{how}by={by}")
      for how in ("", "csv=1&") for by in ("person", "group", "model", "connection", "shared")),
    ("owner", "/settings/usage/"), ("owner", "/settings/usage/export/?by=model"),
)  # fmt: skip
NUMBERS = re.compile(r"[0-9a-f]{8}-[0-9a-f-]{27}|\d+|[0-9a-zA-Z]{32,}")


@dataclass
class Answer:
    """An answer of the site: `name` says to what, `file` is where it is stored."""

    name: str
    file: str
    headers: dict[str, str]


@dataclass
class Planted:
    """For somebody of each kind the cookies of a session, and addresses of pages that show something.

    `answers`: those that are pages, or parts of pages; `files`: those that browsers keep.
    """

    cookies: dict[str, dict[str, str]] = field(default_factory=dict)
    pages: dict[str, list[str]] = field(default_factory=dict)
    answers: list[Answer] = field(default_factory=list)
    files: list[Answer] = field(default_factory=list)


def plant(said: str) -> None:
    models.LedgerSum.objects.all().delete()  # what is not added up yet is read from the ledger
    with connection.cursor() as cursor:
        cursor.execute("SELECT name, sql FROM sqlite_schema WHERE type = 'trigger'")  # which keep records as they are
        triggers = cursor.fetchall()
        for name, _sql in triggers:
            cursor.execute(f'DROP TRIGGER "{name}"')
        for model in django.apps.apps.get_models():
            for one in model._meta.fields:
                _fill(model, one, said)
        for model, names in OF_THE_SITE.items():
            QuerySet(model).update(**dict.fromkeys(names, said))
        for _name, sql in triggers:
            cursor.execute(sql)
    models.Message.objects.filter(model=MODEL, column=1).update(model=f"house/{said}")
    messages = pages_of(TEXTS, -(-len(TEXTS) // OF_ONE))
    for number, part in enumerate(models.Part.objects.filter(text__contains=BEGIN).order_by("name", "pk")):
        part.text = f"{MESSAGE}\n\n{messages[number % OF_ONE]}"
        part.html, part.markup_version = markup.render(part.text), markup.VERSION
        part.save(update_fields=["text", "html", "markup_version"])
    for call in models.ProviderCall.objects.all():
        call.request_deflated = call.deflate({"text": said})
        call.save(update_fields=["request_deflated"])


def _fill(model: type[Model], one: "Field[Any, Any]", said: str) -> None:
    """All of the inputs in the place of alice's words, wherever that field of that table holds one."""
    if not isinstance(one, CharField | TextField | JSONField) or one.choices or one.unique:
        return
    rows: QuerySet[Model] = QuerySet(model)  # not its own, which may refuse
    for word in WORDS:
        if isinstance(one, JSONField):
            for row in rows.all():
                value = json.dumps(getattr(row, one.attname)).replace(word, json.dumps(said)[1:-1])
                rows.filter(pk=row.pk).update(**{one.attname: json.loads(value)})
        else:
            held = rows.filter(**{f"{one.attname}__contains": word})
            held.update(**{one.attname: Replace(F(one.attname), Value(word), Value(said))})


@dataclass
class Search:
    """Asks for everything as somebody of each kind, and keeps what shows the inputs in a new place."""

    site: Site
    folder: Path
    found: Planted = field(default_factory=Planted)
    places: set[str] = field(default_factory=set)

    def gets(self) -> Iterator[tuple[str, str]]:
        """Who may open which address."""
        for entry in policy.entries():
            for name in WHO:
                may = entry.answers["GET"][name] == "ok" and (name != "administrator" or "admin/" in entry.route)
                if may and not entry.route.endswith("events/"):
                    yield name, routes.address(entry.route, asking.named(entry.objects, self.site.alice))
        yield from MORE

    def forms(self) -> list[tuple[str, str, str, list[tuple[str, str]]]]:
        """Every form on these pages in which something can be typed: who sends it, how, where, and what is in it."""
        found = {}
        for name, address in self.gets():
            answer = self.site.ask(name, "GET", address)
            if not answer.headers.get("Content-Type", "").startswith("text/html"):
                continue
            page = parse(answer.text)
            for element in page.find_all("form"):
                form = Form(element, page, f"http://testserver{address}")
                method = (element.get("method") or "get").upper()
                filled = self._filled(form)
                for action in {form.action, form.plain_action} if WORDS[0] in dict(filled).values() else ():
                    path = urlsplit(action).path
                    names = ",".join(sorted({key for key, _value in filled}))
                    found[name, method, NUMBERS.sub("N", path), names] = (name, method, path, filled)
        return list(found.values())

    @staticmethod
    def _filled(form: Form) -> list[tuple[str, str]]:
        """What it holds, texts that can be typed marked with a word of alice's."""
        typed = {
            control.get("name")
            for control in form.controls()
            if control.tag == "textarea" or (control.tag == "input" and control.get("type", "text") in TYPED)
        }
        held = [(key, value) for key, value in form.fields() if key not in typed and key != "csrfmiddlewaretoken"]
        return held + [(key, WORDS[0]) for key in sorted(typed) if key]

    def keep(self, name: str, answer: asking.Answer, address: str = "") -> None:
        """Where it shows the inputs in a place where nothing before did. `address`: of a page that can be opened."""
        kind = answer.headers.get("Content-Type", "")
        if not self._is_new(answer.text):
            return
        if kind.startswith("text/html") and address:
            self.found.pages.setdefault(name, []).append(address)
            return
        stored = self.found.answers if kind.startswith("text/html") else self.found.files
        file = f"{len(self.found.answers) + len(self.found.files)}"
        (self.folder / file).write_bytes(answer.whole)
        stored.append(Answer(name, file, answer.headers))

    def _is_new(self, text: str) -> bool:
        before = {NUMBERS.sub("N", part[-80:]) for part in re.split(f"{BEGIN}|{MESSAGE}", text)[:-1]}
        fresh = before - self.places
        self.places |= before
        return bool(fresh)

    def run(self) -> None:
        forms, said = self.forms() if IS_LONG else [], all_in_one()
        plant(said)
        for name, address in self.gets():
            self.keep(name, self.site.ask(name, "GET", address), address)
        for name, address in self.gets():
            if name == "owner":
                self.keep(f"{name} htmx {address}", self.site.ask(name, "GET", address, **HTMX))
        for name, method, path, fields in forms:
            typed = [(key, said if value == WORDS[0] else value) for key, value in fields]
            self._send(name, method, path, typed)
            if name == "owner":  # what cannot be typed can still be sent
                self._send(name, method, path, [(key, said) for key, _value in fields])
        self._lost(said)
        for number, (member, data) in enumerate(takeout.members(self.site.people["owner"])):
            (self.folder / f"takeout-{number}").write_bytes(data)
            self.found.files.append(Answer(member, f"takeout-{number}", {}))

    def _send(self, name: str, method: str, path: str, filled: list[tuple[str, str]]) -> None:
        values: dict[str, list[str]] = {}
        for key, value in filled:
            values.setdefault(key, []).append(value)
        for headers in ({}, HTMX) if name == "owner" else ({},):
            if method == "GET":
                short = {key: [value[:IN_A_QUERY] for value in held] for key, held in values.items()}
                answer = self.site.ask(name, "GET", f"{path}?{urlencode(short, doseq=True)}", **headers)
            else:
                answer = self.site.ask(name, "POST", path, values, **headers)
            self.keep(f"{name} {method} {path}", answer)

    def _lost(self, said: str) -> None:
        """A message that is sent when the login has run out, or with a form that is too old, comes back."""
        values = {"text": said, "model": said, "key": said, "texts": said, "text_names": said}
        for headers in ({}, HTMX):
            self.keep("anonymous POST /", self.site.ask("anonymous", "POST", "/", values, **headers))
        strict = Client(enforce_csrf_checks=True)
        strict.cookies = self.site.clients["owner"].cookies
        answer = strict.post("/", values, headers={"Origin": "http://testserver"})
        assert answer.status_code == 403
        self.keep("owner POST / with an old form", asking.Answer(answer))


def main(folder: Path) -> None:
    setup_test_environment()
    dispatch.use(IdleEngine())
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = None
    models.User.objects.all().delete()
    site = asking.opened(cast(Settings, settings))
    site.give_reason("administrator", site.alice["conversation"])
    search = Search(site, folder)
    search.run()
    for name in WHO:
        search.found.cookies[name] = {key: morsel.value for key, morsel in site.clients[name].cookies.items()}
    (folder / "planted.json").write_text(json.dumps(asdict(search.found)))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
