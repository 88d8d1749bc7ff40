"""Commands of an administrator, and the end of everything by Ctrl-C."""

import os
import re
import signal
from pathlib import Path

from tests.live.browserless import Person
from tests.serving import PASSWORD, Server, until
from tests.simulator import Simulator


def test_check_providers_proves_every_configured_model(server: Server) -> None:
    result = server.manage("check_providers")
    found = re.findall(
        r"^(\S+): ok\n  status 200, [\d.]+ s, shape (\S+)\n  tokens (\d+) in, (\d+) out;", result.stdout, re.M
    )
    assert [model for model, *_ in found] == [
        "segmind/gemini-2.5-flash",
        "segmind/gemini-2-flash-image-generation",
        "segmind/gemini-1.5-pro",
        "aimlapi/google/gemini-2.5-flash",
    ]
    assert "remaining credit 99" in result.stdout
    assert "[image/png, " in result.stdout


def test_check_providers_names_what_does_not_answer(server: Server, simulator: Simulator) -> None:
    simulator.script(fault="401", path="gemini-1.5-pro")
    result = server.manage("check_providers", "segmind/gemini-1.5-pro", check=False)
    assert result.returncode == 1
    assert "segmind/gemini-1.5-pro: failed" in result.stdout
    assert "auth: " in result.stdout
    assert "key-for-tests" not in result.stdout + result.stderr


def test_check_providers_refuses_a_model_nobody_configured(server: Server) -> None:
    result = server.manage("check_providers", "nobody/nothing", check=False)
    assert result.returncode == 1
    assert "Not configured: nobody/nothing" in result.stderr


def children_of(process: int) -> list[int]:
    found = []
    for task in Path(f"/proc/{process}/task").iterdir():
        found += [int(child) for child in (task / "children").read_text().split()]
    return found


def is_gone(process: int) -> bool:
    """Ended; a process that nobody has waited for yet counts."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()[0] == "Z"
    except FileNotFoundError:
        return True


def test_ctrl_c_ends_the_server_and_the_local_model(tmp_path: Path, template_data: Path) -> None:
    for name in ("chatsite.sqlite3", "secret-key"):
        (tmp_path / name).write_bytes((template_data / name).read_bytes())
    with Server(tmp_path, {"CHATSITE_LOCAL_MODEL": "true"}) as server:
        alice = Person(server.url)
        alice.log_in("alice", PASSWORD)
        sent = alice.send("Say hello.", model="local/smollm2-135m-instruct")
        assert alice.follow(sent.reply_uuid, reconnect=True).text
        assert server.process is not None
        children = children_of(server.process.pid)
        assert children
        assert len(os.sched_getaffinity(server.process.pid)) == 1
        assert os.sched_getaffinity(children[0]) == os.sched_getaffinity(0)
        server.terminate(signal.SIGINT)
        until(lambda: all(map(is_gone, children)), "the end of the children", 5)
        assert "Traceback" not in server.log


def test_a_wrong_setting_stops_the_start_with_one_sentence(tmp_path: Path) -> None:
    result = Server(tmp_path, {"CHATSITE_SIGNUP": "ajar"}).manage("serve", check=False)
    assert result.returncode == 1
    assert result.stderr == "chatsite: CHATSITE_SIGNUP must be one of: invite, closed, approval, open.\n"


def test_the_log_holds_no_message_text_and_no_keys(server: Server) -> None:
    alice = Person(server.url)
    alice.log_in("alice", PASSWORD)
    for text in ("canary-text [[say:canary-answer]]", "canary-text [[fault:500]]", "canary-text [[fault:cut]]"):
        sent = alice.send(text, model="aimlapi/google/gemini-2.5-flash")
        alice.follow(sent.reply_uuid, reconnect=True)
    server.stop()
    assert "canary" not in server.log
    assert "key-for-tests" not in server.log
