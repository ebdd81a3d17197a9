"""One course of Alice's and what is done about it, over the rig."""

from pathlib import Path
from typing import Any

from services.alerts.desk import ReflectionForm
from services.alerts.views.course import EpisodePage
from tests.service.alerts_rig import Rig, assessed, episode_changed, found, id_of, staffed

K = id_of("episode", "k")


def clinic(folder: Path) -> Rig:
    """The people, and an episode of Alice's with one measure."""
    rig = Rig(folder, BACKUP="bea")
    staffed(rig)
    rig.tell("episode.changed", episode_changed("k"))
    rig.tell("measure.assessed", assessed("k", 1, 15, "2026-03-02", p_fail=0.7))
    return rig


def flagged(rig: Rig, channel: str = "off_track") -> Any:
    rig.tell("finding.opened", found("k", channel))
    rig.show()
    return rig.book.alert_id(K, channel)


def clients(rig: Rig, name: str = "alice") -> list[str]:
    return [row.client for row in rig.page(name).rows]


def page(rig: Rig, name: str = "alice") -> EpisodePage:
    rig.show()
    found_ = rig.courses.page(rig.person(name), K, rig.clock.now(), rig.journals)
    assert found_ is not None
    return found_


def form(**changes: Any) -> ReflectionForm:
    return ReflectionForm(**{"decision": "stay", "reason": "too early", **changes})
