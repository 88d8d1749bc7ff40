"""The files for an installation: each is what its own program takes, and they agree with each other."""

import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from tests.cluster.processes import Cluster
from tests.postgres import Postgres
from tests.serving import ROOT, Server, free_port

PROGRAMS = Path(sys.executable).parent
UNITS = sorted((ROOT / "docs" / "deploy" / "systemd").glob("*.service"))
COPIED = re.compile(r"^COPY (?!--from)(.+) \S+$", re.MULTILINE)


def run(*command: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([str(word) for word in command], check=False, capture_output=True, text=True, cwd=ROOT)


def compose() -> dict[str, Any]:
    found: dict[str, Any] = YAML(typ="safe").load(ROOT / "compose.yaml")
    return found


def processes() -> dict[str, dict[str, Any]]:
    """The services that run our image."""
    return {name: one for name, one in compose()["services"].items() if one["image"] == "chatsite"}


def test_the_dockerfile_pleases_its_linter() -> None:
    result = run(PROGRAMS / "hadolint", "Dockerfile")
    assert (result.returncode, result.stdout) == (0, "")


def test_the_compose_file_keeps_the_schema_of_compose_files() -> None:
    result = run(PROGRAMS / "check-jsonschema", "--builtin-schema", "vendor.compose-spec", "compose.yaml")
    assert result.returncode == 0, result.stdout


def test_the_image_gets_all_it_needs_and_nothing_else() -> None:
    copied = " ".join(COPIED.findall((ROOT / "Dockerfile").read_text())).replace("./", "").split()
    let_in = [line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")]
    assert sorted(copied) == sorted(let_in)
    assert all((ROOT / name).exists() for name in copied)


def test_no_process_of_ours_may_write_but_where_it_must() -> None:
    for service in processes().values():
        assert service["read_only"]
        assert service["cap_drop"] == ["ALL"]
        assert service["security_opt"] == ["no-new-privileges:true"]
        assert service["tmpfs"] == ["/tmp", "/data:uid=10001,gid=10001,mode=0700"]
        assert "volumes" not in service
    assert re.findall(r"^USER (\S+)$", (ROOT / "Dockerfile").read_text(), re.MULTILINE) == ["10001:10001"]


def test_units_and_containers_run_the_same_commands() -> None:
    units = {path.stem.removeprefix("chatsite-").rstrip("@"): path.read_text() for path in UNITS}
    assert set(units) == {"chatsite", *processes()}
    for name, service in processes().items():
        found = re.search(r"^ExecStart=/srv/chatsite/\.venv/bin/(.+)$", units[name], re.MULTILINE)
        assert found
        assert found[1].replace("%%", "%").replace("%i", "") == " ".join(service["command"])


def test_the_tests_of_a_cluster_run_these_commands(tmp_path: Path) -> None:
    cluster = Cluster(tmp_path, Postgres(folder=tmp_path / "postgres"), {})
    for name, process in (("worker", cluster.workers[0]), ("beat", cluster.beat)):
        words = [Path(process.command[0]).name, *process.command[1:]]
        assert [word.replace("worker1@", "worker@") for word in words] == processes()[name]["command"]


@pytest.mark.parametrize("unit", UNITS, ids=lambda path: path.stem)
def test_systemd_takes_the_units(unit: Path, tmp_path: Path) -> None:
    text = unit.read_text()
    assert "/srv/chatsite/.venv/bin/" in text
    # Programs and folders have to exist for it.
    text = text.replace("/srv/chatsite/.venv/bin", str(PROGRAMS)).replace("=/srv/chatsite\n", f"={ROOT}\n")
    (tmp_path / unit.name.replace("@.", "@1.")).write_text(text.replace("User=chatsite", "User=root"))
    if (socket := unit.with_suffix(".socket")).exists():
        shutil.copy(socket, tmp_path)
    program = shutil.which("systemd-analyze")
    assert program, "these tests need systemd-analyze; see tests/system-packages.sh"
    result = run(program, "verify", "--man=no", *tmp_path.iterdir())
    assert (result.returncode, result.stderr) == (0, "")


def test_the_health_check_says_whether_the_server_answers(tmp_path: Path) -> None:
    check = [sys.executable, "-m", "chatsite.alive"]
    with Server(tmp_path, {"ALLOWED_HOSTS": "chat.example.com,127.0.0.1"}) as server:
        environment = server.environment
        assert subprocess.run(check, check=False, env=environment, cwd=ROOT).returncode == 0
        assert subprocess.run(check, check=False, env=environment | {"ALLOWED_HOSTS": "x"}, cwd=ROOT).returncode == 1
    nobody = environment | {"PORT": str(free_port())}
    assert subprocess.run(check, check=False, env=nobody, cwd=ROOT).returncode == 1
