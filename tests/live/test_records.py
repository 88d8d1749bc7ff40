"""Several processes that record looks at the same moment: one chain."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.serving import Server

LOOKS = 30
RECORD = f"""
from conversations.models import User
from conversations.services import review
root = User.objects.get(username="root")
for number in range({LOOKS}):
    review.record(root, "thread", f"reason {{number}}", [review.Seen(root), review.Seen(None)])
"""


def test_processes_that_record_at_once_give_one_chain(tmp_path: Path) -> None:
    server = Server(tmp_path)
    server.add_people("root")
    with ThreadPoolExecutor() as writers:
        list(writers.map(lambda _: server.manage("shell", "-v0", "-c", RECORD), range(3)))
    said = server.manage("verify_audit").stdout
    assert said.startswith(f"{3 * 2 * LOOKS} records, each continues the one before.")
