"""Who may sign in, whose courses are theirs, and who is told when they cannot be reached."""

import re
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from services.alerts.core import person as core
from services.alerts.core.event import Event
from services.alerts.core.person import Person, PersonRefusedError
from services.chassis.clock import Clock
from services.chassis.eventlog import EventLog
from services.chassis.group_commit import GroupCommit
from services.chassis.ids import Ids
from services.chassis.news import News

_ADDRESS = re.compile(r"[^@\s<>,;:\"()\[\]]{1,64}@[A-Za-z0-9.-]{1,253}")
"""One plain address: nothing that could add a header or a second recipient."""
WRITING = frozenset({"own", "cover"})
"""Kinds of access in which a person answers and writes: the clinician, or who stands in."""
READING = WRITING | {"unassigned"}
"""Kinds of access in which to open a page means that it was read by whom it is for."""
TOPICS = frozenset(
    kind.TOPIC
    for kind in (
        core.PersonAdded, core.PersonLinked, core.SupervisionGiven, core.TeamJoined,
        core.CoverArranged, core.WentAway, core.CameBack, core.ToolkitStated, core.MailStated,
        core.WishesStated,
        core.PersonDisabled,
    )
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Caseload:
    """Whose courses a person may see, as keyed hashes of (sender, clinician reference)."""

    own: frozenset[str] = frozenset()
    covered: frozenset[str] = frozenset()
    supervised: frozenset[str] = frozenset()
    reachable: frozenset[str] = frozenset()
    """Those of everybody who is in reach, or covered by somebody who is."""
    backup: bool = False
    """Whether this person is told when nobody else can be."""

    def access(self, clinician_hash: str | None, told_backup: bool) -> str | None:
        """Why this person may see a course: own, cover, supervise, unassigned, backup; or None."""
        if clinician_hash in self.own:
            return "own"
        if clinician_hash in self.covered:
            return "cover"
        if clinician_hash in self.supervised:
            return "supervise"
        if not self.backup:
            return None
        if clinician_hash not in self.reachable:
            return "unassigned"
        return "backup" if told_backup else None


@dataclass(frozen=True, slots=True)
class People:
    """Everybody, at one moment."""

    persons: Mapping[UUID, Person] = field(default_factory=dict)
    hashes: Mapping[UUID, frozenset[str]] = field(default_factory=dict)
    backup_names: tuple[str, ...] = ()

    def named(self, name: str) -> Person | None:
        """The person of that name."""
        return next((one for one in self.persons.values() if one.name == name), None)

    def backups(self) -> list[Person]:
        """Who is told when nobody else can be: those named in the settings, else supervisors."""
        active = [one for one in self.persons.values() if not one.disabled]
        named = [one for one in active if one.name in self.backup_names]
        return named or [one for one in active if one.role == "supervisor"]

    def clinician(self, clinician_hash: str | None) -> Person | None:
        """Whom a clinician's reference is linked to."""
        if clinician_hash is None:
            return None
        linked = [one for one in self.persons.values() if clinician_hash in self.hashes[one.id]]
        return next((one for one in linked if not one.disabled), linked[0] if linked else None)

    def unreachable(self, clinician_hash: str | None, now: datetime) -> str | None:
        """Why a finding would not be read by the course's clinician; None when it would."""
        if clinician_hash is None:
            return "no clinician is named"
        person = self.clinician(clinician_hash)
        if person is None:
            return "the clinician is not linked to anybody here"
        if person.disabled:
            return "the clinician does not work here any more"
        return "the clinician is away" if person.is_away(now) else None

    def deputy(self, person: Person, now: datetime) -> Person | None:
        """Who stands in for somebody who is away now, when that one is in reach."""
        if not person.is_away(now) or person.covered_by is None:
            return None
        other = self.persons.get(UUID(person.covered_by))
        return other if other is not None and other.is_present(now) else None

    def supervisors(self, person: Person) -> list[Person]:
        """Who supervises somebody, directly or as supervisor of the same team."""
        return [
            one
            for one in self.persons.values()
            if not one.disabled and one.id != person.id and self._supervises(one, person)
        ]

    def supervised(self, person: Person) -> list[Person]:
        """Whom somebody supervises, directly or as supervisor of the same team."""
        return [
            one
            for one in self.persons.values()
            if not one.disabled and one.id != person.id and self._supervises(person, one)
        ]

    def caseload(self, person: Person, now: datetime) -> Caseload:
        """Whose courses this person may see at this moment; none for ops."""
        if person.disabled or person.role == "ops":
            return Caseload()
        covered, supervised, reachable = set[str](), set[str](), set[str]()
        for one in self.persons.values():
            deputy = self.deputy(one, now)
            if deputy is not None and deputy.id == person.id:
                covered |= self.hashes[one.id]
            if one.id != person.id and self._supervises(person, one):
                supervised |= self.hashes[one.id]
            if one.is_present(now) or deputy is not None:
                reachable |= self.hashes[one.id]
        return Caseload(
            own=self.hashes[person.id],
            covered=frozenset(covered),
            supervised=frozenset(supervised),
            reachable=frozenset(reachable),
            backup=any(one.id == person.id for one in self.backups()),
        )

    def reachable(self, now: datetime) -> frozenset[str]:
        """The hashes of everybody who is in reach, or covered by somebody who is."""
        found: set[str] = set()
        for one in self.persons.values():
            if one.is_present(now) or self.deputy(one, now) is not None:
                found |= self.hashes[one.id]
        return frozenset(found)

    def _supervises(self, supervisor: Person, other: Person) -> bool:
        if other.id.hex in supervisor.supervises:
            return True
        return supervisor.role == "supervisor" and bool(supervisor.teams & other.teams)


def clinician_hash(ids: Ids, sender: str | None, clinician: str | None) -> str | None:
    """The keyed hash under which a clinician's reference stands in clear; None for nobody's."""
    return ids.digest("clinician", sender or "", clinician) if clinician else None


class Directory:
    """Reads everybody from the log itself: no view can be behind when it is asked who is away."""

    def __init__(self, log: EventLog, ids: Ids, backup_names: tuple[str, ...] = ()) -> None:
        """Follow `log`; `backup_names` come from the settings."""
        self._news, self._ids, self._backup_names = News(log, TOPICS), ids, backup_names
        self._lock = threading.Lock()
        self._people = People(backup_names=backup_names)

    def people(self) -> People:
        """Everybody, as of now.

        Raises:
            services.chassis.faults.StoreError: the log could not be read.
        """
        with self._lock:
            events = self._news.take()
            if events:
                persons = dict(self._people.persons)
                for event in events:
                    _take(persons, event)
                hashes = {one.id: self._hashes(one) for one in persons.values()}
                self._people = People(persons, hashes, self._backup_names)
            return self._people

    def hash(self, sender: str | None, clinician: str | None) -> str | None:
        """The keyed hash of a clinician's reference, as views hold it."""
        return clinician_hash(self._ids, sender, clinician)

    def _hashes(self, person: Person) -> frozenset[str]:
        found = (clinician_hash(self._ids, *link) for link in person.links)
        return frozenset(one for one in found if one is not None)


def _take(persons: dict[UUID, Person], event: Any) -> None:
    if not isinstance(event, Event):
        persons.pop(event.originator_id, None)  # erased or damaged: nobody signs in by it
        return
    person = core.evolve(persons.get(event.originator_id), event)
    if person is not None:
        persons[event.originator_id] = person


class Register:
    """The commands about persons; the command line calls them."""

    def __init__(self, log: EventLog, commit: GroupCommit, ids: Ids, clock: Clock) -> None:
        """Read from `log`, write through `commit`."""
        self._log, self._commit, self._ids, self._clock = log, commit, ids, clock

    def add(self, name: str, role: str) -> UUID:
        """Let somebody sign in; the same again changes nothing.

        Raises:
            PersonRefusedError: the role is none, or the name is taken with another role.
        """
        if role not in core.ROLES:
            raise PersonRefusedError("the role is one of " + ", ".join(core.ROLES))
        if not name.strip() or len(name) > 128:
            raise PersonRefusedError("a name has 1 to 128 characters")

        def decide(state: Person | None) -> tuple[type[Event], dict[str, Any]] | None:
            if state is None:
                return core.PersonAdded, {"name": name, "role": role}
            if state.disabled or state.role != role:
                raise PersonRefusedError("that name is taken by another role or a disabled person")
            return None

        return self._write(name, decide)

    def link(self, name: str, sender: str, clinician: str) -> None:
        """Say that a clinician's reference in a sender's system is this person."""

        def decide(state: Person | None) -> tuple[type[Event], dict[str, Any]] | None:
            if (sender, clinician) in core.must_be_active(state).links:
                return None
            return core.PersonLinked, {"sender": sender, "clinician": clinician}

        self._write(name, decide)

    def supervise(self, name: str, clinician: str) -> None:
        """Say that one person supervises another."""
        other = self._id_of(clinician)
        self._simply(name, core.SupervisionGiven, clinician=other.hex)

    def team(self, name: str, team: str) -> None:
        """Put a person into a team."""
        self._simply(name, core.TeamJoined, team=team)

    def cover(self, name: str, by: str | None) -> None:
        """Say who stands in while a person is away; None: nobody."""
        other = self._id_of(by).hex if by else ""
        self._simply(name, core.CoverArranged, by=other)

    def away(self, name: str, since: datetime, until: datetime | None) -> None:
        """Note an absence.

        Raises:
            PersonRefusedError: it ends before it begins.
        """
        if until is not None and until <= since:
            raise PersonRefusedError("an absence ends after it begins")
        end = until.isoformat() if until else None
        self._simply(name, core.WentAway, since=since.isoformat(), until=end)

    def back(self, name: str) -> None:
        """End every absence now."""
        self._simply(name, core.CameBack, on=self._clock.now().isoformat())

    def toolkit(self, name: str, approaches: list[str]) -> None:
        """State the approaches a person is trained in, whole."""
        self._simply(name, core.ToolkitStated, approaches=approaches)

    def mail(self, name: str, address: str) -> None:
        """Say where a person's notices are mailed; empty: nowhere.

        Raises:
            PersonRefusedError: it is no address.
        """
        if address and not _ADDRESS.fullmatch(address):
            raise PersonRefusedError("a mail address has the form name@host")
        self._simply(name, core.MailStated, address=address)

    def disable(self, name: str, reason: str = "") -> None:
        """Let a person sign in no more; their courses go to the backup."""
        self._simply(name, core.PersonDisabled, reason=reason)

    def find(self, name: str) -> Person | None:
        """The person of that name."""
        return core.fold(None, self._log.read(self._ids.derive("person", name)))

    def _id_of(self, name: str) -> UUID:
        return core.must_be_active(self.find(name)).id

    def _simply(self, name: str, kind: type[Event], **fields: Any) -> None:
        def decide(state: Person | None) -> tuple[type[Event], dict[str, Any]] | None:
            core.must_be_active(state)
            return kind, fields

        self._write(name, decide)

    def _write(
        self,
        name: str,
        decide: Callable[[Person | None], tuple[type[Event], dict[str, Any]] | None],
    ) -> UUID:
        id_ = self._ids.derive("person", name)

        def unit(read: Callable[[UUID], list[Any]] | None) -> tuple[list[Event], UUID]:
            state = core.fold(None, (read or self._log.read)(id_))
            decided = decide(state)
            if decided is None:
                return [], id_
            kind, fields = decided
            event = kind(
                originator_id=id_,
                originator_version=(state.version if state else 0) + 1,
                timestamp=self._clock.now(),
                owner=id_,
                **fields,
            )
            return [event], id_

        return self._commit.submit(unit)
