"""The made-up clinicians at work: they read their real inboxes and answer through the real desk."""

from datetime import datetime
from random import Random
from uuid import UUID

from services.alerts.desk import ReflectionForm, Unknown
from services.alerts.views.inbox import InboxRow
from simulation.clinic import CLINICIANS, Client, Clinic
from simulation.clinicians import RISK, Done, Reflection, answers, decides, due
from simulation.stage import Stage


class Crew:
    """Everybody who works in the clinic."""

    def __init__(self, stage: Stage, made: Clinic, seed: int) -> None:
        """Work on `stage` for the clients of `made`; the same seed answers alike."""
        self._stage = stage
        self._clients = {client.client: client for client in made.clients}
        self._made = made
        self._random = {name: Random(f"{seed}/{name}") for name in CLINICIANS.values()}
        self._reflections = dict.fromkeys(CLINICIANS.values(), 0)
        self.read: dict[str, str] = {}
        """Alert to what stood in the inbox when somebody reflected on it."""

    def work(self, day: int) -> None:
        """One morning of everybody's: read the inbox, answer what has lain there long enough."""
        if self._made.on(day).weekday() >= 5:
            return
        for name in CLINICIANS.values():
            for row in self._stage.inbox(name):
                self._answer(name, row, day)

    def _answer(self, name: str, row: InboxRow, day: int) -> None:
        client = self._clients.get(row.client)
        if client is None:
            return
        lines = [
            line
            for line in (row.main, *row.others)
            if line.channel == RISK or due(self._day(line.raised_at), day)
        ]
        today = self._made.on(day)
        decision = decides(self._reflections[name], client.pivoted, day)
        for done in answers(
            lines, self._random[name], today, client.approach_now or client.approach, decision
        ):
            self._do(name, client, row, done, day)

    def _do(self, name: str, client: Client, row: InboxRow, done: Done, day: int) -> None:
        person, desk = self._stage.person(name), self._stage.desk
        episode, alert = UUID(row.episode), UUID(done.alert)
        if done.answer == "acknowledge":
            desk.acknowledge(person, episode, alert, done.words)
        elif done.answer == "dismiss":
            desk.dismiss(person, episode, alert, done.words)
        elif done.answer == "snooze":
            desk.snooze(person, episode, alert, None)
        elif done.reflection is not None:
            lines = [line for line in (row.main, *row.others) if line.tier == "prompt"]
            answered = tuple(line.alert for line in lines if line.channel != RISK)
            desk.reflect(person, episode, _form(done.reflection, answered))
            self._reflections[name] += 1
            self.read |= {line.alert: line.sentence for line in lines}
            if done.reflection.decision == "pivot":
                client.pivot(day)
                client.approach_now = done.reflection.approach

    def _day(self, moment: str) -> int:
        return (datetime.fromisoformat(moment).date() - self._made.start).days


def _form(reflection: Reflection, answered: tuple[str, ...]) -> ReflectionForm:
    return ReflectionForm(
        decision=reflection.decision,
        reason=reflection.reason,
        expectation=reflection.expectation,
        assumption=reflection.assumption,
        unknowns=tuple(Unknown(what=what, why=why) for what, why in reflection.unknowns),
        client_view=reflection.client_view,
        pattern=reflection.pattern,
        approach=reflection.approach,
        review_on=reflection.review_on,
        confidence=reflection.confidence,
        lenses=reflection.lenses,
        shared=("expectation", "assumption"),
        answers=answered,
    )
