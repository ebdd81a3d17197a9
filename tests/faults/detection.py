"""A slow reference for the detector: every episode folded from nothing, against what was said."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from services.outcomes.core.case import Case, Truth, Yardsticks, truth
from services.outcomes.core.happening import take
from services.outcomes.core.news import all_rows
from services.outcomes.core.said import Said, fold
from services.outcomes.wiring import Outcomes


def differences(outcomes: Outcomes, events: Iterable[Any]) -> list[str]:
    """Episodes of which something else is true than the detector has said by now.

    The case of an episode is made of all its events at once, with no memory of what was known in
    between: so the order in which they came cannot matter, only what they say.
    """
    settings = outcomes.settings
    yardsticks = Yardsticks(outcomes.instruments, settings.rules, settings.model)

    def day_of(moment: datetime) -> str:
        return moment.astimezone(settings.zone).date().isoformat()

    cases: dict[str, Case] = {}
    told: dict[str, list[Any]] = {}
    for event in events:
        if event.TOPIC.startswith("findings."):
            told.setdefault(event.episode, []).append(event)
        elif event.TOPIC.startswith(("measure.", "episode.")):
            episode = getattr(event, "episode", event.originator_id.hex)
            case = cases.setdefault(episode, Case())
            take(
                case, event, yardsticks, lambda at: at.astimezone(settings.zone).date().isoformat()
            )
    faults: list[str] = []
    for episode, case in cases.items():
        said = fold(told.get(episode, []))
        case.silences = set(said.silences)
        faults += [f"episode {episode}: {one}" for one in _of_one(truth(case, yardsticks), said)]
    return faults


def _of_one(true: Truth, said: Said) -> list[str]:
    faults = []
    rows = all_rows(true, {})
    for key in sorted(rows.keys() | said.prints.keys()):
        now = {row.entry.measure: row.print for row in rows.get(key, [])}
        if now != said.prints.get(key, {}):
            faults.append(f"the trajectory {key} was told otherwise than it is")
    found = {name: (one.tier, one.on, one.evidence()) for name, one in true.findings.items()}
    open_ = {name: (one.tier, one.on, one.evidence) for name, one in said.open_findings.items()}
    for name in sorted(found.keys() | open_.keys()):
        if found.get(name) != open_.get(name):
            told = "is not said" if name not in open_ else "is said"
            faults.append(f"the finding {name} {told} as it is not")
    return faults + _of_effects(true, said)


def _of_effects(true: Truth, said: Said) -> list[str]:
    stand = {key: one for key, one in said.effects.items() if not one["withdrawn"]}
    faults = [] if stand == dict(true.effects) else ["effects were told otherwise than they are"]
    made = {key: one for key, one in said.forecasts.items() if key in true.forecasts}
    return faults + ([] if made == dict(true.forecasts) else ["forecasts are not those told"])
