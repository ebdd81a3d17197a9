"""Which rules speak here: read from the log itself, so that no view can be behind on it."""

import threading
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any
from uuid import UUID

from services.alerts.core import rule as core
from services.alerts.core.person import Person
from services.alerts.core.rule import Rule, RuleEvent, RuleReinstated, RuleRetired
from services.alerts.writing import RefusedError
from services.chassis.clock import Clock
from services.chassis.eventlog import EventLog
from services.chassis.group_commit import GroupCommit
from services.chassis.ids import Ids
from services.chassis.news import News

TOPICS = frozenset({RuleRetired.TOPIC, RuleReinstated.TOPIC})


class Rules:
    """Every channel's standing, and the switch."""

    def __init__(
        self, log: EventLog, commit: GroupCommit, ids: Ids, owner: UUID, clock: Clock
    ) -> None:
        """Follow `log`, write through `commit`, sealed for `owner`, the service itself."""
        self._owner = owner
        self._log, self._commit, self._ids, self._clock = log, commit, ids, clock
        self._lock = threading.Lock()
        self._news = News(log, TOPICS)
        self._known: Mapping[str, Rule] = MappingProxyType({})

    def all(self) -> Mapping[str, Rule]:
        """Channel to its standing, for those about which anything was decided.

        Raises:
            services.chassis.faults.StoreError: the log could not be read.
        """
        with self._lock:
            events = [one for one in self._news.take() if isinstance(one, RuleEvent)]
            if events:
                known = dict(self._known)
                for event in events:
                    before = known.get(event.channel, Rule(event.channel))
                    known[event.channel] = core.evolve(before, event)
                self._known = MappingProxyType(known)
            return self._known

    def retired(self) -> frozenset[str]:
        """The channels that are retired now."""
        return frozenset(channel for channel, one in self.all().items() if one.retired)

    def retire(self, person: Person, channel: str, why: str) -> int:
        """Let a channel raise no prompt and no review any more; the position of that in the log.

        Raises:
            RefusedError: it cannot be retired, or no reason is given.
        """
        return self._turn(person, channel, RuleRetired, why)

    def reinstate(self, person: Person, channel: str, why: str) -> int:
        """Let a channel speak again, of what it finds from now on."""
        return self._turn(person, channel, RuleReinstated, why)

    def _turn(self, person: Person, channel: str, kind: type[RuleEvent], why: str) -> int:
        id_ = self._ids.derive("rule", channel)

        def unit(
            read: Callable[[UUID], list[Any]] | None,
        ) -> tuple[list[RuleEvent], None]:
            state = core.fold(channel, (read or self._log.read)(id_))
            try:
                events = core.decide(
                    state, kind, (person.id, person.name), why,
                    originator_id=id_,
                    timestamp=self._clock.now(),
                    owner=self._owner,
                )  # fmt: skip
            except core.RuleRefusedError as refused:
                raise RefusedError(str(refused)) from None
            return events, None

        return self._commit.commit(unit).position
