"""What the packages behind some optimizers need by themselves, in the same run.

Each is driven as its own documentation does it, on the choices of space 3, and sees the same
table; hence the figures stand beside ours, not above them.
"""

from __future__ import annotations

import logging
import tempfile
import time
import warnings
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

import numpy as np

from raynas.optimizers._configuration_space import categorical_space
from search_spaces.space import Space
from search_spaces.table import Table

Step = Callable[[Callable[[list[int]], float]], None]


def package_milliseconds(name: str, table: Table, evaluations: int) -> tuple[str, float] | None:
    """Mean milliseconds of a suggestion and a report by the package behind an optimizer.

    Args:
        name: of the optimizer.
        table: what evaluations see.
        evaluations: how many.

    Returns:
        The package's name and version, and the figure; None where there is no such package.
    """
    peers = {"tpe": _optuna, "smac": _smac, "bohb": _hpbandster}
    if name not in peers:
        return None
    with warnings.catch_warnings(), tempfile.TemporaryDirectory() as folder:
        warnings.simplefilter("ignore")
        logging.getLogger("smac").setLevel(logging.ERROR)
        package, step = peers[name](table.space, Path(folder))

        def error(vector: list[int]) -> float:
            rows = table.space.rows(np.array([vector], np.uint8))
            return float(table.validation_error(rows, 108, 0)[0])

        start = time.perf_counter()
        for _ in range(evaluations):
            step(error)
        return package, 1000 * (time.perf_counter() - start) / evaluations


def _optuna(space: Space, _: Path) -> tuple[str, Step]:
    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    study = optuna.create_study(sampler=optuna.samplers.TPESampler(seed=0))
    choices = dict(zip(space.choice_names, space.cardinalities, strict=True))

    def step(error: Callable[[list[int]], float]) -> None:
        trial = study.ask()
        vector = [trial.suggest_categorical(k, list(range(n))) for k, n in choices.items()]
        study.tell(trial, error(vector))

    return f"optuna {version('optuna')} alone", step


def _smac(space: Space, folder: Path) -> tuple[str, Step]:
    import smac
    from smac.runhistory.dataclasses import TrialValue

    scenario = smac.Scenario(
        categorical_space(space.cardinalities, 0),
        output_directory=folder,
        deterministic=True,
        n_trials=10_000,
        seed=0,
    )
    facade = smac.HyperparameterOptimizationFacade(
        scenario, lambda config, seed=0: 0.0, overwrite=True, logging_level=False
    )

    def step(error: Callable[[list[int]], float]) -> None:
        trial = facade.ask()
        vector = trial.config.get_array().astype(int).tolist()
        facade.tell(trial, TrialValue(cost=error(vector)))

    return f"smac {version('smac')} alone", step


def _hpbandster(space: Space, _: Path) -> tuple[str, Step]:
    from hpbandster.core.dispatcher import Job
    from hpbandster.optimizers.config_generators.bohb import BOHB

    generator = BOHB(categorical_space(space.cardinalities, 0), random_fraction=0.33)
    names = list(generator.configspace.keys())

    def step(error: Callable[[list[int]], float]) -> None:
        values, _ = generator.get_config(108)
        job = Job(None, config=values, budget=108)
        job.result = {"loss": error([int(values[name]) for name in names])}
        generator.new_result(job)

    return f"hpbandster {version('hpbandster')}'s generator alone", step
