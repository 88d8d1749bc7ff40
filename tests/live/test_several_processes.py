"""Several processes on what only one can use are refused with a sentence."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.serving import ROOT, Server, free_port


@pytest.mark.parametrize(
    ("named", "sentence"),
    [
        ({"WEB_CONCURRENCY": "2"}, "WEB_CONCURRENCY: several processes need CHATSITE_ENGINE=celery and REDIS_URL"),
        ({"CHATSITE_ENGINE": "celery"}, "CHATSITE_ENGINE=celery needs REDIS_URL"),
        ({"CHATSITE_ENGINE": "celery", "REDIS_URL": "redis://localhost/0"}, "CHATSITE_ENGINE=celery needs PostgreSQL"),
        ({"REDIS_URL": "localhost:6379"}, "REDIS_URL must begin with redis://"),
    ],
)
def test_what_does_not_fit_together_ends_the_start(tmp_path: Path, named: dict[str, str], sentence: str) -> None:
    result = Server(tmp_path, named).manage("serve", check=False)
    assert result.returncode == 1
    assert sentence in result.stderr
    assert "Traceback" not in result.stderr


def test_several_workers_of_uvicorn_on_one_database_end_with_a_sentence(tmp_path: Path) -> None:
    server = Server(tmp_path)
    server.manage("migrate", "-v0")
    options = ["--workers", "2", "--port", str(free_port()), "--lifespan", "on"]
    command = [sys.executable, "-m", "uvicorn", "chatsite.asgi:application", *options]
    result = subprocess.run(
        command, cwd=ROOT, env=os.environ | server.environment, capture_output=True, text=True, timeout=120, check=False
    )
    assert "several processes need CHATSITE_ENGINE=celery and REDIS_URL" in result.stderr
