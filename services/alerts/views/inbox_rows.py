"""What the inbox shows: rows, lines and counts, as the pages render them."""

from dataclasses import dataclass

from services.alerts.people import WRITING


@dataclass(frozen=True, slots=True)
class RiskLine:
    """The last answer to one risk item, always in one of four states."""

    instrument: str
    item: int
    kind: str
    """`self`, `others` or `substance`."""
    state: str
    """`endorsed`, `not endorsed`, `unanswered` or `not received`."""
    answer: int | None
    on: str
    """Clinical date of the measure, ISO 8601."""
    words: str
    """For instance `Item 9: 1 on 30 March (before: 0, 0, 1)`; a 0 is never worded as good."""
    urgent: bool
    wording: str | None
    """The item's own words, where they may be shown."""


@dataclass(frozen=True, slots=True)
class AlertLine:
    """One open alert as a row or a page shows it."""

    alert: str
    """Id, hexadecimal: what the commands of the desk take."""
    channel: str
    tier: str
    """`risk`, `prompt`, `review` or `info`, after the cap was applied."""
    state: str
    """`raised`, `seen`, `snoozed`, `acknowledged`, `dismissed`, `held`, `withdrawn`, `settled`."""
    label: str
    """The tag, for instance `Off track` or `Item 9: 1`."""
    tone: str
    """`risk`, `worse`, `unknown`, `plain` or `good`: what the tag's colour and shape say."""
    title: str
    """The finding as a sentence, with its size and against what."""
    sentence: str
    """One or two sentences for the inbox row."""
    raised_at: str
    due_at: str | None
    """When somebody else is told; None where nobody is."""
    overdue: bool
    escalated_at: str | None
    seen_at: str | None
    snoozed_until: str | None
    unchanged_since: str | None
    """Risk: acknowledged then, and the same answer given again since."""
    waiting: bool
    """A prompt that is over today's cap, shown as a review until its day."""
    spell: str
    revision: int
    can_snooze: bool
    can_dismiss: bool
    unconfirmed: str | None = None
    """The moment to which the source was restored from a backup that does not hold this."""
    retired: str | None = None
    """By whom and since when its rule is retired: it is then a mark on the chart alone."""


@dataclass(frozen=True, slots=True)
class InboxRow:
    """One client's row."""

    episode: str
    """Id, hexadecimal: the address of the episode page."""
    client: str
    sender: str
    clinician: str | None
    """The clinician's reference in the sender's system."""
    access: str
    """Why this person sees it: `own`, `cover`, `supervise`, `backup`, `unassigned`."""
    status: str
    """`open` or `closed`."""
    main: AlertLine
    """The one that the row is about: its label, sentence and button."""
    others: tuple[AlertLine, ...]
    """Further open alerts of the client, in order."""
    risk: tuple[RiskLine, ...]
    """The last answers to risk items; they stand on every row."""
    p_fail: float | None
    next_session: str | None
    spark: tuple[float, ...]
    """The last scores of the primary trajectory, in its own direction."""
    higher_is: str
    """`worse` or `better`."""
    cutoff: float | None
    minimum: float | None
    maximum: float | None
    unread: bool

    @property
    def may_write(self) -> bool:
        """Whether this person may reflect on it, put it off and dismiss."""
        return self.access in WRITING


@dataclass(frozen=True, slots=True)
class RiskPath:
    """Whether risk answers arrive; `banner` is the words for every page, None when all is well."""

    alive: bool
    heartbeat_at: str | None
    unsent: int
    oldest_s: float
    banner: str | None


@dataclass(frozen=True, slots=True)
class InboxPage:
    """What a person sees first, with honest counts of what is not shown."""

    rows: tuple[InboxRow, ...]
    """In the order of benefit."""
    caseload: int
    """Open episodes that are this person's (own and covered)."""
    nothing_flagged: int
    waiting: int
    """Findings held back because their channel spoke less than four weeks ago."""
    snoozed: int
    unknown: int
    """Nothing flagged because nothing can be said: no measure, or none that can be assessed."""
    unassigned: int
    """Rows here for which no present clinician is known (the backup's)."""
    reviews_due: int
    """Reflections of this person whose review date has come."""
    seeing_today: int
    """Episodes of this person with a session today."""
    seeing_soon: int
    """Episodes of this person with a session today or tomorrow."""
    laid_out: int
    """Rows of this person's caseload that lie ready for the next supervision."""
    unknowns_open: int
    history: int
    """Clients with answers to risk items that came with an import of history, not yet seen."""
    silenced: int
    """Courses without a row in which a retired rule alone has found something."""
    position: int
    """The position of the log that this shows."""
    summary: str
    """The counts as a sentence."""
