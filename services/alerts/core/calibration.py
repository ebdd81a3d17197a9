"""Calibration: how far stated confidence agrees with what came, for whoever stated it.

Brier, G. W. (1950), Monthly Weather Review 78, 1-3. Wilson, E. B. (1927), JASA 22, 209-212.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import sqrt

EDGES = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)
"""Ends of the bins of the picture; the last takes 1."""
Z95 = 1.959964
ENOUGH = 10
"""Resolved pairs from which a difference is told with an interval; below it is too few to tell."""


@dataclass(frozen=True, slots=True)
class Bin:
    """The statements between two confidences."""

    low: float
    high: float
    count: int
    mean: float
    """Mean confidence stated."""
    worked: int
    share_low: float
    share_high: float
    """Wilson's 95 % interval of the share that worked."""

    @property
    def share(self) -> float:
        """The share that worked."""
        return self.worked / self.count


@dataclass(frozen=True, slots=True)
class Score:
    """How well statements agreed with what came."""

    count: int
    brier: float
    """Mean squared distance of what was said from what came: 0 at best, 1 at worst."""
    mean: float
    """Mean confidence stated."""
    worked: int


@dataclass(frozen=True, slots=True)
class Difference:
    """Mean difference of two Brier scores over the same events, with its 95 % interval."""

    count: int
    mean: float
    low: float
    high: float


Stated = tuple[float, bool]
"""Confidence from 0 to 1, and whether it worked."""


def bins(stated: Sequence[Stated]) -> tuple[Bin, ...]:
    """The statements by confidence; bins without any are left out."""
    found = []
    for low, high in pairwise(EDGES):
        inside = [
            (said, came)
            for said, came in stated
            if low <= said < high or (said == high == EDGES[-1])
        ]
        if inside:
            worked = sum(came for _, came in inside)
            interval = wilson(worked, len(inside))
            mean = sum(said for said, _ in inside) / len(inside)
            found.append(Bin(low, high, len(inside), mean, worked, *interval))
    return tuple(found)


def score(stated: Sequence[Stated]) -> Score | None:
    """The Brier score; None without statements."""
    if not stated:
        return None
    count = len(stated)
    return Score(
        count=count,
        brier=sum((said - came) ** 2 for said, came in stated) / count,
        mean=sum(said for said, _ in stated) / count,
        worked=sum(came for _, came in stated),
    )


def difference(
    own: Sequence[float], other: Sequence[float], came: Sequence[bool]
) -> Difference | None:
    """Own Brier score minus another's over the same events; None where they are too few."""
    each = [
        (mine - it) ** 2 - (theirs - it) ** 2
        for mine, theirs, it in zip(own, other, came, strict=True)
    ]
    count = len(each)
    if count < ENOUGH:
        return None
    mean = sum(each) / count
    variance = sum((one - mean) ** 2 for one in each) / (count - 1)
    half = Z95 * sqrt(variance / count)
    return Difference(count, mean, mean - half, mean + half)


def wilson(hits: int, count: int, z: float = Z95) -> tuple[float, float]:
    """Wilson's interval of a share."""
    share = hits / count
    middle = (share + z * z / (2 * count)) / (1 + z * z / count)
    half = z / (1 + z * z / count) * sqrt(share * (1 - share) / count + z * z / (4 * count * count))
    return max(0.0, middle - half), min(1.0, middle + half)
