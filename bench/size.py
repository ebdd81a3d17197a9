"""How much a run of the bench does: enough for figures, or just enough to see that it works."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Size:
    """Counts; seconds follow from them."""

    warm: int
    posts: int
    rows: int
    """Rows of a clinic's history."""
    episodes: int
    """Episodes of the detector's log, each with ten measures."""
    library_events: int
    clients: int
    """Clients stored while pages are measured."""
    real_clients: int
    """Clients in PostgreSQL while its views are built anew."""
    million: int
    """Clients whose messages make a million events; 0: fewer events are scaled."""
    one_by_one: int
    """Messages of the views' baseline."""
    alone: int
    """Messages of the baseline that hands each over by itself."""
    latency_posts: int
    latency_rate: float
    page_requests: int
    folded: int
    """Measures that the benchmark of rules judges."""


FULL = Size(
    warm=400,
    posts=8_000,
    rows=20_000,
    episodes=600,
    library_events=1_500,
    clients=10_000,
    real_clients=3_000,
    million=0,
    one_by_one=150,
    alone=300,
    latency_posts=400,
    latency_rate=50.0,
    page_requests=300,
    folded=1_000_000,
)
QUICK = Size(
    warm=50,
    posts=300,
    rows=400,
    episodes=30,
    library_events=200,
    clients=200,
    real_clients=60,
    million=0,
    one_by_one=40,
    alone=50,
    latency_posts=40,
    latency_rate=20.0,
    page_requests=30,
    folded=20_000,
)
