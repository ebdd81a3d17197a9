"""What a threshold may need to know of a client, and which cut-off then holds: never guessed."""

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import NamedTuple

from services.outcomes.core.instrument import Instrument

GENDERS = ("female", "male", "other", "unknown")
"""Administrative gender as FHIR has it; "unknown" is as good as not given."""
AGES = re.compile(r"(\d{1,3})-(\d{1,3})\Z")
"""How a definition writes a stretch of ages, both ends included."""
NOT_GIVEN = {"age": "age_not_given", "gender": "gender_not_given"}
NO_CUTOFF_APPLIES = "no_cutoff_applies"


class Client(NamedTuple):
    """Age in whole years at the opening, and gender, as the EHR told them; None: it did not."""

    age: int | None = None
    gender: str | None = None


NOT_TOLD = Client()


def depends(instrument: Instrument) -> bool:
    """Whether it takes more than a score to say that it is a case."""
    return instrument.cutoff is None and bool(instrument.needs)


def suited(
    instrument: Instrument, client: Client, respondent: str
) -> tuple[Instrument, tuple[str, ...]]:
    """The instrument with the cut-off that holds here, and why none does.

    Returns:
        The instrument as it is where one cut-off holds for everybody, or none for anybody. Else
        the reasons name what was not given; where all was given and the definition still has no
        cut-off for it, that: such as T scores by age and gender, whose tables are not shipped.
    """
    if not depends(instrument):
        return instrument, ()
    known = {
        "age": client.age,
        "gender": None if client.gender == "unknown" else client.gender,
        "respondent": respondent,
    }
    unknown = tuple(NOT_GIVEN[need] for need in instrument.needs if known[need] is None)
    if unknown:
        return instrument, unknown
    for one in instrument.cutoffs:
        if _holds(one.when, known):
            sources = instrument.sources | {"cutoff": one.cutoff.source}
            return replace(instrument, cutoff=one.cutoff, sources=sources), ()
    return instrument, (NO_CUTOFF_APPLIES,)


def _holds(when: Mapping[str, str], known: Mapping[str, object]) -> bool:
    return all(_is(name, wanted, known[name]) for name, wanted in when.items())


def _is(name: str, wanted: str, value: object) -> bool:
    if name != "age":
        return value == wanted
    ages = AGES.match(wanted)
    return ages is not None and int(ages[1]) <= int(str(value)) <= int(ages[2])
