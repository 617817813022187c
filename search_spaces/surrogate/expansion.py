"""From the shipped file to a benchmark with three pseudo-repeats per budget.

Integer arithmetic and bits seeded by the module hash: the result is the same on every machine,
and its checksum is recorded in the file.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from search_spaces.benchmark import ACCURACY_UNIT, BUDGETS, REPEATS
from search_spaces.surrogate.keys import Hashes, checksum, hash_words
from search_spaces.surrogate.mixing import Words, random_bits
from search_spaces.surrogate.noise import SHARES, STEPS, NoiseModel, draw
from search_spaces.surrogate.shipped import Shipped, SurrogateError

Ints = npt.NDArray[np.int64]

#: Pseudo-repeats that did not fail stay within these accuracies, in units of 1/9984.
_LOWEST, _HIGHEST = 1_050, 9_884
_FAILURE, _COMMON, _OPPOSITE, _FAILED = range(4)  # what a random stream is for


def expand(shipped: Shipped, hashes: Hashes) -> dict[str, npt.NDArray[Any]]:
    """The columns of a benchmark store.

    Args:
        shipped: the content of the file.
        hashes: (n, 16) the sorted hashes of its rows.

    Raises:
        SurrogateError: if the file was fitted for another list of cells.
    """
    if checksum(hashes) != shipped.metadata["cells"]["sha256"]:
        raise SurrogateError(
            "the surrogate was fitted for another list of cells; reinstall raynas, or fit one "
            "with `python -m search_spaces.surrogate fit`"
        )
    validation, test = pseudo_repeats(shipped, hash_words(hashes))
    return {
        "module_hash": hashes,
        "validation_accuracy": validation,
        "test_accuracy": test,
        "training_seconds": _seconds(shipped.training_seconds),
        "parameters": shipped.parameters,
        "smooth_validation_accuracy": shipped.smooth_validation_accuracy,
        "smooth_test_accuracy": shipped.smooth_test_accuracy,
    }


def pseudo_repeats(
    shipped: Shipped, words: Words
) -> tuple[npt.NDArray[np.uint16], npt.NDArray[np.uint16]]:
    """Validation and test accuracies, (n, 4, 3) each, in units of 1/9984."""
    noise = NoiseModel.from_json(shipped.metadata["noise"])
    shape = (len(words), len(BUDGETS), len(REPEATS))
    validation, test = np.empty(shape, np.uint16), np.empty(shape, np.uint16)
    for budget in range(len(BUDGETS)):
        levels = [
            values[:, budget].astype(np.int64)
            for values in (shipped.validation_level, shipped.test_level)
        ]
        validation[:, budget], test[:, budget] = _runs(
            levels, shipped.failure[:, budget].astype(np.int64), noise, budget, words
        )
    return validation, test


def _runs(
    levels: list[Ints], chance: Ints, noise: NoiseModel, budget: int, words: Words
) -> tuple[Ints, Ints]:
    """Three runs per cell, (n, 3) for validation and test."""
    group = np.searchsorted(noise.edges[budget], levels[1])

    def bits(purpose: int, repeat: int) -> Words:
        return random_bits(words, (budget * len(REPEATS) + repeat) * 4 + purpose)

    def each(purpose: int, table: Ints, rows: Ints) -> Ints:
        return np.stack([draw(table, bits(purpose, repeat), rows) for repeat in REPEATS], 1)

    upper = np.stack([(bits(_FAILURE, r) >> np.uint64(48)).astype(np.int64) for r in REPEATS], 1)
    failed = upper < chance[:, None]
    common = _centred(each(_COMMON, noise.common[budget], group), failed)
    opposite = _centred(each(_OPPOSITE, noise.opposite[budget], group), failed)
    runs = []
    for level, deviation, bad in (
        (levels[0], common + opposite, noise.failed_validation[budget]),
        (levels[1], common - opposite, noise.failed_test[budget]),
    ):
        # A lucky run at most halves the error; the heaviest tails of poor cells would do more.
        moved = (ACCURACY_UNIT - level[:, None]) * np.minimum(deviation, SHARES // 2)
        learned = np.clip(level[:, None] + (moved + SHARES // 2) // SHARES, _LOWEST, _HIGHEST)
        below = (each(_FAILED, bad[None], np.zeros_like(group)) + STEPS // 2) // STEPS
        runs.append(np.where(failed, below, learned))
    return runs[0], runs[1]


def _centred(noise: Ints, failed: npt.NDArray[np.bool_]) -> Ints:
    """Noise minus its mean over the runs that did not fail.

    The level is the *mean* of such runs, noise of the mean included, so adding it once more
    would make the table noisier than the real one.
    """
    kept = np.where(failed, 0, noise)
    count = np.maximum((~failed).sum(1, keepdims=True), 1)
    centred: Ints = noise - kept.sum(1, keepdims=True) // count
    return centred


def _seconds(at_108: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """(n, 4, 3): in proportion to the epochs, the same for all repeats."""
    share = np.array(BUDGETS, np.float32) / np.float32(BUDGETS[-1])
    seconds = at_108[:, None, None] * share[None, :, None]
    return np.broadcast_to(seconds, (len(at_108), len(BUDGETS), len(REPEATS))).copy()
