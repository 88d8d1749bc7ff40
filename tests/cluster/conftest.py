"""One cluster for all of these tests; what a test kills it starts again. Alice and Bob have accounts."""

from collections.abc import Callable, Iterator

import pytest

from tests.cluster.processes import Cluster
from tests.faults.clustered import Clustered
from tests.faults.site import KEY
from tests.live.browserless import Person
from tests.serving import PASSWORD
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
def site(tmp_path_factory: pytest.TempPathFactory, upstream: Simulator) -> Iterator[Clustered]:
    """The cluster as the proofs see it, with nginx in front."""
    with Clustered(tmp_path_factory.mktemp("cluster"), upstream.base_url, "alice", "bob") as running:
        yield running


@pytest.fixture(scope="session")
def cluster(site: Clustered) -> Cluster:
    return site.cluster


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
