"""What people with assistive technology would stumble over in a page, as axe finds it."""

from typing import Any

from axe_playwright_python.sync_playwright import DEFAULT_OPTIONS, Axe
from playwright.sync_api import Page

SCRIPT = Axe().axe_script
RUN = "([within, options]) => axe.run(within ?? document, options).then(({violations}) => violations)"


def complaints(page: Page, within: dict[str, list[list[str]]] | None = None) -> list[str]:
    """Its script is half a megabyte, and what it says of all that is right much more: neither travels needlessly."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(SCRIPT)
    found: list[dict[str, Any]] = page.evaluate(RUN, [within, DEFAULT_OPTIONS])
    return [f"{one['id']}: {[node['html'][:120] for node in one['nodes']]}" for one in found]
