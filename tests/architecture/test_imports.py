"""Who may import whom, and other rules of shape that a reader relies on."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
APP = ROOT / "conversations"

ALLOWED = {
    "providers": set(),
    "models": set(),
    "markup": set(),
    "queries": {"models"},
    "forms": {"models"},
    "services": {"models", "queries", "providers"},
    "generation": {"models", "queries", "services", "providers", "markup"},
    "templatetags": {"models", "queries", "services", "markup"},
    "views": {"models", "queries", "services", "forms", "markup", "generation.log", "generation.tally"},
    "admin": {"models", "queries", "services", "forms", "markup", "views"},
    "backup": {"models"},
    "management": {"models", "queries", "services", "providers", "markup", "backup"},
}
HTTP_LIBRARIES = {"requests", "urllib3", "http.client", "urllib.request", "httpx", "aiohttp", "socket"}
ONLY_SOCKETS = {"connections.py", "wire.py", "local_process.py", "local_server.py"}


def modules(package: str) -> Iterator[Path]:
    folder = APP / package
    yield from sorted(folder.rglob("*.py")) if folder.is_dir() else [APP / f"{package}.py"]


def imported(path: Path) -> Iterator[str]:
    """Dotted names that a module imports, wherever in it the statement stands."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{name.name}" for name in node.names)


@pytest.mark.parametrize("package", ALLOWED)
def test_each_package_imports_only_what_it_may(package: str) -> None:
    may = ALLOWED[package] | {package}
    wrong = []
    for path in modules(package):
        for name in imported(path):
            within = name.removeprefix("conversations.") if name.startswith("conversations.") else ""
            if within and not any(within == one or within.startswith(f"{one}.") for one in may):
                wrong.append(f"{path.relative_to(ROOT)} imports {name}")
    assert not wrong


def test_every_package_of_the_application_has_a_rule() -> None:
    found = {path.stem for path in APP.iterdir() if path.suffix == ".py" or (path / "__init__.py").exists()}
    assert found - set(ALLOWED) == {"__init__", "apps", "storage", "migrations"}


def test_providers_know_nothing_of_django() -> None:
    names = [name for path in modules("providers") for name in imported(path)]
    assert names
    assert not [name for name in names if name.split(".")[0] == "django"]


def test_only_the_wire_opens_sockets() -> None:
    users = set()
    for path in APP.rglob("*.py"):
        if any(name in HTTP_LIBRARIES or name.split(".")[0] in HTTP_LIBRARIES for name in imported(path)):
            users.add(path.name)
    assert "wire.py" in users
    assert users <= ONLY_SOCKETS


def test_text_is_marked_as_safe_in_the_renderer_alone() -> None:
    python = [path for path in APP.rglob("*.py") if re.search(r"\b(mark_safe|SafeString\()", path.read_text())]
    assert python
    assert all(path.name == "markup.py" or "markup" in path.parts for path in python)
    templates = [
        path
        for path in (ROOT / "templates").rglob("*.html")
        if re.search(r"\|\s*safe\b|autoescape off", path.read_text())
    ]
    assert templates == []


def test_owned_objects_are_found_through_visible_to_in_views() -> None:
    """A view never looks an owned object up by its bare id."""
    bare = re.compile(r"get_object_or_404\(\s*(Conversation|Message|Attachment|Prompt|Preset)\s*,|objects\.get\(")
    assert not [path.name for path in modules("views") if bare.search(path.read_text(encoding="utf-8"))]


@pytest.mark.parametrize("folder", ["chatsite", "conversations"])
def test_modules_and_functions_stay_readable(folder: str) -> None:
    too_long = []
    for path in (ROOT / folder).rglob("*.py"):
        if "migrations" in path.parts:
            continue
        source = path.read_text(encoding="utf-8")
        if source.count("\n") > 400:
            too_long.append(path.name)
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and (node.end_lineno or 0) - node.lineno >= 60:
                too_long.append(f"{path.name}:{node.name}")
    assert not too_long


def test_templates_stay_short_and_without_inline_code() -> None:
    for path in (ROOT / "templates").rglob("*.html"):
        text = path.read_text(encoding="utf-8")
        assert text.count("\n") <= 60, path
        assert not re.search(r"\son\w+=[\"']|\sstyle=|<style|javascript:|hx-on", text), path


def test_scripts_stay_short() -> None:
    scripts = {path.name: path.read_bytes() for path in (ROOT / "static" / "js").glob("*.js")}
    assert scripts
    assert {name: lines for name, text in scripts.items() if (lines := text.count(b"\n")) > 150} == {}
    assert sum(map(len, scripts.values())) <= 25_000
