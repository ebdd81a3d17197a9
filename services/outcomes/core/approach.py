"""Which names mean the same way of working: asked by the door's commands and by statistics."""

from typing import Protocol


class Approaches(Protocol):
    """The names of approaches; `schemas.approaches` knows them."""

    def name(self, approach: str) -> str:
        """The one name of an approach."""
        ...

    def key(self, approach: str) -> str:
        """What all names of an approach have in common, to compare and to group by."""
        ...
