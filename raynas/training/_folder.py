"""A training on disk: what it is, its last checkpoint, and its results."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from raynas.execution.files import write_atomically, writing
from raynas.training._settings import TrainingSettings
from search_spaces.cell import Cell
from search_spaces.errors import UserError

if TYPE_CHECKING:
    from raynas.training._training import CellTraining

DESCRIPTION, CHECKPOINT = "training.json", "last.pt"


@dataclass(frozen=True)
class Description:
    """What a training is, so that it can be begun again in another process.

    Attributes:
        cell: what is trained.
        images: as `find_images` takes them; a path is absolute.
        settings: size and schedule.
        seed: root of all random streams.
    """

    cell: Cell
    images: str
    settings: TrainingSettings
    seed: int

    def as_dict(self) -> dict[str, Any]:
        """Plain values only."""
        cell = {
            "module_hash": self.cell.module_hash,
            "matrix": self.cell.matrix.tolist(),
            "ops": list(self.cell.ops),
        }
        settings = self.settings.as_dict()
        return {"cell": cell, "images": self.images, "settings": settings, "seed": self.seed}


class TrainingFolder:
    """The folder of a training: `training.json`, and `last.pt` after each epoch.

    Attributes:
        path: the folder.
        description: what is trained in it.
    """

    def __init__(self, path: Path, description: Description) -> None:
        self.path, self.description = path, description

    @staticmethod
    def create(path: Path, description: Description) -> TrainingFolder:
        """Make a folder for a new training.

        Raises:
            UserError: there is something in it, or it cannot be written.
        """
        with writing(path):
            path.mkdir(parents=True, exist_ok=True)
            taken = any(path.iterdir())
        if taken:
            raise UserError(f"{path} is not empty; continue it with --resume, or choose another")
        folder = TrainingFolder(path, description)
        folder._describe({})
        return folder

    @staticmethod
    def open(path: Path) -> TrainingFolder:
        """Open the folder of a training that was begun.

        Raises:
            UserError: it is not the folder of a training.
        """
        try:
            found = json.loads((path / DESCRIPTION).read_text(encoding="utf-8"))
            cell = Cell(found["cell"]["matrix"], found["cell"]["ops"])
            settings = TrainingSettings(**found["settings"])
            description = Description(cell, found["images"], settings, found["seed"])
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise UserError(f"{path} is not the folder of a training: {error}") from error
        return TrainingFolder(path, description)

    def load(self, training: CellTraining) -> None:
        """Go on after the last finished epoch, if there is one.

        Raises:
            UserError: the checkpoint cannot be read, or is another training's.
        """
        from raynas.oneshot import read_checkpoint

        path = self.path / CHECKPOINT
        if path.exists():
            training.load_state_dict(read_checkpoint(path))

    def save(self, training: CellTraining) -> None:
        """Write the state after an epoch; either the whole of it is there, or the one before."""
        import torch

        state = training.state_dict()
        write_atomically(self.path / CHECKPOINT, lambda temporary: torch.save(state, temporary))

    def finish(self, training: CellTraining, accuracies: dict[str, float]) -> None:
        """Add what came out of it to the description."""
        history = [asdict(result) for result in training.history]
        self._describe({"accuracies": accuracies, "history": history})

    def _describe(self, results: dict[str, Any]) -> None:
        text = json.dumps(self.description.as_dict() | results, indent=2) + "\n"
        write_atomically(self.path / DESCRIPTION, lambda p: p.write_text(text, encoding="utf-8"))
