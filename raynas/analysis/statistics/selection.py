"""What choosing the best by score is worth. Higher is better on both sides."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from raynas.analysis.statistics.statement import Floats, Statement


def top_k_overlap(scores: npt.ArrayLike, truth: npt.ArrayLike, k: int) -> float | Statement:
    """Share of the k best by score that are among the k truly best; k / n by chance.

    It assumes nothing of the values but their order. Where equal ones make the k best ambiguous on
    either side, it is the expectation over independent random choices among them.

    Args:
        scores: (n,); items with a nan on either side are left out.
        truth: (n,).
        k: at least 1.
    """
    pairs = _enough(scores, truth, k)
    if isinstance(pairs, Statement):
        return pairs
    x, y = (_chance_of_top(side, k) for side in pairs)
    return float((x * y).sum() / k)


def top_k_regret(scores: npt.ArrayLike, truth: npt.ArrayLike, k: int) -> float | Statement:
    """Distance from the best truth of all to the best truth among the k best by score.

    That is what is lost when the k best by score are trained and the best of them is taken; it
    assumes that training shows their truth. Where equal scores make the k best ambiguous, it is the
    expectation over random choices among them.

    Args:
        scores: (n,); items with a nan on either side are left out.
        truth: (n,).
        k: at least 1.
    """
    pairs = _enough(scores, truth, k)
    if isinstance(pairs, Statement):
        return pairs
    x, y = pairs
    edge = np.sort(x)[-k]
    certain, tied = y[x > edge], np.sort(y[x == edge])[::-1]
    chosen = k - len(certain)
    # Of t tied in falling order, the i-th is the best of `chosen` random ones with probability
    # C(t - 1 - i, chosen - 1) / C(t, chosen), made of ratios so that nothing overflows.
    chance = np.zeros(len(tied))
    left = 1.0
    for i in range(len(tied) - chosen + 1):
        hit = chosen / (len(tied) - i)
        chance[i] = left * hit
        left *= 1 - hit
    floor = certain.max(initial=-np.inf)
    return float(y.max() - (chance * np.maximum(tied, floor)).sum())


def _chance_of_top(values: Floats, k: int) -> Floats:
    """Probability of each item to be among the k greatest, equal ones drawn at random."""
    edge = np.sort(values)[-k]
    above, tied = values > edge, values == edge
    return np.where(above, 1.0, tied * (k - above.sum()) / tied.sum())


def _enough(
    scores: npt.ArrayLike, truth: npt.ArrayLike, k: int
) -> tuple[Floats, Floats] | Statement:
    x, y = (np.asarray(side, dtype=np.float64).reshape(-1) for side in (scores, truth))
    if len(x) != len(y):
        raise ValueError(f"{len(x)} scores and {len(y)} true values are not of the same items")
    if k < 1:
        raise ValueError(f"the {k} best are no choice; k begins at 1")
    both = ~(np.isnan(x) | np.isnan(y))
    if both.sum() < k:
        return Statement(f"{both.sum()} items, fewer than the {k} to choose")
    return x[both], y[both]
