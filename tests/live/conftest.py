"""A simulator and a real server for each test, as if they were new; alice, bob and root have accounts."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.live.browserless import Person
from tests.live.standing import KEY, PEOPLE, Standing, settings_for
from tests.once import once
from tests.serving import PASSWORD, Server
from tests.simulator import Simulator

__all__ = ["KEY", "settings_for"]


@pytest.fixture(scope="session")
def template_data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated data folder with people in it, to be copied."""
    return once(tmp_path_factory, "template", lambda data: Server(data).add_people(*PEOPLE))


@pytest.fixture(scope="session")
def standing(template_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Standing]:
    with Standing(template_data, tmp_path_factory.mktemp("standing")) as one:
        yield one


@pytest.fixture
def simulator(standing: Standing) -> Iterator[Simulator]:
    standing.settle()
    yield standing.simulator
    standing.simulator.check()


@pytest.fixture
def server(standing: Standing, simulator: Simulator) -> Server:
    return standing.fresh()


@pytest.fixture
def person(server: Server, standing: Standing) -> Callable[[str], Person]:
    def logged_in(name: str) -> Person:
        somebody = Person(server.url)
        if cookies := standing.login(server.url, name):
            somebody.session.cookies.update(cookies)
        else:
            somebody.log_in(name, PASSWORD)
        return somebody

    return logged_in


@pytest.fixture
def alice(person: Callable[[str], Person]) -> Person:
    return person("alice")
