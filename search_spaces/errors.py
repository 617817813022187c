"""The error that a user can act on."""

from __future__ import annotations


class UserError(Exception):
    """Something outside the program is wrong, and the user can set it right.

    The message is one line: the thing, its value, the way out. Command lines print it without a
    traceback and end with `exit_code`.

    Attributes:
        exit_code: 2 for an argument that names nothing valid, 1 for everything else.
    """

    def __init__(self, message: str, *, exit_code: int = 1) -> None:
        super().__init__(message)
        self.exit_code = exit_code

    def __reduce__(self) -> tuple[object, ...]:
        """Keep `exit_code` when the error crosses a process boundary."""
        return (_rebuild, (type(self), str(self), self.exit_code))


def _rebuild(kind: type[UserError], message: str, exit_code: int) -> UserError:
    error = kind.__new__(kind)
    UserError.__init__(error, message, exit_code=exit_code)
    return error


def unknown_name(kind: str, value: object, valid: list[str]) -> UserError:
    """The error for a name that is not in a closed list.

    Args:
        kind: what is named, for instance "method".
        value: what the user wrote.
        valid: every valid name.
    """
    return UserError(f"unknown {kind} {value!r}; valid are: {', '.join(valid)}", exit_code=2)
