"""A supernet's forward pass for many architectures at once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import groupby

import torch
from torch import Tensor, nn

from raynas.supernet.cell import SupernetCell
from raynas.supernet.network import REDUCTION_PADDING, Supernet
from raynas.supernet.shared.cell import SharedCell, join
from raynas.supernet.shared.layers import Statistics, conv_norm, reduce
from raynas.supernet.shared.schedule import CellSteps, Paths, cell_steps, paths_of
from raynas.supernet.weights import ArchitectureWeights, has_choice

#: Bytes of one block's values that are computed together on a CPU, where what does not fit into
#: its cache is slow; and on a GPU, which wants large pieces.
GROUP_BYTES = {"cpu": 1 << 22, "cuda": 1 << 27}
#: Where little fits, little would be shared: up to so many architectures share a first cell
#: beyond it, as long as their values are within so many bytes.
SHARING, SHARING_BYTES = 16, 1 << 27


#: The steps of a group's first cell, and those of its parts in the cells after it.
_GroupSteps = tuple[CellSteps, list[tuple[slice, CellSteps]]]


class SharedEvaluator:
    """Logits of many architectures with the weights of one supernet.

    Args:
        network: the supernet; it is read only.
        group_bytes: of one block's values that are computed together; None: as fits the device.
        sharing: architectures that share a first cell even where fewer are computed together.
    """

    def __init__(
        self, network: Supernet, group_bytes: int | None = None, sharing: int = SHARING
    ) -> None:
        self.network = network
        self.device = network.stem.weight.device
        usual = GROUP_BYTES.get(self.device.type, GROUP_BYTES["cuda"])
        self._bytes = usual if group_bytes is None else group_bytes
        self._sharing = sharing
        choices = range(network.num_blocks)
        self._choices = tuple(has_choice(network.space, block) for block in choices)

    def groups(
        self, weights: Sequence[ArchitectureWeights], images: Tensor
    ) -> Iterator[tuple[list[Paths], list[list[int]]]]:
        """Cut architectures into groups to compute together.

        Returns:
            For each group its different paths, and for each of them the positions of the
            architectures that have them.
        """
        members: dict[Paths, list[int]] = {}
        for position, each in enumerate(weights):
            members.setdefault(paths_of(self._choices, each), []).append(position)
        value = self._value_bytes(images)
        size = max(self._bytes // value, min(self._sharing, SHARING_BYTES // value), 1)
        ordered = sorted(members, key=lambda p: (p.output, _topology(p), p.blocks))
        for _, run in groupby(ordered, key=lambda p: p.output):
            same = list(run)
            for start in range(0, len(same), size):
                group = same[start : start + size]
                yield group, [members[paths] for paths in group]

    def _value_bytes(self, images: Tensor) -> int:
        return self.network.settings.channels * images[:, 0].numel() * images.element_size()

    @torch.no_grad()
    def logits(
        self,
        group: Sequence[Paths],
        statistics: str,
        batches: Iterable[Tensor],
        calibration: Callable[[], Iterable[Tensor]] = tuple,
    ) -> Iterator[Tensor]:
        """Logits (g, n, classes) of a group for each batch of images.

        Args:
            group: paths with the same edges into the output.
            statistics: one of `raynas.supernet.STATISTICS`.
            batches: images (n, channels, h, w).
            calibration: gives the batches to recalibrate with.
        """
        state = Statistics(statistics)
        steps: _GroupSteps | None = None
        if state.recording:
            for images in calibration():
                steps = steps or self._steps(group, images)
                self._forward(images, steps, state)
            state.recording = False
        for images in batches:
            steps = steps or self._steps(group, images)
            yield self._forward(images, steps, state)

    def _steps(self, group: Sequence[Paths], images: Tensor) -> _GroupSteps:
        size = max(1, self._bytes // self._value_bytes(images))
        parts = [slice(start, start + size) for start in range(0, len(group), size)]
        later = [cell_steps(group[part], range(len(group[part]))) for part in parts]
        return cell_steps(group, [0] * len(group)), list(zip(parts, later, strict=True))

    def _forward(self, images: Tensor, steps: _GroupSteps, statistics: Statistics) -> Tensor:
        statistics.begin()
        stem, cell = self.network.stem, self.network.cells[0]
        assert isinstance(cell, SupernetCell)
        x = images.permute(0, 2, 3, 1).contiguous()[None]
        x = conv_norm(x, stem.weight, stem.norm, slice(None), statistics)
        first = SharedCell(cell, steps[0], statistics, None).compute(x)
        return join([self._part(first, *part, statistics) for part in steps[1]])

    def _part(
        self, first: SharedCell, members: slice, steps: CellSteps, statistics: Statistics
    ) -> Tensor:
        """Logits of some of a group from its first cell."""
        settings = self.network.settings
        x, live = first.output(members)
        for index, cell in enumerate(self.network.cells):
            if index == 0:
                continue
            assert isinstance(cell, SupernetCell)
            if index in settings.reductions:
                x = reduce(x, REDUCTION_PADDING[settings.flavour])
            shared = SharedCell(cell, steps, statistics, live).compute(x)
            x, live = shared.output(slice(None))
        head = self.network.head
        x = x.relu_()
        x = conv_norm(x, head.weight[:, live], head.norm, slice(None), statistics, rectify=False)
        classifier: nn.Linear = head.classifier
        logits: Tensor = classifier(x.mean((2, 3), dtype=classifier.weight.dtype))
        return logits


def _topology(paths: Paths) -> tuple[object, ...]:
    return tuple((block, parents) for block, parents, _ in paths.blocks)
