"""The numbers of the detection rules, each a setting with its default, and the rule's version."""

from dataclasses import dataclass

NAME = "trend"
VERSION = "1.1"
RULE = f"{NAME} {VERSION}"


@dataclass(frozen=True, slots=True)
class Rules:
    """Limits that the channels hold a trajectory against; days and weeks are clinical time."""

    horizon_weeks: int = 6
    """How far ahead P(fail) looks."""
    alarm_budget: float = 0.10
    """The share of courses that will end well of which an alarm is put up with."""
    alarm_threshold: float = 0.68
    """P(fail) above it is off track, where the instrument has no calibrated threshold."""
    alarm_hysteresis: float = 0.10
    """An alarm ends after two consecutive measures this much below its threshold."""
    alarm_measures: int = 3
    """The first measure that may alarm; the baseline is the first."""
    alarm_days: int = 14
    """Days after the baseline before an alarm."""
    window_days: int = 56
    """The stretch in which a plateau is looked for."""
    window_measures: int = 5
    window_span: int = 28
    """Days that the measures in the window must span."""
    flat: float = 0.80
    """P(four weeks' movement under half a reliable change) above it is flat."""
    misfit: float = 0.01
    """Scores that error would put so far from their line less often than this are not flat."""
    better: float = 0.50
    """P(reliably better) from which a flat stretch is no plateau but may be a stall."""
    still_case: float = 0.80
    """P(still a case) above which a flat stretch after a gain is a stall."""
    stalled_days: int = 42
    """Days since the baseline before a stall."""
    gap_days: int = 60
    """A longer gap starts a new segment."""
    segment_measures: int = 2
    """Measures in a segment before any alarm."""
    old_days: int = 28
    """A measure older than this carries no forecast alarm, and is old news on arrival."""
    intake_days: int = 28
    """A baseline may be so many days older than the opening."""
    silence_days: int = 21
    silence_gaps: float = 2.0
    """No measure for the longer of these days and so many median gaps is silence."""
    break_days: int = 28
    """How long an announced break is left out of which no last day is told."""
    missed_in_row: int = 2
    missed_of: tuple[int, int] = (3, 6)
    """So many sessions missed of the last so many."""
    unassessable_days: int = 28
    """After so many days what cannot be assessed is laid before the clinician."""
    sawtooth: int = 4
    """Changes of direction, each at least a reliable change, that make a sawtooth."""
    fact_days: int = 28
    """A fact so many days before a pivot, or later, is named beside its effect."""


DEFAULTS = Rules()
