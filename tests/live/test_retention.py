"""What retention removes is gone, down to the last byte in the data folder, while the server runs."""

from pathlib import Path

from tests.serving import Server

CANARY = "canaryofretention"
MAKE = f"""
from pathlib import Path
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone
from conversations.models import Message, Part, ProviderCall, Retention, User
from conversations.models.work import Cause
from conversations.services import cases, conversations, dispatch, messages, ratings
from conversations.services.messages import Draft
from tests.services.photographs import photograph


class Idle:
    def start(self, reply, fresh=None): pass
    def go_on(self, reply): pass
    def cancel(self, reply): pass


dispatch.use(Idle())
root = User.objects.get(username="root")
upload = SimpleUploadedFile("{CANARY}.jpg", photograph(300, 200), "image/jpeg")
sent = messages.send(root, Draft(text="{CANARY} asked", model="{{model}}", key="k", images=[upload]), None)
Part.objects.create(message=sent.reply, position=0, kind="text", text="{CANARY} said", html="<p>{CANARY}</p>")
request = ProviderCall.deflate({{"text": "{CANARY}"}})
ProviderCall.objects.create(message=sent.reply, attempt=1, model="m", request_deflated=request)
ratings.rate(sent.reply, 1, "{CANARY} rated")
case = cases.report(sent.reply, "{CANARY} reported").case
case.notes.create(author=root, author_name="root", text="{CANARY} noted")
Message.objects.filter(pk=sent.reply.pk).update(status="complete")
old = timezone.now() - timezone.timedelta(days=40)
sent.message.conversation.__class__.objects.update(active_at=old)
Retention.objects.create(days=30)
"""


def holding(folder: Path) -> list[str]:
    found = [path for path in folder.rglob("*") if path.is_file() and CANARY.encode() in path.read_bytes()]
    return sorted(path.name for path in found)


def pictures(folder: Path) -> list[Path]:
    return [path for path in (folder / "images").rglob("*") if path.is_file()]


def test_nothing_is_left_of_what_retention_removed(tmp_path: Path) -> None:
    settings = {"AIMLAPI_API_KEY": "key-for-tests"}
    server = Server(tmp_path, settings)
    server.add_people("root")
    server.manage("shell", "-v0", "-c", MAKE.replace("{model}", "aimlapi/google/gemini-2.5-flash"))
    with server:
        assert any(name.startswith("chatsite.sqlite3") for name in holding(tmp_path))
        assert len(pictures(tmp_path)) == 2
        said = server.manage("apply_retention").stdout
        assert said.endswith("1 conversations were removed.\n")
        assert holding(tmp_path) == []
        assert pictures(tmp_path) == []
