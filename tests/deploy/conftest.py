"""Both services at work on a course that gets worse, for what is asked of their live metrics."""

from collections.abc import Iterator
from urllib.request import urlopen

import pytest

from services.chassis.clock import SystemClock
from services.embedded import Embedded
from tests.faults import courses
from tests.faults.house import prepared, running, settle


@pytest.fixture(scope="session")
def both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Embedded]:
    """Both services in this process, each with its own port and its own metrics."""
    clock = SystemClock()
    house = prepared(tmp_path_factory.mktemp("watched"), clock)
    with running(house, clock) as (one, ehr):
        courses.worsening(ehr, "K-1", clock.now().date())
        one.outcomes.beat()
        settle(one)
        yield one


@pytest.fixture(scope="session")
def exposed(both: Embedded) -> dict[str, str]:
    """Job to what its service answers at /metrics."""
    return {job: metrics_at(url) for job, url in urls(both).items()}


def urls(both: Embedded) -> dict[str, str]:
    """Job to address, as prometheus.yml calls them."""
    return {"outcomes": both.door.url, "alerts": both.pages.url}


def metrics_at(url: str) -> str:
    with urlopen(f"{url}/metrics", timeout=30) as answer:
        text: str = answer.read().decode()
    return text
