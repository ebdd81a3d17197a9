"""A cut-off that depends on the client: the one that holds, or what is not known; no guess."""

import pytest

from services.outcomes.core.client import NOT_TOLD, Client, suited
from services.outcomes.core.definition import read
from tests.core.definitions import FOR_SOME, FULL, LEAST

FAMILY = read("own.toml", FOR_SOME)
GIRLS, PARENTS = (one.cutoff for one in FAMILY.cutoffs)
AGE, GENDER, NONE_APPLIES = "age_not_given", "gender_not_given", "no_cutoff_applies"


@pytest.mark.parametrize(
    ("age", "gender", "respondent", "expected"),
    [
        (11, "female", "client", GIRLS),
        (13, "female", "client", GIRLS),
        (12, "female", "parent", GIRLS),  # both hold: the first counts
        (10, "female", "parent", PARENTS),
        (99, "male", "parent", PARENTS),
        (0, "other", "parent", PARENTS),
    ],
)
def test_the_first_cut_off_that_holds_is_used_with_its_source(
    age: int, gender: str, respondent: str, expected: object
) -> None:
    found, reasons = suited(FAMILY, Client(age, gender), respondent)
    assert (found.cutoff, reasons) == (expected, ())
    assert found.cutoff is not None
    assert found.sources == FAMILY.sources | {"cutoff": found.cutoff.source}


@pytest.mark.parametrize(
    ("client", "respondent", "reasons"),
    [
        (Client(10, "female"), "client", (NONE_APPLIES,)),
        (Client(14, "female"), "client", (NONE_APPLIES,)),
        (Client(12, "male"), "client", (NONE_APPLIES,)),
        (Client(12, "other"), "teacher", (NONE_APPLIES,)),
        (Client(None, "female"), "client", (AGE,)),
        (Client(12, None), "client", (GENDER,)),
        (Client(12, "unknown"), "client", (GENDER,)),
        (Client(12, "unknown"), "parent", (GENDER,)),
        (Client(0, None), "parent", (GENDER,)),
        (NOT_TOLD, "parent", (AGE, GENDER)),
    ],
)
def test_where_none_holds_the_reason_is_told_and_nothing_is_changed(
    client: Client, respondent: str, reasons: tuple[str, ...]
) -> None:
    assert suited(FAMILY, client, respondent) == (FAMILY, reasons)


@pytest.mark.parametrize(
    ("client", "reasons"),
    [
        (NOT_TOLD, (AGE, GENDER)),
        (Client(12, "unknown"), (GENDER,)),
        (Client(12, "male"), (NONE_APPLIES,)),
    ],
)
def test_what_a_threshold_needs_is_asked_for_where_no_cut_off_is_known_yet(
    client: Client, reasons: tuple[str, ...]
) -> None:
    one = read("own.toml", LEAST.replace("\n\n[range]", '\nneeds = ["age", "gender"]\n\n[range]'))
    assert one.needs == ("age", "gender")
    assert suited(one, client, "client") == (one, reasons)


def test_where_one_cut_off_holds_for_everybody_nothing_is_asked_whatever_else_needs_it() -> None:
    one = read("own.toml", 'needs = ["age", "gender"]\n' + FULL)
    assert suited(one, NOT_TOLD, "client") == (one, ())


@pytest.mark.parametrize("text", [FULL, LEAST])
def test_where_nothing_depends_on_the_client_nothing_is_asked(text: str) -> None:
    one = read("own.toml", text)
    assert suited(one, NOT_TOLD, "client") == (one, ())
