"""Definitions become instruments: read strictly at start, so that nothing wrong scores later."""

from collections.abc import Iterable, Mapping
from itertools import pairwise
from typing import Any

from services.outcomes.core.instrument import (
    Band,
    Cutoff,
    Instrument,
    Items,
    Missing,
    Norm,
    Published,
    Reliability,
    RiskItem,
    Subscale,
)
from services.outcomes.core.table import Table


def parse(name: str, mapping: Mapping[str, Any]) -> Instrument:
    """Read one definition.

    Args:
        name: what the text is called (its file), for error messages.
        mapping: the parsed TOML document.

    Raises:
        InstrumentError: something is missing, of the wrong kind or impossible.
    """
    root = Table(name, "", mapping)
    scale = root.table("range")
    minimum, maximum = scale.number("minimum"), scale.number("maximum")
    if maximum <= minimum:
        raise scale.error("maximum", "must be above the minimum")
    step = scale.number("step")
    if step <= 0:
        raise scale.error("step", "must be above 0")
    licence = root.table("licence")
    items = _items(root)
    instrument = Instrument(
        id=root.text("id"),
        version=root.text("version"),
        title=root.text("title"),
        construct=root.text("construct"),
        population=root.text("population"),
        minimum=minimum,
        maximum=maximum,
        step=step,
        higher_is=scale.choice("higher_is", ("worse", "better")),
        items=items,
        missing=_missing(root, items),
        subscales=_subscales(root, items),
        bands=_bands(root, minimum, maximum),
        cutoff=_cutoff(root),
        reliability=_reliability(root),
        norm=_norm(root),
        published=_published(root),
        risk=_risk(root, items),
        loinc=_loinc(root),
        licence=licence.text("value"),
        item_text=licence.flag("item_text"),
        alarm_threshold=_alarm(root),
        sources=_sources(root),
        notes=root.texts("notes"),
    )
    root.refuse_unread()
    if items is not None and items.wording and not instrument.item_text:
        raise licence.error("item_text", "is false, yet the items are worded")
    return instrument


def parse_all(documents: Iterable[tuple[str, Mapping[str, Any]]]) -> dict[str, Instrument]:
    """Read definitions by id; a later one replaces an earlier of the same id (a clinic's own).

    Raises:
        InstrumentError: as `parse`.
    """
    read = (parse(name, mapping) for name, mapping in documents)
    return {instrument.id: instrument for instrument in read}


def _items(root: Table) -> Items | None:
    if not root.has("items"):
        return None
    table = root.table("items")
    count, low, high = table.integer("count"), table.integer("minimum"), table.integer("maximum")
    if count < 1 or high <= low:
        raise table.error("count", "needs at least one item with at least two answers")
    reversed_items = frozenset(table.integers("reversed"))
    if not reversed_items <= set(range(1, count + 1)):
        raise table.error("reversed", f"names an item outside 1 to {count}")
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
        multiply=table.number("multiply"),
        stem=table.text("stem") if table.has("stem") else "",
        anchors=anchors,
        wording=wording,
    )


def _missing(root: Table, items: Items | None) -> Missing:
    if items is None or not root.has("missing"):
        return Missing(most=0, round=False, within_subscales=False)
    table = root.table("missing")
    most = table.integer("most")
    if not 0 <= most < items.count:
        raise table.error("most", "must leave at least one item answered")
    return Missing(most, table.flag("round"), table.flag("within_subscales"))


def _subscales(root: Table, items: Items | None) -> dict[str, Subscale]:
    found = {}
    for table in root.tables("subscales"):
        numbers = tuple(table.integers("items"))
        if items is None or not numbers or not set(numbers) <= set(range(1, items.count + 1)):
            raise table.error("items", "must name items of the instrument")
        found[table.text("id")] = Subscale(table.text("title"), numbers)
    return found


def _bands(root: Table, minimum: float, maximum: float) -> tuple[Band, ...]:
    if not root.has("severity"):
        return ()
    severity = root.table("severity")
    bands = tuple(
        Band(table.text("label"), table.number("low"), table.number("high"))
        for table in severity.tables("bands")
    )
    lows = [band.low for band in bands]
    if lows != sorted(lows) or not lows or lows[0] != minimum or bands[-1].high != maximum:
        raise severity.error("bands", "must run from the lowest score to the highest")
    if any(band.high >= after.low for band, after in pairwise(bands)):
        raise severity.error("bands", "overlap")
    return bands


def _cutoff(root: Table) -> Cutoff | None:
    if not root.has("cutoff"):
        return None
    table = root.table("cutoff")
    worse = root.table("range").choice("higher_is", ("worse", "better")) == "worse"
    operator = table.choice("operator", (">=", ">") if worse else ("<=", "<"))
    return Cutoff(operator, table.number("value"), table.source())


def _reliability(root: Table) -> Reliability | None:
    if not root.has("reliability"):
        return None
    table = root.table("reliability")
    value = table.number("value")
    if not 0 < value < 1:
        raise table.error("value", "must lie between 0 and 1")
    kind = table.choice("kind", ("alpha", "omega", "test-retest", "inter-rater"))
    return Reliability(value, kind, table.text("sample"), table.source())


def _norm(root: Table) -> Norm | None:
    if not root.has("norm"):
        return None
    table = root.table("norm")
    sd = table.number("sd")
    if sd <= 0:
        raise table.error("sd", "must be above 0")
    mean = table.number("mean") if table.has("mean") else None
    return Norm(mean, sd, table.text("sample"), table.source())


def _published(root: Table) -> Published | None:
    if not root.has("reliable_change"):
        return None
    table = root.table("reliable_change")
    confidence = table.number("confidence")
    if not 0.5 < confidence < 1:
        raise table.error("confidence", "must lie between .5 and 1")
    operator = table.choice("operator", (">=", ">"))
    return Published(operator, table.number("value"), confidence, table.source())


def _risk(root: Table, items: Items | None) -> tuple[RiskItem, ...]:
    found = []
    for table in root.tables("risk"):
        item = table.integer("item")
        if items is not None and not 1 <= item <= items.count:
            raise table.error("item", "is not an item of the instrument")
        kind = table.choice("kind", ("self", "others", "substance"))
        endorsed, urgent = table.integer("endorsed_from"), table.integer("urgent_from")
        found.append(RiskItem(item, kind, endorsed, urgent, table.source()))
    return tuple(found)


def _loinc(root: Table) -> dict[str, str]:
    if not root.has("loinc"):
        return {}
    table = root.table("loinc")
    codes = {key: table.text(key) for key in ("panel", "total", "risk_item") if table.has(key)}
    for key, code in codes.items():
        if not _checks(code):
            raise table.error(key, "has a wrong LOINC check digit")
    return codes


def _checks(code: str) -> bool:
    """Whether the digit behind the hyphen is the mod-10 check digit of those before it."""
    number, _, check = code.partition("-")
    if not (number.isdigit() and check.isdigit() and len(check) == 1):
        return False
    total = 0
    for place, digit in enumerate(reversed(number)):
        doubled = int(digit) * (2 if place % 2 == 0 else 1)
        total += doubled - 9 if doubled > 9 else doubled
    return (10 - total % 10) % 10 == int(check)


def _alarm(root: Table) -> float | None:
    if not root.has("alarm"):
        return None
    table = root.table("alarm")
    threshold = table.number("threshold")
    if not 0 < threshold < 1:
        raise table.error("threshold", "must lie between 0 and 1")
    table.number("budget")
    return threshold


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
    "licence",
    "alarm",
]


def _sources(root: Table) -> dict[str, str]:
    sources = {key: root.table(key).source() for key in _SOURCED if root.has(key)}
    for table in root.tables("risk"):
        sources[f"risk item {table.integer('item')}"] = table.source()
    for table in root.tables("subscales"):
        sources[f"subscale {table.text('id')}"] = table.source()
    return sources
