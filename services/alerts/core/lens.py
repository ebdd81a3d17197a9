"""Lenses: ways to look at a failure, read from data, each with how far its evidence goes."""

import tomllib
from dataclasses import dataclass
from pathlib import Path

ORDER = (
    "alliance",
    "motivation and expectations",
    "social support",
    "life events",
    "preferences",
    "thinking style",
    "memory system",
    "personality vocabularies",
    "own part",
)
"""Those with evidence first; a lens not named here comes after, by name."""


class LensError(Exception):
    """A lens file is not of the form it must have; the text names file and field."""


@dataclass(frozen=True, slots=True)
class Lens:
    """One way to look, never compulsory."""

    name: str
    title: str
    questions: tuple[str, ...]
    label: str
    """How far the evidence goes, in a few words."""
    source: str
    matching: bool
    """Whether evidence supports choosing an approach by it; none shipped does."""
    private: bool
    """The author's alone."""
    opt_in: bool
    note: str = ""


def load(folder: Path) -> tuple[Lens, ...]:
    """Every lens of the folder, in the order of the reflection page.

    Raises:
        LensError: a file is not of the form.
    """
    lenses = [_read(path) for path in sorted(folder.glob("*.toml"))]
    return tuple(sorted(lenses, key=lambda lens: (_place(lens), lens.name)))


def _place(lens: Lens) -> int:
    return ORDER.index(lens.name) if lens.name in ORDER else len(ORDER)


def _read(path: Path) -> Lens:
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
        lens = Lens(
            name=str(values["name"]),
            title=str(values["title"]),
            questions=tuple(str(question) for question in values["questions"]),
            label=str(values["evidence"]["label"]),
            source=str(values["evidence"]["source"]),
            matching=bool(values["evidence"]["matching"]),
            private=bool(values.get("private", False)),
            opt_in=bool(values.get("opt_in", False)),
            note=str(values.get("note", "")),
        )
    except (tomllib.TOMLDecodeError, KeyError, TypeError) as error:
        raise LensError(f"{path.name}: {error}") from error
    if not lens.questions:
        raise LensError(f"{path.name}: questions is empty")
    return lens
