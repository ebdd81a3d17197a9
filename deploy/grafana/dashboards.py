"""Writes the dashboards beside it (`make dashboards`): the only source of their JSON."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
COLUMNS, WIDTH, HEIGHT = 3, 8, 7
SOURCE = {"type": "prometheus", "uid": "${source}"}
CHOICE = {"name": "source", "type": "datasource", "query": "prometheus", "label": "Source"}


@dataclass(frozen=True, slots=True)
class Panel:
    """One picture over time: lines, each an expression and what it is called."""

    title: str
    unit: str
    meaning: str
    lines: tuple[tuple[str, str], ...]


LATE = 'sum by (job, reader) (rate(freshness_seconds_bucket{le="60.0"}[1h]))'
TAKEN = "sum by (job, reader) (rate(freshness_seconds_count[1h]))"
P95 = "histogram_quantile(0.95, sum by (%s, le) (rate(%s_bucket[5m])))"

OPERATIONS = (
    Panel(
        "In time",
        "percentunit",
        "Share of sessions assessed and shown within 60 s; 99 % is promised.",
        ((f"{LATE} / {TAKEN}", "{{job}} {{reader}}"),),
    ),
    Panel(
        "Lag",
        "s",
        "Age of the oldest event that a reader has not taken.",
        (("max by (job, reader) (reader_lag_seconds)", "{{job}} {{reader}}"),),
    ),
    Panel(
        "Events that wait",
        "short",
        "How many events a reader has not taken.",
        (("max by (job, reader) (reader_lag_events)", "{{job}} {{reader}}"),),
    ),
    Panel(
        "Silence of loops",
        "s",
        "Time since a loop last came round.",
        (("max by (job, loop) (loop_heartbeat_age_seconds)", "{{job}} {{loop}}"),),
    ),
    Panel(
        "Requests",
        "reqps",
        "Requests answered, by status.",
        (("sum by (job, status) (rate(http_requests_total[5m]))", "{{job}} {{status}}"),),
    ),
    Panel(
        "Time of an answer",
        "s",
        "95 of 100 requests were answered within this time.",
        ((P95 % ("job", "http_request_seconds"), "{{job}}"),),
    ),
    Panel(
        "Page time",
        "s",
        "95 of 100 pages of events were taken within this time.",
        ((P95 % ("job, reader", "reader_page_seconds"), "{{job}} {{reader}}"),),
    ),
    Panel(
        "Failures of readers",
        "cps",
        "What raised an error and is tried again.",
        (
            (
                "sum by (job, reader, error) (rate(reader_failures_total[5m]))",
                "{{reader}} {{error}}",
            ),
        ),
    ),
    Panel(
        "Parked and held",
        "short",
        "What waits until a person has looked at it.",
        (
            ("max by (job, reader) (parked_entries)", "parked by {{reader}}"),
            ("max(measures_held)", "measures held"),
        ),
    ),
    Panel(
        "Risk path",
        "s",
        "Silence of the path of risk answers, and the age of what is not handed over.",
        (
            ('max(risk_heartbeat_age_seconds{job="alerts"})', "silence"),
            ("max by (job) (risk_unsent_age_seconds)", "oldest unsent, {{job}}"),
        ),
    ),
    Panel(
        "Messages that wait at the broker",
        "short",
        "Messages not yet taken from a topic, and partitions that stand still.",
        (
            ("max by (job, topic) (receiver_lag_messages)", "{{job}} {{topic}}"),
            ("max by (job, topic) (receiver_standing_still)", "{{job}} {{topic}} stands still"),
        ),
    ),
    Panel(
        "Room on disk",
        "percentunit",
        "Free share of the disk of the data folder.",
        (("min by (job, kind) (disk_free_bytes / disk_size_bytes)", "{{job}} {{kind}}"),),
    ),
    Panel(
        "Memory",
        "bytes",
        "Resident memory of each process.",
        (("process_resident_memory_bytes", "{{job}} {{instance}}"),),
    ),
    Panel(
        "Days to the end of certificates",
        "d",
        "Days until the first certificate of a file expires.",
        (
            (
                "(min by (job, kind) (certificate_expires_timestamp_seconds) - time()) / 86400",
                "{{job}} {{kind}}",
            ),
        ),
    ),
    Panel(
        "Versions",
        "short",
        "Processes by the version that they run.",
        (("sum by (job, version) (pivotpoint_build_info)", "{{job}} {{version}}"),),
    ),
)

QUALITY = (
    Panel(
        "Alerts told a day",
        "short",
        "Alerts told to be read, by channel; a channel that tells much is read little.",
        (("sum by (channel) (increase(alerts_told_total[1d]))", "{{channel}}"),),
    ),
    Panel(
        "Repeat share",
        "percentunit",
        "Share of a week's alerts that repeat what was said of the same course; risk left out.",
        (
            (
                'sum(increase(alerts_told_total{kind="repeat", tier!="risk"}[7d])) '
                '/ sum(increase(alerts_told_total{tier!="risk"}[7d]))',
                "repeats",
            ),
        ),
    ),
    Panel(
        "What became of alerts",
        "short",
        "Outcomes a week, by outcome.",
        (("sum by (outcome) (increase(alerts_total[7d]))", "{{outcome}}"),),
    ),
    Panel(
        "Why alerts are dismissed",
        "short",
        "Reasons a week, by channel: what is dismissed as wrong often is a rule to look at.",
        (
            (
                "sum by (channel, reason) (increase(alerts_dismissed_total[7d]))",
                "{{channel}}: {{reason}}",
            ),
        ),
    ),
    Panel(
        "Unread prompts",
        "short",
        "Open prompts that nobody has opened.",
        (("max(prompts_unread)", "unread"),),
    ),
    Panel(
        "Age of the oldest unread prompt",
        "s",
        "How long it has waited.",
        (("max(prompts_unread_age_seconds)", "oldest"),),
    ),
    Panel(
        "Reflections",
        "short",
        "Reflections a week, by decision.",
        (("sum by (kind) (increase(reflections_total[7d]))", "{{kind}}"),),
    ),
    Panel(
        "Risk alerts",
        "short",
        "Not acknowledged, and past their time.",
        (
            ("max(risk_alerts_open)", "open"),
            ("max by (channel) (alerts_overdue)", "overdue: {{channel}}"),
        ),
    ),
    Panel(
        "Nobody in reach",
        "short",
        "Courses with an open alert whose clinician cannot be reached.",
        (("max(episodes_unassigned)", "courses"),),
    ),
)

DASHBOARDS = {
    "operations": ("Pivot Point: operations", OPERATIONS),
    "alert-quality": ("Pivot Point: alert quality", QUALITY),
}


def dashboard(name: str) -> dict[str, Any]:
    """The dashboard of a name, as Grafana's JSON model."""
    title, panels = DASHBOARDS[name]
    return {
        "uid": f"pivotpoint-{name}",
        "title": title,
        "tags": ["pivotpoint"],
        "schemaVersion": 39,
        "editable": False,
        "refresh": "1m",
        "time": {"from": "now-24h", "to": "now"},
        "templating": {
            "list": [
                {"name": "source", "type": "datasource", "query": "prometheus", "label": "Source"}
            ]
        },
        "panels": [_panel(number, panel) for number, panel in enumerate(panels)],
    }


def rendered(name: str) -> str:
    """The text of a dashboard's file."""
    return json.dumps(dashboard(name), indent=2) + "\n"


def _panel(number: int, panel: Panel) -> dict[str, Any]:
    row, column = divmod(number, COLUMNS)
    return {
        "id": number + 1,
        "type": "timeseries",
        "title": panel.title,
        "description": panel.meaning,
        "datasource": SOURCE,
        "gridPos": {"x": column * WIDTH, "y": row * HEIGHT, "w": WIDTH, "h": HEIGHT},
        "fieldConfig": {"defaults": {"unit": panel.unit, "min": 0}, "overrides": []},
        "targets": [
            {
                "refId": chr(ord("A") + place),
                "datasource": SOURCE,
                "expr": line,
                "legendFormat": name,
            }
            for place, (line, name) in enumerate(panel.lines)
        ],
    }


def main() -> None:
    """Write every dashboard."""
    for name in DASHBOARDS:
        (HERE / f"{name}.json").write_text(rendered(name))


if __name__ == "__main__":
    main()
