"""Setting a connection up, from an empty form to an answer: the simulator, and the local model behind an address."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from conversations.providers import local
from tests.browser.conftest import Open, last_reply, log_in, send
from tests.serving import Server
from tests.simulator import Simulator

ADD = "/admin/conversations/connection/add/"


def set_up(page: Page, *, kind: str, address: str, key: str, headers: str = "") -> None:
    page.goto(ADD)
    page.get_by_label("Name:", exact=True).fill("House models")
    page.get_by_label("Short name:").fill("house")
    page.get_by_label("Kind:").select_option(kind)
    page.get_by_label("Address:").fill(address)
    page.get_by_label("Key:", exact=True).fill(key)
    page.get_by_label("Further headers:").fill(headers)
    page.get_by_label("Private addresses are allowed").check()
    page.get_by_role("button", name="Save and continue editing").click()
    expect(page.get_by_text("was added successfully")).to_be_visible()
    assert key not in page.content()


def pick(page: Page, model: str) -> None:
    page.get_by_role("button", name="Pick from the list of the endpoint").click()
    page.get_by_role("checkbox", name=model).first.check()
    page.get_by_role("button", name="Offer the chosen models").click()
    expect(page.get_by_text("1 model is on offer now.")).to_be_visible()


def proven(page: Page) -> None:
    page.get_by_role("button", name="Test ").first.click()
    expect(page.get_by_text("The model answers.")).to_be_visible(timeout=60_000)


@pytest.mark.parametrize("javascript", [True, False], ids=["script", "no-script"])
def test_a_connection_to_an_endpoint_of_gemini_is_set_up_tested_and_used(
    browse: Open, simulator: Simulator, javascript: bool
) -> None:
    page = browse(javascript=javascript)
    log_in(page, "root")
    set_up(page, kind="gemini", address=f"{simulator.url}/v1beta", key=simulator.key)
    pick(page, "gemini-2.5-flash ")
    simulator.script(say="ready")
    proven(page)
    expect(page.get_by_text("gemini-stream")).to_be_visible()
    page.goto("/")
    simulator.script(say="From the house.")
    send(page, "Who answers?", model="house/gemini-2.5-flash")
    if not javascript:
        page.wait_for_url("**/c/**")
        page.reload()
    expect(last_reply(page)).to_contain_text("From the house.")
    assert simulator.requests[-1].path.endswith("/models/gemini-2.5-flash:streamGenerateContent")


@pytest.fixture
def beside() -> Iterator[tuple[str, str]]:
    """Address and key of the local model, as a server of its own."""
    endpoint = local.endpoint()
    yield endpoint.base_url, endpoint.key
    local.stop()


def test_the_local_model_is_used_like_any_endpoint_that_resembles_openais(
    browse: Open, server: Server, beside: tuple[str, str]
) -> None:
    page = browse()
    log_in(page, "root")
    address, key = beside
    # Its server hangs up after every stream without saying so.
    set_up(page, kind="openai", address=address, key=key, headers="Connection: close")
    pick(page, local.MODEL_NAME)
    proven(page)
    page.goto("/")
    send(page, "Say hello.", model=f"house/{local.MODEL_NAME}")
    expect(last_reply(page)).not_to_be_empty()
    assert key not in server.log
