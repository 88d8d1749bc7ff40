"""What htmx may do with an answer: put HTML where it belongs, and nothing else."""

import json
import re
from html import unescape

from django.test import Client

CLOSED = {"allowEval": False, "allowScriptTags": False, "selfRequestsOnly": True, "includeIndicatorStyles": False}


def test_htmx_runs_nothing_that_comes_with_an_answer(as_alice: Client) -> None:
    for address in ("/", "/c/", "/prompts/", "/settings/"):
        found = re.search(r"<meta name=\"htmx-config\" content='([^']+)'", as_alice.get(address).content.decode())
        assert found, address
        settings = json.loads(unescape(found[1]))
        assert {name: settings[name] for name in CLOSED} == CLOSED
        assert settings["historyCacheSize"] == 0
