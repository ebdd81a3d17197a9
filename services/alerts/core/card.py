"""The words of a finding, made once from its evidence and stored with the alert.

A card says what is seen, its size, against what, on which grounds and what is missing. It asks;
it never blames, orders or names a cause. The same evidence gives the same card, byte for byte.
"""

from collections.abc import Mapping
from typing import Any

from services.alerts.core.card_words import GOOD, WORDS, relapsed, unknown
from services.alerts.core.caseload import how_often
from services.alerts.core.figures import show
from services.alerts.core.ground import Ground
from services.alerts.core.labels import TONES, evidence_of, label_of, limit_name
from services.alerts.core.language import _


def make(ground: Ground) -> dict[str, Any]:
    """The card of a finding.

    Returns:
        {channel, label, tone, title, sentence, grounds, missing, disagrees, thresholds, numbers,
        points, evidence_label, evidence_source, caution, rule, rule_version, instrument}.
    """
    title, sentence, grounds = WORDS.get(ground.channel, unknown)(ground)
    evidence = ground.evidence
    label, source = evidence_of(ground.channel)
    return {
        "channel": ground.channel,
        "label": _label(ground),
        "tone": TONES.get(ground.channel, "plain"),
        "title": title,
        "sentence": sentence,
        "grounds": [*grounds, *_limits(evidence), *_age(ground)],
        "missing": [str(one) for one in evidence.get("missing", ())],
        "disagrees": [
            _("{name} says otherwise; both are shown.").format(name=name)
            for name in evidence.get("disagrees", ())
        ],
        "thresholds": [dict(limit) for limit in evidence.get("thresholds", ())],
        "numbers": dict(evidence.get("numbers", {})),
        "points": [dict(point) for point in evidence.get("points", ())],
        "evidence_label": _(label),
        "evidence_source": _(source),
        "caution": how_often(ground.statistics, ground.channel),
        "rule": str(evidence.get("rule", "")),
        "rule_version": str(evidence.get("rule_version", "")),
        "instrument": evidence.get("instrument"),
    }


def _label(ground: Ground) -> str:
    if ground.channel == "good_news" and ground.text("kind") in GOOD:
        return _(GOOD[str(ground.text("kind"))][0])
    if ground.channel == "gain_partly_lost" and relapsed(ground):
        return _("Relapse")
    return label_of(ground.channel)


def _limits(evidence: Mapping[str, Any]) -> list[str]:
    return [
        f"{limit_name(str(limit['name']))}: {_limit(limit['value'])} ({limit['source']})."
        for limit in evidence.get("thresholds", ())
    ]


def _limit(value: Any) -> str:
    return str(value) if 0 < abs(float(value)) < 1 else show(float(value))


def _age(ground: Ground) -> list[str]:
    if ground.quiet:
        return [
            _("The rules have changed, nothing else: it interrupts nobody until something does.")
        ]
    if not ground.old_news:
        return []
    return [_("This is old news: it was over 28 days old on arrival, or the course was closed.")]
