"""The figures of a process that serves no pages."""

import pytest
import requests
from pytest_django import Settings

from chatsite import figures
from conversations.generation.tally import tally
from conversations.models.message import Status
from conversations.services.replies import Outcome
from tests.serving import free_port

TOKEN = "a token for the figures"

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def address(settings: Settings) -> str:
    settings.CHATSITE_METRICS_TOKEN, settings.CHATSITE_METRICS_PORT = TOKEN, free_port()
    figures.serve()
    return f"http://127.0.0.1:{settings.CHATSITE_METRICS_PORT}"


def test_a_worker_tells_its_figures_to_whom_knows_the_token(address: str) -> None:
    tally.note_end("a-model-of-this-test", Outcome(Status.COMPLETE, output_tokens=7))
    told = requests.get(f"{address}/metrics", headers={"Authorization": f"Bearer {TOKEN}"}, timeout=60)
    assert told.status_code == 200
    assert 'chatsite_replies_ended_total{model="a-model-of-this-test",state="complete"} 1.0' in told.text
    assert 'chatsite_tokens_total{kind="output",model="a-model-of-this-test"} 7.0' in told.text
    assert "chatsite_database_up 1.0" in told.text


def test_a_worker_tells_nobody_else_anything(address: str) -> None:
    for headers in ({}, {"Authorization": "Bearer another"}, {"Authorization": TOKEN}):
        refused = requests.get(f"{address}/metrics", headers=headers, timeout=60)
        assert (refused.status_code, refused.text) == (401, "")
    assert requests.get(f"{address}/", timeout=60).status_code == 404
