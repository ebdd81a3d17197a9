"""The Kafka topics between the services, and what their keys are."""

EPISODES = "pivotpoint.episodes"
"""Outcomes to alerts: everything that happens in an episode; key = episode id."""
RISK = "pivotpoint.risk"
"""Outcomes to alerts: answers to risk items and the heartbeat; key = episode id, no parking."""
ANSWERS = "pivotpoint.answers"
"""Alerts to outcomes: what the clinician decided; key = episode id."""
STATISTICS = "pivotpoint.statistics"
"""Outcomes to alerts: what the caseload's endings say; key = an id of the instrument, compacted."""
COMPACTED = frozenset({STATISTICS})
"""Topics of which the latest message of a key is kept for ever."""
ALL = (EPISODES, RISK, ANSWERS, STATISTICS)
