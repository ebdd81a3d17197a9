"""Lenses: ways to look at a failure, read from data, each with how far its evidence goes."""

import re
import tomllib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

GRADES = ("supported", "plausible", "unsupported")
"""How far the evidence goes, best first: asking was part of what was tested; nobody has tested
it; it was looked for and not found. The words for the page are the lens's own label."""
_KEYS = {
    "name", "title", "questions", "place", "first_for", "problems", "opened_by", "opt_in",
    "private", "note", "evidence", "choice",
}  # fmt: skip
_EVIDENCE_KEYS = {"label", "source", "grade", "matching"}
_CHOICE_KEYS = {"id", "text", "group", "points_to"}
_ID = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")
_NAME = re.compile(r"[a-z0-9][a-z0-9 -]{0,59}")


class LensError(Exception):
    """A lens file is not of the form it must have; the text names file, place and reason."""


@dataclass(frozen=True, slots=True)
class Choice:
    """Something that may be seen through a lens."""

    id: str
    """What is recorded; its text may be reworded, its id stays."""
    text: str
    group: str
    points_to: tuple[str, ...]
    """Words and ways of working in which people speak of it: vocabulary, never a match."""


@dataclass(frozen=True, slots=True)
class Lens:
    """One way to look, never compulsory."""

    name: str
    title: str
    questions: tuple[str, ...]
    choices: tuple[Choice, ...]
    label: str
    """How far the evidence goes, in a few words."""
    source: str
    grade: str
    """One of `GRADES`."""
    matching: bool
    """Whether evidence supports choosing an approach by it; none shipped does."""
    place: int
    """Among those of its grade, lowest first."""
    first_for: tuple[str, ...]
    """Channels of findings for which it comes before all others."""
    problems: tuple[str, ...]
    """Where not empty: offered of itself only where the episode's problem is one of these."""
    opened_by: str
    """Where it is not offered of itself: on whose word it is opened."""
    private: bool
    """The author's alone."""
    opt_in: bool
    note: str = ""

    def groups(self) -> dict[str, list[Choice]]:
        """The choices by their group, both in the order of the file."""
        found: dict[str, list[Choice]] = {}
        for choice in self.choices:
            found.setdefault(choice.group, []).append(choice)
        return found

    def fits(self, problem: str) -> bool:
        """Whether a problem is one of those it is for, as whole words in any case."""
        text = problem.casefold()
        return any(re.search(rf"(?<!\w){re.escape(one)}(?!\w)", text) for one in self.problems)


@dataclass(frozen=True, slots=True)
class Offer:
    """What the page of one reflection lays out."""

    shown: tuple[Lens, ...]
    """In the order of evidence and of fit to what was found."""
    further: tuple[Lens, ...]
    """Those that are only opened by hand."""


def offer(
    lenses: Iterable[Lens], channels: Sequence[str], problem: str, opened: Iterable[str] = ()
) -> Offer:
    """Which lenses a reflection on these findings starts with.

    Args:
        lenses: all that are known.
        channels: of the open findings; empty without one.
        problem: what the episode is for, as the EHR says it.
        opened: names of those that were opened by hand.
    """
    by_hand = set(opened)
    shown: list[Lens] = []
    further: list[Lens] = []
    for lens in lenses:
        asked = not lens.opt_in and (not lens.problems or lens.fits(problem))
        (shown if asked or lens.name in by_hand else further).append(lens)
    return Offer(
        tuple(sorted(shown, key=lambda lens: _place(lens, channels))),
        tuple(sorted(further, key=lambda lens: _place(lens, ()))),
    )


def load(*folders: Path) -> tuple[Lens, ...]:
    """Every lens of the folders, by evidence: those that ship first, then a clinic's own.

    Raises:
        LensError: a file is not of the form, or two lenses have one name.
    """
    found: dict[str, Lens] = {}
    for folder in folders:
        if not folder.is_dir():
            raise LensError(f"{folder}: is no folder of lenses")
        for path in sorted(folder.glob("*.toml")):
            lens = read(path)
            if lens.name in found:
                raise LensError(f"{path}: name: {lens.name!r} is the name of another lens already")
            found[lens.name] = lens
    return tuple(sorted(found.values(), key=lambda lens: _place(lens, ())))


def read(path: Path) -> Lens:
    """One lens from its file.

    Raises:
        LensError: it is not of the form.
    """
    try:
        return _lens(tomllib.loads(path.read_text(encoding="utf-8")))
    except tomllib.TOMLDecodeError as error:
        raise LensError(f"{path}: is not TOML: {error}") from None
    except UnicodeDecodeError:
        raise LensError(f"{path}: is not written in UTF-8") from None
    except _WrongError as wrong:
        raise LensError(f"{path}: {wrong}") from None


def _place(lens: Lens, channels: Sequence[str]) -> tuple[Any, ...]:
    fits = any(channel in lens.first_for for channel in channels)
    return lens.private, not fits, GRADES.index(lens.grade), lens.place, lens.name


class _WrongError(Exception):
    """A place of the file and why it is wrong."""


def _lens(values: Mapping[str, Any]) -> Lens:
    _known(values, _KEYS, "")
    evidence = _table(values, "evidence")
    _known(evidence, _EVIDENCE_KEYS, "evidence.")
    lens = Lens(
        name=_text(values, "name"),
        title=_text(values, "title"),
        questions=_texts(values, "questions"),
        choices=_choices(values.get("choice", [])),
        label=_text(evidence, "label", "evidence."),
        source=_text(evidence, "source", "evidence."),
        grade=_text(evidence, "grade", "evidence."),
        matching=_flag(evidence, "matching"),
        place=int(values.get("place", 100)),
        first_for=_texts(values, "first_for"),
        problems=tuple(one.casefold() for one in _texts(values, "problems")),
        opened_by=_text(values, "opened_by") if "opened_by" in values else "",
        private=_flag(values, "private"),
        opt_in=_flag(values, "opt_in"),
        note=_text(values, "note") if "note" in values else "",
    )
    for wrong, where, why in _RULES:
        if wrong(lens):
            raise _WrongError(f"{where}: {why}")
    return lens


_RULES: tuple[tuple[Callable[[Lens], bool], str, str], ...] = (
    (
        lambda lens: not _NAME.fullmatch(lens.name),
        "name",
        "has small letters, digits, spaces and hyphens, at most 60",
    ),
    (lambda lens: not lens.questions, "questions", "is empty; a lens asks something"),
    (
        lambda lens: lens.grade not in GRADES,
        "evidence.grade",
        "is one of " + ", ".join(GRADES),
    ),
    (
        lambda lens: bool(lens.first_for) and lens.grade == "unsupported",
        "first_for",
        "what is unsupported is not put first",
    ),
    (
        lambda lens: bool(lens.opt_in or lens.problems) and not lens.opened_by,
        "opened_by",
        "is missing: say on whose word it is opened where it is not offered of itself",
    ),
)


def _choices(entries: Any) -> tuple[Choice, ...]:
    if not isinstance(entries, list) or not all(isinstance(one, dict) for one in entries):
        raise _WrongError("choice: is written as [[choice]]")
    made: list[Choice] = []
    for number, entry in enumerate(entries, 1):
        where = f"choice {number}."
        _known(entry, _CHOICE_KEYS, where)
        id_ = _text(entry, "id", where)
        if not _ID.fullmatch(id_):
            raise _WrongError(f"{where}id: has small letters, digits and hyphens, at most 40")
        if id_ in {one.id for one in made}:
            raise _WrongError(f"{where}id: {id_!r} is the id of another choice already")
        group = _text(entry, "group", where) if "group" in entry else ""
        made.append(
            Choice(id_, _text(entry, "text", where), group, _texts(entry, "points_to", where))
        )
    return tuple(made)


def _known(values: Mapping[str, Any], keys: set[str], where: str) -> None:
    for key in values:
        if key not in keys:
            raise _WrongError(f"{where}{key}: is not known; there are {', '.join(sorted(keys))}")


def _table(values: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    table = values.get(name)
    if not isinstance(table, dict):
        raise _WrongError(f"{name}: is missing, a table with label, source, grade and matching")
    return table


def _text(values: Mapping[str, Any], name: str, where: str = "") -> str:
    text = values.get(name)
    if not isinstance(text, str) or not text.strip():
        raise _WrongError(f"{where}{name}: is missing or no text")
    return text.strip()


def _texts(values: Mapping[str, Any], name: str, where: str = "") -> tuple[str, ...]:
    texts = values.get(name, [])
    if not isinstance(texts, list) or not all(isinstance(one, str) and one for one in texts):
        raise _WrongError(f"{where}{name}: is a list of texts")
    return tuple(texts)


def _flag(values: Mapping[str, Any], name: str) -> bool:
    flag = values.get(name, False)
    if not isinstance(flag, bool):
        raise _WrongError(f"{name}: is true or false")
    return flag
