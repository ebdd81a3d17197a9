"""What the pages ask of the service behind them: reading, commands, sign-in and its own state."""

from collections.abc import Callable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Protocol
from uuid import UUID
from zoneinfo import ZoneInfo

from schemas.approaches import Approaches
from services.alerts.core.caseload import Statistics
from services.alerts.core.lens import Lens
from services.alerts.core.pattern import Patterns
from services.alerts.core.person import Person
from services.alerts.core.pivot import Elsewhere, Pivot
from services.alerts.views.calibration import Calibration
from services.alerts.views.clients import ClientLine
from services.alerts.views.course import EpisodePage
from services.alerts.views.inbox_rows import InboxPage, RiskPath
from services.alerts.views.journal import OwnPart
from services.alerts.views.ledger import Ledger
from services.alerts.views.quality import RuleFigures
from services.alerts.views.reminders import Reminders
from services.alerts.views.supervision import SupervisionPage
from services.alerts.views.training import Gap, Training
from services.alerts.writing import ReflectionForm


@dataclass(frozen=True, slots=True)
class Freshness:
    """Whether what the pages show is whole and new."""

    built: bool
    """False until the views have caught up once: an unbuilt inbox must not look empty."""
    behind_s: float
    """Age of the oldest event that the views have not taken in; 0 when they have all."""


@dataclass(frozen=True, slots=True)
class Loop:
    """One follower or timer, for those who keep the service running."""

    name: str
    alive: bool
    heartbeat_s: float
    """Seconds since it last came round."""
    behind: int
    """Entries not yet taken in."""
    oldest_s: float
    """Age of the oldest of these."""


@dataclass(frozen=True, slots=True)
class Operations:
    """The state of the service without any client in it."""

    loops: Sequence[Loop]
    parked: Sequence[tuple[str, int]]
    """Reader and how many episodes are parked there."""
    counts: Sequence[tuple[str, int]]
    """Further figures, by name."""
    clock_stopped: str | None
    """Why timers stand still, None when they run."""


class Reading(Protocol):
    """The read models, as one person may see them."""

    def inbox(self, person: Person) -> InboxPage:
        """The person's inbox."""
        ...

    def clients(self, person: Person) -> Sequence[ClientLine]:
        """Every course that the person may see, also those without a row in the inbox."""
        ...

    def episode(self, person: Person, episode: UUID) -> EpisodePage:
        """One episode.

        Raises:
            services.alerts.desk.NotYoursError: unknown, or not this person's.
        """
        ...

    def ledger(self, person: Person) -> Ledger:
        """What the person noted as unknown, by reason."""
        ...

    def journal(self, person: Person) -> Sequence[dict[str, Any]]:
        """The person's own entries, newest first: {on, at, episode, text}."""
        ...

    def own_parts(self, person: Person) -> Sequence[OwnPart]:
        """The person's own parts in their reflections, newest first."""
        ...

    def said(self, person: Person, episode: UUID) -> Sequence[dict[str, str]]:
        """What the client said to this person, newest first: {on, at, view, preference, ...}."""
        ...

    def gaps(self, person: Person) -> Sequence[Gap]:
        """What the person's reflections found lacking in their toolkit."""
        ...

    def training(self, person: Person) -> Training:
        """What those whom the person supervises would like to learn, as counts."""
        ...

    def reminders(self, person: Person) -> Reminders:
        """What the person may come back to, and what is still unknown where."""
        ...

    def rhythm(self, person: Person, episode: UUID | None = None) -> dict[str, Any] | None:
        """How often they mean to reflect on a course, or on any: {weeks, next_on, due}."""
        ...

    def calibration(self, person: Person) -> Calibration:
        """The person's own calibration."""
        ...

    def statistics(self, instrument: str | None) -> Statistics | None:
        """What the caseload's endings say of an instrument; None while nothing is known."""
        ...

    def effects(self) -> list[Statistics]:
        """What followed pivots, by instrument; none before that is known."""
        ...

    def risk_path(self) -> RiskPath:
        """Whether risk answers arrive."""
        ...

    def freshness(self) -> Freshness:
        """How far the views are."""
        ...

    def operations(self) -> Operations:
        """What the operators look at."""
        ...

    def wait(self, position: int, timeout: float) -> bool:
        """Wait until the views show this position of the log; False when time ran out."""
        ...


class Learning(Protocol):
    """`services.alerts.views.patterns.Lessons`: what courses teach together."""

    def scopes(self, person: Person, now: datetime) -> tuple[str, ...]:
        """Whose courses there are to look across: `own`, `team`, both or none."""
        ...

    def patterns(self, person: Person, scope: str, now: datetime) -> Patterns:
        """The patterns in a scope's failures."""
        ...

    def pivots(self, person: Person, scope: str, now: datetime) -> tuple[list[Pivot], Elsewhere]:
        """The pivots of a scope, and what others here came to, without any client."""
        ...


class Figures(Protocol):
    """`services.alerts.views.quality.Quality`: how rules fare, with no client in it."""

    def figures(self, now: datetime) -> list[RuleFigures]:
        """The figures of every rule, in the order of the inbox."""
        ...


class Switch(Protocol):
    """`services.alerts.rules.Rules`: which rules speak here."""

    def retire(self, person: Person, channel: str, why: str) -> int:
        """Let a channel raise no prompt and no review any more.

        Raises:
            services.alerts.writing.RefusedError: it cannot be retired, or no reason is given.
        """
        ...

    def reinstate(self, person: Person, channel: str, why: str) -> int:
        """Let it speak again."""
        ...


class Supervising(Protocol):
    """`services.alerts.views.supervision.Supervision`: what lies ready for supervision."""

    def page(self, person: Person, now: datetime) -> SupervisionPage:
        """Of the team where one is supervised, else of the person's own courses."""
        ...


class Commands(Protocol):
    """`services.alerts.desk.Desk`: each returns the position at which its effect stands."""

    def seen(self, person: Person, episode: UUID) -> int: ...  # noqa: D102
    def acknowledge(  # noqa: D102
        self, person: Person, episode: UUID, alert: UUID, done: str, note: str = "", to: str = ""
    ) -> int: ...
    def snooze(  # noqa: D102
        self, person: Person, episode: UUID, alert: UUID, until: date | None
    ) -> int: ...
    def dismiss(self, person: Person, episode: UUID, alert: UUID, reason: str) -> int: ...  # noqa: D102
    def reflect(  # noqa: D102
        self, person: Person, episode: UUID, form: ReflectionForm
    ) -> tuple[UUID, int]: ...
    def journal(self, person: Person, text: str, episode: UUID | None = None) -> int: ...  # noqa: D102
    def revise(  # noqa: D102
        self, person: Person, episode: UUID, reflection: UUID, form: ReflectionForm
    ) -> int: ...
    def find_out(  # noqa: D102
        self, person: Person, episode: UUID, reflection: UUID, unknown: str, how: str
    ) -> int: ...


class Setting(Protocol):
    """`services.alerts.own.Own`: what a person sets for themselves."""

    def every(self, person: Person, episode: UUID | None, weeks: int) -> int: ...  # noqa: D102
    def toolkit(  # noqa: D102
        self,
        person: Person,
        trained: AbstractSet[str],
        wishes: AbstractSet[str],
        shared: AbstractSet[str],
    ) -> int: ...


class Shared(Protocol):
    """`services.alerts.together.Together`: what is done with the client."""

    def said(  # noqa: D102
        self, person: Person, episode: UUID, view: str, preference: str, unnoticed: str
    ) -> int: ...


class Entrance(Protocol):
    """Sign-in links and web sessions, as `services.alerts.signin.SignIn` keeps them."""

    def redeem(self, token: str, /) -> Person | None:
        """Use a single-use link up; whose it was, None when it is not valid."""
        ...

    def open_session(self, person: Person, /) -> str:
        """The secret of a new session."""
        ...

    def session(self, token: str, /) -> Person | None:
        """Who is signed in, None when the session has ended or was idle too long."""
        ...

    def close_session(self, token: str, /) -> None:
        """Sign out."""
        ...


@dataclass(frozen=True, slots=True)
class House:
    """All of it together with the installation's facts, as wiring hands it to the pages."""

    reading: Reading
    commands: Commands
    entrance: Entrance
    own: Setting
    together: Shared
    lessons: Learning
    quality: Figures
    rules: Switch
    supervision: Supervising
    now: Callable[[], datetime]
    """The present moment, aware, in UTC."""
    zone: ZoneInfo
    lenses: tuple[Lens, ...]
    approaches: Approaches
    """Offered beside the person's own toolkit."""
    risk_policy: str | None
    """Where the local policy for risk answers stands; None: policy, contact or backup is not set,
    and every page says so."""
    contact: str = ""
    """Whom to call about this service."""

    def today(self) -> date:
        """The installation's day."""
        return self.now().astimezone(self.zone).date()
