"""How much a run of the bench does: enough for figures, or just enough to see that it works."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Size:
    """Counts; seconds follow from them."""

    warm: int
    posts: int
    episodes: int
    """Episodes of the detector's log, each with ten measures."""
    library_events: int
    clients: int
    """Clients stored while pages are measured."""
    one_by_one: int
    """Messages of the views' baseline."""
    latency_posts: int
    latency_rate: float
    page_requests: int
    folded: int
    """Measures that the benchmark of rules judges."""


FULL = Size(
    warm=400,
    posts=8_000,
    episodes=600,
    library_events=1_500,
    clients=10_000,
    one_by_one=150,
    latency_posts=400,
    latency_rate=50.0,
    page_requests=300,
    folded=1_000_000,
)
QUICK = Size(
    warm=50,
    posts=300,
    episodes=30,
    library_events=200,
    clients=200,
    one_by_one=40,
    latency_posts=40,
    latency_rate=20.0,
    page_requests=30,
    folded=20_000,
)
