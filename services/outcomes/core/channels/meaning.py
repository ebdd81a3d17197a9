"""What a channel asks, in words a clinician can check, with the numbers that are in force."""

from typing import NamedTuple

from services.outcomes.core.rules import Rules

SIMULATED = "shares found in the simulated cohort of `simulation/`, not in a clinic"
EVERY_TRAJECTORY = "every trajectory"
PRIMARY = "the primary trajectory"
EPISODE = "the episode"


class Meaning(NamedTuple):
    """One channel: its rule in words, how loud it is at most, and where the rule comes from.

    `numbers` names the settings that it reads; `rule` has them in braces.
    """

    channel: str
    tier: str
    rule: str
    source: str
    numbers: tuple[str, ...] = ()
    asked_of: str = PRIMARY

    def told(self, rules: Rules) -> str:
        """The rule with the numbers of `rules`."""
        return self.rule.format(rules=rules)
