"""Names of people with an account, and e-mail addresses, are masked wherever they stand; other words stay."""

import pytest

from conversations.models import User
from conversations.services.masking import Mask


@pytest.fixture
def people(db: None) -> None:
    User.objects.create_user("asmith", "a@example.com", first_name="Anna Maria", last_name="Smith")
    User.objects.create_user("jörg.müller", first_name="Jörg", last_name="Müller")


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("Dear Anna, dear Smith", "Dear [person 1], dear [person 1]"),
        ("ASMITH wrote to anna.smith+news@mail.example.org.", "[person 1] wrote to [e-mail]."),
        ("Smith's cat, Smithson's dog", "[person 1]'s cat, Smithson's dog"),
        ("JÖRG.MÜLLER and Maria-Smith", "[person 2] and [person 1]-[person 1]"),
        ("`x = smith`\n@asmith", "`x = [person 1]`\n@[person 1]"),
        ("Nobody of the organisation", "Nobody of the organisation"),
    ],
)
def test_names_and_addresses_are_masked(people: None, text: str, masked: str) -> None:
    shown = Mask([text]).text(text)
    assert shown == masked


def test_texts_inside_of_values_are_masked_and_keys_and_numbers_stay(people: None) -> None:
    value = {"smith": [{"text": "by Smith"}, 3, None, True]}
    assert Mask([value]).value(value) == {"smith": [{"text": "by [person 1]"}, 3, None, True]}
