"""What `pivotpoint change` tells of a table by one method, whole, as its JSON holds it."""

from typing import Any

import pytest

from services.outcomes.research.classify import Choice, Table, classify
from services.outcomes.research.told import as_json


def judged(method: str, table: Table, choice: Choice) -> Any:
    """Everything that is told of the method; the reason, where it was left out."""
    told = as_json(classify(table, choice, [method]), choice.higher_is)
    return told["methods"].get(method) or told["not_assessable"][method]


def near(told: Any) -> Any:
    """The same, where a number may differ by what floats cannot hold."""
    if isinstance(told, dict):
        return {key: near(value) for key, value in told.items()}
    if isinstance(told, list):
        return [near(value) for value in told]
    return pytest.approx(told, rel=1e-12, abs=1e-12) if isinstance(told, float) else told
