"""Definitions become instruments: read strictly at start, so that nothing wrong scores later."""

import json
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import replace
from hashlib import sha256
from itertools import pairwise
from typing import Any, NamedTuple

from services.outcomes.core.client import AGES, GENDERS
from services.outcomes.core.codes import loinc_checks, snomed_checks
from services.outcomes.core.instrument import (
    Band,
    Conditional,
    Cutoff,
    Exceptional,
    Instrument,
    Items,
    Missing,
    Norm,
    Published,
    Reliability,
    RiskItem,
    Subscale,
)
from services.outcomes.core.place import line_of
from services.outcomes.core.table import InstrumentError, Table

DEMOGRAPHICS = ("age", "gender", "respondent")
"""What a threshold may depend on beyond the score."""
LONGEST = 64
"""Characters of an id."""
MOST_ITEMS = 200
"""The door takes no more answers."""
NEAR = 1e-6
"""What is left when steps such as .1 are counted."""


class Ends(NamedTuple):
    """The lowest and the highest score: no limit of a scale lies outside them."""

    low: float
    high: float

    def hold(self, value: float) -> bool:
        """Whether a score lies between them, or is one of them."""
        return self.low <= value <= self.high

    @property
    def width(self) -> float:
        """The largest change that there can be."""
        return self.high - self.low


def parse(name: str, mapping: Mapping[str, Any]) -> Instrument:
    """Read one definition.

    Args:
        name: what the text is called (its file), for error messages.
        mapping: the parsed TOML document.

    Raises:
        InstrumentError: something is missing, of the wrong kind or impossible.
    """
    root = Table(name, "", mapping)
    minimum, maximum, step, higher_is = _range(root)
    licence = root.table("licence")
    items = _items(root)
    worse, ends = higher_is == "worse", Ends(minimum, maximum)
    if items is not None:
        _check_items(root.table("items"), items, ends)
    subscales = _subscales(root, items, worse)
    instrument = Instrument(
        id=_id(root),
        version=root.text("version"),
        title=root.text("title"),
        construct=root.text("construct"),
        population=root.text("population"),
        minimum=minimum,
        maximum=maximum,
        step=step,
        higher_is=higher_is,
        items=items,
        missing=_missing(root, items, subscales),
        subscales=subscales,
        bands=_bands(root, ends, step),
        cutoff=_cutoff(root.table("cutoff"), worse, ends) if root.has("cutoff") else None,
        cutoffs=_cutoffs(root, worse, ends),
        needs=_needs(root),
        reliability=_reliability(root),
        norm=_norm(root, ends),
        published=_published(root, ends),
        risk=_risk(root, items),
        loinc=_loinc(root),
        snomed=_snomed(root),
        licence=licence.text("value"),
        item_text=licence.flag("item_text"),
        alarm=_alarm(root),
        sources=_sources(root),
        also=_also(root, ends, step),
        notes=root.texts("notes"),
    )
    root.refuse_unread()
    if items is not None and items.wording and not instrument.item_text:
        raise licence.error("item_text", "is false, yet the items are worded")
    return instrument


def read(name: str, text: str) -> Instrument:
    """Read the text of one definition; as `parse`, and the error names the line.

    Raises:
        InstrumentError: as `parse`, or the text is no TOML.
    """
    try:
        return parse(name, tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        raise InstrumentError(name, "as a whole", f"is no TOML: {error}") from None
    except RecursionError:
        raise InstrumentError(name, "as a whole", "is nested too deep") from None
    except InstrumentError as error:
        raise error.at(line_of(text, error.key)) from None


def read_all(texts: Iterable[tuple[str, str]]) -> dict[str, Instrument]:
    """Read texts by id; a later one replaces an earlier of the same id (a clinic's own).

    Raises:
        InstrumentError: as `read`.
    """
    return {one.id: one for one in (read(name, text) for name, text in texts)}


def read_own(texts: Iterable[tuple[str, str]]) -> dict[str, Instrument]:
    """Read the texts of a clinic's folder by id.

    What they say is part of their version: a number that is changed under the same one is another
    definition all the same, and what was judged by the first is judged anew on `adopt`.

    Raises:
        InstrumentError: as `read`, or two have the same id: nobody can say which one is meant.
    """
    found: dict[str, Instrument] = {}
    names: dict[str, str] = {}
    for name, text in texts:
        one = read(name, text)
        if one.id in found:
            doubled = InstrumentError(name, "id", f"is that of {names[one.id]} too")
            raise doubled.at(line_of(text, "id"))
        found[one.id] = replace(one, version=f"{one.version}+{fingerprint(text)}")
        names[one.id] = name
    return found


def fingerprint(text: str) -> str:
    """Eight hexadecimal digits of what a definition says, its comments and layout apart."""
    said = json.dumps(tomllib.loads(text), sort_keys=True, default=str)
    return sha256(said.encode()).hexdigest()[:8]


def _id(root: Table) -> str:
    """The name that measures are sent under, which the door reads in lower case."""
    value = root.text("id")
    plain = value == value.lower().strip() and value.isprintable() and "|" not in value
    if not plain or len(value) > LONGEST:
        raise root.error(
            "id", f"must be in lower case, of {LONGEST} characters at most, without | in it"
        )
    return value


def _range(root: Table) -> tuple[float, float, float, str]:
    """The lowest and the highest score, the step between scores, and what a higher one is."""
    table = root.table("range")
    minimum, maximum = table.number("minimum"), table.number("maximum")
    if maximum <= minimum:
        raise table.error("maximum", "must be above the minimum")
    step = table.number("step")
    if step <= 0:
        raise table.error("step", "must be above 0")
    steps = (maximum - minimum) / step
    if round(steps) < 1 or abs(steps - round(steps)) > NEAR:
        raise table.error("step", "must lead from the minimum to the maximum")
    return minimum, maximum, step, table.choice("higher_is", ("worse", "better"))


def _items(root: Table) -> Items | None:
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


def _check_items(table: Table, items: Items, ends: Ends) -> None:
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


def _missing(root: Table, items: Items | None, subscales: Mapping[str, Subscale]) -> Missing:
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


def _subscales(root: Table, items: Items | None, worse: bool) -> dict[str, Subscale]:
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
        bands=_bands(table, ends, multiply),
        cutoff=_cutoff(table.table("cutoff"), worse, ends) if table.has("cutoff") else None,
        reliability=_reliability(table),
        norm=_norm(table, ends),
        missing=missing,
    )


def _bands(root: Table, ends: Ends, step: float) -> tuple[Band, ...]:
    if not root.has("severity"):
        return ()
    return _band_list(root.table("severity"), ends, step)


def _band_list(severity: Table, ends: Ends, step: float) -> tuple[Band, ...]:
    bands = tuple(
        Band(table.text("label"), table.number("low"), table.number("high"))
        for table in severity.tables("bands")
    )
    lows = [band.low for band in bands]
    if lows != sorted(lows) or not lows or (lows[0], bands[-1].high) != ends:
        raise severity.error("bands", "must run from the lowest score to the highest")
    if any(band.high < band.low for band in bands):
        raise severity.error("bands", "must each end where they begin, or above")
    if any(band.high >= after.low for band, after in pairwise(bands)):
        raise severity.error("bands", "overlap")
    if any(after.low - band.high > step + NEAR for band, after in pairwise(bands)):
        raise severity.error("bands", "leave a score between them out")
    return bands


def _cutoff(table: Table, worse: bool, ends: Ends) -> Cutoff:
    operator = table.choice("operator", (">=", ">") if worse else ("<=", "<"))
    value = table.number("value")
    if not ends.hold(value):
        raise table.error("value", f"must lie between {ends.low:g} and {ends.high:g}")
    worst, mildest = (ends.high, ends.low) if worse else (ends.low, ends.high)
    strict = operator in (">", "<")
    if value == (worst if strict else mildest):
        raise table.error("value", f"would make {'nobody' if strict else 'everybody'} a case")
    return Cutoff(operator, value, table.source())


def _cutoffs(root: Table, worse: bool, ends: Ends) -> tuple[Conditional, ...]:
    found = []
    for table in root.tables("cutoffs"):
        when = table.table("when")
        known = {key: when.text(key) for key in DEMOGRAPHICS if when.has(key)}
        if not known:
            raise table.error("when", f"must name one of {', '.join(DEMOGRAPHICS)}")
        if "age" in known and not _is_stretch(known["age"]):
            raise when.error("age", 'must be a stretch of years such as "11-13"')
        if known.get("gender", GENDERS[0]) not in GENDERS:
            raise when.error("gender", f"must be one of {', '.join(GENDERS)}")
        found.append(Conditional(known, _cutoff(table, worse, ends)))
    if found and root.has("cutoff"):
        raise root.error("cutoffs", "stand beside a cutoff for everybody")
    return tuple(found)


def _is_stretch(written: str) -> bool:
    ages = AGES.match(written)
    return ages is not None and int(ages[1]) <= int(ages[2])


def _needs(root: Table) -> tuple[str, ...]:
    needs = root.texts("needs")
    if not set(needs) <= set(DEMOGRAPHICS):
        raise root.error("needs", f"may name {', '.join(DEMOGRAPHICS)}")
    asked = {key for table in root.tables("cutoffs") for key in table.table("when").names()}
    if not asked <= set(needs):
        raise root.error("needs", "must name what the cut-offs depend on")
    return needs


def _reliability(root: Table) -> Reliability | None:
    if not root.has("reliability"):
        return None
    table = root.table("reliability")
    value = table.number("value")
    if not 0 < value < 1:
        raise table.error("value", "must lie between 0 and 1")
    kind = table.choice("kind", ("alpha", "omega", "test-retest", "inter-rater"))
    return Reliability(value, kind, table.text("sample"), table.source())


def _norm(root: Table, ends: Ends) -> Norm | None:
    if not root.has("norm"):
        return None
    table = root.table("norm")
    sd = table.number("sd")
    if sd <= 0:
        raise table.error("sd", "must be above 0")
    if sd > ends.width:
        raise table.error("sd", f"must not be above {ends.width:g}, the width of the scale")
    mean = table.number("mean") if table.has("mean") else None
    if mean is not None and not ends.hold(mean):
        raise table.error("mean", f"must lie between {ends.low:g} and {ends.high:g}")
    return Norm(mean, sd, table.text("sample"), table.source())


def _published(root: Table, ends: Ends) -> Published | None:
    if not root.has("reliable_change"):
        return None
    table = root.table("reliable_change")
    confidence = table.number("confidence")
    if not 0.5 < confidence < 1:
        raise table.error("confidence", "must lie between .5 and 1")
    operator, value = table.choice("operator", (">=", ">")), table.number("value")
    if not 0 < value <= ends.width:
        raise table.error("value", f"must be above 0, and {ends.width:g} at most")
    return Published(operator, value, confidence, table.source())


def _risk(root: Table, items: Items | None) -> tuple[RiskItem, ...]:
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


def _loinc(root: Table) -> dict[str, str]:
    if not root.has("loinc"):
        return {}
    table = root.table("loinc")
    codes = {key: table.text(key) for key in ("panel", "total", "risk_item") if table.has(key)}
    for key, code in codes.items():
        if not loinc_checks(code):
            raise table.error(key, "has a wrong LOINC check digit")
    return codes


def _snomed(root: Table) -> dict[str, str]:
    if not root.has("snomed"):
        return {}
    table = root.table("snomed")
    code = table.text("score")
    if not snomed_checks(code):
        raise table.error("score", "has a wrong SNOMED CT check digit")
    return {"score": code}


def _alarm(root: Table) -> dict[float, float]:
    """Budgets of false alarms, rising, each with the threshold of P(fail) that keeps it."""
    if not root.has("alarm"):
        return {}
    table = root.table("alarm")
    budgets, thresholds = table.numbers("budgets"), table.numbers("thresholds")
    if not budgets or len(budgets) != len(thresholds):
        raise table.error("thresholds", "needs one for each of the budgets")
    if not all(0 < one < 1 for one in (*budgets, *thresholds)):
        raise table.error("thresholds", "must lie between 0 and 1, like the budgets")
    if any(one >= two for one, two in pairwise(budgets)):
        raise table.error("budgets", "must rise")
    if any(one < two for one, two in pairwise(thresholds)):
        raise table.error("thresholds", "must not rise: a larger budget has a lower threshold")
    return dict(zip(budgets, thresholds, strict=True))


_SOURCED = [
    "range",
    "items",
    "missing",
    "severity",
    "cutoff",
    "reliability",
    "norm",
    "reliable_change",
    "loinc",
    "snomed",
    "licence",
    "alarm",
]


def _sources(root: Table) -> dict[str, str]:
    sources = {key: root.table(key).source() for key in _SOURCED if root.has(key)}
    for table in root.tables("cutoffs"):
        when = table.table("when")
        asked = ", ".join(when.text(key) for key in DEMOGRAPHICS if when.has(key))
        sources[f"cutoff ({asked})"] = table.source()
    for table in root.tables("risk"):
        sources[f"risk item {table.integer('item')}"] = table.source()
    for table in root.tables("subscales"):
        name = f"subscale {table.text('id')}"
        sources[name] = table.source()
        parts = [key for key in ("severity", "cutoff", "reliability", "norm") if table.has(key)]
        sources |= {f"{name}: {key}": table.table(key).source() for key in parts}
    return sources


def _also(root: Table, ends: Ends, step: float) -> dict[str, tuple[Mapping[str, Any], ...]]:
    """The other values in use, each with its source, by the table they stand in."""

    def bands(table: Table) -> None:
        _band_list(table, ends, step)

    found = {
        key: root.table(key).also(bands if key == "severity" else _other_value)
        for key in _SOURCED
        if root.has(key)
    }
    return {key: values for key, values in found.items() if values}


def _other_value(table: Table) -> None:
    """Refuse what could not be told of another value."""
    for key in ("value", "sd"):
        if key == "value" or table.has(key):
            table.number(key)
    for key in ("operator", "kind", "sample"):
        if table.has(key):
            table.text(key)
