"""What an observed change amounts to, after Jacobson and Truax (1991)."""

from services.outcomes.core.spec import Spec
from services.outcomes.core.trajectory import Step

RELIABLY_WORSE = "reliably worse"
RELIABLY_BETTER = "reliably better"
RECOVERED = "recovered"
NO_RELIABLE_CHANGE = "no reliable change"


def classify(spec: Spec, first: Step, step: Step) -> str | None:
    """The class of the change from the baseline `first` to `step`.

    Returns:
        "recovered" is reliably better and below the cut-off from at or above it. None at the
        baseline itself, and where no reliable change is known.
    """
    if spec.change is None or step.number == 1:
        return None
    if step.worse:
        return RELIABLY_WORSE
    if not step.better:
        return NO_RELIABLE_CHANGE
    cut = spec.cut
    crossed = cut is not None and first.score > cut > step.score
    return RECOVERED if crossed else RELIABLY_BETTER
