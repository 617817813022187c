"""Random bits from integers alone: the same on every machine and for every numpy version."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Words = npt.NDArray[np.uint64]

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)


def random_bits(keys: Words, stream: int) -> Words:
    """64 random bits per key, a function of the key and the stream's number alone.

    Counter-based: key and stream are mixed with the finaliser of SplitMix64 (Steele, Lea and
    Flood 2014), so the bits of a cell do not depend on which other cells are asked for.

    Args:
        keys: (n,) one number per cell, here the first eight bytes of the module hash.
        stream: which of the independent streams.
    """
    offset = _mix(np.array([stream], np.uint64) + np.uint64(1))
    return _mix(_mix(keys) ^ offset)


def _mix(values: Words) -> Words:
    values = values + _GOLDEN
    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    mixed: Words = values ^ (values >> np.uint64(31))
    return mixed


def fractions(bits: Words) -> npt.NDArray[np.float64]:
    """Numbers in (0, 1) from the upper 53 bits."""
    return ((bits >> np.uint64(11)).astype(np.float64) + 0.5) / 2.0**53
