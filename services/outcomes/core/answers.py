"""Answers from clinicians that could not take effect yet, kept until they can."""

from dataclasses import dataclass
from typing import ClassVar

from services.outcomes.core.event import Event


@dataclass(frozen=True, kw_only=True)
class AnswerSetAside(Event):
    """A message that this release could not act on, unchanged; its stream is the episode's own."""

    TOPIC: ClassVar[str] = "answers.set_aside"

    episode: str
    raw: str
    error: str


@dataclass(frozen=True, kw_only=True)
class AnswerTaken(Event):
    """An answer set aside before has taken effect."""

    TOPIC: ClassVar[str] = "answers.taken"

    episode: str
    version: int
