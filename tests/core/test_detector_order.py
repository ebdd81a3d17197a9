"""What the detector says is the same in whatever order, pages and restarts the log is read."""

from datetime import timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.core.logbook import (
    IDS,
    START,
    MemoryLog,
    Sender,
    charted,
    episode_id,
    now_open,
    played,
    said,
)

SCORES = st.integers(0, 21)
MEASURES = st.lists(
    st.tuples(
        st.integers(0, 120),
        SCORES.map(float),
        st.sampled_from(["phq-9", "phq-9", "phq-9", "gad-7", "pcl-5"]),
        st.one_of(st.none(), st.integers(8, 18)),
    ),
    min_size=1,
    max_size=9,
)
Call = tuple[str, tuple[Any, ...], dict[str, Any]]
History = tuple[list[Call], list[int]]


@st.composite
def histories(draw: st.DrawFn) -> History:
    """What is finally true of an episode, as calls to a sender, and an order to make them in."""
    calls: list[Call] = [
        measured(f"m{number}", *told)
        for number, told in enumerate(sorted(draw(MEASURES), key=repr))
    ]
    for day in sorted(draw(st.lists(st.integers(0, 120), max_size=4, unique=True))):
        attendance = draw(st.sampled_from(["attended", "late", "missed", "cancelled"]))
        calls.append(("session", (f"s{day}", day, attendance), {}))
    if draw(st.booleans()):
        primary = draw(st.sampled_from([None, "gad-7"]))
        calls.append(("open", (draw(st.integers(0, 40)), primary), {}))
    if draw(st.booleans()):
        calls.append(("fact", ("f", draw(st.integers(0, 120)), "break", "holiday"), {}))
    if draw(st.booleans()):
        calls.append(("approach", ("CBT", draw(st.integers(0, 60))), {}))
        calls.append(("approach", ("EMDR", draw(st.integers(0, 120))), {}))
    if draw(st.integers(0, 5)) == 0:
        calls.append(("close", (draw(st.integers(0, 120)),), {}))
    order = draw(st.permutations(range(len(calls))))
    return calls, list(order)


def measured(external: str, day: int, score: float, instrument: str, hour: int | None) -> Call:
    at = None
    if hour is not None:
        at = (START + timedelta(days=day)).replace(hour=hour).isoformat()
    return "measure", (external, day, score), {"instrument": instrument, "at": at}


def make(sender: Sender, calls: list[Call]) -> None:
    sender.arrived = START + timedelta(days=30)
    for name, arguments, more in calls:
        getattr(sender, name)(*arguments, **more)


@given(histories(), st.data())
@settings(deadline=None, max_examples=60)
def test_any_order_of_arrival_gives_the_same_findings(
    history: History, data: st.DataObject
) -> None:
    """Late, corrected, withdrawn and given again: in the end it reads like the tidy order."""
    calls, order = history
    tidy = played(lambda sender: make(sender, calls))

    def untidy(sender: Sender) -> None:
        make(sender, [])
        for place in order:
            name, arguments, more = calls[place]
            if name != "measure" or data.draw(st.booleans()):
                getattr(sender, name)(*arguments, **more)
                continue
            external, day, score = arguments
            wrong = data.draw(MEASURES.map(lambda told: told[0]))
            _, first, other = measured(external, *wrong)
            sender.measure(*first, **other)
            kind = "corrected"
            if data.draw(st.booleans()):
                sender.withdraw(external)
                kind = "reinstated"
            sender.measure(external, day, score, kind=kind, **more)

    page, cold = data.draw(st.sampled_from([1, 3, 500])), data.draw(st.booleans())
    log = played(untidy, page=page, cold=cold)
    assert now_open(log) == now_open(tidy)
    assert charted(log) == charted(tidy)
    assert effects(log) == effects(tidy)


def effects(log: MemoryLog) -> dict[Any, Any]:
    """The effects that stand, less the version of their measure."""
    return {
        key: {name: value for name, value in told.items() if name != "version"}
        for key, told in said(log).effects.items()
        if not told["withdrawn"]
    }


@given(histories(), st.sampled_from([1, 2, 5, 500]))
@settings(deadline=None, max_examples=40)
def test_pages_and_restarts_change_no_event(history: History, page: int) -> None:
    """Measures alone: then even every single event is the same, cold or warm, page by page."""
    calls, order = history
    measures = [calls[place] for place in order if calls[place][0] == "measure"]
    whole = played(lambda sender: make(sender, measures))
    parted = played(lambda sender: make(sender, measures), page=page, cold=True)
    stream = IDS.derive("findings", episode_id().hex)
    assert whole.read(stream) == parted.read(stream)
