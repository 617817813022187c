"""Files that are there as a whole or not at all."""

from __future__ import annotations

import errno
import hashlib
import os
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from search_spaces.errors import UserError

TEMPORARY_PREFIX = ".tmp-"


def write_atomically(path: Path, write: Callable[[Path], object]) -> None:
    """Call `write` with a temporary path beside `path`, then put the result in place.

    Raises:
        UserError: the file system refuses; `path` is as it was and nothing else is left.
    """
    temporary = path.with_name(f"{TEMPORARY_PREFIX}{uuid.uuid4().hex[:12]}-{path.name}")
    with writing(path):
        try:
            write(temporary)
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Turn what the file system says about `path` into a line for the user."""
    try:
        yield
    except OSError as error:
        raise UserError(f"cannot write {path}: {_reason(error)}") from error


def content_digest(content: bytes) -> str:
    """What the name of a file ends with, so that any damage to the file shows."""
    return hashlib.blake2b(content, digest_size=12).hexdigest()


def _reason(error: OSError) -> str:
    if error.errno == errno.ENOSPC or "No space left" in str(error):
        return "the disk is full; free some space, then continue with --resume"
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return "no permission to write there; choose another directory with --out"
    return f"{os.strerror(error.errno) if error.errno else error}; choose another directory"
