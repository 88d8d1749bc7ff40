"""What a start in production is refused for, and what Django's own check says of one that is not."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.serving import ROOT

GOOD = {"ALLOWED_HOSTS": "chat.example.org", "SECRET_KEY": "8Fh2kq0Zr7Xw9LmV3tYbN6cJ1sDgP5aQeUiOx4WzRk7Tn2Bv5Hm8"}


def run(data: Path, *arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    environment = {
        "PATH": os.environ["PATH"],
        "CHATSITE_DATA": str(data),
        "DJANGO_SETTINGS_MODULE": "chatsite.settings",
    }
    command = [sys.executable, "-W", "error", *arguments]
    return subprocess.run(
        command, cwd=ROOT, env=environment | GOOD | settings, capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("SECRET_KEY", "short", "SECRET_KEY must have at least 32 characters"),
        ("SECRET_KEY", "django-insecure-8Fh2kq0Zr7Xw9LmV3tYbN6cJ1sDg", "SECRET_KEY must be random"),
        ("SECRET_KEY", "a" * 50, "SECRET_KEY must be random"),
        ("CHATSITE_ENCRYPTION_KEYS", "short", "CHATSITE_ENCRYPTION_KEYS must have at least 32"),
        ("CHATSITE_ENCRYPTION_KEYS", "change-me-" * 4, "CHATSITE_ENCRYPTION_KEYS must be random"),
        ("DEBUG", "true", "DEBUG shows secrets"),
        ("ALLOWED_HOSTS", "*", "ALLOWED_HOSTS must name the hosts"),
        ("CHATSITE_METRICS_TOKEN", "short", "CHATSITE_METRICS_TOKEN"),
        ("CHATSITE_OIDC_ISSUER", "http://login.example.org", "CHATSITE_OIDC_ISSUER must begin with https"),
    ],
)
def test_an_unsafe_setting_ends_the_start_with_a_sentence(tmp_path: Path, name: str, value: str, sentence: str) -> None:
    ended = run(tmp_path, "-c", "import chatsite.settings", **{name: value})
    assert ended.returncode == 1
    assert sentence in ended.stderr
    assert "Traceback" not in ended.stderr
    assert value not in ended.stderr or len(value) < 10


def test_safe_settings_start_and_django_has_nothing_to_say(tmp_path: Path) -> None:
    checked = run(tmp_path, "manage.py", "check", "--deploy", "--fail-level", "WARNING")
    assert (checked.returncode, checked.stderr) == (0, "")
    assert checked.stdout == "System check identified no issues (0 silenced).\n"


def test_without_a_secret_one_is_made_that_nobody_else_can_read(tmp_path: Path) -> None:
    assert run(tmp_path, "-c", "import chatsite.settings", SECRET_KEY="").returncode == 0
    kept = tmp_path / "secret-key"
    assert len(kept.read_text()) >= 50
    assert kept.stat().st_mode & 0o777 == 0o600
