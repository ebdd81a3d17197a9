"""The same courses are told in the same words, number by number, for as long as the rules are."""

import pytest

from services.outcomes.core.rules import RULE
from tests.rules.keeping import COURSES, KEPT, kept, written


@pytest.mark.parametrize("name", COURSES)
def test_what_was_said_is_said_again(name: str) -> None:
    now, before = written(name), kept(name)
    for number, (one, other) in enumerate(zip(now, before, strict=False), 1):
        assert one == other, f"kept/{name}.jsonl:{number}: other rules: another VERSION"
    assert len(now) == len(before)


def test_what_is_kept_was_said_by_the_rules_that_there_are() -> None:
    rules = {
        event["assessment"]["rule"]
        for name in COURSES
        for event in kept(name)
        if event["topic"] == "findings.assessed"
    }
    assert rules == {RULE}
    assert {path.stem for path in KEPT.iterdir()} == set(COURSES)
