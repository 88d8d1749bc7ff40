"""Every address, method and kind of person, as policy.toml says; a stranger's answer is that of an id nobody has."""

from collections.abc import Iterator

import pytest
from pytest_django import Settings

from tests.security import asking, policy, routes
from tests.security.asking import METHODS, PRINCIPALS, SAFE, Site
from tests.security.policy import Entry

SLICES = 8  # of the addresses, so that several processes can ask
OF_LOOKS = {"conversations_look"}
STATED = ("reviewer", "administrator")


@pytest.fixture
def site(db: None, settings: Settings) -> Site:
    return asking.opened(settings)


def test_every_address_has_a_policy_and_every_policy_an_address() -> None:
    declared = [entry.route for entry in policy.entries() if not entry.is_again]
    assert sorted(declared) == sorted(set(declared)), "an address stands twice in the policy"
    assert set(declared) - routes.every() == set(), "the policy names addresses that do not exist"
    assert routes.every() - set(declared) == set(), "add these addresses to tests/security/policy.toml"
    assert {entry.route for entry in policy.entries()} <= routes.every()


@pytest.mark.parametrize("number", range(SLICES))
def test_everybody_is_answered_as_the_policy_says(site: Site, number: int) -> None:
    surprises = [line for entry in policy.entries()[number::SLICES] for line in _surprises(site, entry)]
    assert not surprises, "\n".join(surprises)


def _surprises(site: Site, entry: Entry) -> Iterator[str]:
    if entry.is_stated:
        for name in STATED:
            site.give_reason(name, site.alice["conversation"])
    values = asking.named(entry.objects, site.alice)
    address = routes.address(entry.route, values)
    body = asking.named(entry.body, site.alice)
    for method in METHODS:
        for name in PRINCIPALS:
            said, changed = site.outcome(name, method, address, body if method == "POST" else None)
            if said != entry.answers[method][name]:
                yield f"{method} {address} by {name}: {said}, not {entry.answers[method][name]} ({entry.what})"
            allowed = entry.writes | (OF_LOOKS if entry.is_stated and name in STATED else set())
            if method in SAFE and changed - allowed:
                yield f"{method} {address} by {name} changed {sorted(changed)}"


def _with_objects() -> list[Entry]:
    return [entry for entry in policy.entries() if routes.places(entry.route)]


@pytest.mark.parametrize("name", ["other", "clerk", "staff", "reviewer", "administrator"])
def test_what_is_not_ones_own_is_byte_for_byte_what_does_not_exist(site: Site, name: str) -> None:
    """All addresses with an id in them that this person is answered "missing" for."""
    asked = 0
    for entry in _with_objects():
        values = {place: asking.named(entry.objects, site.alice)[place] for place in routes.places(entry.route)}
        nothing = {place: asking.other_id(value) for place, value in values.items() if entry.objects[place][0] in "@#"}
        if not nothing:
            continue
        body = asking.named(entry.body, site.alice)
        for method in METHODS:
            if entry.answers[method][name] != "missing":
                continue
            sent = body if method == "POST" else None
            told = []
            for ids in (values, values | nothing):
                address = routes.address(entry.route, ids)
                told.append(asking.bare(site.ask(name, method, address, sent), address, *ids.values()))
            apart = asking.difference(*told)
            assert not apart, f"{method} {entry.route} tells {name} that there is something: {apart}"
            asked += 1
    assert asked > 40


def test_every_address_that_changes_something_wants_the_token_of_its_form(site: Site) -> None:
    """The owner's browser, led here by another site: the session is sent along, the token is not."""
    for name in ("owner", "administrator"):
        site.clients[name].handler.enforce_csrf_checks = True
        for entry in policy.entries():
            address = routes.address(entry.route, asking.named(entry.objects, site.alice))
            for method in ("POST", "PUT", "PATCH", "DELETE"):
                response = site.ask(name, method, address, asking.named(entry.body, site.alice) or None)
                assert response.status_code in (403, 404), f"{method} {address}: {response.status_code}"
