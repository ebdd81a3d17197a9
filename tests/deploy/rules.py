"""The alert rules as they ship, and cases for promtool made of a few series each."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

DEPLOY = Path(__file__).parents[2] / "deploy"
RULES = DEPLOY / "prometheus/rules.yml"


@dataclass(frozen=True, slots=True)
class Case:
    """Series, one value a step in promtool's notation, and who fires for them at a moment."""

    alert: str
    series: dict[str, str]
    at: str
    fires: dict[str, str] | None
    """The labels of the alert beside its own; None: it must be silent."""
    step: str = "1m"
    """Between two values, and between two looks at the rules."""


def groups() -> list[dict[str, Any]]:
    """The groups of rules."""
    found: list[dict[str, Any]] = yaml.safe_load(RULES.read_text())["groups"]
    return found


def rules() -> list[dict[str, Any]]:
    """Every rule, recording and alerting."""
    return [rule for group in groups() for rule in group["rules"]]


def alerts() -> dict[str, dict[str, Any]]:
    """The alerts by name."""
    return {rule["alert"]: rule for rule in rules() if "alert" in rule}


def unit_tests(cases: list[Case], step: str) -> str:
    """What `promtool test rules` reads."""
    return yaml.safe_dump(
        {
            "rule_files": [str(RULES)],
            "evaluation_interval": step,
            "tests": [_unit_test(case) for case in cases],
        }
    )


def _unit_test(case: Case) -> dict[str, Any]:
    rule = alerts()[case.alert]
    expected = []
    if case.fires is not None:
        labels = rule["labels"] | case.fires
        expected = [{"exp_labels": labels, "exp_annotations": rule["annotations"]}]
    return {
        "interval": case.step,
        "name": f"{case.alert} {'fires' if expected else 'is silent'}",
        "input_series": [{"series": name, "values": case.series[name]} for name in case.series],
        "alert_rule_test": [
            {"eval_time": case.at, "alertname": case.alert, "exp_alerts": expected}
        ],
    }
