"""The pages of usage: what a person sees of their own, what administrators see of all, and files that reconcile."""

import csv
import datetime as dt
import io
import json
import zipfile
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import Group, Permission
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from conversations.models import Budget, Connection, LedgerEntry, User
from conversations.services import budgets, spent, sums, takeout
from tests.conftest import MODEL, PAINTER, send

pytestmark = pytest.mark.django_db
USAGE = "/settings/usage/"


def spend(user: User, money: str | None, *, days_ago: int = 0, model: str = MODEL, **values: Any) -> LedgerEntry:
    number = LedgerEntry.objects.count() + 1
    at = timezone.now() - dt.timedelta(days=days_ago)
    amount = None if money is None else int(Decimal(money) * 10**12)
    known = {} if money is None else {"amount": amount, "currency": "USD", "basis": "stated"}
    plain: dict[str, Any] = {
        "call": number,
        "reply": number,
        "attempt": 1,
        "at": at,
        "day": timezone.localdate(at),
        "model": model,
        "person": user.pk,
        "person_name": user.username,
        "connection": model.partition("/")[0],
    }
    return LedgerEntry.objects.create(**plain | known | values)


def table(response: Any) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(response.content.decode("utf-8-sig"))))


def test_what_a_person_takes_along_has_each_call_to_the_last_digit(alice: User, bob: User) -> None:
    spend(alice, "0.000000000123", prompt_tokens=12, cached_tokens=5, credits=3, outcome="ok")
    spend(alice, None, pictures=1, is_own_key=True, outcome="http_500")
    spend(bob, "7")
    with zipfile.ZipFile(io.BytesIO(b"".join(takeout.stream(alice)))) as archive:
        first, second = json.loads(archive.read("usage.json"))
    assert (first["money"], first["currency"], first["credits"]) == ("0.000000000123", "USD", "0.00000003")
    assert (first["prompt_tokens"], first["cached_tokens"], first["output_tokens"]) == (12, 5, None)
    assert (first["model"], first["outcome"], first["own_key"]) == (MODEL, "ok", None)
    assert (second["money"], second["credits"], second["pictures"], second["own_key"]) == (None, None, 1, True)
    assert first["at"] < second["at"]


@pytest.fixture
def as_admin(db: None) -> Client:
    admin = User.objects.create_user("root", is_staff=True)
    admin.user_permissions.add(Permission.objects.get(codename="view_ledgerentry"))
    client = Client()
    client.force_login(admin, backend="django.contrib.auth.backends.ModelBackend")
    return client


def test_a_person_sees_what_they_spent_and_nothing_of_others(as_alice: Client, alice: User, bob: User) -> None:
    spend(alice, "0.000000000123", prompt_tokens=12)
    spend(alice, "0.5", days_ago=3)
    spend(alice, None)
    spend(bob, "7.77")
    page = as_alice.get(USAGE).content.decode()
    assert "0.500000000123 USD" in page
    assert "1 call of unknown cost" in page
    assert page.count("<rect") == 2
    assert "7.77" not in page


def test_amounts_are_written_as_the_reader_writes_them(as_alice: Client, alice: User) -> None:
    spend(alice, "0.500000000123")
    page = as_alice.get(USAGE, headers={"Accept-Language": "de"}).content.decode()
    assert "0,500000000123 USD" in page
    assert table(as_alice.get(f"{USAGE}export/", headers={"Accept-Language": "de"}))[0]["money"] == "0.500000000123"


def test_the_list_of_budgets_says_for_whom_and_how_much(admin_client: Client, alice: User) -> None:
    Budget.objects.create(scope="person", person=alice, period="day", money="2.500000")
    Budget.objects.create(scope="each", period="month", messages=3)
    page = admin_client.get(reverse("admin:conversations_budget_changelist")).content.decode()
    assert "one person: alice" in page
    assert "2.5 USD" in page
    assert ">each person<" in page


def test_a_person_sees_what_is_left_and_when_it_renews(as_alice: Client, alice: User) -> None:
    Budget.objects.create(scope="each", period="month", messages=3)
    budgets.forget()
    send(alice, "hello")
    page = as_alice.get(USAGE).content.decode()
    assert "2 messages are left. It renews on" in page


def test_what_is_older_than_was_asked_for_is_left_out(as_alice: Client, alice: User) -> None:
    spend(alice, "0.25", days_ago=20)
    assert "0.25 USD" in as_alice.get(USAGE).content.decode()
    assert "Nothing was used" in as_alice.get(f"{USAGE}?days=7").content.decode()
    assert as_alice.get(f"{USAGE}?days=-1").status_code == 200


def test_the_file_of_a_person_has_all_digits_and_no_formula(as_alice: Client, alice: User) -> None:
    spend(alice, "0.000000000001", model="=cmd/x", prompt_tokens=5, credits=123)
    (row,) = table(as_alice.get(f"{USAGE}export/?by=model"))
    assert row["name"] == "'=cmd/x"
    assert (row["money"], row["currency"], row["prompt_tokens"]) == ("0.000000000001", "USD", "5")
    assert row["credits"] == "0.00000123"


def test_who_is_not_logged_in_is_asked_to(db: None) -> None:
    for address in (USAGE, f"{USAGE}export/"):
        assert Client().get(address).headers["Location"].startswith("/accounts/login/")


def test_staff_without_the_permission_sees_no_usage(carol: User) -> None:
    client = Client()
    client.force_login(carol, backend="django.contrib.auth.backends.ModelBackend")
    for name in ("changelist", "reconcile"):
        assert client.get(reverse(f"admin:conversations_ledgerentry_{name}")).status_code == 403


def test_administrators_see_sums_by_day_person_group_model_and_connection(
    as_admin: Client, alice: User, bob: User
) -> None:
    group = Group.objects.create(name="painters")
    group.user_set.add(bob)
    spend(alice, "0.1")
    spend(bob, "0.2", model=PAINTER)
    spend(bob, "0.3", model=PAINTER, days_ago=1)
    today = timezone.localdate()
    expected = {
        "day": {(today - dt.timedelta(days=1)).isoformat(): "0.3", today.isoformat(): "0.3"},
        "person": {"alice": "0.1", "bob": "0.5"},
        "group": {"in no group": "0.1", "painters": "0.5"},
        "connection": {"aimlapi": "0.1", "segmind": "0.5"},
    }
    address = reverse("admin:conversations_ledgerentry_changelist")
    for _is_added_up in (False, True):
        for by, money in expected.items():
            rows = table(as_admin.get(f"{address}?by={by}&csv=1"))
            assert {row["name"]: Decimal(row["money"]) for row in rows} == {
                name: Decimal(amount) for name, amount in money.items()
            }
            assert "0.6 USD" in as_admin.get(f"{address}?by={by}").content.decode()
        assert len(table(as_admin.get(f"{address}?by=model&csv=1"))) == 2
        sums.add_up()


def test_sums_are_exact_where_they_are_larger_than_any_one_column(alice: User) -> None:
    for _ in range(3):
        spend(alice, "9223372.036854775807")
        sums.add_up()
    assert spent.together(spent.of_person(alice, spent.since(7))[0]).money == {"USD": Decimal("27670116.110564327421")}


def test_few_credits_are_shown_as_a_warning(as_admin: Client, alice: User) -> None:
    Connection.objects.create(slug="segmind", label="Segmind", kind="segmind", credit_warning=5)
    address = reverse("admin:conversations_ledgerentry_changelist")
    spend(alice, None, model=PAINTER, remaining=5 * 10**8)
    sums.add_up()
    assert "remaining credits" in as_admin.get(address).content.decode().lower()
    assert "less than its warning threshold" not in as_admin.get(address).content.decode()
    spend(alice, None, model=PAINTER, remaining=5 * 10**8 - 1)
    spend(alice, None, model=PAINTER, remaining=9 * 10**8, is_own_key=True)
    sums.add_up()
    page = as_admin.get(address).content.decode()
    assert "4.99999999" in page
    assert "less than its warning threshold" in page


def compared(client: Client, figures: bytes) -> Any:
    sums.add_up()
    posted = {"connection": "aimlapi", "currency": "USD", "figures": SimpleUploadedFile("figures.csv", figures)}
    return client.post(reverse("admin:conversations_ledgerentry_reconcile"), posted)


def test_a_provider_s_figures_are_compared_day_by_day(as_admin: Client, alice: User) -> None:
    days = [timezone.localdate() - dt.timedelta(days=ago) for ago in (3, 2, 1)]
    spend(alice, "0.30", days_ago=3)
    spend(alice, "0.25", days_ago=2)
    spend(alice, None, days_ago=2)
    spend(alice, "4", days_ago=2, is_own_key=True)
    figures = f"date,amount\n{days[0]},0.10\n{days[0]},0.20\n{days[1]},$0.40\n{days[2]},1\n"
    page = compared(as_admin, figures.encode())
    assert page.status_code == 200
    found = [(one.day, one.theirs, one.ours, one.by, one.unknown) for one in page.context["differences"]]
    assert found == [
        (days[0], Decimal("0.30"), Decimal("0.30"), 0, 0),
        (days[1], Decimal("0.40"), Decimal("0.25"), Decimal("-0.15"), 1),
        (days[2], 1, None, -1, 0),
    ]
    assert "-1.15" in page.content.decode()


@pytest.mark.parametrize(
    "figures", [b"\xff\xfe", b"", b"date,amount", b"2026-02-30,1", b"2026-01-01,many", b"2026-01-01", b"a,b\nc,d"]
)
def test_figures_that_cannot_be_read_are_refused_with_a_sentence(as_admin: Client, alice: User, figures: bytes) -> None:
    spend(alice, "1")
    page = compared(as_admin, figures)
    assert page.status_code == 422
    assert "errorlist" in page.content.decode()


def test_an_administrator_makes_a_budget_that_holds_at_once(alice: User) -> None:
    root = User.objects.create_superuser("chief", password="a long password")
    client = Client()
    client.force_login(root, backend="django.contrib.auth.backends.ModelBackend")
    values = {"scope": "each", "period": "day", "currency": "usd", "is_enabled": "on", "messages": "0"}
    assert client.post(reverse("admin:conversations_budget_add"), values).status_code == 302
    with pytest.raises(budgets.OverBudget):
        send(alice, "hello")
    wrong = [values | {"scope": "person"}, values | {"messages": ""}, values | {"currency": "US$"}]
    for one in wrong:
        assert client.post(reverse("admin:conversations_budget_add"), one).status_code == 200
    assert Budget.objects.count() == 1
    client.post(reverse("admin:conversations_budget_delete", args=[Budget.objects.get().pk]), {"post": "yes"})
    send(alice, "hello")
