"""Kernel densities over configurations, and which of some points has the best ratio of two."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
_ROOT_OF_TWO_PI = float(np.sqrt(2 * np.pi))
_LEAST = 1e-32
#: Of rounding errors that a sum of products can add up to, with room to spare.
_SLACK = 1e3 * float(np.finfo(np.float64).eps)


@dataclass(frozen=True, slots=True)
class Density:
    """Product of Aitchison-Aitken and Gaussian kernels, as statsmodels evaluates it.

    Attributes:
        data: the observations, shape (hyperparameters, observations); continuous ones in [0, 1].
        widths: bandwidth of each hyperparameter.
        categorical: which hyperparameters are options.
    """

    data: Floats
    widths: Floats
    categorical: npt.NDArray[np.bool_]

    @classmethod
    def fit(cls, data: Floats, categorical: npt.NDArray[np.bool_], least: float) -> Density:
        """Scott's normal reference rule, as statsmodels has it, and a lower bound of widths."""
        count = data.shape[1]
        widths = 1.06 * np.std(data, axis=1) * count ** (-1.0 / (4 + len(data)))
        return cls(data, np.clip(widths, least, None), categorical)

    @property
    def tame(self) -> bool:
        """Whether its categorical kernels are finite and not negative.

        They are not where a bandwidth is above one, or all observations have the same option.
        """
        columns = zip(self.data[self.categorical], self.widths[self.categorical], strict=True)
        return all(width <= 1 and bool((column != column[0]).any()) for column, width in columns)

    def at(self, points: Floats) -> Floats:
        """Density of each point of an array (points, hyperparameters)."""
        product = self._options(points)
        if not self.categorical.all():
            product *= self._gaussian(points)
        return np.asarray(product.sum(axis=1) / self.data.shape[1])

    def roughly_at(self, points: Floats) -> tuple[Floats, float]:
        """The same with one matrix product, and a bound of its relative error."""
        continuous = ~self.categorical
        widths = self.widths[continuous, None]
        # The square of a distance is the difference of larger numbers, less so about the middle.
        data = (self.data[continuous] - 0.5) / widths
        places = (points[:, continuous].T - 0.5) / widths
        squares, lengths = 0.5 * (data * data).sum(axis=0), 0.5 * (places * places).sum(axis=0)
        left = np.vstack([places, -lengths, np.full_like(lengths, -1.0)])
        product = left.T @ np.vstack([data, np.ones_like(squares), squares])
        np.exp(product, out=product)
        if self.categorical.any():
            product *= self._options(points)
        scale = data.shape[1] * np.prod(_ROOT_OF_TWO_PI * widths)
        return product.sum(axis=1) / scale, _SLACK * float(squares.max() + lengths.max() + 1)

    def _options(self, points: Floats) -> Floats:
        """The categorical kernels of all pairs of points, shape (points, data)."""
        product: Floats = np.ones((len(points), self.data.shape[1]))
        for i in np.flatnonzero(self.categorical):
            column, width = self.data[i], self.widths[i]
            other = width / (np.unique(column).size - 1)
            product *= np.where(points[:, i, None] == column, 1 - width, other)
        return product

    def _gaussian(self, points: Floats) -> Floats:
        """The continuous kernels of all pairs of points, shape (points, data)."""
        widths = self.widths[~self.categorical]
        distance = np.zeros((len(points), self.data.shape[1]))
        for i, width in zip(np.flatnonzero(~self.categorical), widths, strict=True):
            distance += ((points[:, i, None] - self.data[i]) / width) ** 2
        return np.asarray(np.exp(-0.5 * distance) / np.prod(_ROOT_OF_TWO_PI * widths))


def density_ratios(
    bad: Density, good: Density, points: Floats
) -> tuple[Floats, npt.NDArray[np.bool_]]:
    """HpBandSter's ratio of each point, and whether its good density is finite."""
    with np.errstate(all="ignore"):
        numerator, denominator = bad.at(points), good.at(points)
        # As Python's max(1e-32, x) above and max(x, 1e-32) below, NaN included.
        above = np.where(numerator > _LEAST, numerator, _LEAST)
        ratios = above / np.where(denominator < _LEAST, _LEAST, denominator)
    return ratios, np.isfinite(denominator)


def contenders(bad: Density, good: Density, points: Floats) -> npt.NDArray[np.intp]:
    """Numbers of the points that may have the least ratio, of tame densities.

    Nearly always one: the rough densities are right to many digits, and many times faster.
    """
    above, first = bad.roughly_at(points)
    below, second = good.roughly_at(points)
    ratios = np.maximum(above, _LEAST) / np.maximum(below, _LEAST)
    return np.flatnonzero(ratios <= ratios.min() * (1 + 4 * (first + second)))
