"""Ways of working by name: both services ask here whether two names mean the same approach.

Names are compared, never rewritten: what is stored and sent stays as it was said.
"""

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Approaches:
    """The approaches that are known here; any other is known by what it is called."""

    titles: tuple[str, ...] = ()
    """Each by its one name, in the order of the file."""
    known: Mapping[str, str] = field(default_factory=dict)
    """Every title and alias, folded, to the title."""

    @classmethod
    def of(cls, entries: Iterable[Mapping[str, Any]]) -> "Approaches":
        """Those of a list of {title, aliases}.

        Raises:
            ValueError: one name stands for two approaches.
        """
        titles: list[str] = []
        known: dict[str, str] = {}
        for one in entries:
            titles.append(one["title"])
            for name in (one["title"], *one.get("aliases", ())):
                if _folded(name) in known:
                    raise ValueError(f"two approaches are called {name}")
                known[_folded(name)] = one["title"]
        return cls(tuple(titles), known)

    def name(self, approach: str) -> str:
        """The one name of an approach: its title where it is known, else as it is written."""
        return self.known.get(_folded(approach), " ".join(approach.split()))

    def key(self, approach: str) -> str:
        """What all names of an approach have in common, to compare and to group by."""
        return _folded(self.name(approach))

    def holds(self, names: Iterable[str], approach: str) -> bool:
        """Whether one of these names is this approach."""
        return self.key(approach) in {self.key(name) for name in names}

    def is_beyond(self, toolkit: Iterable[str], approach: str) -> bool:
        """Whether an approach lies outside a toolkit; of an empty one nothing is known."""
        known = {self.key(name) for name in toolkit}
        return bool(known) and self.key(approach) not in known

    def offered(self, names: Iterable[str]) -> list[str]:
        """These names and the titles of all other approaches, each approach once, by name."""
        mine = {self.key(name): name for name in sorted(names)}
        every = {_folded(title): title for title in self.titles} | mine
        return sorted(every.values(), key=str.casefold)


def shipped() -> Approaches:
    """The approaches that ship, each with what else it is called."""
    text = Path(__file__).with_name("approaches.toml").read_text("utf-8")
    return Approaches.of(tomllib.loads(text)["approach"])


def _folded(name: str) -> str:
    """A name so that the same one written in two ways is one."""
    return " ".join(name.casefold().split())
