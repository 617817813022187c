"""What a sweep found, in words."""

from __future__ import annotations

from pathlib import Path

from raynas.report import wording as common
from tuning.finals import Finals
from tuning.report.analysis import (
    FEWEST_PAIRS,
    FEWEST_POINTS,
    Importance,
    Improvement,
    RankCorrelation,
    improvement,
    trajectory,
)
from tuning.report.content import SweepContent, read_content

#: Bootstrap intervals of fewer seeds cover the true value clearly too seldom.
MANY = 10


def improvement_line(study: Path) -> str:
    """One line for the console: by how much tuning helped.

    Raises:
        UserError: the study cannot be read.
    """
    return helped(improvement(read_content(study)))


def helped(found: Improvement | None) -> str:
    """By how much tuning helped."""
    if found is None:
        return "No comparison with new seeds: by how much tuning helped is not known."
    text = (
        f"Mean test regret over {common.counted(found.seeds, 'new seed')}: "
        f"{common.regret(found.default)} percentage points with default settings, "
        f"{common.regret(found.tuned)} with tuned ones; improvement factor {times(found.factor)}"
    )
    if found.interval is None:
        return f"{text} (too few seeds for an interval)."
    low, high = found.interval
    text += f", 95 % interval {times(low)} to {times(high)}."
    if low <= 1 <= high:
        return f"{text} These seeds do not tell it from no improvement."
    text += f" Tuning {'helped' if low > 1 else 'harmed'}."
    return text if found.seeds >= MANY else f"{text} Intervals of so few seeds are too narrow."


def chosen(found: Finals) -> str:
    """Which configuration was chosen, and what that took."""
    best, default = found.chosen, found.default
    cost = (
        f"{found.searches} searches of {common.counted(found.epochs, 'epoch')}, "
        f"{common.duration(found.seconds)} of search"
    )
    others = len(found.finalists) - 1
    means = f"mean validation error over {common.counted(found.seeds, 'new seed')}"
    if best is default:
        return (
            f"The default configuration was chosen: none of the {others} best of the sweep has a "
            f"lower {means} ({cost})."
        )
    return (
        f"Configuration {best.configuration} was chosen among the {others} best of the sweep and "
        f"the default: {means} {100 * best.mean:.2f} %, default {100 * default.mean:.2f} % "
        f"({cost})."
    )


def as_search(content: SweepContent) -> str | None:
    """How good the sweep is as a search of its own; None without a comparison."""
    if content.comparison is None:
        return None
    found = trajectory(content)
    searched = (content.method, content.tuned)
    means = {
        content.comparison.styles[label].name: float(curve.mean[curve.seconds <= end][-1]) / 100
        for end in found.simulated[-1:]
        for label, curve in content.comparison.curves["test_regret"].items()
        if label not in searched and (curve.seconds <= end).any()
    }
    if not means:
        return None
    best = min(means, key=lambda name: means[name])
    regret = float(found.test_error[-1] - content.best_test_error)
    return (
        f"As a search of its own, this one sweep ends with a test regret of "
        f"{common.regret(regret)} after {common.duration(float(found.simulated[-1]))} of simulated "
        f"time; by then the best black-box method, {best}, has a mean of "
        f"{common.regret(means[best])}."
    )


def unsure(found: list[RankCorrelation]) -> str | None:
    """Which budgets share too few configurations to be compared; None if all share enough."""
    few = [f"{c.low} and {c.high} ({c.count})" for c in found if c.interval is None]
    if not few:
        return None
    return (
        f"Budgets that share fewer than {FEWEST_PAIRS} configurations, so that nothing can be said "
        f"about whether they agree: {', '.join(few)}."
    )


def times(factor: float) -> str:
    """A factor; infinite where the tuned regret is zero."""
    return "∞" if factor == float("inf") else f"{factor:.2f}"


def mattered(found: Importance | None) -> str:
    """Which hyperparameter mattered."""
    if found is None:
        return (
            f"No budget has {FEWEST_POINTS} evaluations: too few to say which hyperparameter "
            "mattered."
        )
    above = [name for name, share in found.shares.items() if share > found.chance]
    first = next(iter(found.shares))
    text = (
        f"Among {found.count} evaluations of {found.epochs} epochs, {first} explains most of the "
        f"variance of the errors ({found.shares[first]:.0%})"
    )
    if not above:
        return f"{text}, but the largest of so many shares is often as large by chance."
    return f"{text}; more than the largest share by chance: {', '.join(above)}."


def can_show(content: SweepContent) -> list[str]:
    """What a sweep of this size can and cannot show."""
    count = len(content.completed)
    finals = content.finals
    met = (
        "the configuration was chosen by its error in the sweep alone"
        if finals is None
        else f"the best {len(finals.finalists) - 1} met the default again with {finals.seeds} new "
        "seeds each"
    )
    lines = [
        f"{count} evaluations with one seed each. The winner is the luckiest as well as the best: "
        f"its own error in the sweep is too good to be true. So {met}, and the improvement above "
        "is measured with seeds that nothing was chosen with."
    ]
    images = content.manifest["search"]["images"]
    if images["name"] != "cifar10":
        lines.append(
            f"The searches saw {images['title']}; the benchmark scores cells on CIFAR-10. What is "
            "best here says nothing of what is best for searches on CIFAR-10."
        )
    if content.budgets and content.budgets[-1] < 25:
        lines.append(
            f"The largest budget is {content.budgets[-1]} epochs of a supernet with "
            f"{content.manifest['search']['settings'][content.method]['channels']} channels; the "
            "published sweeps use 25 to 100 epochs with 16. Small searches reward settings that "
            "learn fast."
        )
    lines.append(
        "Promoted configurations are the better half of their rung, so correlations between "
        "budgets are of a narrowed range and come out lower than they would over all."
    )
    return lines
