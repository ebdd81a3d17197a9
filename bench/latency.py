"""How long it takes from a measure's acknowledgement to its alert in the inbox, in one process."""

from datetime import date, timedelta
from pathlib import Path
from typing import Any

from bench.figures import Figure, percentile
from bench.intake import authorized, phq9, request
from bench.process import Child, ServerFailedError, load, server
from bench.size import Size

CONNECTIONS = 16
CHANNEL, RISK = "reliable_deterioration", "risk_answer"
MILD, SEVERE = [1, 0, 1, 0, 1, 0, 1, 0, 0], [3, 3, 3, 3, 3, 3, 3, 3, 0]
"""4 points and 24: worse by more than twice the reliable change, which alone is a prompt."""


AT_RISK = [*SEVERE[:-1], 3]
"""The same with the last item, which asks about risk."""
FLOODED = 5
"""Times as many posts in the flood, which nothing paces."""
ONE_IN = 50
"""How many of the flood's posts answer the item about risk."""


def figures(size: Size, folder: Path, today: date) -> list[Figure]:
    """The rows of the latency, of the flood, and `bytes.per_measure`."""
    woken = _measured("both", size, folder, today)
    polling = _measured("both-polling", size, folder, today)
    facts = {
        "posts_a_second": size.latency_rate,
        "posts": size.latency_posts,
        "connections": CONNECTIONS,
        "baseline_is": "followers without a wake-up, looking every 50 ms",
    }
    delays = [
        Figure(
            f"latency.embedded.p{share}_ms",
            percentile(woken, share / 100),
            "ms",
            percentile(polling, share / 100),
            facts | ({"goal": "60 ms"} if share == 99 else {}),
        )
        for share in (50, 99)
    ]
    return [*delays, _stored(size, folder / "latency-both"), _flood(size, folder, today)]


def _flood(size: Size, folder: Path, today: date) -> Figure:
    """How late a risk answer stands in the inbox when everything comes at once."""
    episodes = list(range(FLOODED * size.latency_posts))
    with server("both", folder / "latency-flood") as child:
        port, headers = child.told["port"], authorized(child)
        for weeks in (3, 2):
            load(port, mild(headers, episodes, today, weeks), connections=4)
        child.ask(do="settle")
        posts = [body(n, today, 0, SEVERE if n % ONE_IN else AT_RISK) for n in episodes]
        flood = load(
            port,
            [request("POST", "/v1/measures", headers, post) for post in posts],
            connections=CONNECTIONS,
        )
        risky = episodes[::ONE_IN]
        risks = _delays(child, risky, [flood.done[n] for n in risky], RISK)
        others = _delays(child, episodes, flood.done)
    facts = {
        "posts": len(episodes),
        "posts_a_second": round(flood.rate),
        "risk_answers": len(risky),
        "note": f"of {len(risky)} among {len(episodes):,} posts at {flood.rate:.0f}/s",
        "baseline_is": "the other alerts of the same flood",
    }
    return Figure(
        "flood.risk.p99_s",
        percentile(risks, 0.99) / 1000,
        "s",
        percentile(others, 0.99) / 1000,
        facts,
    )


def _stored(size: Size, folder: Path) -> Figure:
    """Bytes of both logs for each measure, alerts and everything else that follows included."""
    logs = [*folder.rglob("log.db"), *folder.rglob("log.db-wal")]
    measures = 3 * size.latency_posts
    facts = {"measures": measures, "goal": "2,500 bytes"}
    return Figure(
        "bytes.per_measure",
        sum(log.stat().st_size for log in logs) / measures,
        "bytes",
        None,
        facts,
    )


def _measured(kind: str, size: Size, folder: Path, today: date) -> list[float]:
    """Milliseconds of every post from its answer to its alert."""
    episodes = list(range(size.latency_posts))
    with server(kind, folder / f"latency-{kind}") as child:
        port, headers = child.told["port"], authorized(child)
        for weeks in (3, 2):
            load(port, mild(headers, episodes, today, weeks), connections=4)
        child.ask(do="settle")
        done = load(
            port,
            [request("POST", "/v1/measures", headers, body(n, today, 0, SEVERE)) for n in episodes],
            connections=CONNECTIONS,
            rate=size.latency_rate,
        ).done
        return _delays(child, episodes, done)


def _delays(
    child: Child, episodes: list[int], done: list[float], channel: str = CHANNEL
) -> list[float]:
    child.ask(do="settle")
    references = [f"E-{number}" for number in episodes]
    visible = child.ask(do="visible", episodes=references, channel=channel)
    missing = [reference for reference in references if not visible.get(reference)]
    if missing:
        raise ServerFailedError(f"{len(missing)} of {len(references)} alerts never came")
    # An alert may stand there before the answer has reached the sender: then it took no time.
    return [
        max(0.0, visible[reference] - answered) * 1000
        for reference, answered in zip(references, done, strict=True)
    ]


def mild(
    headers: dict[str, str], episodes: list[int], today: date, weeks: int
) -> list[dict[str, Any]]:
    """Posts of a mild score for each episode, so many weeks ago, in batches."""
    bodies = [body(number, today, weeks, MILD) for number in episodes]
    batches = [bodies[start : start + 500] for start in range(0, len(bodies), 500)]
    return [request("POST", "/v1/measures/batch", headers, batch) for batch in batches]


def body(number: int, today: date, weeks: int, items: list[int]) -> Any:
    """What is posted of one episode, so many weeks ago."""
    on = today - timedelta(weeks=weeks)
    told = phq9(f"l-{number}-{weeks}", number, 0, items)
    return told | {"administered_at": on.isoformat()}
