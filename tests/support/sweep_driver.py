"""A driver that tests kill: `python -m tests.support.sweep_driver STUDY SETTINGS PACE [ADDRESS]`.

It begins a sweep, or continues the one that is there. SETTINGS is JSON, PACE the mean seconds of
an evaluation.
"""

from __future__ import annotations

import json
import random
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from search_spaces.errors import UserError
from tests.support.sweeps import toy_objective, toy_space
from tuning.evaluation import Outcome, Value
from tuning.progress import SweepProgress
from tuning.run import run_sweep
from tuning.settings import SweepSettings


@dataclass(frozen=True)
class Slow:
    """The toy objective, taking another time at each call and leaving a line for each."""

    pace: float
    calls: Path

    def __call__(
        self,
        configuration: Mapping[str, Value],
        epochs: int,
        previous_checkpoint: bytes | None,
        seed: np.random.SeedSequence,
    ) -> Outcome:
        self._note(f"{seed.spawn_key} {epochs} {previous_checkpoint is not None}\n")
        time.sleep(random.expovariate(1 / self.pace) if self.pace else 0)
        return toy_objective(configuration, epochs, previous_checkpoint, seed)

    def _note(self, line: str) -> None:
        with self.calls.open("a") as file:
            file.write(line)


class Printer:
    def on_progress(self, progress: SweepProgress) -> None:
        print(progress.finished, len(progress.running), flush=True)


def main() -> None:
    path, settings = Path(sys.argv[1]), SweepSettings(**json.loads(sys.argv[2]))
    address = sys.argv[4] if len(sys.argv) > 4 else None
    run_sweep(
        settings,
        toy_space(),
        Slow(float(sys.argv[3]), path.with_suffix(".calls")),
        path,
        resume=(path / "manifest.json").exists(),
        address=address,
        cpus=None if address else 2,
        listener=Printer(),
    )


if __name__ == "__main__":
    try:
        main()
    except UserError as error:
        print(error)
        sys.exit(error.exit_code)
