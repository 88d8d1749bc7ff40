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
        ("x.y@host.example and X+1@sub.host.co.uk are strangers", "[e-mail] and [e-mail] are strangers"),
        ("Ask Dr. Jane O'Neil-Doe or Frau Weiß soon.", "Ask Dr. [name] or Frau [name] soon."),
        ("call +49 (0)30 123456-78 or (555) 123-4567, 030/1234567.", "call [phone] or [phone], [phone]."),
        ("in 2026-11-22, 10.000,50 at 0.0012345678 of 08123456-1234-5678", None),
        ("Nobody of the organisation", "Nobody of the organisation"),
    ],
)
def test_names_and_addresses_are_masked(people: None, text: str, masked: str | None) -> None:
    shown = Mask([text]).text(text)
    assert shown == (text if masked is None else masked)


def test_texts_inside_of_values_are_masked_and_keys_and_numbers_stay(people: None) -> None:
    value = {"smith": [{"text": "by Smith"}, 3, None, True]}
    assert Mask([value]).value(value) == {"smith": [{"text": "by [person 1]"}, 3, None, True]}
