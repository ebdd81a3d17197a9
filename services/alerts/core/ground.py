"""What a card is made from: a finding's evidence with the scale that it is told on."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from services.alerts.core.caseload import Statistics


@dataclass(frozen=True, slots=True)
class Ground:
    """What a card is made from."""

    channel: str
    evidence: Mapping[str, Any]
    scale: Mapping[str, Any] = field(default_factory=dict)
    """The scale of the first trajectory behind the finding, empty when not known."""
    old_news: bool = False
    quiet: bool = False
    """It became true by a change of the rules alone."""
    statistics: Statistics | None = None
    """What the caseload's endings say of the instrument, None while nothing is known."""

    @property
    def title(self) -> str:
        """How the instrument is called in a sentence: its id is its customary short name."""
        short = str(self.evidence.get("instrument") or "").upper()
        key = next(iter(self.evidence.get("trajectories") or ()), "")
        part = key.split("|")[1] if key.count("|") == 2 else "total"
        if short and part != "total":
            return f"{short} {part.replace('_', ' ')}"
        return short or str(self.scale.get("title") or "The measure")

    def number(self, name: str) -> float | None:
        """A number of the evidence; None where it is missing or is none."""
        value = self.evidence.get("numbers", {}).get(name)
        good = isinstance(value, (int, float)) and not isinstance(value, bool)
        return float(value) if good else None

    def text(self, name: str) -> str | None:
        """A text of the evidence's numbers."""
        value = self.evidence.get("numbers", {}).get(name)
        return str(value) if value is not None else None

    @property
    def worse(self) -> str:
        """The direction in which this instrument's scores are worse."""
        return "down" if self.scale.get("higher_is") == "better" else "up"

    @property
    def better(self) -> str:
        """The direction in which this instrument's scores are better."""
        return "up" if self.worse == "down" else "down"
