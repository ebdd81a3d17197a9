"""The answers of a definition: items, what may be missing, subscales, and the items of risk."""

from collections.abc import Iterable, Mapping
from itertools import pairwise

from services.outcomes.core import definition_limits as limits
from services.outcomes.core.definition_limits import NEAR, Ends
from services.outcomes.core.instrument import (
    Exceptional,
    Items,
    Missing,
    RiskItem,
    Subscale,
)
from services.outcomes.core.table import Table

MOST_ITEMS = 200
"""The door takes no more answers."""


def items(root: Table) -> Items | None:
    """The items, None where totals alone are taken."""
    if not root.has("items"):
        return None
    table = root.table("items")
    count, low, high = table.integer("count"), table.integer("minimum"), table.integer("maximum")
    if count < 1 or high <= low:
        raise table.error("count", "needs at least one item with at least two answers")
    if count > MOST_ITEMS:
        raise table.error("count", f"must be {MOST_ITEMS} at most")
    reversed_items = frozenset(table.integers("reversed"))
    _check_numbers(table, "reversed", reversed_items, count)
    anchors, wording = table.texts("anchors"), table.texts("wording")
    if anchors and len(anchors) != high - low + 1:
        raise table.error("anchors", "needs one text for each answer")
    if wording and len(wording) != count:
        raise table.error("wording", "needs one text for each item")
    return Items(
        count=count,
        minimum=low,
        maximum=high,
        reversed=reversed_items,
        multiply=_multiply(table, count),
        stem=table.text("stem") if table.has("stem") else "",
        anchors=anchors,
        wording=wording,
        exceptions=_exceptions(table, count),
        highest_of=(groups := _highest_of(table, count)),
        outside_total=_apart(table, "outside_total", count, groups),
        may_not_apply=_apart(table, "may_not_apply", count, groups),
    )


def _check_numbers(table: Table, key: str, numbers: Iterable[int], count: int) -> None:
    """Refuse numbers of items that there are not."""
    if not set(numbers) <= set(range(1, count + 1)):
        raise table.error(key, f"names an item outside 1 to {count}")


def _exceptions(table: Table, count: int) -> tuple[Exceptional, ...]:
    found: list[Exceptional] = []
    named: set[int] = set()
    for other in table.tables("exceptions"):
        items, answers = other.integers("items"), other.integers("answers")
        _check_numbers(other, "items", items, count)
        if not items or len({*named, *items}) < len(named) + len(items):
            raise other.error("items", "must name items that no exception has named")
        if len(answers) < 2 or any(one >= two for one, two in pairwise(answers)):
            raise other.error("answers", "must be at least two that rise")
        named |= set(items)
        found.append(Exceptional(items, answers))
    return tuple(found)


def _highest_of(table: Table, count: int) -> tuple[tuple[int, ...], ...]:
    groups = table.groups("highest_of")
    named = [item for group in groups for item in group]
    _check_numbers(table, "highest_of", named, count)
    if any(len(group) < 2 for group in groups) or len(set(named)) < len(named):
        raise table.error("highest_of", "needs groups of at least two items, each named once")
    return groups


def _apart(
    table: Table, key: str, count: int, groups: tuple[tuple[int, ...], ...]
) -> frozenset[int]:
    """Items that are summed otherwise than the rest, or not at all; some must be left."""
    numbers = frozenset(table.integers(key))
    _check_numbers(table, key, numbers, count)
    if any(numbers.intersection(group) for group in groups):
        raise table.error(key, "names an item of highest_of")
    if len(numbers) == count:
        raise table.error(key, "must leave an item out")
    return numbers


def _extremes(items: Items, groups: Iterable[Iterable[int]], multiply: float) -> Ends:
    """The lowest and the highest score of groups of which the highest answer counts."""
    answers = [[items.answers(item) for item in group] for group in groups]
    low = sum(max(one[0] for one in group) for group in answers)
    high = sum(max(one[-1] for one in group) for group in answers)
    return Ends(low * multiply, high * multiply)


def check_items(table: Table, items: Items, ends: Ends) -> None:
    """Refuse answers that come to other scores than those of the range."""
    low, high = _extremes(items, items.summed, items.multiply)
    if abs(low - ends.low) > NEAR or abs(high - ends.high) > NEAR:
        raise table.error(
            "count",
            f"gives scores from {low:g} to {high:g}, where the range is "
            f"{ends.low:g} to {ends.high:g}",
        )


def _multiply(table: Table, count: int) -> float:
    """What the sum of the items is multiplied with; `mean_times` says it of their mean."""
    if table.has("mean_times") and table.has("multiply"):
        raise table.error("mean_times", "stands beside multiply: one of them")
    factor = table.number("mean_times") / count if table.has("mean_times") else None
    value = table.number("multiply") if factor is None else factor
    if value <= 0:
        raise table.error("multiply" if factor is None else "mean_times", "must be above 0")
    return value


def missing(root: Table, items: Items | None, subscales: Mapping[str, Subscale]) -> Missing:
    """How many answers may be missing, and how they are made up for."""
    if items is None or not root.has("missing"):
        return Missing(most=0, round=False, within_subscales=False)
    table = root.table("missing")
    most = table.integer("most")
    if not 0 <= most < len(items.summed):
        raise table.error("most", "must leave at least one item answered")
    within = table.flag("within_subscales")
    whole = (one.items for one in subscales.values() if not items.outside_total & set(one.items))
    held = sorted((item,) for numbers in whole for item in numbers)
    if within and held != list(items.summed):  # else answers would not be summed
        raise table.error("within_subscales", "needs subscales that hold each item once")
    return Missing(most, table.flag("round"), within)


def subscales(root: Table, items: Items | None, worse: bool) -> dict[str, Subscale]:
    """The parts that are scored by themselves, by their id."""
    found: dict[str, Subscale] = {}
    for table in root.tables("subscales"):
        numbers = tuple(table.integers("items"))
        if items is not None and items.highest_of:
            raise root.error("subscales", "stand beside highest_of: items of a scale are summed")
        if items is None or not numbers or not set(numbers) <= set(range(1, items.count + 1)):
            raise table.error("items", "must name items of the instrument")
        if len(set(numbers)) < len(numbers):
            raise table.error("items", "names an item twice")
        name = table.text("id")
        if name in found:
            raise table.error("id", "stands twice")
        found[name] = _subscale(table, items, numbers, worse)
    return found


def _subscale(table: Table, items: Items, numbers: tuple[int, ...], worse: bool) -> Subscale:
    multiply = table.number("multiply") if table.has("multiply") else 1.0
    if multiply <= 0:
        raise table.error("multiply", "must be above 0")
    ends = _extremes(items, ((item,) for item in numbers), multiply)
    missing = table.integer("missing") if table.has("missing") else None
    if missing is not None and not 0 <= missing < len(numbers):
        raise table.error("missing", "must leave at least one item answered")
    return Subscale(
        title=table.text("title"),
        items=numbers,
        multiply=multiply,
        minimum=ends.low,
        maximum=ends.high,
        bands=limits.bands(table, ends, multiply),
        cutoff=limits.cutoff(table.table("cutoff"), worse, ends) if table.has("cutoff") else None,
        reliability=limits.reliability(table),
        norm=limits.norm(table, ends),
        missing=missing,
    )


def risk(root: Table, items: Items | None) -> tuple[RiskItem, ...]:
    """The items whose answers are told at once."""
    found: list[RiskItem] = []
    for table in root.tables("risk"):
        item = table.integer("item")
        if items is not None and not 1 <= item <= items.count:
            raise table.error("item", "is not an item of the instrument")
        if any(item == one.item for one in found):
            raise table.error("item", "stands twice")
        kind = table.choice("kind", ("self", "others", "substance"))
        endorsed = table.integer("endorsed_from")
        urgent = table.integer("urgent_from") if table.has("urgent_from") else None
        answers = None if items is None else items.answers(item)
        if answers is not None and not answers[0] < endorsed <= answers[-1]:
            raise table.error("endorsed_from", "must be an answer above the lowest")
        if urgent is not None and urgent < endorsed:
            raise table.error("urgent_from", "must not be below endorsed_from")
        if urgent is not None and answers is not None and urgent > answers[-1]:
            raise table.error("urgent_from", f"must be {answers[-1]} at most: the highest answer")
        found.append(RiskItem(item, kind, endorsed, urgent, table.source()))
    return tuple(found)
