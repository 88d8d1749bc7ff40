"""A simulator and a real server on a fresh data folder for each test; alice and bob have accounts."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.live.browserless import Person
from tests.serving import PASSWORD, Server
from tests.simulator import Simulator

KEY = "key-for-tests"


@pytest.fixture
def simulator() -> Iterator[Simulator]:
    with Simulator(key=KEY, delay_ms=2, first_ms=0) as running:
        yield running


def settings_for(simulator: Simulator) -> dict[str, str]:
    return {
        "SEGMIND_API_KEY": KEY,
        "SEGMIND_BASE_URL": simulator.base_url,
        "AIMLAPI_API_KEY": KEY,
        "AIMLAPI_BASE_URL": simulator.base_url,
    }


@pytest.fixture(scope="session")
def template_data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated data folder with people in it, to be copied."""
    data = tmp_path_factory.mktemp("template")
    Server(data).add_people("alice", "bob", "root")
    return data


@pytest.fixture
def server(tmp_path: Path, template_data: Path, simulator: Simulator) -> Iterator[Server]:
    for name in ("chatsite.sqlite3", "secret-key"):
        (tmp_path / name).write_bytes((template_data / name).read_bytes())
    with Server(tmp_path, settings_for(simulator)) as running:
        yield running


@pytest.fixture
def person(server: Server) -> Callable[[str], Person]:
    def logged_in(name: str) -> Person:
        somebody = Person(server.url)
        somebody.log_in(name, PASSWORD)
        return somebody

    return logged_in


@pytest.fixture
def alice(person: Callable[[str], Person]) -> Person:
    return person("alice")
