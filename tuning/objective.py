"""One evaluation of a sweep: a search with some hyperparameters, and what its cell scores."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from raynas.oneshot import SearchSettings
from search_spaces.errors import UserError
from search_spaces.spaces import load_space
from tuning.evaluation import Outcome, Value
from tuning.scores import CellScores
from tuning.spaces import Hyperparameter, settings_of

if TYPE_CHECKING:
    from raynas.images import ImageSource, SearchImages
    from raynas.oneshot import EpochRecord, Search

#: Key of a checkpoint under which the epochs so far are, each as `CURVE_COLUMNS`.
CURVE = "curve"
CURVE_COLUMNS = ("epoch", "row", "one_shot_validation_error", "seconds")


@dataclass(frozen=True)
class SearchObjective:
    """Trains a one-shot method with a configuration and looks the final cell up.

    The seed of an evaluation is the root of the search's random numbers. A search that continues
    has a schedule for `max_epochs` at every budget, so it is the beginning of one long search,
    whatever its interruptions. A search that restarts has a schedule for its own budget.

    Attributes:
        method: name of a one-shot method.
        defaults: settings of all that is not tuned.
        axes: the configuration space.
        scores: what the benchmark says of the cells of the space.
        images: what is searched on.
        device: "cpu" or "cuda".
        max_epochs: the largest budget.
        restart: whether each budget trains anew.
    """

    method: str
    defaults: SearchSettings
    axes: tuple[Hyperparameter, ...]
    scores: CellScores
    images: ImageSource
    device: str
    max_epochs: int
    restart: bool = False

    def __call__(
        self,
        configuration: Mapping[str, Value],
        epochs: int,
        previous_checkpoint: bytes | None,
        seed: np.random.SeedSequence,
    ) -> Outcome:
        """Train up to a budget; see `tuning.evaluation.Objective`.

        Raises:
            Diverged: loss, weights or alphas are no longer finite.
            UserError: the images are not there, or the benchmark does not know the cell.
        """
        from raynas.execution.supernet_actor import device_name

        schedule = epochs if self.restart else self.max_epochs
        settings = settings_of(self.axes, self.defaults, configuration, epochs=schedule)
        search, curve = self._begin(settings, seed, None if self.restart else previous_checkpoint)
        before = sum(float(epoch[-1]) for epoch in curve)
        curve += [self._entry(record) for record in search.advance(epochs - search.epoch)]
        return self._outcome(search, curve, before, device_name(self.device))

    def _begin(
        self, settings: SearchSettings, seed: np.random.SeedSequence, checkpoint: bytes | None
    ) -> tuple[Search, list[list[float]]]:
        """The search where it was, and its epochs so far."""
        from raynas.oneshot import Search
        from raynas.oneshot.checkpoint import read_checkpoint

        space: Any = self._space
        search = Search(self.method, space, self._resident, settings, seed=seed)
        if checkpoint is None:
            return search, []
        try:
            state = read_checkpoint(checkpoint)
            search.load_state_dict(state)
        except UserError:
            return Search(self.method, space, self._resident, settings, seed=seed), []
        return search, [list(epoch) for epoch in state[CURVE]]

    def _entry(self, record: EpochRecord) -> list[float]:
        row = int(self._space.rows(np.array([record.vector]))[0])
        return [record.epoch, row, 1 - record.validation_accuracy, record.seconds]

    def _outcome(
        self, search: Search, curve: list[list[float]], before: float, device: str
    ) -> Outcome:
        import torch

        _, row, one_shot_error, _ = curve[-1]
        module_hash = self._space.unique_hashes()[int(row)].tobytes().hex()
        validation, test = self.scores.errors(int(row), module_hash)
        file = io.BytesIO()
        torch.save(search.state_dict() | {CURVE: curve}, file)
        return Outcome(
            validation_error=validation,
            test_error=test,
            one_shot_validation_error=one_shot_error,
            module_hash=module_hash,
            seconds=sum(epoch[-1] for epoch in curve) - before,
            checkpoint=file.getvalue(),
            device=device,
        )

    @cached_property
    def _space(self) -> Any:
        return load_space(self.scores.space)

    @cached_property
    def _resident(self) -> SearchImages:
        """The images on the device; each worker process loads them once."""
        from raynas.images import load_search_images

        return load_search_images(self.images, self.device)

    def __getstate__(self) -> dict[str, Any]:
        """Leave out what each process loads by itself."""
        return {name: getattr(self, name) for name in self.__dataclass_fields__}
