from __future__ import annotations

import subprocess
import sys

import pytest

PROGRAM = """
import resource, torch
from statistics import median
from raynas.supernet import keep_freed_memory
def once():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(2):
        torch.empty(10 * 2**20).fill_(1.0)  # 40 MiB
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before
def faults():
    return median(once() for _ in range(9))
given_back = faults()
assert keep_freed_memory()
faults()
kept = faults()
assert keep_freed_memory(False)
print(given_back, kept, once())
"""


@pytest.mark.skipif(sys.platform != "linux", reason="glibc only")
def test_freed_memory_is_used_again() -> None:
    """Usually: the system may take pages back at any time.

    What was kept is given back at once; later the heap may happen to have room for what is asked.
    """
    result = subprocess.run(
        [sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True
    )
    given_back, kept, default = map(int, result.stdout.split())
    assert kept * 10 < min(given_back, default)
