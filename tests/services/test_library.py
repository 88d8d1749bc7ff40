"""Prompts and presets: names, limits, copies, variables."""

import pytest

from conversations.models import Preset, Prompt, User
from conversations.services import library
from conversations.services.errors import NameTaken, Refusal
from tests.conftest import MODEL


def prompt(owner: User, name: str = "letter", text: str = "Write a letter.", **more: object) -> Prompt:
    made = Prompt(owner=owner)
    library.store(made, name=name, text=text, **more)
    return made


def test_a_name_is_used_once_by_a_person_and_again_by_another(alice: User, bob: User) -> None:
    first = prompt(alice)
    prompt(bob)
    with pytest.raises(NameTaken, match="“letter” already"):
        prompt(alice)
    library.store(first, name="letter", text="Write it again.")
    assert Prompt.objects.of(alice).get().text == "Write it again."


def test_the_five_hundred_and_first_is_refused_and_the_others_can_be_changed(alice: User) -> None:
    Prompt.objects.bulk_create(Prompt(owner=alice, name=f"p{number}", text="x") for number in range(499))
    last = prompt(alice)
    with pytest.raises(Refusal, match="500"):
        prompt(alice, "one-more")
    library.store(last, text="changed")
    assert Prompt.objects.count() == 500


def test_texts_are_stored_as_every_database_can(alice: User) -> None:
    assert prompt(alice, text="a\r\nb\x00\ud800").text == "a\nb\ufffd\ufffd"


def test_a_copy_is_private_and_finds_a_free_name(alice: User, bob: User) -> None:
    shared = prompt(alice, is_shared=True)
    names = [library.copy(shared, bob).name for _ in range(3)]
    assert names == ["letter", "letter-2", "letter-3"]
    assert not Prompt.objects.of(bob).filter(is_shared=True).exists()
    preset = Preset(owner=alice)
    library.store(preset, name="Cook", model=MODEL, system_prompt="Cook.", parameters={"temperature": 1.5})
    mine = library.copy(preset, bob)
    assert isinstance(mine, Preset)
    assert (mine.name, mine.system_prompt, mine.parameters) == ("Cook", "Cook.", {"temperature": 1.5})


def test_a_copy_of_the_longest_name_fits(alice: User) -> None:
    longest = prompt(alice, "n" * 50)
    assert len(library.copy(longest, alice).name) <= 50


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("no variable", []),
        ("{{topic}} for {{ reader }} about {{topic}}", ["topic", "reader"]),
        ("{{}} {{ }} {single} {{two\nlines}} {{{deep}}}", ["deep"]),
        ("{{" * 20_000, []),
        ("{{" + "n" * 81 + "}}", []),
        ("{{" + " " * 40_000, []),
        ("".join(f"{{{{v{number}}}}}" for number in range(30)), [f"v{number}" for number in range(20)]),
    ],
)
def test_variables_are_found_between_double_braces(text: str, names: list[str]) -> None:
    assert library.variables(text) == names


def test_variables_are_filled_in_everywhere_and_empty_ones_stay() -> None:
    text = "About {{topic}} and {{ topic }} for {{reader}}"
    assert library.fill(text, {"topic": "{{reader}} \\1", "reader": ""}) == (
        "About {{reader}} \\1 and {{reader}} \\1 for {{reader}}"
    )
