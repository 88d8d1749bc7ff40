"""One cluster for all of these tests; what a test kills it starts again. Alice and Bob have accounts."""

from collections.abc import Callable, Iterator

import pytest

from tests.cluster.processes import Cluster
from tests.live.browserless import Person
from tests.live.conftest import KEY, settings_for
from tests.postgres import Postgres
from tests.serving import PASSWORD, Server
from tests.simulator import Simulator


@pytest.fixture(scope="session")
def upstream() -> Iterator[Simulator]:
    with Simulator(key=KEY, delay_ms=2, first_ms=0) as running:
        yield running


@pytest.fixture
def simulator(upstream: Simulator) -> Iterator[Simulator]:
    """The one upstream of all tests; nothing is held back when a test begins."""
    yield upstream
    upstream.release()


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory, upstream: Simulator) -> Iterator[Cluster]:
    folder = tmp_path_factory.mktemp("cluster")
    with Postgres() as postgres:
        Server(tmp_path_factory.mktemp("people"), {"DATABASE_URL": postgres.url}).add_people("alice", "bob")
        with Cluster(folder, postgres, settings_for(upstream)) as running:
            yield running


At = Callable[[int], Person]


@pytest.fixture
def alice(cluster: Cluster) -> At:
    """Alice at the first or the second web process: one browser, logged in once, whatever process answers."""
    here = Person(cluster.webs[0].url)
    here.log_in("alice", PASSWORD)

    def at(number: int) -> Person:
        there = Person(cluster.webs[number - 1].url)
        there.session.cookies.update(here.session.cookies)
        return there

    return at
