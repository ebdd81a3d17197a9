"""What came of a played clinic, held against the made-up truth, as a person understands it."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from simulation.clinic import Call, Client
from simulation.story import BETTER, WITHIN, Document, counted, effects, failures, pivots

PROMPTING = ("reliable_deterioration", "gain_partly_lost", "off_track")
"""Channels whose findings prompt: what the product calls out by itself."""


@dataclass(slots=True)
class Posted:
    """What the EHR's calls came to."""

    recorded: int = 0
    late: int = 0
    corrected: int = 0
    withdrawn: int = 0
    repeated: int = 0
    others: int = 0

    def count(self, call: Call) -> None:
        """Count a call that was answered."""
        if call.again:
            self.repeated += 1
        elif call.kind == "measure":
            self.recorded += 1
            self.late += call.late
        elif call.kind == "correction":
            self.corrected += 1
        elif call.kind == "withdrawal":
            self.withdrawn += 1
        else:
            self.others += 1


@dataclass(frozen=True, slots=True)
class Truth:
    """Clients whose failure was found, or was not, by reference."""

    true: frozenset[str]
    false: frozenset[str]
    missed: frozenset[str]
    clients: int

    @property
    def found(self) -> int:
        """How many clients had a failure found, rightly or not."""
        return len(self.true) + len(self.false)

    @property
    def failing(self) -> int:
        """How many made-up courses end in failure."""
        return len(self.true) + len(self.missed)


@dataclass(frozen=True, slots=True)
class Loop:
    """How far the loop went: from prompts to effects."""

    prompts: int
    risk: int
    reviews: int
    reflections: Counter[str] = field(default_factory=Counter)
    effects: Counter[str] = field(default_factory=Counter)
    """Verdict of the latest effect of each pivot to how many."""


def against_truth(clients: Sequence[Client], documents: Mapping[str, Document]) -> Truth:
    """Hold what was found against what is true; failing means: had nothing changed."""
    true: set[str] = set()
    false: set[str] = set()
    missed: set[str] = set()
    for client in clients:
        document = documents.get(client.episode)
        found = document is not None and any(
            finding["channel"] in PROMPTING for finding in failures(document)
        )
        if client.planned.failed:
            (true if found else missed).add(client.client)
        elif found:
            false.add(client.client)
    return Truth(frozenset(true), frozenset(false), frozenset(missed), len(clients))


def loop(documents: Iterable[Document]) -> Loop:
    """Count alerts, reflections and effects."""
    tiers: Counter[str] = Counter()
    reflections: Counter[str] = Counter()
    verdicts: Counter[str] = Counter()
    for document in documents:
        alerts = [one for one in document["alerts"].values() if one["state"] != "held"]
        tiers.update(_tier(alert) for alert in alerts)
        reflections.update(one["decision"] for one in document["reflections"])
        for chosen in pivots(document):
            measured = effects(chosen)
            verdicts.update([measured[-1]["verdict"] if measured else "not measured yet"])
    return Loop(
        prompts=tiers["prompt"],
        risk=tiers["risk"],
        reviews=tiers["review"],
        reflections=reflections,
        effects=verdicts,
    )


def lines(posted: Posted, truth: Truth, course: Loop, weeks: int) -> list[str]:
    """The numbers as sentences."""
    return [
        f"{counted(posted.recorded, 'measure')} of {truth.clients} made-up clients were posted "
        f"over {weeks} weeks: {posted.late} came days late, {posted.corrected} were corrected, "
        f"{posted.withdrawn} withdrawn, {posted.repeated} sent twice and stored once.",
        f"Failures were found in {counted(truth.found, 'course')}, {len(truth.true)} of them "
        f"true; {len(truth.missed)} of {counted(truth.failing, 'true failure')} were missed. "
        "(True: the made-up course, had nothing changed, ends still a case and not reliably "
        "better.)",
        f"{counted(course.prompts, 'prompt')} raised, {counted(course.reviews, 'finding')} laid "
        f"out for review, {counted(course.risk, 'answer')} to the risk item brought to somebody "
        "at once.",
        f"The made-up clinicians wrote {counted(sum(course.reflections.values()), 'reflection')}: "
        f"{_decisions(course.reflections)}.",
        _effects(course.effects),
    ]


def _effects(verdicts: Counter[str]) -> str:
    better, within = verdicts[BETTER], verdicts[WITHIN]
    worse, none = verdicts["worse than forecast"], verdicts["not measured yet"]
    return (
        f"After {counted(sum(verdicts.values()), 'pivot')} the latest score lay: {better} better "
        f"than forecast, {within} within what was forecast, {worse} worse, {none} not measured "
        "yet. Which pivots help was decided beforehand by the simulation: this shows the loop, "
        "not that pivots help."
    )


def _decisions(decisions: Counter[str]) -> str:
    return ", ".join(f"{count} {decision}" for decision, count in decisions.most_common()) or "none"


def _tier(alert: dict[str, Any]) -> str:
    return "risk" if alert["channel"] == "risk_answer" else str(alert["tier"])
