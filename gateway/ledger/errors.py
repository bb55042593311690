"""What can go wrong with a ledger.

LedgerError
+-- LedgerUnavailable     nothing could be made durable: acknowledge nothing
|   +-- LedgerBusy        another program holds the database; the next try may succeed
|   +-- LedgerFailed      a write or an fsync failed: this ledger never commits again
|   +-- LedgerClosed      it was closed, or opened for reading only
+-- ChangeRefused         one change is against the schema: a fault of ours, the others were written
+-- CannotOpen            there is no ledger to be had at this path
    +-- LedgerInUse       another gateway has it open
    +-- UnknownSchema     the file is of another version, or no ledger at all
"""


class LedgerError(Exception):
    """Anything below."""


class LedgerUnavailable(LedgerError):  # noqa: N818 - named for what the caller does next
    """Nothing of what was asked has been made durable, or nobody can tell. Nothing may be acknowledged."""


class LedgerBusy(LedgerUnavailable):
    """Another program held the database for longer than the busy timeout. Nothing was written."""


class LedgerFailed(LedgerUnavailable):
    """A write, a commit or an fsync failed, now or earlier.

    What is on the disk is not known until the file has been opened again: end the process.
    """


class LedgerClosed(LedgerUnavailable):
    """The ledger takes no writes, because it was closed or is open for reading only."""


class ChangeRefused(LedgerError):  # noqa: N818 - as above
    """A change that breaks a constraint, such as a delivery of no lodgement. It was not written."""


class CannotOpen(LedgerError):  # noqa: N818 - as above
    """There is no usable ledger at this path."""


class LedgerInUse(CannotOpen):
    """Another process has this ledger open for writing."""


class UnknownSchema(CannotOpen):
    """The file was written by another version of this program, or is no ledger."""
