"""The client's side of an audit: what was acknowledged must be stored, once, and nothing else."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote, urlsplit
from uuid import UUID

from tests.faults.ehr import Told

CONTENT = ("client", "episode_reference", "instrument", "administered_at", "items", "total")


@dataclass(frozen=True, slots=True)
class Step:
    """One version of a measure as its sender believes it to stand."""

    kind: str
    body: dict[str, Any] | None


def measures(told: Iterable[Told]) -> dict[str, list[Step]]:
    """External id to its versions, as the calls that were acknowledged make them, in order.

    A call that says what was said before makes no version.
    """
    found: dict[str, list[Step]] = {}
    for call in told:
        if call.taken and call.path.startswith("/v1/measures"):
            name = _name(call)
            _take(found.setdefault(name, []), call)
    return found


def _name(call: Told) -> str:
    if call.method == "POST":
        return str(call.body["external_id"])
    return unquote(urlsplit(call.path).path.removeprefix("/v1/measures/"))


def _take(steps: list[Step], call: Told) -> None:
    last = steps[-1] if steps else None
    if call.method == "DELETE":
        if last is not None and last.kind != "withdrawn":
            steps.append(Step("withdrawn", None))
        return
    if last is None:
        steps.append(Step("held" if call.status == 202 else "recorded", call.body))
        return
    if call.method == "POST":
        return
    if last.kind == "withdrawn":
        steps.append(Step("reinstated", call.body))
    elif last.body != call.body:
        steps.append(Step("corrected", call.body))


def of_measures(told: Sequence[Told], sender: str, events: Iterable[Any]) -> list[str]:
    """What differs between the acknowledged measures and the measures of a log."""
    expected = measures(told)
    streams: dict[UUID, list[Any]] = {}
    for event in events:
        if event.TOPIC.startswith("measure."):
            streams.setdefault(event.originator_id, []).append(event)
    stored: dict[str, list[list[Any]]] = {}
    for stream in streams.values():
        if stream[0].sender == sender:
            stored.setdefault(stream[0].external_id, []).append(stream)
    faults = [f"a measure stands in {len(n)} streams" for n in stored.values() if len(n) > 1]
    faults += ["an acknowledged measure is lost" for name in expected if name not in stored]
    faults += ["a measure is stored that nobody sent" for name in stored if name not in expected]
    for name in expected.keys() & stored.keys():
        faults += _of_one(expected[name], stored[name][0])
    return faults


def _of_one(expected: Sequence[Step], stream: Sequence[Any]) -> list[str]:
    where = f"measure {stream[0].originator_id.hex}"
    kinds = [event.TOPIC.removeprefix("measure.") for event in stream]
    if kinds != [step.kind for step in expected]:
        told = [step.kind for step in expected]
        return [f"{where}: {told} was acknowledged, {kinds} is stored"]
    return [
        f"{where}: version {event.originator_version} holds other content"
        for step, event in zip(expected, stream, strict=True)
        if step.body is not None and _content(event) != _sent(step.body)
    ]


def _content(event: Any) -> dict[str, Any]:
    return {name: getattr(event, name) for name in CONTENT}


def _sent(body: dict[str, Any]) -> dict[str, Any]:
    named = body | {"episode_reference": body["episode"]}
    return {name: named.get(name) for name in CONTENT}


# Episodes


def of_episodes(told: Sequence[Told], sender: str, events: Iterable[Any]) -> list[str]:
    """What differs between what was told of episodes and what a log holds of them."""
    expected: Counter[tuple[Any, ...]] = Counter()
    for call in told:
        if call.taken and call.path.startswith("/v1/episodes/"):
            expected |= Counter(dict.fromkeys(_episode_keys(call), 1))
    stored: Counter[tuple[Any, ...]] = Counter()
    names: dict[UUID, str] = {}
    for event in events:
        if event.TOPIC.startswith("episode."):
            if getattr(event, "sender", None) == sender:
                names[event.originator_id] = event.reference
            key = _stored_key(event)
            if key is not None and event.originator_id in names:
                stored[(names[event.originator_id], *key)] += 1
    lost, more = expected - stored, stored - expected
    faults = [f"{count} acknowledged of {key[1]} lost" for key, count in lost.items()]
    return faults + [f"{count} of {key[1]} stored that nobody sent" for key, count in more.items()]


def _episode_keys(call: Told) -> list[tuple[Any, ...]]:
    """The facts in a call, each of which the log is to hold once however often it was told."""
    _, _, _, name, *rest = urlsplit(call.path).path.split("/")
    name, body = unquote(name), call.body
    if not rest:
        begun = [("approach", body["approach"], body["opened_on"])] if body.get("approach") else []
        return [(name, "opening"), *((name, *one) for one in begun)]
    if rest[0] == "approach":
        return [(name, "approach", body["approach"], body["since"])]
    if rest[0] == "sessions":
        return [(name, "session", body["external_id"], body["on"], body["attendance"])]
    if rest[0] == "events":
        return [(name, "fact", body["external_id"], body["on"], body["label"])]
    return []


def _stored_key(event: Any) -> tuple[Any, ...] | None:
    kind = event.TOPIC.removeprefix("episode.")
    if kind == "opened":
        return ("opening",)
    if kind == "approach_chosen":
        ours = event.origin == "ehr"
        return ("approach", event.approach, event.since) if ours else None
    if kind == "session_recorded":
        return ("session", event.session, event.on, event.attendance)
    if kind == "fact_noted":
        return ("fact", event.fact, event.on, event.label)
    return None


def of_endings(told: Sequence[Told], sender: str, events: Sequence[Any]) -> list[str]:
    """Whether each episode was closed and opened again as often as was acknowledged."""
    expected: Counter[tuple[str, str]] = Counter()
    closed: set[str] = set()
    for call in told:
        if not (call.taken and call.path.startswith("/v1/episodes/")):
            continue
        name = unquote(call.path.split("/")[3])
        if call.path.endswith("/close") and name not in closed:
            closed.add(name)
            expected[name, "closed"] += 1
        elif call.method == "PUT" and name in closed:
            closed.discard(name)
            expected[name, "reopened"] += 1
    names = {e.originator_id: e.reference for e in events if e.TOPIC == "episode.opened"}
    stored = Counter(
        (names[event.originator_id], event.TOPIC.removeprefix("episode."))
        for event in events
        if event.TOPIC in ("episode.closed", "episode.reopened") and event.originator_id in names
    )
    return [] if stored == expected else ["endings are not those that were acknowledged"]
