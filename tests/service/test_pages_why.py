"""Why was I not prompted? Each thing that can hold a prompt back is told from the log."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.service.alerts_rig import Rig, assessed, cleared, episode_changed, found, id_of, staffed
from tests.service.pages_rig import Browser, app_of

K = id_of("episode", "k")


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    made = Rig(tmp_path, BACKUP="bea")
    staffed(made)
    made.tell("episode.changed", episode_changed("k"))
    made.tell("measure.assessed", assessed("k", 1, 15, "2026-03-02", p_fail=0.7))
    yield made
    made.close()


def why(rig: Rig) -> str:
    rig.show()
    answer = Browser(app_of(rig)).sign_in(rig, "alice").get(f"/episodes/{K.hex}")
    assert answer.status_code == 200, answer.text
    part = answer.text.split("Why was I not prompted?")[1].split("</details>")[0]
    return " ".join(re.sub(r"<[^>]+>", " ", part).split())


def test_each_time_a_rule_spoke_is_told_with_what_held_it(rig: Rig) -> None:
    alert = rig.book.alert_id(K, "off_track")
    rig.tell("finding.opened", found("k"))
    rig.show()
    rig.desk.snooze(rig.person("alice"), K, alert, None)
    rig.tell("finding.cleared", cleared("k"))
    rig.later(days=3)
    rig.tell("finding.opened", found("k", ordinal=2))
    rig.tell("finding.opened", found("k", "plateau"))
    rig.tell("finding.opened", found("k", "stalled", old_news=True))
    said = why(rig)
    assert "Off track 2 March 2026: you were prompted." in said
    assert "2 March 2026: put off until 9 March 2026." in said
    assert "2 March 2026: settled." in said
    assert "5 March 2026: found again and held back until 30 March 2026" in said
    assert "Plateau 5 March 2026: laid in the inbox for review" in said
    assert "Stalled 5 March 2026: a mark on the chart only: its newest measure was over 28" in said
    assert "Nothing was found by: reliably worse, gain partly lost" in said
    assert "Not flagged is not the same as doing well" in said


def test_a_rule_that_was_retired_then_says_by_whom_and_why(rig: Rig) -> None:
    rig.rules.retire(rig.person("sam"), "plateau", "mostly dismissed")
    rig.tell("finding.opened", found("k", "plateau"))
    rig.later(days=1)
    rig.rules.reinstate(rig.person("sam"), "plateau", "missed")
    rig.rules.retire(rig.person("sam"), "stalled", "mostly dismissed")
    said = why(rig)
    assert "sam had retired this rule on 2 March 2026 (mostly dismissed)" in said
    assert "Retired at present: stalled." in said


def test_a_prompt_over_the_days_cap_says_that_it_waits_its_turn(rig: Rig) -> None:
    for name in ("a", "b", "c"):
        rig.tell("episode.changed", episode_changed(name))
        rig.tell("measure.assessed", assessed(name, 1, 15, "2026-03-02", p_fail=0.9))
        rig.tell("finding.opened", found(name))
    rig.tell("finding.opened", found("k"))
    assert "As many prompts as a day may have" in why(rig)
    rig.later(days=1)
    assert "As many prompts" not in why(rig)
