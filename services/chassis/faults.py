"""What can go wrong between a measure and the disk, each by a name of its own."""


class ConflictError(Exception):
    """A (stream, version) is taken, or a position has not grown; nothing was stored."""


class StoreError(Exception):
    """The store could not be reached or written; not known to be stored, safe to try again."""


class InUseError(Exception):
    """Others are connected to a store that was to be for one alone."""


class NotMigratedError(Exception):
    """The store has no tables, or those of another version; `migrate` makes them."""


class ShreddedError(Exception):
    """The owner's key was erased: what it sealed is gone for good."""


class ForgedError(Exception):
    """Sealed bytes do not authenticate: changed, moved, or sealed under a key that is not here."""


class WrongMasterKeyError(Exception):
    """The master key does not open this vault."""
