"""A prepared data folder: who may send, who may sign in, and both services run over it here."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import monotonic, sleep

from services.alerts import settings as alerts_settings
from services.alerts.wiring import Alerts
from services.chassis.clock import Clock
from services.chassis.lock import FileLock
from services.embedded import Embedded
from services.outcomes import settings as outcomes_settings
from services.outcomes.detector import LOOKS_EVERY_S
from services.outcomes.wiring import Outcomes
from tests.faults.ehr import Ehr
from tests.faults.load import CLINICIAN

LIND = "lind"
"""The clinician whom the sender calls by `load.CLINICIAN`."""
COLLEAGUE = "T-2"
PEOPLE = {
    LIND: "clinician",
    "carl": "clinician",
    "bea": "clinician",
    "sam": "supervisor",
    "olga": "ops",
}
"""Carl is the sender's `COLLEAGUE`, Bea the backup, Sam supervises Lind, Olga runs it."""
WITHIN = 180.0


@dataclass(frozen=True, slots=True)
class House:
    """A folder with a sender's token and a clinician's way in."""

    data: Path
    token: str
    invitation: str


def prepared(data: Path, clock: Clock) -> House:
    """A folder with one sender and one clinician, on which nothing runs."""
    outcomes = Outcomes.open(outcomes_settings.of_folder(data), clock)
    token = outcomes.senders.add("ehr")
    outcomes.stop()
    alerts = Alerts.open(alerts_settings.of_folder(data), clock)
    register = alerts.register
    for name, role in PEOPLE.items():
        register.add(name, role)
    register.link(LIND, "ehr", CLINICIAN)
    register.link("carl", "ehr", COLLEAGUE)
    register.supervise("sam", LIND)
    invitation = f"/signin/{alerts.signin.invite(LIND)}"
    alerts.stop()
    return House(data, token, invitation)


@contextmanager
def running(
    house: House,
    clock: Clock,
    outcomes: type[Outcomes] = Outcomes,
    alerts: type[Alerts] = Alerts,
    **more: str,
) -> Iterator[tuple[Embedded, Ehr]]:
    """Both services over the folder, and the sender, for the length of a block.

    `outcomes` and `alerts` may be subclasses with a fault in them; `more` are settings of alerts.
    Heartbeats of the risk path are two minutes apart, so that a test sends them itself.
    """
    lock = FileLock(house.data / "run.lock")
    assert lock.acquire()
    first = outcomes_settings.of_folder(house.data, PORT="0", HEARTBEAT_S="120")
    second = alerts_settings.of_folder(house.data, **{"PORT": "0", "BACKUP": "bea", **more})
    one, other = outcomes.open(first, clock), alerts.open(second, clock)
    with Embedded(house.data, one, other, lock).running() as both:
        ehr = Ehr(lambda: both.outcomes_url, house.token)
        try:
            yield both, ehr
        finally:
            ehr.close()


def catch_up(data: Path, clock: Clock) -> None:
    """Run both services until every reader has taken all there is."""
    with Embedded.open(data, clock, outcomes_port=0, alerts_port=0).running() as both:
        settle(both)
        # What time has changed is looked for now and then, and may be found after all is taken.
        sleep(3 * LOOKS_EVERY_S)
        settle(both)


def settle(both: Embedded, within: float = WITHIN) -> None:
    """Wait until every reader has taken all there is."""
    until(lambda: not both.behind(), within)


def until(true: Callable[[], bool], within: float = WITHIN) -> None:
    """Wait for a condition."""
    deadline = monotonic() + within
    while not true():
        assert monotonic() < deadline, "waited in vain"
        sleep(0.01)
