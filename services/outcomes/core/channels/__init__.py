"""The channels: each says its own thing of a course, and none hides another.

A channel is a pure function from a trajectory (or an episode) to what it finds there now, or None.
A new one is a module here and a line in one of the tuples below.
"""

from collections.abc import Callable

from services.outcomes.core.channels import (
    deterioration,
    disconnection,
    flat,
    gain,
    good_news,
    not_assessable,
    off_track,
    validity,
)
from services.outcomes.core.found import Found
from services.outcomes.core.trajectory import Trajectory

Channel = Callable[[Trajectory], Found | None]

OF_THE_PRIMARY: tuple[Channel, ...] = (
    deterioration.possibly_worse,
    deterioration.reliable_deterioration,
    off_track.off_track,
    flat.flat,
    gain.gain_partly_lost,
    validity.validity,
    good_news.good_news,
)
"""Asked of the primary instrument alone."""

OF_THE_OTHERS: tuple[Channel, ...] = (deterioration.reliable_deterioration,)
"""Asked of every other instrument."""

WORSE = frozenset(
    {
        "possibly_worse",
        "reliable_deterioration",
        "off_track",
        "plateau",
        "stalled",
        "gain_partly_lost",
    }
)
"""Channels that say that a course goes less well than it might."""

RULEBOOK = (
    deterioration.RELIABLE_DETERIORATION,
    gain.MEANING,
    off_track.MEANING,
    flat.STALLED,
    flat.PLATEAU,
    deterioration.POSSIBLY_WORSE,
    disconnection.MEANING,
    not_assessable.MEANING,
    validity.MEANING,
    good_news.MEANING,
)
"""What each channel asks, in words, in the order in which the inbox ranks them."""
