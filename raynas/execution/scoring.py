"""Scores cells with the weights of checkpoints: blocks of cells, a pool of actors, a log."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from raynas.execution.actor_pool import restarting_actors
from raynas.execution.checkpoint_files import Checkpoint
from raynas.execution.directory import StudyDirectory
from raynas.execution.files import TEMPORARY_PREFIX, write_atomically
from raynas.execution.manifest import CORRELATION
from raynas.execution.supernet_actor import SupernetActor
from raynas.oneshot.scoring import Scorer
from search_spaces.space import Vectors

if TYPE_CHECKING:
    from raynas.images import Images, ImageSource

#: "row" holds positions of architectures; those of the first of each cell are rows of the space.
_SCHEMA = pa.schema([("row", pa.int32()), ("accuracy", pa.float64())])

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Block:
    """Some architectures, a rule and statistics, with the weights of one checkpoint.

    Attributes:
        checkpoint: whose weights.
        rule: see `raynas.supernet.rules`.
        statistics: see `raynas.supernet.STATISTICS`.
        number: of the block among those of the same checkpoint, rule and statistics.
        positions: of the architectures among all those of their space.
    """

    checkpoint: Checkpoint
    rule: str
    statistics: str
    number: int
    positions: npt.NDArray[np.int64]

    @property
    def file(self) -> str:
        """Name of its file in the log."""
        of = self.checkpoint
        parts = (of.method, of.space, of.seed, of.epoch, self.rule, self.statistics, self.number)
        return "-".join(map(str, parts)) + ".parquet"


def blocks_of(
    checkpoints: Sequence[Checkpoint],
    rules: Sequence[tuple[str, str]],
    positions: Mapping[str, npt.NDArray[np.int64]],
    size: int,
) -> list[Block]:
    """All work, checkpoint by checkpoint.

    Args:
        checkpoints: whose weights.
        rules: pairs (rule, statistics).
        positions: of the architectures of each space, in an order in which neighbours share work.
        size: architectures per block.
    """
    return [
        Block(checkpoint, rule, statistics, number, part)
        for checkpoint in checkpoints
        for rule, statistics in rules
        for number, part in enumerate(_parts(positions[checkpoint.space], size))
    ]


def _parts(positions: npt.NDArray[np.int64], size: int) -> Iterator[npt.NDArray[np.int64]]:
    return (positions[start : start + size] for start in range(0, len(positions), size))


class ScoreLog(StudyDirectory):
    """A directory with one file per finished block, written as a whole or not at all."""

    kind: ClassVar[str] = CORRELATION
    continued_by: ClassVar[str] = "--resume, or name another one with --out"

    def __init__(self, path: Path, manifest: dict[str, Any], lock: int) -> None:
        """Use `create` or `resume`."""
        super().__init__(path, manifest, lock)
        self.folder = path / "log"
        for leftover in self.folder.glob(f"{TEMPORARY_PREFIX}*"):
            leftover.unlink(missing_ok=True)

    def write(self, block: Block, accuracies: Floats) -> None:
        """Write the accuracies of a block; they are on disk afterwards."""
        table = pa.table([block.positions, accuracies], schema=_SCHEMA)
        write_atomically(self.folder / block.file, lambda path: pq.write_table(table, path))

    def read(self, block: Block) -> Floats | None:
        """The accuracies of a block; None if it is not there, or damaged."""
        try:
            table = pq.ParquetFile(self.folder / block.file).read()
        except (FileNotFoundError, pa.ArrowException):
            return None
        if table.schema.names != _SCHEMA.names:
            return None
        if not np.array_equal(table["row"].to_numpy(), block.positions):
            return None
        return np.asarray(table["accuracy"].to_numpy(), np.float64)


@dataclass(frozen=True)
class Conditions:
    """What all blocks are scored on.

    Attributes:
        images: those of the searches.
        limit: images of the validation half; None: all.
        seed: of their draw.
        device: "cpu" or "cuda".
        gpus_per_actor: share of a GPU.
    """

    images: ImageSource
    limit: int | None = None
    seed: int = 0
    device: str = "cpu"
    gpus_per_actor: float = 0.0

    @property
    def count(self) -> int:
        """How many images are classified."""
        there = self.images.sizes["search"]
        half = there - there // 2
        return half if self.limit is None else min(self.limit, half)


class ScoringActor:
    """A `SupernetActor` that takes the state of one checkpoint after the other."""

    def __init__(self, conditions: Conditions, decoded: Images) -> None:
        """Put the images on the device.

        Args:
            conditions: of all blocks.
            decoded: the search part of the images.
        """
        from raynas.images import load_search_images

        self._conditions = conditions
        source, device = conditions.images, conditions.device
        self._images = load_search_images(source, device, decoded=decoded)
        self._name = ""
        self._scorer: Scorer | None = None

    def score(
        self, number: int, name: str, state: bytes, vectors: Vectors, rule: str, statistics: str
    ) -> tuple[int, Floats]:
        """Validation accuracies of architectures (n, d) with the weights of a state.

        Args:
            number: of the piece of work.
            name: of the state.
            state: what `SupernetActor.save` gave.
            vectors: architectures of the state's space.
            rule: see `Scorer.accuracies`.
            statistics: the same.

        Returns:
            The number, and the shares of right answers, shape (n,).
        """
        if self._scorer is None or self._name != name:
            actor = SupernetActor(None, self._images, self._conditions.device, state)
            given = self._conditions
            self._scorer = Scorer(actor.search, given.limit, given.seed)
            self._name = name
        return number, self._scorer.accuracies(vectors, rule, statistics)


class ScoreListener(Protocol):
    """Whoever wants to show how far the work is."""

    def on_scores(self, checkpoint: Checkpoint, cells: int) -> None:
        """So many more evaluations with a checkpoint are on disk."""


def score_blocks(
    log: ScoreLog,
    blocks: Sequence[Block],
    vectors: Mapping[str, Vectors],
    conditions: Conditions,
    *,
    actors: int = 2,
    address: str | None = None,
    listener: ScoreListener | None = None,
) -> None:
    """Score the blocks that are not in the log, on Ray.

    An actor that dies is started again and gets its block once more.

    Args:
        log: where finished blocks are written.
        blocks: all of them.
        vectors: all architectures of each space, which the blocks have positions of.
        conditions: what to score on.
        actors: how many work at the same time; 0: this process, without Ray.
        address: of a Ray cluster; None: a local one.
        listener: who is told.

    Raises:
        UserError: a checkpoint cannot be read, images are missing, or Ray does not start.
    """
    left: dict[Checkpoint, list[Block]] = {}
    for block in blocks:
        if log.read(block) is None:
            left.setdefault(block.checkpoint, []).append(block)
        elif listener is not None:
            listener.on_scores(block.checkpoint, len(block.positions))
    if not left:
        return
    if actors == 0:
        _score_here(log, left, vectors, conditions, listener)
    else:
        _score_on_ray(log, left, vectors, conditions, actors, address, listener)


def _score_here(
    log: ScoreLog,
    left: Mapping[Checkpoint, Sequence[Block]],
    vectors: Mapping[str, Vectors],
    conditions: Conditions,
    listener: ScoreListener | None,
) -> None:
    actor = ScoringActor(conditions, conditions.images.read("search"))
    for checkpoint, blocks in left.items():
        state = checkpoint.path.read_bytes()
        for work in _pieces(checkpoint, blocks, vectors, state):
            number, found = actor.score(*work)
            _note(log, blocks[number], found, listener)


def _score_on_ray(
    log: ScoreLog,
    left: Mapping[Checkpoint, Sequence[Block]],
    vectors: Mapping[str, Vectors],
    conditions: Conditions,
    actors: int,
    address: str | None,
    listener: ScoreListener | None,
) -> None:
    from raynas.execution.cluster import cluster

    decoded = conditions.images.read("search")
    with cluster(address, actors):
        import ray
        from ray.util import ActorPool

        arguments, gpus = (conditions, decoded), conditions.gpus_per_actor
        with restarting_actors(ScoringActor, arguments, actors, gpus) as members:
            for checkpoint, blocks in left.items():
                state = ray.put(checkpoint.path.read_bytes())
                work = _pieces(checkpoint, blocks, vectors, state)
                pool = ActorPool(members)
                for number, found in pool.map_unordered(lambda a, w: a.score.remote(*w), work):
                    _note(log, blocks[number], found, listener)


def _pieces(
    checkpoint: Checkpoint, blocks: Sequence[Block], vectors: Mapping[str, Vectors], state: Any
) -> list[tuple[Any, ...]]:
    """The arguments of `ScoringActor.score` for each block."""
    name, known = str(checkpoint.path), vectors[checkpoint.space]
    return [
        (number, name, state, known[block.positions], block.rule, block.statistics)
        for number, block in enumerate(blocks)
    ]


def _note(log: ScoreLog, block: Block, found: Floats, listener: ScoreListener | None) -> None:
    log.write(block, found)
    if listener is not None:
        listener.on_scores(block.checkpoint, len(found))
