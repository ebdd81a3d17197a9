"""Answers to the items of a questionnaire that add up to a score: what a made-up client ticks."""

from collections.abc import Sequence
from random import Random

PHQ9_ITEMS = 9
GAD7_ITEMS = 7
ITEM_MAXIMUM = 3


def answers(random: Random, score: int, count: int) -> list[int]:
    """`count` answers from 0 to 3 that add up to `score`.

    Raises:
        ValueError: the score is beyond what so many items can add up to.
    """
    if not 0 <= score <= count * ITEM_MAXIMUM:
        raise ValueError(f"{count} items cannot add up to {score}")
    given = [0] * count
    for _ in range(score):
        given[random.choice([i for i, answer in enumerate(given) if answer < ITEM_MAXIMUM])] += 1
    return given


def phq9_answers(random: Random, score: int, item_9: int) -> list[int]:
    """Nine answers that add up to `score`, the last as near to `item_9` as the score allows."""
    others = (PHQ9_ITEMS - 1) * ITEM_MAXIMUM
    last = min(max(item_9, score - others), score, ITEM_MAXIMUM)
    return [*answers(random, score - last, PHQ9_ITEMS - 1), last]


def slip(given: Sequence[int]) -> list[int]:
    """The same answers with one mistyped by a step, as a person enters them wrongly."""
    mistyped = list(given)
    mistyped[0] = mistyped[0] + 1 if mistyped[0] < ITEM_MAXIMUM else mistyped[0] - 1
    return mistyped
