"""What can be wrong with a file of NAS-Bench-101's rows."""

from __future__ import annotations

from pathlib import Path

from search_spaces.errors import UserError


class TableFileError(UserError):
    """A file is not the table that it should be.

    The message names the file, the row (counted from 0) and the byte offset at which the record
    of that row begins.
    """

    @classmethod
    def at(cls, path: Path, row: int, offset: int, reason: str) -> TableFileError:
        """The error for one row.

        Args:
            path: the file.
            row: number of the row, counted from 0.
            offset: where the row's record begins, in bytes.
            reason: what is wrong, and the way out.
        """
        return cls(f"{path}: row {row} at byte offset {offset}: {reason}")


class RowError(ValueError):
    """One row of a batch is not as it should be.

    Whoever knows where the batch is in its file makes a `TableFileError` of it.

    Attributes:
        index: which row of the batch.
    """

    def __init__(self, index: int, reason: str) -> None:
        super().__init__(reason)
        self.index = index
