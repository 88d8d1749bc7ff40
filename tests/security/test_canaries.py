"""No secret is ever shown: one of each kind in a whole installation, and a search through everything that comes out."""

import base64
import html
import json
import re
import sqlite3
import zipfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import pytest
import requests

from tests import totp
from tests.security.canaries import Search
from tests.security.letterbox import Letterbox
from tests.security.wandering import Guest, Watch, content
from tests.services.photographs import photograph
from tests.serving import PASSWORD, Server, free_port, until
from tests.simulator import Reply, Simulator

FLASH, PRO, HOUSE = "aimlapi/google/gemini-2.5-flash", "segmind/gemini-1.5-pro", "house/google/gemini-2.5-flash"
PICTURE = ("a.jpg", photograph(300, 200), "image/jpeg")
BREAKS = [
    ("ALTER TABLE conversations_ownkey RENAME TO away", "ALTER TABLE away RENAME TO conversations_ownkey", 503),
    ("UPDATE conversations_connection SET uuid = uuid || 'x'",
     "UPDATE conversations_connection SET uuid = rtrim(uuid, 'x')", 500),
]  # fmt: skip
COMMANDS = [
    ("check_providers",), ("rotate_keys",), ("person", "list"), ("invite", "--list"), ("check", "--deploy"), ("serve",),
]  # fmt: skip


# --- The search itself ------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "written",
    [
        lambda secret: secret,
        lambda secret: secret[8:20],
        lambda secret: json.dumps({"key": secret}),
        lambda secret: html.escape(secret),
        lambda secret: quote(secret, safe=""),
        lambda secret: "".join(f"%{byte:02X}" for byte in secret.encode()),
        lambda secret: secret[::-1],
        lambda secret: secret.encode().hex(),
        lambda secret: base64.b64encode(secret.encode()).decode(),
        lambda secret: base64.urlsafe_b64encode(f"\0postman\0{secret}".encode()).decode(),
        lambda secret: base64.b64encode(f"name:{secret}".encode()).decode(),
        lambda secret: f"…{secret[:9]}",
    ],
)
def test_the_search_finds_a_secret_however_it_is_written(written: Callable[[str], str]) -> None:
    search = Search()
    secret = search.make("the key", odd=True)
    search.hears("a page", "nothing", f"before {secret[-4:]} after")
    assert search.found() == []
    search.hears("another page", f"before {written(secret)} after")
    assert search.found()
    assert all("the key in another page" in line for line in search.found())


def test_the_search_knows_where_a_secret_is_handed_to_its_owner() -> None:
    search = Search()
    code = search.knows("a code", "01234567", handed_over_in=("GET /codes/",))
    search.hears("GET /codes/", code)
    assert search.found() == []
    search.hears("GET /numbers/", "9" + code, code + "9")
    assert search.found() == []
    search.hears("GET /", f"({code})")
    assert len(search.found()) == 1


# --- An installation that is full of secrets --------------------------------------------------------------------------
@dataclass
class Place:
    server: Server
    search: Search
    letterbox: Letterbox
    aimlapi: Simulator
    segmind: Simulator
    house: Simulator

    def key_of(self, name: str) -> str:
        return self.search.secrets[name]


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    search = Search()
    with ExitStack() as stack:
        names = ("AIMLAPI_API_KEY", "SEGMIND_API_KEY", "key of a connection")
        upstream = [stack.enter_context(Simulator(key=search.make(name), delay_ms=1)) for name in names]
        letterbox = stack.enter_context(Letterbox(search.make("password for mail")))
        settings = {
            "AIMLAPI_API_KEY": upstream[0].key,
            "AIMLAPI_BASE_URL": upstream[0].base_url,
            "SEGMIND_API_KEY": upstream[1].key,
            "SEGMIND_BASE_URL": upstream[1].base_url,
            "SECRET_KEY": search.make("SECRET_KEY", odd=True),
            "CHATSITE_ENCRYPTION_KEYS": ",".join(search.make(f"encryption key {number}") for number in (1, 2)),
            "CHATSITE_METRICS_TOKEN": search.make("CHATSITE_METRICS_TOKEN"),
            "REDIS_URL": f"redis://somebody:{search.make('password of Redis')}@127.0.0.1:{free_port()}/0",
            "EMAIL_URL": letterbox.url,
            "CHATSITE_OIDC_ISSUER": f"http://127.0.0.1:{free_port()}",
            "CHATSITE_OIDC_CLIENT_ID": "chatsite",
            "CHATSITE_OIDC_CLIENT_SECRET": search.make("CHATSITE_OIDC_CLIENT_SECRET", odd=True),
            "CHATSITE_SELF_SERVICE": "delete",
            "CHATSITE_SIGNUP": "open",
            "CHATSITE_SHOW_LOOKS": "true",
            "LOG_LEVEL": "DEBUG",
        }
        server = Server(tmp_path, settings)
        server.add_people("alice", "root")
        stack.enter_context(server)
        yield Place(server, search, letterbox, *upstream)


def test_no_secret_is_anywhere_but_where_it_belongs(place: Place, tmp_path: Path) -> None:
    server, search = place.server, place.search
    alice, root, nobody = (Guest(server, search) for _ in range(3))
    for person, name in ((root, "root"), (alice, "alice")):
        person.log_in(name, PASSWORD)
    assert server.process
    with Watch(server.process.pid, search.hears) as watch:
        _change_password(place, alice, nobody)
        _connect(place, root)
        _bring_a_key(place, alice)
        _set_up_a_factor(place, alice)
        _invite(place, root, nobody)
        _reset(place, nobody)
        _talk(place, alice)
        until(lambda: bool(watch.seen), "a process that decodes a picture")
        kinds = alice.wander("/", "/settings/", "/accounts/2fa/", "/accounts/sessions/", "/admin/")
        kinds |= root.wander("/", "/settings/", "/admin/", "/admin/conversations/conversation/")
        kinds |= nobody.wander("/accounts/login/", "/accounts/signup/")
        _take_out(place, alice)
        _errors(place, alice, root, nobody)
        _everything_that_runs(place)
    assert len(kinds) > 90, sorted(kinds)
    _keep_cookies(place, alice, root)
    _commands(place, tmp_path)
    server.stop()
    search.hears("the log", server.log)
    _stored(place, tmp_path)
    assert len(search.secrets) > 25
    found = search.found()
    assert not found, "\n".join(found)


# --- How each secret gets to its place --------------------------------------------------------------------------------
def _change_password(place: Place, alice: Guest, nobody: Guest) -> None:
    new, wrong = place.search.make("password"), place.search.make("password that was wrong")
    fields = {"oldpassword": PASSWORD, "password1": new, "password2": new}
    form = alice.get("/accounts/password/change/").form_with("oldpassword")
    assert alice.submit(form, fields | {"password2": wrong}).status_code == 200
    assert alice.submit(form, fields).status_code == 302
    form = nobody.get("/accounts/login/").form_with("login")
    for name in ("alice", "nobody"):
        assert nobody.submit(form, {"login": name, "password": wrong}).status_code == 200


def _connect(place: Place, root: Guest) -> None:
    form = root.get("/admin/conversations/connection/add/").form_with("base_url")
    gate = place.search.make("header of a connection")
    values = {"label": "House", "slug": "house", "base_url": place.house.base_url, "key": place.house.key}
    boxes = [("may_be_private", "on"), ("takes_own_keys", "on")]
    refused = root.submit(form, values | {"headers": f"X-Gate: {gate}", "slug": "segmind"}, ticked=boxes)
    assert refused.status_code == 200
    sent = root.submit(form, values | {"headers": f"X-Gate: {gate}"}, ticked=boxes)
    assert sent.status_code == 302, sent.page.text
    form = root.get("/admin/conversations/offeredmodel/add/").form_with("name")
    chosen = next(option for option in form.element.find_all("option") if option.text == "House")
    values = {"connection": chosen.get("value"), "name": "google/gemini-2.5-flash", "default_max_tokens": "100"}
    assert root.submit(form, values).status_code == 302


def _bring_a_key(place: Place, alice: Guest) -> None:
    own = place.search.make("key of a member")
    sent = alice.submit(alice.get("/settings/keys/").form_with("key"), {"key": own})
    assert sent.status_code == 303
    alice.submit(alice.get("/settings/keys/").form_with("key"), {"key": f"{own} with spaces"})


def _set_up_a_factor(place: Place, alice: Guest) -> None:
    page = alice.get("/accounts/2fa/totp/activate/")
    page = alice.submit(page.form_with("password"), {"password": place.key_of("password")}).page
    (secret,) = re.findall(r'<code id="secret">(\w+)<', page.html)
    hand_over = ("GET /accounts/2fa/totp/activate/", "POST /accounts/2fa/totp/activate/")
    place.search.knows("secret of an app", secret, handed_over_in=hand_over)
    alice.get("/accounts/2fa/totp/picture.svg")
    alice.submit(page.form_with("code"), {"code": "000000"})
    assert alice.submit(page.form_with("code"), {"code": totp.code(secret)}).status_code == 302
    for number, code in enumerate(
        re.findall(r"<li><code>(\w+)</code>", alice.get("/accounts/2fa/recovery-codes/").html)
    ):
        handed = ("GET /accounts/2fa/recovery-codes/", "POST /accounts/2fa/recovery-codes/")
        place.search.knows(f"recovery code {number}", code, handed_over_in=handed)


def _invite(place: Place, root: Guest, nobody: Guest) -> None:
    """The link is on one page, in one letter and in what a command prints. Whoever stumbles over it tells no log."""
    sent = root.submit(root.get("/admin/conversations/invitation/add/").form_with("days"), {"email": "new@example.com"})
    (token,) = set(re.findall(r"/invitations/([\w-]{20,})/", sent.page.html))
    handed = ("POST /admin/conversations/invitation/add/", f"GET /invitations/{token}/", f"POST /invitations/{token}/")
    place.search.knows("invitation", token, handed_over_in=handed)
    until(lambda: any(token in letter for letter in place.letterbox.letters), "the letter of an invitation")
    _ask_in_every_way(nobody, f"/invitations/{token}/")


def _reset(place: Place, nobody: Guest) -> None:
    page = nobody.get("/accounts/password/reset/")
    nobody.submit(page.form_with("email"), {"email": "root@example.com"})
    found: list[str] = []

    def has_come() -> bool:
        found[:] = re.findall(r"/accounts/password/reset/key/(\S+)/", "\n".join(place.letterbox.letters))
        return bool(found)

    until(has_come, "the letter with a new password's link")
    link = found[0].split("-", 1)[1]
    place.search.knows("link for a new password", link, handed_over_in=("GET /accounts/password/reset/key/",))
    _ask_in_every_way(nobody, f"/accounts/password/reset/key/{found[0]}/")
    place.letterbox.refuses = True
    nobody.submit(page.form_with("email"), {"email": "root@example.com"})
    place.letterbox.refuses = False


def _ask_in_every_way(nobody: Guest, address: str) -> None:
    nobody.get(address)
    url = nobody.base_url + address
    for method in ("POST", "PUT", "DELETE"):  # without the token of a form
        nobody.session.request(method, url, timeout=180)
    for wrong in (f"{url}x/", f"{url[:-1]}%00/", url[:-1].upper() + "/"):
        nobody.session.get(wrong, timeout=180)


def _talk(place: Place, alice: Guest) -> None:
    """Answers, and refusals in which the provider says every secret that it was given."""
    own, gate = place.key_of("key of a member"), place.key_of("header of a connection")
    echoes = [(place.aimlapi, FLASH, [place.aimlapi.key]), (place.segmind, PRO, [place.segmind.key])]
    for simulator, model, said in [*echoes, (place.house, HOUSE, [own, gate])]:
        for body in (_wrong(said, json.dumps), _wrong(said, str)):
            simulator.script(Reply(401, (body,)))
            sent = alice.send("hello", model=model)
            alice.reads(sent.reply_uuid)
            assert simulator.requests, model
    sent = alice.send("[[say:yes]]", model=FLASH, images=[PICTURE])
    alice.reads(sent.reply_uuid)
    assert alice.page(sent.conversation_uuid).replies[-1].status == "complete"


def _wrong(secrets: list[str], written: Callable[[object], str]) -> bytes:
    words = " and ".join(f"{one}, in other words {base64.b64encode(one.encode()).decode()}," for one in secrets)
    return written({"error": {"message": f"{words} is wrong"}}).encode()


def _take_out(place: Place, alice: Guest) -> None:
    sent = alice.press(alice.get("/settings/data/"), "Download everything")
    target = place.server.data / "taken-out.zip"
    target.write_bytes(sent.response.content)
    _hear_archive(place.search, target)
    target.unlink()


def _hear_archive(search: Search, path: Path) -> None:
    with zipfile.ZipFile(path) as archive:
        assert archive.namelist()
        for name in archive.namelist():
            search.hears(f"{path.name}: {name}", name, archive.read(name))


def _errors(place: Place, alice: Guest, root: Guest, nobody: Guest) -> None:
    """400 to 503, with a database that lacks a table, a mail server that refuses and a sign-on that is away."""
    for person in (alice, nobody):
        for method, path in (("GET", "/nothing/"), ("PUT", "/settings/"), ("POST", "/settings/keys/"), ("POST", "/")):
            person.session.request(method, person.base_url + path, data=b"x", timeout=180)
        person.session.get(person.base_url + "/", headers={"Host": "evil.example"}, timeout=180)
        person.session.post(person.base_url + "/", data=b"x" * 1_100_000, timeout=180)
    assert nobody.press(nobody.get("/accounts/login/"), "Go on with Single sign-on").page.status_code == 503
    token = place.key_of("CHATSITE_METRICS_TOKEN")
    for given in (token, token[:-1], ""):
        answer = requests.get(f"{alice.base_url}/metrics", headers={"Authorization": f"Bearer {given}"}, timeout=180)
        place.search.hears("GET /metrics", answer.content, str(answer.headers))
    for change, back, status in BREAKS:
        _change(place, change)
        assert alice.get("/settings/keys/").status_code == status
        _change(place, back)
    assert alice.get("/settings/keys/").status_code == 200


def _change(place: Place, statement: str) -> None:
    with closing(sqlite3.connect(place.server.data / "chatsite.sqlite3", timeout=180)) as database, database:
        assert database.execute(statement).rowcount


def _everything_that_runs(place: Place) -> None:
    """Arguments and titles of every process of this machine that may be read."""
    for process in Path("/proc").glob("[0-9]*"):
        for name in ("cmdline", "comm"):
            place.search.hears(f"{process}/{name}", content(int(process.name), name))


def _keep_cookies(place: Place, alice: Guest, root: Guest) -> None:
    """Known only now, and looked for in everything that was said before."""
    for name, person in (("alice", alice), ("root", root)):
        for cookie in person.session.cookies:
            if cookie.value and cookie.name in ("session", "csrf", "device"):
                place.search.knows(f"{cookie.name} of {name}", cookie.value.strip('"'))


def _commands(place: Place, folder: Path) -> None:
    printed = place.server.manage("invite").stdout
    (token,) = re.findall(r"/invitations/([\w-]{20,})/", printed)
    place.search.knows("invitation by command", token)
    for command in COMMANDS:
        said = place.server.manage(*command, check=False)
        place.search.hears(f"manage.py {' '.join(command)}", said.stdout, said.stderr)
    place.server.manage("backup", str(folder / "saved.zip"))
    _hear_archive(place.search, folder / "saved.zip")


def _stored(place: Place, folder: Path) -> None:
    """The database as a thief has it. What stands there as it is are sessions, with the link that one of them opened:
    they are taken along by no backup."""
    plain = {name for name in place.search.secrets if name.startswith(("session ", "link "))}
    stored = Search({name: one for name, one in place.search.secrets.items() if name not in plain})
    stored.allowed = dict.fromkeys(stored.secrets, ())
    for path in folder.glob("chatsite.sqlite3*"):
        stored.hears(path.name, path.read_bytes())
    assert stored.said
    assert stored.found() == []


# --- What is not there in the first place -----------------------------------------------------------------------------
def test_stores_that_cannot_be_reached_are_named_without_their_passwords(tmp_path: Path) -> None:
    search, away = Search(), f"127.0.0.1:{free_port()}"
    database = f"postgres://somebody:{search.make('password of the database')}@{away}/chatsite"
    bucket = {
        "S3_BUCKET": "pictures",
        "S3_ENDPOINT_URL": f"http://{away}",
        "S3_ACCESS_KEY_ID": search.make("key of a bucket"),
        "S3_SECRET_ACCESS_KEY": search.make("secret of a bucket"),
        "S3_REGION": "us-east-1",
    }
    for command in (("check_providers",), ("backup", str(tmp_path / "saved.zip")), ("serve",)):
        said = Server(tmp_path, bucket | {"DATABASE_URL": database}).manage(*command, check=False)
        assert said.returncode
        search.hears(" ".join(command), said.stdout, said.stderr)
    with_pictures = Server(tmp_path, bucket)
    with_pictures.add_people("alice")
    said = with_pictures.manage("shell", "-v0", "-c", STORE, check=False)
    assert said.returncode
    search.hears("storing a picture", said.stdout, said.stderr)
    assert sum(len(one) for _place, one in search.said) > 500
    assert search.found() == []


STORE = """
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
default_storage.save("a", ContentFile(b"a"))
"""
