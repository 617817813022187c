"""The layers of a supernet for stacks of values; a stack has the shape (g, n, h, w, channels)."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional

from raynas.supernet.operations import Norm

#: Elements per value up to which normalising all values of a stack at once is faster on a CPU
#: than one after another with the kernel of PyTorch.
_SMALL = 1 << 16
#: Bytes that a CPU pools at once: what is written stays in its cache until it is read again.
_PIECE_BYTES = 1 << 20


class Statistics:
    """How values are normalised, layer after layer in the order in which they are computed.

    With "batch" and "running" it is as in `Norm`. With "recalibrated" every value has statistics
    of its own: first `recording` batches, means over them are taken; then they are used.

    Args:
        name: one of `raynas.supernet.STATISTICS`.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.recording = name == "recalibrated"
        self._batches = 0
        self._known: list[tuple[Tensor, Tensor]] = []
        self._next = 0

    def begin(self) -> None:
        """A batch of images begins."""
        self._next = 0
        self._batches += self.recording

    @property
    def of_batch(self) -> bool:
        """Whether the next layers are normalised with the statistics of their own values."""
        return self.name == "batch" or self.recording

    def record(self, mean: Tensor, variance: Tensor) -> None:
        """Take the statistics (g, channels) of a batch into the mean of the current layer."""
        if self._batches == 1:
            self._known.append((mean.clone(), variance.clone()))
        for known, new in zip(self._known[self._next], (mean, variance), strict=True):
            known.lerp_(new, 1 / self._batches)
        self._next += 1

    def recall(self) -> tuple[Tensor, Tensor]:
        """Mean and variance (g, channels) of the current layer."""
        self._next += 1
        return self._known[self._next - 1]


def conv_norm(
    x: Tensor,
    weight: Tensor,
    norm: Norm,
    part: slice | Sequence[slice],
    statistics: Statistics,
    *,
    rectify: bool = True,
) -> Tensor:
    """Convolution, normalisation and ReLU of each value of a stack.

    Args:
        x: (g, n, h, w, inputs).
        weight: (outputs, inputs, size, size), for these inputs.
        norm: of the layer.
        part: the channels of the norm that are these outputs.
        statistics: how to normalise.
        rectify: whether a ReLU follows.
    """
    scale = None if norm.weight is None else norm.weight[part]
    shift = None if norm.bias is None else norm.bias[part]
    if statistics.of_batch:
        return _by_batch(_convolve(x, weight, None), scale, shift, norm.eps, statistics, rectify)
    if statistics.name == "running":
        factor, offset = _affine(
            norm.running_mean[part], norm.running_var[part], scale, shift, norm
        )
        y = _convolve(x, weight * factor[:, None, None, None], offset.to(x.dtype))
        return y.relu_() if rectify else y
    factor, offset = _affine(*statistics.recall(), scale, shift, norm)
    y = _convolve(x, weight, None)
    y = y.mul_(_over_values(factor, y)).add_(_over_values(offset, y))
    return y.relu_() if rectify else y


def _over_values(t: Tensor, like: Tensor) -> Tensor:
    return t[:, None, None, None, :].to(like.dtype)


def _affine(
    mean: Tensor, variance: Tensor, scale: Tensor | None, shift: Tensor | None, norm: Norm
) -> tuple[Tensor, Tensor]:
    factor = torch.rsqrt(variance + norm.eps)
    factor = factor if scale is None else factor * scale
    offset = -mean * factor
    return factor, offset if shift is None else offset + shift


def _convolve(x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    g, n, h, w, channels = x.shape
    weight = weight.to(x.dtype).contiguous(memory_format=torch.channels_last)
    flat = x.reshape(g * n, h, w, channels).permute(0, 3, 1, 2)
    y = functional.conv2d(flat, weight, bias, padding=weight.shape[-1] // 2)
    return y.permute(0, 2, 3, 1).contiguous().view(g, n, h, w, len(weight))


def _by_batch(
    y: Tensor,
    scale: Tensor | None,
    shift: Tensor | None,
    eps: float,
    statistics: Statistics,
    rectify: bool,
) -> Tensor:
    together = y.device.type != "cpu" or y[0].numel() <= _SMALL
    if together and y.dtype == torch.float32:
        return _together(y, scale, shift, eps, statistics, rectify)
    result = torch.empty_like(y)
    # As the kernels have it: on a CPU that of the parameters, on a GPU that of sums.
    dtype = y.dtype if scale is None and y.device.type == "cpu" else torch.float32
    mean, inverse = (y.new_empty(len(y), y.shape[-1], dtype=dtype) for _ in range(2))
    for i, value in enumerate(y):
        torch.ops.aten.native_batch_norm.out(
            value.permute(0, 3, 1, 2),
            *(scale, shift, None, None, True, 0.0, eps),
            out=result[i].permute(0, 3, 1, 2),
            save_mean=mean[i],
            save_invstd=inverse[i],
        )
        if rectify:
            result[i].relu_()
    if statistics.recording:
        count = y[0].numel() // y.shape[-1]
        statistics.record(mean, (inverse**-2 - eps) * (count / (count - 1)))
    return result


def _together(
    y: Tensor,
    scale: Tensor | None,
    shift: Tensor | None,
    eps: float,
    statistics: Statistics,
    rectify: bool,
) -> Tensor:
    rows = y.view(len(y), -1, y.shape[-1])
    count = rows.shape[1]
    # Means as products with a row of ones: reductions over the middle of a tensor are slow.
    share = rows.new_full((1, 1, count), 1 / count).expand(len(y), 1, count)
    mean = torch.bmm(share, rows)
    rows.sub_(mean)
    variance = torch.bmm(share, rows.square())
    if statistics.recording:
        statistics.record(mean[:, 0], variance[:, 0] * (count / (count - 1)))
    factor = torch.rsqrt(variance + eps)
    rows.mul_(factor if scale is None else factor * scale)
    if shift is not None:
        rows.add_(shift)
    if rectify:
        rows.relu_()
    return rows.view_as(y)


def max_pool_3x3(x: Tensor) -> Tensor:
    """Maximum over 3 x 3 pixels at every pixel: first over rows, then over columns."""
    result = torch.empty_like(x)
    for part, target in zip(_pieces(x), _pieces(result), strict=True):
        rows = part.clone()
        torch.maximum(rows[:, 1:], part[:, :-1], out=rows[:, 1:])
        torch.maximum(rows[:, :-1], part[:, 1:], out=rows[:, :-1])
        target.copy_(rows)
        torch.maximum(target[:, :, 1:], rows[:, :, :-1], out=target[:, :, 1:])
        torch.maximum(target[:, :, :-1], rows[:, :, 1:], out=target[:, :, :-1])
    return result


def _pieces(x: Tensor) -> tuple[Tensor, ...]:
    """Images (n, h, w, channels) of all values, in pieces that a processor's cache holds."""
    images = x.view(-1, *x.shape[2:])
    size = _PIECE_BYTES // (images[0].numel() * x.element_size())
    return torch.split(images, max(1, size) if x.device.type == "cpu" else len(images))


def reduce(x: Tensor, padding: int) -> Tensor:
    """The pooling between stacks: maximum over 2 x 2 pixels with stride 2."""
    if padding:
        x = functional.pad(x, (0, 0, *(padding,) * 4), value=-torch.inf)
    height, width = (size // 2 * 2 for size in x.shape[2:4])
    rows = torch.maximum(x[:, :, :height:2], x[:, :, 1:height:2])
    return torch.maximum(rows[:, :, :, :width:2], rows[:, :, :, 1:width:2])


def shuffle(x: Tensor, groups: int) -> Tensor:
    """Channel c * groups + g becomes what was channel g * (channels / groups) + c."""
    parts = x.view(*x.shape[:-1], groups, x.shape[-1] // groups)
    return parts.transpose(-1, -2).reshape(x.shape)
