"""What one-shot searches recorded after each epoch, beside what the benchmark says of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from raynas.analysis.over_runs import OverRuns, over_runs
from raynas.analysis.runs import float_column

Floats = npt.NDArray[np.float64]

SEARCHES_SCHEMA = pa.schema(
    [
        ("method", pa.string()),
        ("space", pa.string()),
        ("seed", pa.int32()),
        ("epoch", pa.int32()),
        ("vector", pa.list_(pa.uint8())),
        ("module_hash", pa.string()),
        ("train_loss", pa.float64()),
        ("train_accuracy", pa.float64()),
        ("validation_accuracy", pa.float64()),
        ("learning_rate", pa.float64()),
        ("seconds", pa.float64()),
        ("validation_seconds", pa.float64()),
        ("peak_memory", pa.int64()),
        ("device", pa.string()),
    ]
)
ALPHAS_SCHEMA = pa.schema(
    [
        ("method", pa.string()),
        ("space", pa.string()),
        ("seed", pa.int32()),
        ("epoch", pa.int32()),
        ("name", pa.string()),
        ("values", pa.list_(pa.float32())),
        ("shape", pa.list_(pa.int32())),
    ]
)


@dataclass(frozen=True, slots=True)
class SearchRun:
    """One search, epoch by epoch.

    Attributes:
        method: method name or label.
        space: space name.
        seed: the run's seed.
        epochs: (n,) numbers of finished epochs, ascending.
        hashes: module hash of the discretised cell after each epoch.
        seconds: (n,) real search seconds so far.
        one_shot_error: (n,) error of the shared weights on the validation half of the images.
        validation_regret: (n,) regret of the epoch's cell in the benchmark; nan if not known.
        test_regret: (n,) the same for the test error.
        alphas: architecture parameters by name, (n, rows, options); empty if the method has none.
        device: where the search ran.
    """

    method: str
    space: str
    seed: int
    epochs: npt.NDArray[np.int64]
    hashes: tuple[str, ...]
    seconds: Floats
    one_shot_error: Floats
    validation_regret: Floats
    test_regret: Floats
    alphas: dict[str, Floats]
    device: str


def search_runs(searches: pa.Table, alphas: pa.Table, trajectories: pa.Table) -> list[SearchRun]:
    """The searches of a study, by method and space (in order of appearance) and seed.

    Args:
        searches: rows of `SEARCHES_SCHEMA`.
        alphas: rows of `ALPHAS_SCHEMA`.
        trajectories: rows of `TRAJECTORY_SCHEMA`; those of searches are joined: evaluation 0 is
            epoch 1.
    """
    regrets = _regrets(trajectories, searches)
    parameters = _by_run(alphas)
    runs = []
    for key, rows in _by_run(searches).items():
        rows = rows.sort_by("epoch")
        epochs = rows.column("epoch").to_numpy().astype(np.int64)
        known = [regrets.get((*key, int(epoch)), (np.nan, np.nan)) for epoch in epochs]
        validation, test = np.array(known, dtype=np.float64).T
        runs.append(
            SearchRun(
                *key,
                epochs=epochs,
                hashes=tuple(rows.column("module_hash").to_pylist()),
                seconds=np.cumsum(float_column(rows, "seconds")),
                one_shot_error=1 - float_column(rows, "validation_accuracy"),
                validation_regret=validation,
                test_regret=test,
                alphas=_alphas(parameters.get(key), epochs),
                device=str(rows.column("device")[0].as_py()),
            )
        )
    order = {key: i for i, key in enumerate(dict.fromkeys((r.method, r.space) for r in runs))}
    return sorted(runs, key=lambda run: (order[run.method, run.space], run.seed))


def _by_run(table: pa.Table) -> dict[tuple[str, str, int], pa.Table]:
    """The rows of each (method, space, seed), in order of appearance."""
    names = ("method", "space", "seed")
    keys = list(zip(*(table.column(name).to_pylist() for name in names), strict=True))
    places: dict[tuple[str, str, int], list[int]] = {}
    for i, key in enumerate(keys):
        places.setdefault(key, []).append(i)
    return {key: table.take(pa.array(rows)) for key, rows in places.items()}


def _regrets(
    trajectories: pa.Table, searches: pa.Table
) -> dict[tuple[str, str, int, int], tuple[float, float]]:
    """(method, space, seed, epoch) -> validation and test regret of that epoch's cell."""
    methods = pc.unique(searches.column("method"))
    rows = trajectories.filter(pc.is_in(trajectories.column("method"), methods))
    rows = rows.filter(pc.is_null(rows.column("failure")))
    keys = (rows.column(name).to_pylist() for name in ("method", "space", "seed"))
    epochs = (rows.column("evaluation").to_numpy() + 1).tolist()
    values = (float_column(rows, f"{name}_regret").tolist() for name in ("validation", "test"))
    found = zip(zip(*keys, epochs, strict=True), zip(*values, strict=True), strict=True)
    return dict(found)


def _alphas(rows: pa.Table | None, epochs: npt.NDArray[np.int64]) -> dict[str, Floats]:
    if rows is None:
        return {}
    found: dict[str, Floats] = {}
    place = {int(epoch): i for i, epoch in enumerate(epochs)}
    for row in rows.to_pylist():
        values = np.array(row["values"], dtype=np.float64).reshape(row["shape"])
        blank = np.full((len(epochs), *values.shape), np.nan)
        if row["epoch"] in place:
            found.setdefault(row["name"], blank)[place[row["epoch"]]] = values
    return found


# Choices ------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Choice:
    """One decision of a cell: a row of the architecture parameters.

    Attributes:
        label: "block 2 operation", "block 3 inputs", "output inputs".
        kind: "operation" or "inputs".
        vertex: number of the block, from 1; the output comes after the last.
        name: of the parameter tensor.
        row: of that tensor.
        options: what can be chosen, one per column.
        picks: how many of them the cell takes.
    """

    label: str
    kind: str
    vertex: int
    name: str
    row: int
    options: tuple[str, ...]
    picks: int


def choices(space_name: str) -> list[Choice]:
    """The decisions of a space as the architecture parameters hold them: operations, then inputs.

    Blocks without a choice of parents have no parameters for it, so they are not among them.
    """
    from raynas.supernet.operations import PRIMITIVES
    from raynas.supernet.weights import has_choice
    from search_spaces.nas_bench_1shot1 import NASBench1Shot1Space
    from search_spaces.spaces import load_space

    space = load_space(space_name)
    assert isinstance(space, NASBench1Shot1Space)
    blocks = range(space.num_blocks)
    found = [
        Choice(f"block {b + 1} operation", "operation", b + 1, "operation", b, PRIMITIVES, 1)
        for b in blocks
    ]
    chosen = [block for block in blocks if has_choice(space, block)]
    places = [(block, f"inputs.{i}") for i, block in enumerate(chosen)]
    for block, name in [*places, (space.num_blocks, "output")]:
        parents = ("input", *(f"block {i + 1}" for i in range(block)))
        vertex = "output" if name == "output" else f"block {block + 1}"
        picks = len(space.parent_sets[block][0])
        found.append(Choice(f"{vertex} inputs", "inputs", block + 1, name, 0, parents, picks))
    return found


def centred(run: SearchRun, choice: Choice) -> Floats:
    """Parameters of a choice less their mean, which a softmax does not see: (n, options)."""
    values = run.alphas[choice.name][:, choice.row]
    return np.asarray(values - values.mean(axis=1, keepdims=True))


def taken(run: SearchRun, choice: Choice) -> npt.NDArray[np.bool_]:
    """What the discretised cell takes, (n, options): the largest, of equals those listed first."""
    values = run.alphas[choice.name][:, choice.row]
    largest = np.argsort(-values, axis=1, kind="stable")[:, : choice.picks]
    found = np.zeros(values.shape, dtype=np.bool_)
    np.put_along_axis(found, largest, True, axis=1)
    return found & ~np.isnan(values)


def weights(run: SearchRun, choice: Choice) -> Floats:
    """Softmax of the parameters of a choice, (n, options)."""
    values = run.alphas[choice.name][:, choice.row]
    powers = np.exp(values - values.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True))


def entropy(run: SearchRun, choice: Choice) -> Floats:
    """Entropy of the weights of a choice as a share of the largest possible, (n,): 1 undecided."""
    shares = weights(run, choice)
    logs = np.log(np.where(shares > 0, shares, 1.0))
    # Rounding must not lead out of [0, 1].
    share = -(shares * logs).sum(axis=1) / np.log(shares.shape[1])
    return np.asarray(np.clip(share, 0.0, 1.0))


def mean_entropy(run: SearchRun, space_choices: Sequence[Choice]) -> Floats:
    """Mean entropy over all choices, (n,); nan for a method without parameters."""
    if not run.alphas:
        return np.full(len(run.epochs), np.nan)
    return np.asarray(np.mean([entropy(run, choice) for choice in space_choices], axis=0))


# Over seeds ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class EpochCurve(OverRuns):
    """A quantity of one method's searches over epochs; each array has one entry per epoch.

    Attributes:
        epochs: numbers of finished epochs.
    """

    epochs: npt.NDArray[np.int64]


def epoch_curve(
    runs: Sequence[SearchRun], quantity: Callable[[SearchRun], Floats], seed: int = 0
) -> EpochCurve:
    """Summarise a quantity of the runs of one method over epochs.

    Args:
        runs: of one method, at least one.
        quantity: (n,) of a run, one value per epoch.
        seed: of the bootstrap.
    """
    epochs = np.unique(np.concatenate([run.epochs for run in runs]))
    values = np.full((len(runs), len(epochs)), np.nan)
    for i, run in enumerate(runs):
        values[i, np.searchsorted(epochs, run.epochs)] = quantity(run)
    return EpochCurve(epochs=epochs, **over_runs(values, seed))


def by_method(runs: Sequence[SearchRun], space: str) -> dict[str, list[SearchRun]]:
    """The searches of one space, grouped by method in order of appearance."""
    groups: dict[str, list[SearchRun]] = {}
    for run in runs:
        if run.space == space:
            groups.setdefault(run.method, []).append(run)
    return groups
