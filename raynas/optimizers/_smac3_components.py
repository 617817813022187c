"""The parts of the `smac` package that have to be put together differently here."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from ConfigSpace import Configuration, ConfigurationSpace
from smac import AlgorithmConfigurationFacade, Scenario
from smac.acquisition.function.expected_improvement import EI
from smac.acquisition.maximizer.local_and_random_search import LocalAndSortedRandomSearch
from smac.acquisition.maximizer.local_search import LocalSearch
from smac.initial_design.random_design import RandomInitialDesign
from smac.main.config_selector import ConfigSelector
from smac.main.exceptions import ConfigurationSpaceExhaustedException
from smac.main.smbo import SMBO
from smac.model.random_forest.random_forest import RandomForest
from smac.random_design.probability_design import ProbabilityRandomDesign

from raynas.optimizers._base import MAX_REJECTIONS, Domain, Vector, is_valid
from raynas.optimizers._configuration_space import categorical_space

if TYPE_CHECKING:
    from raynas.optimizers.smac3 import Smac3Settings


MAX_LEAVES = 2**13
"""With 3 observations a leaf, enough for 24,000 evaluations."""


class UnsavedLoop(SMBO):
    """SMAC's loop without its files: a run is restored by replaying its log."""

    def _initialize_state(self) -> None:
        pass


class Facade(AlgorithmConfigurationFacade):
    """The algorithm configuration facade around that loop."""

    def _get_optimizer(self) -> SMBO:
        return UnsavedLoop(
            scenario=self._scenario,
            runner=self._runner,
            runhistory=self._runhistory,
            intensifier=self._intensifier,
            overwrite=True,
        )


class OrderedLocalSearch(LocalSearch):
    """SMAC's local search with its start points in a fixed order.

    The package takes them from a set of configurations, whose order depends on PYTHONHASHSEED.
    """

    def _get_init_points_from_previous_configs(self, *args: Any) -> list[Configuration]:
        points = super()._get_init_points_from_previous_configs(*args)
        return sorted(points, key=lambda point: tuple(point.get_array()))


class ValidConfigSelector(ConfigSelector):
    """Passes on valid configurations, each once.

    After 64 invalid or repeated ones in a row, a uniform valid one takes their place; if that one
    is known too, the space counts as exhausted. (The package alone repeats configurations while
    it has no data, and does not end if the space has no other.)
    """

    def __init__(
        self,
        scenario: Scenario,
        domain: Domain,
        sample: Callable[[], Vector],
        **options: Any,
    ) -> None:
        super().__init__(scenario, **options)
        self._domain, self._sample = domain, sample

    def __iter__(self) -> Iterator[Configuration]:
        passed: set[Vector] = set()
        rejected = 0
        for configuration in super().__iter__():
            vector: Vector = tuple(configuration.get_array().astype(int).tolist())
            if vector in passed or not is_valid(self._domain, vector):
                rejected += 1
                if rejected < MAX_REJECTIONS:
                    continue
                vector = self._sample()
                if vector in passed:
                    raise ConfigurationSpaceExhaustedException
                configuration = to_configuration(self._scenario.configspace, vector)
            rejected = 0
            passed.add(vector)
            yield configuration


def to_configuration(space: ConfigurationSpace, vector: Vector) -> Configuration:
    """The configuration whose array form is the vector."""
    return Configuration(space, vector=np.array(vector, dtype=np.float64))


def build_facade(
    domain: Domain,
    seed: int,
    settings: Smac3Settings,
    first: Vector,
    sample: Callable[[], Vector],
) -> Facade:
    """The algorithm configuration facade for a domain; it writes no file.

    Args:
        domain: what may be proposed.
        seed: of all of SMAC's random streams.
        settings: see `Smac3Settings`.
        first: first configuration.
        sample: draws a uniform valid vector.
    """
    space = categorical_space(domain.cardinalities, seed)
    scenario = Scenario(
        space,
        output_directory=Path("never-written"),
        deterministic=settings.max_config_calls == 1,
        n_trials=2**31 - 1,
        seed=seed,
    )
    return Facade(
        scenario,
        model=_forest(space, settings.n_trees, seed),
        acquisition_maximizer=_maximizer(space, settings, seed),
        acquisition_function=EI(xi=0.0),
        initial_design=RandomInitialDesign(
            scenario, n_configs=0, additional_configs=[to_configuration(space, first)]
        ),
        random_design=ProbabilityRandomDesign(settings.random_fraction, seed=seed),
        intensifier=Facade.get_intensifier(scenario, max_config_calls=settings.max_config_calls),
        config_selector=ValidConfigSelector(
            scenario, domain, sample, retrain_after=settings.retrain_after
        ),
        logging_level=False,
    )


def _forest(space: ConfigurationSpace, n_trees: int, seed: int) -> RandomForest:
    """The facade's forest, on one thread and with a sensible bound on the leaves.

    The package's bound of 2**20 leaves makes scikit-learn allocate 2**21 nodes per tree, which
    takes most of SMAC's time. A bound that no tree can reach grows the same trees.
    """
    return RandomForest(
        space,
        n_trees=n_trees,
        ratio_features=5 / 6,
        min_samples_split=3,
        min_samples_leaf=3,
        max_depth=20,
        bootstrapping=True,
        log_y=False,
        max_leaf_nodes=MAX_LEAVES,
        seed=seed,
        n_jobs=1,
    )


def _maximizer(
    space: ConfigurationSpace, settings: Smac3Settings, seed: int
) -> LocalAndSortedRandomSearch:
    maximizer = LocalAndSortedRandomSearch(
        space,
        challengers=settings.challengers,
        local_search_iterations=settings.local_searches,
        seed=seed,
    )
    maximizer._local_search = OrderedLocalSearch(configspace=space, seed=seed)
    return maximizer
