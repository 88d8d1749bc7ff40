"""A slice of what `make fuzz` tries: pictures damaged on purpose end as clean ones or as refusals."""

from tests.security import mutated


def test_mutated_pictures_are_cleaned_or_refused() -> None:
    found = mutated.run(60, seed=1)
    assert found.outcomes.total() == 60
    assert len(found.outcomes) > 1
    assert "no sentence" not in found.outcomes
    assert found.seconds > 0
