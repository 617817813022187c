"""What every search space offers, whatever its graphs look like."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from search_spaces.cell import Cell

if TYPE_CHECKING:
    from ConfigSpace import ConfigurationSpace

Vectors = npt.NDArray[np.uint8]
Rows = npt.NDArray[np.int64]


class ArchitectureError(ValueError):
    """A vector, configuration or cell lies outside the space."""


class Space(ABC):
    """A finite set of architectures, each a vector of small integers, one per choice.

    Several architectures may describe the same network. The *unique cells* of a space are its
    classes under isomorphism after pruning, numbered ("rows") in the order of their hashes.

    Attributes:
        name: the name by which `load_space` finds it.
        choice_names: one name per choice, those of the published configuration spaces.
        options: for each choice its options, as values of the configuration space.
        num_architectures: number of valid vectors.
        num_unique: number of unique cells.
    """

    name: str
    choice_names: tuple[str, ...]
    options: tuple[tuple[Any, ...], ...]
    num_architectures: int
    num_unique: int

    @cached_property
    def cardinalities(self) -> tuple[int, ...]:
        """Number of options per choice."""
        return tuple(len(values) for values in self.options)

    # What a space must say for itself ---------------------------------------------------------

    @abstractmethod
    def unique_hashes(self) -> npt.NDArray[np.uint8]:
        """Module hashes of the unique cells, sorted, shape (num_unique, 16)."""

    @abstractmethod
    def decode(self, vector: Sequence[int] | Vectors) -> Cell:
        """The cell that a vector describes, loose ends included."""

    @abstractmethod
    def encode(self, cell: Cell) -> Vectors:
        """A vector that describes `cell`, shape (d,).

        It is the inverse of `decode`; a cell in another form (pruned, or with its vertices
        numbered differently) gives a vector of an isomorphic cell.

        Raises:
            ArchitectureError: if the space has no such cell.
        """

    @abstractmethod
    def rows(self, vectors: npt.ArrayLike) -> Rows:
        """Row of the unique cell of each vector, shape (n, d) -> (n,); -1 where invalid."""

    @abstractmethod
    def representative(self, row: int) -> Vectors:
        """A vector whose unique cell is `row`, shape (d,)."""

    @abstractmethod
    def mutate(self, rng: np.random.Generator, vector: Sequence[int] | Vectors) -> Vectors:
        """The mutation of regularized evolution in this space, shape (d,)."""

    @abstractmethod
    def neighbours(self, vector: Sequence[int] | Vectors) -> Vectors:
        """All valid vectors one change away, shape (m, d)."""

    @abstractmethod
    def enumerate(self) -> Vectors:
        """Every valid vector in lexicographic order, shape (num_architectures, d)."""

    # What follows from it ---------------------------------------------------------------------

    def valid(self, vectors: npt.ArrayLike) -> npt.NDArray[np.bool_]:
        """Which vectors describe a cell of the space, shape (n, d) -> (n,)."""
        return np.ones(len(self._checked(vectors)), bool)

    def sample(self, rng: np.random.Generator, size: int) -> Vectors:
        """Draw uniformly from the valid vectors, shape (size, d)."""
        drawn = np.empty((0, len(self.cardinalities)), np.uint8)
        while len(drawn) < size:
            batch = rng.integers(0, self.cardinalities, (size, len(self.cardinalities)), np.uint8)
            drawn = np.concatenate([drawn, batch[self.valid(batch)]])
        return drawn[:size]

    def sample_unique(self, rng: np.random.Generator, size: int) -> Vectors:
        """Draw uniformly from the unique cells, shape (size, d)."""
        rows = rng.integers(self.num_unique, size=size)
        return np.stack([self.representative(int(row)) for row in rows])

    def cell(self, row: int) -> Cell:
        """The unique cell with that row number, pruned."""
        return self.decode(self.representative(row)).prune()

    def row_of_hash(self, module_hash: str) -> int:
        """Row of a module hash.

        Raises:
            ArchitectureError: if the space has no cell with that hash.
        """
        keys = as_keys(self.unique_hashes())
        key = as_keys(np.frombuffer(bytes.fromhex(module_hash), np.uint8)[None])
        row = int(np.searchsorted(keys, key)[0])
        if row == len(keys) or keys[row] != key[0]:
            raise ArchitectureError(f"space {self.name} has no cell with hash {module_hash}")
        return row

    def configuration_space(self, seed: int | None = None) -> ConfigurationSpace:
        """The same choices as a ConfigSpace of categorical hyperparameters."""
        from ConfigSpace import CategoricalHyperparameter, ConfigurationSpace

        space = ConfigurationSpace(seed=seed)
        space.add(
            [
                CategoricalHyperparameter(name, list(values))
                for name, values in zip(self.choice_names, self.options, strict=True)
            ]
        )
        return space

    def to_config(self, vector: Sequence[int] | Vectors) -> dict[str, Any]:
        """A vector as a mapping from choice name to option."""
        checked = self._checked(np.asarray(vector)[None])[0]
        return {
            name: values[index]
            for name, values, index in zip(self.choice_names, self.options, checked, strict=True)
        }

    def from_config(self, config: Mapping[str, Any]) -> Vectors:
        """The vector of a configuration; the inverse of `to_config`.

        Raises:
            ArchitectureError: if a choice is missing or names no option.
        """
        vector = []
        for name, values in zip(self.choice_names, self.options, strict=True):
            if name not in config:
                raise ArchitectureError(f"the configuration lacks {name!r}")
            value = config[name]
            value = tuple(value) if isinstance(value, list) else value
            if value not in values:
                raise ArchitectureError(f"{name} = {value!r} is not an option; valid: {values}")
            vector.append(values.index(value))
        return np.array(vector, np.uint8)

    def _checked(self, vectors: npt.ArrayLike) -> Vectors:
        array = np.asarray(vectors)
        if array.ndim != 2 or array.shape[1] != len(self.cardinalities):
            raise ArchitectureError(
                f"space {self.name} needs vectors of {len(self.cardinalities)} integers, "
                f"given is an array of shape {array.shape}"
            )
        if array.size and not ((array >= 0) & (array < np.array(self.cardinalities))).all():
            raise ArchitectureError(
                f"a vector has an option out of range; space {self.name} has "
                f"{self.cardinalities} options"
            )
        return array.astype(np.uint8, copy=False)


def as_keys(hashes: npt.NDArray[np.uint8]) -> npt.NDArray[np.bytes_]:
    """Hashes of shape (n, 16) as n comparable 16-byte keys, without a copy where possible.

    The last byte may be zero, which a bytes key treats as padding; that keeps order and
    equality because all keys have the same length.
    """
    return np.ascontiguousarray(hashes).view("S16").reshape(-1)


def hash_texts(hashes: npt.NDArray[np.uint8]) -> list[str]:
    """Hashes of shape (n, 16) as hexadecimal texts."""
    text = hashes.tobytes().hex()
    return [text[i : i + 32] for i in range(0, len(text), 32)]
