"""Memory of freed activations."""

from __future__ import annotations

import ctypes
import sys

# Options of glibc's mallopt. Setting a threshold ends glibc's own adjustment of it, so going back
# means going to where that adjustment ends.
_TRIM_THRESHOLD, _TOP_PAD, _MMAP_THRESHOLD, _MMAP_MAX = -1, -2, -3, -4
_MIB = 2**20
_KEEP = {_MMAP_MAX: 0, _TRIM_THRESHOLD: 2**31 - 1, _TOP_PAD: 64 * _MIB}
_RETURN = {
    _MMAP_MAX: 65536,
    _TRIM_THRESHOLD: 64 * _MIB,
    _TOP_PAD: 128 * 1024,
    _MMAP_THRESHOLD: 32 * _MIB,
}


def keep_freed_memory(keep: bool = True) -> bool:
    """Keep freed memory in the process instead of returning it to the system at once.

    A training step on the CPU frees and allocates the same activations again and again. glibc
    gives each that is larger than 32 MiB back to the system, which fills the next one with zeros,
    page by page. It concerns the whole process, whose resident size then stays at its peak.

    Args:
        keep: False goes back to what glibc does in a long-running process, and returns what is
            free.

    Returns:
        Whether it was done; False without glibc.
    """
    if not sys.platform.startswith("linux"):
        return False
    library = ctypes.CDLL(None)
    if not hasattr(library, "mallopt"):
        return False
    settings = _KEEP if keep else _RETURN
    done = [library.mallopt(option, value) == 1 for option, value in settings.items()]
    if not keep:
        library.malloc_trim(0)
    return all(done)
