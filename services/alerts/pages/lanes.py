"""What lies below the plot of a chart: sessions missed, other facts, approaches, weeks."""

from collections.abc import Mapping, Sequence
from typing import Any

from services.alerts.core.language import _, capital
from services.alerts.pages import words
from services.alerts.pages.axes import Frame, week_ticks
from services.alerts.pages.labels import rows, shorten, text_width
from services.alerts.pages.marks import Block, Line, Path, Text, cross, polyline, triangle
from services.alerts.pages.sheet import Sheet

_LANE = 20.0
_MOST_FACT_ROWS = 3
_ABSENT = ("missed", "cancelled")

_Group = list[Mapping[str, Any]]


def draw_lanes(sheet: Sheet) -> float:
    """Draw the lanes from the plot downwards; gives the height of the whole drawing."""
    y = sheet.frame.bottom + 10
    y = _absences(sheet, y)
    y = _facts(sheet, y)
    y = _approaches(sheet, y)
    return _weeks(sheet, y)


def _absences(sheet: Sheet, y: float) -> float:
    missed = [one for one in sheet.course["sessions"] if one["attendance"] in _ABSENT]
    missed = [one for one in missed if sheet.frame.weeks(one["on"]) >= sheet.frame.first]
    if not missed:
        return y
    middle = y + _LANE / 2
    for group in _grouped(sorted(missed, key=lambda one: str(one["on"])), sheet):
        for session in group:
            _absence(sheet, session, middle)
        _absence_words(sheet, group, middle)
    return y + _LANE


def _absence(sheet: Sheet, session: Mapping[str, Any], y: float) -> None:
    x = sheet.frame.x_on(session["on"])
    says = f"{capital(words.session(session['attendance']))}, {words.day(session['on'])}"
    shape = cross(x, y, 4.5)
    if session["attendance"] == "cancelled":
        shape = polyline([(x - 4, y + 5), (x + 4, y - 5)])
    sheet.marks.append(Path("absence", shape, says))


def _counted(group: _Group) -> str:
    kinds = [str(session["attendance"]) for session in group]
    if len(kinds) == 1:
        return words.attendance(kinds[0])
    counts = [(kinds.count(kind), words.attendance(kind)) for kind in _ABSENT if kind in kinds]
    return ", ".join(f"{count} {kind}" for count, kind in counts)


def _fits_right(group: _Group, sheet: Sheet) -> bool:
    width = text_width(_counted(group), sheet.size.font)
    return sheet.frame.x_on(group[-1]["on"]) + 9 + width <= sheet.size.width - 2


def _reach(group: _Group, sheet: Sheet) -> tuple[float, float]:
    """What the marks of a group and its words take up."""
    width = text_width(_counted(group), sheet.size.font)
    first, last = (sheet.frame.x_on(group[end]["on"]) for end in (0, -1))
    if _fits_right(group, sheet):
        return first - 6, last + 9 + width
    return first - 9 - width, last + 6


def _grouped(missed: Sequence[Mapping[str, Any]], sheet: Sheet) -> list[_Group]:
    """Neighbours whose words would run into each other share one label."""
    groups: list[_Group] = []
    for session in missed:
        groups.append([session])
        while len(groups) > 1 and _reach(groups[-2], sheet)[1] + 6 > _reach(groups[-1], sheet)[0]:
            last = groups.pop()
            groups[-1].extend(last)
    return groups


def _absence_words(sheet: Sheet, group: _Group, y: float) -> None:
    text, base = _counted(group), y + 0.34 * sheet.size.font
    if _fits_right(group, sheet):
        x = sheet.frame.x_on(group[-1]["on"]) + 9
        sheet.marks.append(Text("soft", x, base, "start", text))
    elif _reach(group, sheet)[0] >= 2:
        x = sheet.frame.x_on(group[0]["on"]) - 9
        sheet.marks.append(Text("soft", x, base, "end", text))
    else:
        sheet.notes.append(_("sessions: {counts}").format(counts=text))


def _facts(sheet: Sheet, y: float) -> float:
    facts = sorted(sheet.course["facts"], key=lambda fact: str(fact["on"]))
    facts = [fact for fact in facts if sheet.frame.weeks(fact["on"]) >= sheet.frame.first]
    texts = [shorten(_fact_words(fact), sheet.size.width * 0.3, sheet.size.font) for fact in facts]
    spans = [_fact_span(sheet, fact, text) for fact, text in zip(facts, texts, strict=True)]
    deepest = -1
    for fact, text, row in zip(facts, texts, rows(spans, 8), strict=True):
        if row >= _MOST_FACT_ROWS:
            sheet.notes.append(f"{_fact_words(fact)} ({words.short_day(fact['on'])})")
            continue
        deepest = max(deepest, row)
        _fact(sheet, fact, text, y + _LANE * row + _LANE / 2)
    return y + _LANE * (deepest + 1)


def _fact_words(fact: Mapping[str, Any]) -> str:
    label = str(fact["label"])
    if fact.get("until"):
        label = _("{label}, until {day}").format(label=label, day=words.short_day(fact["until"]))
    return label if fact["kind"] == "other" else f"{words.kind(fact['kind'])}: {label}"


def _flipped(sheet: Sheet, x: float, text: str) -> bool:
    return x + 10 + text_width(text, sheet.size.font) > sheet.size.width - 2


def _fact_span(sheet: Sheet, fact: Mapping[str, Any], text: str) -> tuple[float, float]:
    x, width = sheet.frame.x_on(fact["on"]), text_width(text, sheet.size.font)
    return (x - 10 - width, x + 6) if _flipped(sheet, x, text) else (x - 6, x + 10 + width)


def _fact(sheet: Sheet, fact: Mapping[str, Any], text: str, y: float) -> None:
    x = sheet.frame.x_on(fact["on"])
    says = f"{_fact_words(fact)}, {words.day(fact['on'])}"
    sheet.marks.append(Path("fact", triangle(x, y, 4.5), says))
    base = y + 0.34 * sheet.size.font
    if _flipped(sheet, x, text):
        sheet.marks.append(Text("soft", x - 9, base, "end", text))
    else:
        sheet.marks.append(Text("soft", x + 9, base, "start", text))


def _approaches(sheet: Sheet, y: float) -> float:
    ordered = sorted(sheet.course["approaches"], key=lambda approach: str(approach["since"]))
    if not ordered:
        return y
    ends = [sheet.frame.weeks(approach["since"]) for approach in ordered[1:]]
    ends.append(max(sheet.until, sheet.frame.weeks(ordered[-1]["since"]) + 0.5))
    for index, (approach, end) in enumerate(zip(ordered, ends, strict=True)):
        left = sheet.frame.x(max(sheet.frame.weeks(approach["since"]), sheet.frame.first))
        width = sheet.frame.x(min(end, sheet.frame.last)) - left
        if width < 1:
            continue
        name = str(approach["approach"])
        since = words.day(approach["since"])
        says = _("{approach}, from {day}").format(approach=name, day=since)
        look = "approach" if index % 2 == 0 else "approach other"
        sheet.marks.append(Block(look, left, y + 4, width, _LANE, says))
        text = shorten(name, width - 12, sheet.size.font)
        if text:
            base = y + 4 + _LANE / 2 + 0.34 * sheet.size.font
            sheet.marks.append(Text("ink bare", left + 6, base, "start", text))
    return y + _LANE + 8


def _weeks(sheet: Sheet, y: float) -> float:
    frame, size = sheet.frame, sheet.size
    base = y + 4 + size.font
    for week in week_ticks(frame.first, frame.last, size.weeks):
        x = frame.x(week)
        sheet.marks.append(Line("tick", x, frame.bottom, x, frame.bottom + 4))
        text = words.number(week)
        inside = min(x, size.width - text_width(text, size.font) / 2)
        sheet.marks.append(Text("soft", inside, base, "middle", text))
    zero = _("weeks since {day}").format(day=words.short_day(frame.zero.isoformat()))
    sheet.marks.append(Text("soft", _middle(frame), base + size.font + 5, "middle", zero))
    return base + size.font + 12


def _middle(frame: Frame) -> float:
    return (frame.left + frame.right) / 2
