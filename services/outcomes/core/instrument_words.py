"""An instrument in words: what a person reads who checks a definition before it is in force."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from services.outcomes.core.instrument import Cutoff, Instrument, Items, Subscale
from services.outcomes.core.scoring import allowed


def summary(instrument: Instrument) -> list[str]:
    """The lines that say what of an instrument will be used, and what cannot be assessed."""
    told = [
        f"{instrument.id}: {instrument.title}, version {instrument.version}",
        _line("measures", f"{instrument.construct}; {instrument.population}"),
        _line("scores", _range(instrument)),
        *(_line("subscale", _subscale(name, one)) for name, one in instrument.subscales.items()),
        _line("cut-off", _cuts(instrument)),
        _line("bands", ", ".join(f"{one.low:g} {one.label}" for one in instrument.bands) or "none"),
        _line("change", _change(instrument)),
        *(_line("risk", text) for text in _risks(instrument)),
        *(_line("code", text) for text in _codes(instrument)),
        _line("licence", instrument.licence),
        *(_line("also in use", text) for text in _others(instrument)),
        *(_line("note", text) for text in instrument.notes),
        *(_line("not assessable", text) for text in not_assessable(instrument)),
    ]
    return [*told, _line("sources", _sources(instrument))]


def row(instrument: Instrument) -> tuple[str, str, str, str, str, str]:
    """One line of a list: id, range, which way is better, cut-off, change, what is left open."""
    change = instrument.reliable_change
    return (
        instrument.id,
        f"{instrument.minimum:g}-{instrument.maximum:g}",
        "lower" if instrument.higher_is == "worse" else "higher",
        _cuts(instrument).removeprefix("a case "),
        "none" if change is None else f"{change:.4g}",
        ", ".join(text.partition(":")[0] for text in not_assessable(instrument)) or "-",
    )


def not_assessable(instrument: Instrument) -> list[str]:
    """What this definition leaves open, each with the reason."""
    faults = []
    if instrument.risk and instrument.items is None:
        faults.append("risk answers: totals alone are taken")
    if instrument.cutoff is None:
        needs = " and ".join(instrument.needs)
        faults.append(f"whether a score is a case: {'needs ' + needs if needs else 'no cut-off'}")
    if instrument.reliable_change is None:
        faults.append("reliable change: no norm and reliability, and none published")
    if instrument.norm is None or instrument.reliability is None:
        missing = "norm" if instrument.norm is None else "reliability"
        faults.append(f"forecast and P(fail): no {missing}")
    return faults


def _line(label: str, text: str) -> str:
    return f"  {label + ':':<16}{text}"


def _range(instrument: Instrument) -> str:
    span = f"{instrument.minimum:g} to {instrument.maximum:g} in steps of {instrument.step:g}"
    how = "totals alone"
    if instrument.items is not None:
        how = f"{_items(instrument.items)}, {instrument.missing.most} may be missing"
    return f"{span}, higher is {instrument.higher_is}; {how}"


def _items(form: Items) -> str:
    told = f"{form.count} items from {form.minimum} to {form.maximum}"
    for one in form.exceptions:
        told += f" ({_numbers(one.items)}: {allowed(form, one.items[0])})"
    if form.reversed:
        told += f" (reversed: {_numbers(sorted(form.reversed))})"
    for group in form.highest_of:
        told += f" (the highest of {_numbers(group)} counts)"
    if form.outside_total:
        told += f" (outside the total: {_numbers(sorted(form.outside_total))})"
    if form.may_not_apply:
        told += f" ({_numbers(sorted(form.may_not_apply))} may not apply)"
    return told


def _numbers(items: Iterable[int]) -> str:
    return ", ".join(map(str, items))


def _subscale(name: str, one: Subscale) -> str:
    cut = f", case {_cut(one.cutoff)}" if one.cutoff else ""
    factor = f" times {one.multiply:.4g}" if one.multiply != 1 else ""
    missing = "" if one.missing is None else f", {one.missing} may be missing"
    return f"{name}, {one.title}: items {_numbers(one.items)}{factor}{missing}{cut}"


def _cuts(instrument: Instrument) -> str:
    if instrument.cutoff is not None:
        return f"a case {_cut(instrument.cutoff)}"
    for_some = [
        f"{_cut(one.cutoff)} ({', '.join(one.when.values())})" for one in instrument.cutoffs
    ]
    return "; ".join(for_some) or "none"


def _cut(cutoff: Cutoff) -> str:
    return f"{cutoff.operator} {cutoff.value:g}"


def _change(instrument: Instrument) -> str:
    published = instrument.published
    printed = (
        f"published {published.operator} {published.value:g} at {published.confidence:.0%}"
        if published
        else ""
    )
    computed = instrument.jacobson_truax
    if computed is None or instrument.norm is None or instrument.reliability is None:
        return printed or "none"
    basis = f"SD {instrument.norm.sd:g}, {instrument.reliability.kind} "
    basis += f"{instrument.reliability.value:g}"
    return f"> {computed:.2f}, computed at 95% from {basis}" + (printed and f"; {printed}")


def _risks(instrument: Instrument) -> Iterator[str]:
    for one in instrument.risk:
        urgent = "never urgent" if one.urgent_from is None else f"urgent from {one.urgent_from}"
        yield f"item {one.item} ({one.kind}): review from {one.endorsed_from}, {urgent}"


def _codes(instrument: Instrument) -> Iterator[str]:
    for name, codes in (("LOINC", instrument.loinc), ("SNOMED CT", instrument.snomed)):
        for key, code in codes.items():
            yield f"{name} {code} ({key.replace('_', ' ')})"


def _others(instrument: Instrument) -> Iterator[str]:
    for table, values in instrument.also.items():
        for one in values:
            mark = " (remembered, not checked)" if one.get("remembered") else ""
            value = f"{table.replace('_', ' ')} {_other(table, one)}"
            yield f"{value}: {one['source']}{mark}{_kind(one)}"


def _other(table: str, one: Mapping[str, Any]) -> str:
    if table == "severity":
        return ", ".join(f"{band['low']:g} {band['label']}" for band in one["bands"])
    return f"{one.get('operator', '')} {one['value']:g}".strip()


def _kind(one: Mapping[str, Any]) -> str:
    """Of what kind another value is, as far as it says so."""
    sd = f"SD {one['sd']:g}" if "sd" in one else ""
    told = ", ".join(text for text in (sd, one.get("kind"), one.get("sample")) if text)
    return told and f"; {told}"


def _sources(instrument: Instrument) -> str:
    marked = sum("remembered" in source for source in instrument.sources.values())
    return f"{len(instrument.sources)} stated, {marked} of them remembered and not checked"
