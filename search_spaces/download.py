"""Downloads one file over HTTP: resumed where it stopped, checked by size and SHA-256."""

from __future__ import annotations

import errno
import fcntl
import hashlib
import http.client
import re
import shutil
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import urlsplit

from search_spaces.errors import UserError
from search_spaces.progress import progress_bar

_PART = ".part"
_CHUNK = 1 << 20
_TIMEOUT = 30.0  # seconds without a byte
_RETRIED = (408, 429, 500, 502, 503, 504)


@dataclass(frozen=True, slots=True)
class Download:
    """A file to get.

    Attributes:
        url: where it is; http or https.
        sha256: checksum of its content.
    """

    url: str
    sha256: str

    @property
    def file_name(self) -> str:
        """Last part of the URL's path."""
        return PurePosixPath(urlsplit(self.url).path).name


def download(item: Download, folder: Path, *, attempts: int = 5, pause: float = 1.0) -> Path:
    """Get a file, or what is missing of it.

    Bytes gather in `NAME.part`, which takes the final name once its checksum is right.

    Args:
        item: the file.
        folder: where to put it; made if necessary.
        attempts: how often in a row to try without receiving a byte.
        pause: seconds before the second attempt; doubled each time.

    Returns:
        The path of the complete file.

    Raises:
        UserError: if the file cannot be had or written; it says what is kept, and what to do.
    """
    if urlsplit(item.url).scheme not in ("http", "https") or not item.file_name:
        raise UserError(f"{item.url!r} is no http or https address of a file", exit_code=2)
    target = folder / item.file_name
    part = target.with_name(target.name + _PART)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if target.exists():
            _verify(target, item)
            return target
        with _locked(part):
            _complete(item, part, attempts, pause)
            _verify(part, item)
            part.replace(target)
    except OSError as error:
        raise _cannot_write(folder, error) from error
    return target


@contextmanager
def _locked(part: Path) -> Iterator[None]:
    """Keep other processes away from a partial file; the lock ends with this process."""
    with part.open("ab") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise UserError(
                f"another process is downloading to {part}; wait for it or stop it", exit_code=1
            ) from None
        try:
            yield
        finally:
            if part.exists() and not _size(part):
                part.unlink()


def _complete(item: Download, part: Path, attempts: int, pause: float) -> None:
    """Append to the partial file until the server says that it is whole."""
    failures = 0
    while True:
        before = _size(part)
        try:
            return _transfer(item, part)
        except (_NetworkError, http.client.HTTPException) as error:
            failures = failures + 1 if _size(part) <= before else 1
            if failures >= attempts:
                raise UserError(f"cannot download {item.url}: {error}; {_way_out(part)}") from error
        time.sleep(pause * 2 ** (failures - 1))


def _way_out(part: Path) -> str:
    if not _size(part):
        return "check the connection and run the same command again, or pass a mirror with --url"
    return f"{_size(part):,} bytes are kept in {part}, the same command goes on from there"


class _NetworkError(Exception):
    """Something that may be better at the next attempt."""


def _transfer(item: Download, part: Path) -> None:
    done = _size(part)
    response = _request(item.url, done)
    if response is None:
        return
    with response:
        if response.status != 206:  # the server sends the file from its beginning
            done = 0
        length = response.headers.get("Content-Length")
        total = done + int(length) if length else 0
        _check_space(part.parent, total - done)
        with (
            part.open("r+b" if done else "wb", buffering=0) as file,
            progress_bar(f"downloading {item.file_name}", total, done) as advance,
        ):
            file.seek(done)
            while chunk := _read(response):
                _write(file, chunk)
                advance(len(chunk))
    if total and _size(part) != total:
        raise _NetworkError(f"the connection closed after {_size(part):,} of {total:,} bytes")


def _request(url: str, done: int) -> http.client.HTTPResponse | None:
    """Ask for the bytes from `done` on.

    Returns:
        The response, or None if the partial file is complete already.
    """
    headers = {"Range": f"bytes={done}-"} if done else {}
    request = urllib.request.Request(url, headers=headers)
    try:
        response: http.client.HTTPResponse = urllib.request.urlopen(request, timeout=_TIMEOUT)
    except urllib.error.HTTPError as error:
        with error:
            if error.code == 416 and _range_total(error.headers) == done:
                return None
            if error.code == 416:  # the partial file is no part of that file
                return _request(url, 0)
            if error.code in _RETRIED:
                raise _NetworkError(f"the server answered {error.code} {error.reason}") from error
            raise UserError(
                f"the server answered {error.code} {error.reason} for {url}; "
                "pass the address of a mirror with --url"
            ) from error
    except urllib.error.URLError as error:
        raise _NetworkError(str(error.reason)) from error
    except OSError as error:
        raise _NetworkError(str(error)) from error
    start = re.match(r"bytes (\d+)-", response.headers.get("Content-Range", ""))
    if response.status == 206 and (start is None or int(start[1]) != done):
        response.close()
        return _request(url, 0) if done else response
    return response


def _range_total(headers: Any) -> int | None:
    found = re.fullmatch(r"bytes \*/(\d+)", headers.get("Content-Range", ""))
    return int(found[1]) if found else None


def _read(response: http.client.HTTPResponse) -> bytes:
    try:
        return response.read1(_CHUNK)  # what is there, so that little is lost when all ends
    except OSError as error:
        raise _NetworkError(str(error) or type(error).__name__) from error


def _write(file: Any, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[file.write(view) :]


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _check_space(folder: Path, needed: int) -> None:
    free = shutil.disk_usage(folder).free
    if needed > free:
        raise UserError(
            f"{folder} has {free / 1e9:.2f} GB left, the download needs {needed / 1e9:.2f} GB; "
            "free some space, or set RAYNAS_DATA to a folder on another disk"
        )


def _verify(path: Path, item: Download) -> None:
    digest = hashlib.sha256()
    with path.open("rb") as file, progress_bar(f"checking {path.name}", _size(path)) as advance:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
            advance(len(chunk))
    if digest.hexdigest() == item.sha256:
        return
    mismatch = (
        f"{path} ({_size(path):,} bytes) has the sha256 {digest.hexdigest()} instead of "
        f"{item.sha256}"
    )
    if path.suffix != _PART:
        raise UserError(f"{mismatch}; remove or rename it, and run the same command again")
    path.unlink()
    raise UserError(
        f"{mismatch}; it was removed: run the same command again, or pass a mirror's address "
        "with --url"
    )


def _cannot_write(folder: Path, error: OSError) -> UserError:
    place = error.filename or folder
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return UserError(
            f"cannot write {place}: {error.strerror}; free some space, the same command goes on "
            "from what has arrived"
        )
    return UserError(
        f"cannot write {place}: {error.strerror}; set RAYNAS_DATA to a folder that you may write to"
    )
