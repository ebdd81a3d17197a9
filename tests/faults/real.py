"""Who works at a clinic on PostgreSQL and Kafka, and when everything told there has settled."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace

from schemas import topics
from services.alerts import settings as alerts_settings
from services.alerts.relay import AnswersRelay
from services.alerts.wiring import Alerts
from services.chassis.clock import Clock, SystemClock
from services.chassis.reader import Reader
from services.chassis.transport.embedded import EmbeddedTransport
from services.chassis.transport.kafka.topics import create_topics, unread
from services.outcomes import settings as outcomes_settings
from services.outcomes.relay import Relay, RiskRelay
from services.outcomes.wiring import Outcomes
from tests.faults.auditor import audit, opened
from tests.faults.clinician import Clinician
from tests.faults.crowd import Crowd, crowd
from tests.faults.house import LIND, House
from tests.faults.load import CLINICIAN
from tests.journey.real_parts import Clinic, until

CLOCK: Clock = SystemClock()
TAKEN, GIVEN = (topics.EPISODES, topics.RISK), (topics.ANSWERS,)
"""What the alerts service reads, and what it sends back."""
SETTLED_WITHIN = 300.0
LOOK = 0.3
"""Seconds between looks at who is behind: each asks for every reader's position."""
PATIENT_S = 60.0
"""Seconds for a request of the auditor's own to a broker that may just have come back."""
PAUSE = 0.1
"""Seconds that each sender waits between calls, so that four processes have the machine too."""


class RealHouse:
    """A clinic whose four processes run, a sender, and a clinician who is signed in."""

    def __init__(self, clinic: Clinic, pause: float = PAUSE) -> None:
        """Make its tables, topics and people; start its processes.

        Each sender will wait `pause` seconds between calls.
        """
        self.clinic, self.today = clinic, CLOCK.now().date()
        token, invitation = _prepared(clinic.environment)
        clinic.start_all()
        self._house = House(clinic.folder, token, "")
        self.person = Clinician(lambda: clinic.url("alerts"), 1, self.today)
        assert self.person.browser.sign_in(invitation).status == 200
        self.all = Crowd()
        self._seeds, self._pause = 0, pause

    @contextmanager
    def busy(self) -> Iterator[Crowd]:
        """Let everybody work for the length of a block; further courses each time."""
        self._seeds += 10
        with crowd(
            self._house,
            lambda: self.clinic,
            self.person,
            self.today,
            self.all,
            self._seeds,
            self._pause,
        ) as all_:
            yield all_
        assert all_.failed == []

    def faults(self) -> list[str]:
        """What the auditor says once all has settled."""
        environment = self.clinic.environment
        settle(environment)
        told = self.all.record.all()
        return audit(environment, told, clinician=LIND, answered=self.person.recorded)


def _prepared(environment: Mapping[str, str]) -> tuple[str, str]:
    """Make tables, topics and people; the sender's token and the clinician's way in."""
    outcomes = Outcomes.open(outcomes_settings.load(environment), CLOCK)
    token, kafka = outcomes.senders.add("ehr"), outcomes.settings.kafka
    outcomes.stop()
    assert kafka is not None
    create_topics(kafka, topics.ALL, compacted=topics.COMPACTED)
    alerts = Alerts.open(alerts_settings.load(environment), CLOCK)
    for name in (LIND, "bea"):
        alerts.register.add(name, "clinician")
    alerts.register.link(LIND, "ehr", CLINICIAN)
    invitation = f"/signin/{alerts.signin.invite(LIND)}"
    alerts.stop()
    return token, invitation


def settle(environment: Mapping[str, str], within: float = SETTLED_WITHIN) -> None:
    """Wait until every reader of both services has taken all there is."""
    with opened(environment, CLOCK) as (outcomes, alerts):
        kafka = outcomes.settings.kafka
        assert kafka is not None
        kafka = replace(kafka, request_s=PATIENT_S)  # whoever audits has no deadline to show
        last: list[str] = []
        ours, theirs = _readers(outcomes), _readers(alerts)  # each with a handle on its log

        def settled() -> bool:
            before = outcomes.log.head(), alerts.log.head()
            last[:] = _waiting(outcomes, ours) + _waiting(alerts, theirs)
            with unread(kafka) as count:
                last.extend(one for one in TAKEN if count(one, alerts.log.position))
                last.extend(one for one in GIVEN if count(one, outcomes.log.position))
            if before != (outcomes.log.head(), alerts.log.head()):
                last.append("something still came")
            return not last

        try:
            until(settled, "all has settled", within, LOOK)
        except AssertionError:
            raise AssertionError(f"these did not catch up: {last}") from None


def _waiting(service: Outcomes | Alerts, readers: Sequence[Reader]) -> list[str]:
    return [one.name for one in readers if service.log.waiting(one.position(), one.topics)]


def _readers(service: Outcomes | Alerts) -> list[Reader]:
    nowhere, store = EmbeddedTransport(), service.store
    readers: list[Reader] = [store.views.reader(view) for view in service.views]
    if isinstance(service, Outcomes):
        readers += [Relay(service.log, nowhere), RiskRelay(service.log, nowhere)]
        readers.append(service.detector())
    else:
        readers.append(AnswersRelay(service.log, nowhere))
    return readers
