"""The dashboards are what their code writes, and ask for metrics that both services expose."""

import json
import re

import pytest

from deploy.grafana.dashboards import DASHBOARDS, HERE, dashboard, rendered
from tests.deploy.promql import metrics


def expressions(name: str) -> list[str]:
    return [target["expr"] for panel in dashboard(name)["panels"] for target in panel["targets"]]


@pytest.mark.parametrize("name", DASHBOARDS)
def test_the_files_are_what_the_code_writes(name: str) -> None:
    assert (HERE / f"{name}.json").read_text() == rendered(name), "run `make dashboards`"


def test_there_is_no_dashboard_without_code() -> None:
    assert {file.stem for file in HERE.glob("*.json")} == set(DASHBOARDS)


@pytest.mark.parametrize("name", DASHBOARDS)
def test_every_expression_asks_for_metrics_that_are_exposed(
    name: str, exposed: dict[str, str]
) -> None:
    told = "".join(exposed.values())
    kinds = dict(re.findall(r"^# TYPE (\S+) (\S+)$", told, re.M))
    suffixes = {"histogram": ("_bucket", "_count", "_sum")}
    there = {n + suffix for n, kind in kinds.items() for suffix in suffixes.get(kind, ("",))}
    asked = {metric for one in expressions(name) for metric in metrics(one)}
    assert len(asked) > 5
    assert asked - there == set()


@pytest.mark.parametrize("name", DASHBOARDS)
def test_panels_lie_beside_each_other_and_say_what_they_show(name: str) -> None:
    panels = json.loads(rendered(name))["panels"]
    places = [(one["gridPos"]["x"], one["gridPos"]["y"]) for one in panels]
    assert len(set(places)) == len(panels)
    assert len({one["id"] for one in panels}) == len(panels)
    for one in panels:
        assert one["description"].endswith("."), one["title"]
