"""Messages become alerts once, in whatever order and however often; the inbox is the fold."""

import random
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from services.alerts.core import alert
from services.alerts.core.course import MessageNoted
from services.alerts.metrics import ALERTS, MESSAGES
from services.chassis.faults import ConflictError, StoreError
from services.chassis.transport import Delivery
from tests.service.alerts_rig import (
    Rig,
    answered,
    assessed,
    checked,
    cleared,
    episode_changed,
    found,
    id_of,
    resent,
    staffed,
)


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    made = Rig(tmp_path, BACKUP="bea")
    staffed(made)
    yield made
    made.close()


def events(rig: Rig, *kinds: type[Any]) -> list[Any]:
    entries = rig.log.page(0, 5000).entries
    return [entry.event for entry in entries if isinstance(entry.event, kinds)]


def test_messages_of_the_rig_are_of_the_contract() -> None:
    checked("episode.changed", episode_changed("k"))
    checked("measure.assessed", assessed("k", 1, 15, "2026-03-02"))
    checked("finding.opened", found("k"))
    checked("finding.cleared", cleared("k"))
    checked("risk.answered", answered("k", 2))


def test_a_finding_becomes_one_row_with_its_words(rig: Rig) -> None:
    rig.tell("episode.changed", episode_changed("k-1"))
    rig.tell("measure.assessed", assessed("k-1", 1, 15, "2026-03-02", p_fail=0.7))
    rig.tell("finding.opened", found("k-1"))
    page = rig.page("alice")
    assert [row.client for row in page.rows] == ["k-1"]
    row = page.rows[0]
    assert row.main.label == "Off track"
    assert "70 % likely" in row.main.sentence
    assert "not yet checked in this clinic" in row.main.sentence
    assert row.spark == (15.0,)
    assert row.unread
    assert page.caseload == 1


def test_message_of_an_unknown_kind_parks_its_episode_alone_and_can_be_replayed(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("good", "bad"):
        rig.tell("episode.changed", episode_changed(name))
    rig.tell("finding.opened", found("bad"), version=2)
    rig.tell("finding.amended", found("bad", revision=2))
    rig.tell("finding.opened", found("good"))
    bad = id_of("episode", "bad")
    assert set(rig.store.parking.parked("episodes consumer")) == {bad}
    assert [row.client for row in rig.page("alice").rows] == ["good"]
    waiting = [one for one in events(rig, MessageNoted) if not one.effect]
    assert [one.message["type"] for one in waiting] == ["finding.opened", "finding.amended"]

    rig.store.parking.request_replay("episodes consumer", bad)
    rig.episodes.idle()  # this release still cannot read it
    assert set(rig.store.parking.parked("episodes consumer")) == {bad}

    from schemas import messages

    monkeypatch.setattr(messages.FindingOpened, "VERSION", 2)
    rig.store.parking.request_replay("episodes consumer", bad)
    rig.episodes.idle()
    assert rig.store.parking.parked("episodes consumer") == {}
    assert {row.client for row in rig.page("alice").rows} == {"good", "bad"}
    rig.tell("finding.cleared", cleared("bad", revision=3))
    assert [row.client for row in rig.page("alice").rows] == ["good"]


@pytest.mark.parametrize("raw", [b"\xff not json", b"{}", b'{"specversion":"1.0"}'])
def test_what_is_no_message_parks_its_episode(rig: Rig, raw: bytes) -> None:
    rig.tell("episode.changed", episode_changed("k"))
    rig.tell("finding.opened", found("k"), raw=raw)
    assert set(rig.store.parking.parked("episodes consumer")) == {id_of("episode", "k")}
    labels = {"topic": "pivotpoint.episodes", "kind": "unreadable", "result": "parked"}
    assert rig.catalogue.value(MESSAGES, **labels) == 1


def test_effect_and_offset_are_one_commit(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    rig.tell("episode.changed", episode_changed("k"))
    one = rig.delivery("finding.opened", found("k"))
    append = rig.log.append

    def failing(*args: Any, **kwargs: Any) -> list[int]:
        raise StoreError("the disk is away")

    monkeypatch.setattr(rig.log, "append", failing)
    with pytest.raises(StoreError):
        rig.hand([one])
    monkeypatch.setattr(rig.log, "append", append)
    assert events(rig, alert.AlertRaised) == []
    rig.hand([one])
    rig.hand([one])
    assert len(events(rig, alert.AlertRaised)) == 1
    assert rig.log.position("outcomes-log/pivotpoint.episodes/0") == one.offset


def test_a_writer_in_between_does_not_lose_the_message(rig: Rig) -> None:
    rig.tell("episode.changed", episode_changed("k"))
    rig.tell("finding.opened", found("k"))
    rig.show()
    alice, id_ = rig.person("alice"), rig.book.alert_id(id_of("episode", "k"), "off_track")
    append = rig.log.append

    def late(*args: Any, **kwargs: Any) -> list[int]:
        rig.log.append = append  # type: ignore[method-assign]
        rig.desk.seen(alice, id_of("episode", "k"))
        return append(*args, **kwargs)

    rig.log.append = late  # type: ignore[method-assign]
    rig.tell("finding.amended", found("k", revision=2))
    stream = [type(one).__name__ for one in rig.log.read(id_)]
    assert stream == ["AlertRaised", "AlertSeen", "AlertAmended"]


def test_a_long_page_comes_through_beside_a_writer_who_never_rests(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever takes more than three messages at once is overtaken each time."""
    rig.tell("episode.changed", episode_changed("k"))
    page = [rig.delivery("finding.opened", found("k"))]
    page += [rig.delivery("finding.amended", found("k", revision=n)) for n in range(2, 100)]
    append, source = rig.log.append, "outcomes-log/pivotpoint.episodes/0"

    def beside(written: Any, tracking: Any = None) -> list[int]:
        if tracking[1] - rig.log.position(source) > 3:
            raise ConflictError
        return append(written, tracking)

    monkeypatch.setattr(rig.log, "append", beside)
    rig.episodes.receive(page)
    assert rig.log.position(source) == page[-1].offset
    assert len(events(rig, MessageNoted)) == 1 + len(page)
    assert len(events(rig, alert.AlertRaised)) == 1


def story(name: str, seed: int) -> list[tuple[str, dict[str, Any]]]:
    chance = random.Random(seed)
    told: list[tuple[str, dict[str, Any]]] = [("episode.changed", episode_changed(name))]
    for channel in ("off_track", "possibly_worse", "reliable_deterioration"):
        for ordinal in range(1, chance.randint(2, 4)):
            told.append(("finding.opened", found(name, channel, ordinal=ordinal)))
            told.append(("finding.amended", found(name, channel, ordinal=ordinal, revision=2)))
            if chance.random() < 0.8:
                told.append(
                    ("finding.cleared", cleared(name, channel, ordinal=ordinal, revision=3))
                )
    told += [("risk.answered", answered(name, n, measure=str(n))) for n in (0, 1, 2)]
    return told


@pytest.mark.parametrize("seed", range(6))
def test_any_order_doubled_and_re_sent_gives_one_open_alert_and_the_fold(
    rig: Rig, seed: int
) -> None:
    chance = random.Random(seed)
    told = [one for number in range(3) for one in story(f"k-{number}", seed + number)]
    chance.shuffle(told)
    deliveries = [rig.delivery(*one) for one in told]
    doubled: list[Delivery] = []
    for one in deliveries:
        doubled += [one] * chance.randint(1, 2)
    rig.hand(doubled)
    rig.tick()
    once = Counter(type(one).__name__ for one in events(rig, alert.AlertEvent))
    rig.hand(resent(deliveries, "restored-log"))
    again = Counter(type(one).__name__ for one in events(rig, alert.AlertEvent))
    assert again == once
    rig.show()
    for view in rig.views:
        assert rig.store.views.verify(view, rig.log) == []
    for number in range(3):
        doc = rig.store.views.get(rig.inbox.view, id_of("episode", f"k-{number}"))
        assert doc is not None
        open_ = [
            (one["channel"], one["alert"])
            for one in doc["alerts"].values()
            if one["state"] in ("raised", "seen", "snoozed")
        ]
        assert len(open_) == len({channel for channel, _ in open_})


def test_the_same_story_in_order_ends_alike_however_it_is_cut(rig: Rig, tmp_path: Path) -> None:
    told = story("k", 7)
    other = Rig(tmp_path / "other", BACKUP="bea")
    staffed(other)
    for one in told:
        rig.tell(*one)
    deliveries = [other.delivery(*one) for one in told]
    parts = [one for one in deliveries if one.topic.endswith("episodes")]
    other.episodes.receive(parts)
    other.risk.receive([one for one in deliveries if one.topic.endswith("risk")])
    mine, theirs = rig.page("alice"), other.page("alice")
    assert [row.main.label for row in mine.rows] == [row.main.label for row in theirs.rows]
    assert len(mine.rows[0].others) == len(theirs.rows[0].others)
    other.close()


def test_a_reassigned_course_moves_its_open_alerts_unread(rig: Rig) -> None:
    rig.tell("episode.changed", episode_changed("k"))
    rig.tell("finding.opened", found("k"))
    rig.show()
    rig.desk.seen(rig.person("alice"), id_of("episode", "k"))
    assert not rig.page("alice").rows[0].unread
    rig.tell("episode.changed", episode_changed("k", clinician="dr-b"))
    assert rig.page("alice").rows == ()
    row = rig.page("bob").rows[0]
    assert row.unread
    assert row.main.state == "raised"


def test_counts_say_honestly_what_is_not_shown(rig: Rig) -> None:
    for name in ("flagged", "quiet", "unmeasured", "waits", "stale"):
        rig.tell("episode.changed", episode_changed(name))
    for name in ("flagged", "quiet", "waits", "stale"):
        rig.tell("measure.assessed", assessed(name, 1, 15, "2026-03-02", p_fail=0.2))
    rig.tell("finding.opened", found("flagged"))
    rig.tell("finding.opened", found("waits"))
    rig.tell("finding.cleared", cleared("waits"))
    rig.tell("finding.opened", found("waits", ordinal=2))
    rig.tell("finding.opened", found("stale", "not_assessable", old_news=True))
    page = rig.page("alice")
    assert [row.client for row in page.rows] == ["flagged"]
    assert (page.caseload, page.nothing_flagged, page.waiting, page.unknown) == (5, 1, 1, 2)
    assert "Not flagged is not the same as doing well." in page.summary


def test_outcomes_are_counted_without_a_person(rig: Rig) -> None:
    rig.tell("episode.changed", episode_changed("k"))
    rig.tell("finding.opened", found("k"))
    labels = {"channel": "off_track", "tier": "prompt", "outcome": "raised"}
    assert rig.catalogue.value(ALERTS, **labels) == 1
    assert b"dr-a" not in rig.catalogue.render()


def test_nothing_of_a_client_lies_in_clear(rig: Rig, tmp_path: Path) -> None:
    rig.tell("episode.changed", episode_changed("canary-client", problem="canary-problem"))
    rig.tell("finding.opened", found("canary-client"))
    rig.tell("risk.answered", answered("canary-client", 2), raw=b"canary-raw {")
    rig.show()
    for path in tmp_path.rglob("*"):
        if path.is_file():
            assert b"canary" not in path.read_bytes(), path.name
