"""`make fuzz`: how long refusals take, so that nobody learns from it who has an account. 200 of each kind, by turns.

Named so that no other run collects it: on a machine with more to do a time proves nothing. What costs the time is
counted by test_guessing.py.
"""

import statistics
import time
from collections.abc import Callable

import pytest
from django.contrib.auth.hashers import PBKDF2PasswordHasher
from pytest_django import Settings

from conversations.models import User
from tests.security.test_guessing import log_in

SAMPLES = 200
APART = 0.15  # of a median, at most
HASHERS = ["tests.security.timings.Hurried"]
LOGINS = ("alice", "nobody", "alice@example.com", "nobody@example.com", "gone")


class Hurried(PBKDF2PasswordHasher):
    """A fiftieth of the work, so that what else differs is seen better, and sooner."""

    algorithm = "hurried"
    iterations = PBKDF2PasswordHasher.iterations // 50


def medians(ways: dict[str, Callable[[], object]]) -> dict[str, float]:
    """Milliseconds. By turns, so that what slows the machine down meets all of them."""
    found: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(SAMPLES):
        for name, way in ways.items():
            began = time.perf_counter()
            way()
            found[name].append((time.perf_counter() - began) * 1000)
    return {name: statistics.median(times) for name, times in found.items()}


def are_alike(found: dict[str, float]) -> bool:
    print(", ".join(f"{name}: {value:.1f} ms" for name, value in found.items()))
    return max(found.values()) <= min(found.values()) * (1 + APART)


@pytest.fixture(autouse=True)
def unlimited(settings: Settings, alice: User) -> None:
    many = 10 * SAMPLES * len(LOGINS)
    names = {"login": "ip", "login_failed": "ip", "login_failed_anywhere": "key", "reset_password": "ip"}
    settings.ACCOUNT_RATE_LIMITS = {name: f"{many}/m/{by}" for name, by in names.items()}
    settings.PASSWORD_HASHERS = HASHERS
    alice.set_password("alice's long password")
    alice.save()
    User.objects.create_user("gone", "gone@example.com", "alice's long password", is_active=False)


def test_wrong_passwords_and_unknown_people_are_refused_in_the_same_time() -> None:
    def refused(login: str) -> Callable[[], object]:
        return lambda: log_in(login, "not the password", network="198.51.100.7")

    assert are_alike(medians({login: refused(login) for login in LOGINS}))
