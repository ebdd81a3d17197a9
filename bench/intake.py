"""How many measures a second are taken in durably, beside the library and beside no store."""

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import orjson

from bench.figures import Figure, percentile
from bench.process import Child, Loaded, load, server
from bench.real import Real
from bench.size import Size

CONNECTIONS = 32
EPISODES = 200
FIRST_DAY = date(2025, 1, 6)


def figures(size: Size, folder: Path, real: Real | None) -> list[Figure]:
    """`limit.http`, `intake.sqlite` and `intake.postgresql`."""
    limit = _measured("limit", size, folder / "intake-limit")
    facts = {"connections": CONNECTIONS, "requests": size.posts}
    rows = [Figure("limit.http", limit.rate, "measures/s", None, facts)]
    rows.append(_row("intake.sqlite", size, folder / "intake", limit, ".75 of limit.http"))
    if real is not None:
        where = folder / "intake-postgresql"
        stores = real.database("library_intake"), real.database("intake")
        goal = ".40 of limit.http"
        rows.append(_row("intake.postgresql", size, where, limit, goal, stores))
    return rows


def _row(
    name: str,
    size: Size,
    folder: Path,
    limit: Loaded,
    goal: str,
    stores: tuple[str, str] = ("", ""),
) -> Figure:
    library = _measured("library", size, folder / "library", stores[0])
    ours = _measured("door", size, folder / "door", stores[1])
    settings = {
        "connections": CONNECTIONS,
        "requests": size.posts,
        "p50_ms": round(percentile(ours.milliseconds, 0.50), 1),
        "p99_ms": round(percentile(ours.milliseconds, 0.99), 1),
        "of_limit": round(ours.rate / limit.rate, 2),
        "baseline_is": "one commit a request through the library",
        "goal": goal,
    }
    return Figure(name, ours.rate, "measures/s", library.rate, settings)


def _measured(kind: str, size: Size, folder: Path, store: str = "") -> Loaded:
    with server(kind, folder, store) as child:
        port, headers = child.told["port"], authorized(child)
        load(port, _episodes(headers), connections=8)
        load(port, _posts("warm", size.warm, headers), connections=CONNECTIONS)
        return load(port, _posts("m", size.posts, headers), connections=CONNECTIONS)


def authorized(child: Child) -> dict[str, str]:
    """The header of a sender."""
    return {"Authorization": f"Bearer {child.told['token']}"}


def _episodes(headers: dict[str, str]) -> list[dict[str, Any]]:
    return [
        request(
            "PUT",
            f"/v1/episodes/E-{number}",
            headers,
            {
                "client": f"K-{number}",
                "clinician": f"T-{number % 40}",
                "opened_on": FIRST_DAY.isoformat(),
            },
        )
        for number in range(EPISODES)
    ]


def _posts(name: str, count: int, headers: dict[str, str]) -> list[dict[str, Any]]:
    return [
        request("POST", "/v1/measures", headers, phq9(f"{name}-{n}", n % EPISODES, n // EPISODES))
        for n in range(count)
    ]


def phq9(external_id: str, episode: int, week: int, items: list[int] | None = None) -> Any:
    """The body of one PHQ-9 with items."""
    return {
        "external_id": external_id,
        "client": f"K-{episode}",
        "episode": f"E-{episode}",
        "instrument": "phq-9",
        "administered_at": (FIRST_DAY + timedelta(days=week)).isoformat(),
        "clinician": f"T-{episode % 40}",
        "items": items or [2, 2, 1, 2, 1, (episode + week) % 4, 2, 1, 0],
    }


def request(method: str, path: str, headers: dict[str, str], body: Any = None) -> dict[str, Any]:
    """One request of a plan for `bench.load`."""
    text = "" if body is None else orjson.dumps(body).decode()
    return {"method": method, "path": path, "headers": headers, "body": text}
