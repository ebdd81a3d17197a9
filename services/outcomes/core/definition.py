"""Definitions become instruments: read strictly at start, so that nothing wrong scores later."""

import json
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import replace
from hashlib import sha256
from typing import Any

from services.outcomes.core import definition_items as answers
from services.outcomes.core import definition_limits as limits
from services.outcomes.core.codes import loinc_checks, snomed_checks
from services.outcomes.core.definition_limits import DEMOGRAPHICS, NEAR, Ends
from services.outcomes.core.instrument import Instrument
from services.outcomes.core.place import line_of
from services.outcomes.core.table import InstrumentError, Table

LONGEST = 64
"""Characters of an id."""


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
    items = answers.items(root)
    worse, ends = higher_is == "worse", Ends(minimum, maximum)
    if items is not None:
        answers.check_items(root.table("items"), items, ends)
    subscales = answers.subscales(root, items, worse)
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
        missing=answers.missing(root, items, subscales),
        subscales=subscales,
        bands=limits.bands(root, ends, step),
        cutoff=limits.cutoff(root.table("cutoff"), worse, ends) if root.has("cutoff") else None,
        cutoffs=limits.cutoffs(root, worse, ends),
        needs=limits.needs(root),
        reliability=limits.reliability(root),
        norm=limits.norm(root, ends),
        published=limits.published(root, ends),
        risk=answers.risk(root, items),
        loinc=_loinc(root),
        snomed=_snomed(root),
        licence=licence.text("value"),
        item_text=licence.flag("item_text"),
        alarm=limits.alarm(root),
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
        limits.band_list(table, ends, step)

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
