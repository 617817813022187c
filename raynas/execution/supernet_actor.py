"""A supernet in a process of its own: trained, asked, saved and continued."""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import torch

from raynas.execution.actor_pool import restarting_actors
from raynas.images import Images, ImageSource, find_images, load_search_images
from raynas.oneshot.checkpoint import read_checkpoint
from raynas.oneshot.search import Search
from raynas.supernet import keep_freed_memory
from search_spaces.errors import UserError
from search_spaces.spaces import load_space

if TYPE_CHECKING:
    from raynas.images import SearchImages
    from raynas.oneshot import EpochRecord, OneShotMethod, SearchSettings

_BLOCKS_PER_ACTOR = 4


@dataclass(frozen=True)
class SearchSpec:
    """One search, as a process that is to host it must know it.

    Attributes:
        method: a name, or the class of a method of one's own.
        space: name of a space.
        settings: of the method.
        seed: root of all random streams.
    """

    method: str | type[OneShotMethod]
    space: str
    settings: SearchSettings
    seed: np.random.SeedSequence | int = 0


class SupernetActor:
    """Hosts one search with its supernet and optimizer state.

    A plain object, and a Ray actor by `ray.remote(SupernetActor)`. On a CPU the process keeps freed
    memory from then on, see `keep_freed_memory`.

    Attributes:
        search: what is hosted.
    """

    def __init__(
        self,
        spec: SearchSpec | None,
        images: SearchImages | tuple[ImageSource, Images],
        device: str = "cpu",
        state: bytes | None = None,
        kind: type[OneShotMethod] | None = None,
    ) -> None:
        """Start a search, or continue one.

        Args:
            spec: the search; None: the one that `state` is of.
            images: on the device already, or the decoded search part of a source.
            device: "cpu" or "cuda".
            state: what `save` gave.
            kind: the class, if a state without a search is of a method of one's own.

        Raises:
            UserError: settings do not fit, or the state is another search's.
        """
        if isinstance(images, tuple):
            images = load_search_images(images[0], device, decoded=images[1])
        if images.train.pixels.device.type == "cpu":
            keep_freed_memory()
        if spec is not None:
            space: Any = load_space(spec.space)
            self.search = Search(spec.method, space, images, spec.settings, seed=spec.seed)
            if state is not None:
                self.load(state)
        elif state is not None:
            self.search = Search.from_state(_unpack(state), images, kind)
        else:
            raise ValueError("neither a search nor a state to continue")

    def train(self, epochs: int = 1) -> list[EpochRecord]:
        """Train for some epochs, at most to the end; see `Search.advance`."""
        return self.search.advance(epochs)

    def evaluate(
        self, vectors: npt.NDArray[np.uint8], batches: int | None = None
    ) -> npt.NDArray[np.float64]:
        """Validation accuracies (n,) of architectures (n, d); see `Search.evaluate`."""
        return self.search.evaluate(vectors, batches)

    def save(self) -> bytes:
        """The whole state, in the format of `torch.save`."""
        file = io.BytesIO()
        torch.save(self.search.state_dict(), file)
        return file.getvalue()

    def load(self, state: bytes) -> None:
        """Go on where `save` was called; no code of the state is run.

        Raises:
            UserError: the state is broken, or another search's.
        """
        self.search.load_state_dict(_unpack(state))


def device_name(device: torch.device | str) -> str:
    """The GPU's name, or "cpu"."""
    device = torch.device(device)
    return torch.cuda.get_device_name(device) if device.type == "cuda" else device.type


def evaluate_in_pool(
    checkpoint: bytes | Path,
    vectors: npt.NDArray[np.uint8],
    *,
    actors: int = 2,
    batches: int | None = None,
    images: ImageSource | None = None,
    kind: type[OneShotMethod] | None = None,
    device: str = "cpu",
    gpus_per_actor: float = 0.0,
    address: str | None = None,
) -> npt.NDArray[np.float64]:
    """Validation accuracies of many architectures with the weights of one checkpoint.

    Ray starts actors that die again, from the checkpoint, and gives them their block once more.

    Args:
        checkpoint: what `SupernetActor.save` gave, or a file of it.
        vectors: architectures of the checkpoint's space, shape (n, d).
        actors: how many work at the same time.
        batches: the first so many batches of the validation half; None: all of it.
        images: those of the search; None: found by the name in the checkpoint.
        kind: the class of the search's method, if it is one of one's own.
        device: "cpu" or "cuda".
        gpus_per_actor: share of a GPU.
        address: of a Ray cluster; None: the one that this process is in, else a local one.

    Returns:
        Shares of right answers, shape (n,).

    Raises:
        UserError: the checkpoint cannot be read, or images are missing.
    """
    from raynas.execution.cluster import cluster

    state = checkpoint if isinstance(checkpoint, bytes) else _read(checkpoint)
    source = images or find_images(_unpack(state)["identity"]["images"])
    decoded = source.read("search")
    size = max(1, -(-len(vectors) // (actors * _BLOCKS_PER_ACTOR)))
    blocks = [vectors[start : start + size] for start in range(0, len(vectors), size)]
    with cluster(address, actors):
        from ray.util import ActorPool

        arguments = (None, (source, decoded), device, state, kind)
        count = min(actors, len(blocks))
        with restarting_actors(SupernetActor, arguments, count, gpus_per_actor) as members:
            pool = ActorPool(members)
            found = list(pool.map(lambda a, block: a.evaluate.remote(block, batches), blocks))
    return np.concatenate([np.zeros(0), *found])


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise UserError(f"cannot read the checkpoint {path}: {error.strerror}") from error


def _unpack(state: bytes) -> dict[str, Any]:
    found = read_checkpoint(state)
    if "identity" not in found:
        raise UserError("the checkpoint is not that of a search")
    return found
