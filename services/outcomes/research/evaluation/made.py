"""The made-up cohort as courses to judge rules on: its truth is known, and is at the end."""

from collections.abc import Callable, Iterable

from services.outcomes.research.evaluation.courses import Course, Scale
from simulation.cohort import PHQ9_LIKE, cohort

SCALE = Scale(
    mean=PHQ9_LIKE.mean,
    sd=PHQ9_LIKE.sd,
    reliability=PHQ9_LIKE.reliability,
    reliable_change=PHQ9_LIKE.reliable_change,
    cut=PHQ9_LIKE.case,
)


def made(
    seeds: Iterable[int], clients: int, least: int, moved: Callable[[int, int], None]
) -> tuple[list[Course], dict[str, int]]:
    """Courses of several cohorts, and how many were left out and why.

    Args:
        seeds: one cohort for each.
        clients: in each cohort.
        least: measures that a course needs.
        moved: called with (seeds done, of how many).
    """
    found: list[Course] = []
    below = short = 0
    all_seeds = list(seeds)
    for done, seed in enumerate(all_seeds):
        moved(done, len(all_seeds))
        for one in cohort(clients, seed):
            scores = one.scores
            if not one.case:
                below += 1
            elif len(scores) < least:
                short += 1
            else:
                days, values = zip(*scores, strict=True)
                name = f"{seed}/{one.number:06d}"
                found.append(
                    Course(
                        client=name,
                        days=tuple(float(day) for day in days),
                        scores=tuple(float(value) for value in values),
                        failed=one.failed,
                        kind=one.kind,
                    )
                )
    return found, {"began below the cut-off": below, "too few measures": short}
