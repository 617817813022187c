"""What is known of a search after each epoch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from search_spaces.errors import UserError


@dataclass(frozen=True)
class EpochRecord:
    """The state after an epoch; the last one is the final state.

    Attributes:
        epoch: number of finished epochs, from 1.
        alphas: architecture parameters by name ("operation", "output", "inputs.0", ...); empty if
            the method has none.
        vector: the discretised architecture, a vector of the space.
        module_hash: of its cell.
        learning_rate: of the weights in this epoch.
        train_loss: mean cross-entropy of the weight steps, each before its update.
        train_accuracy: share of right answers in the weight steps, on augmented images.
        validation_accuracy: share of right answers on the whole validation half, with the method's
            evaluation weights; see `OneShotMethod.evaluation_weights`.
        seconds: duration of training and selection.
        validation_seconds: duration of measuring `validation_accuracy`, which no method uses.
        peak_memory: bytes; on a GPU the most that was allocated during the epoch, else the
            largest resident size of the process during it (where only Linux can begin anew, so
            far), with libraries and with what earlier searches in it have left.
    """

    epoch: int
    alphas: Mapping[str, npt.NDArray[np.float32]]
    vector: tuple[int, ...]
    module_hash: str
    learning_rate: float
    train_loss: float
    train_accuracy: float
    validation_accuracy: float
    seconds: float
    validation_seconds: float
    peak_memory: int


class Diverged(UserError):  # noqa: N818
    """A search has produced something that is no finite number; the message names the epoch."""
