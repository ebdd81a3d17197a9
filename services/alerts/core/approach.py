"""When two texts are one: folded, and of approaches as whoever knows their names answers."""

from typing import Any, Protocol


class Approaches(Protocol):
    """The names of approaches; `schemas.approaches` knows them."""

    def name(self, approach: str) -> str:
        """The one name of an approach."""
        ...

    def key(self, approach: str) -> str:
        """What all names of an approach have in common, to compare and to group by."""
        ...


def same(text: Any) -> str:
    """A text folded, so that the same one written in two ways is one."""
    return " ".join(str(text or "").casefold().split())
