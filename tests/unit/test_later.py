"""What few servers need is not in the memory of every one."""

import subprocess
import sys
import threading
from pathlib import Path

import pytest

from chatsite.later import load_later
from tests.serving import ROOT

RUN = """
import sys
import django
django.setup()
import chatsite.asgi
from django.urls import reverse
reverse("home")
rare = ("fido2", "cryptography", "jwt", "celery", "boto3", "prometheus_client", "qrcode", "lxml")
print([name for name in rare if name in sys.modules])
from allauth.mfa.webauthn.internal import auth
print(auth.WebAuthn.__name__, "fido2" in sys.modules)
"""


def test_a_server_loads_neither_passkeys_nor_ciphers_before_they_are_used(tmp_path: Path) -> None:
    environment = {"DJANGO_SETTINGS_MODULE": "chatsite.settings", "CHATSITE_DATA": str(tmp_path)}
    run = subprocess.run(
        [sys.executable, "-c", RUN], cwd=ROOT, env=environment, capture_output=True, text=True, check=True
    )
    assert run.stdout.splitlines() == ["[]", "WebAuthn True"]


def test_many_may_be_the_first_to_use_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "slow_to_load.py").write_text("import time\ntime.sleep(0.2)\nnumber = object()\n")
    monkeypatch.syspath_prepend(tmp_path)
    load_later("slow_to_load")
    import slow_to_load  # type: ignore[import-not-found]

    found = list[object]()
    people = [threading.Thread(target=lambda: found.append(slow_to_load.number)) for _ in range(4)]
    for one in people:
        one.start()
    for one in people:
        one.join()
    assert len(found) == 4
    assert len(set(found)) == 1
    with pytest.raises(AttributeError):
        slow_to_load.other  # noqa: B018
    monkeypatch.delitem(sys.modules, "slow_to_load")
