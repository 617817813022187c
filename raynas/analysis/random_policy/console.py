"""The closing table on the console."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate

from rich.console import Console
from rich.measure import Measurement
from rich.table import Table

from raynas.analysis.random_policy import wording
from raynas.analysis.random_policy.against import Comparison
from raynas.analysis.random_policy.budget import EQUAL_BUDGET
from raynas.analysis.random_policy.judgement import Judgement
from raynas.analysis.random_policy.population import UNIQUE
from raynas.analysis.random_policy.space_judgement import SpaceJudgement
from raynas.labels import benchmark_lines
from search_spaces.benchmark import Benchmark

_COLUMNS = (
    "runs",
    "accuracy",
    "best",
    "worst",
    "A, draw",
    "p",
    "difference",
    "p, same",
    "published",
    "best of n",
    "A, search",
    "p",
)

#: Columns of each table for consoles of at least such a width: narrower ones get several tables,
#: and so do long names of methods, with which the tables would not fit.
_TABLES = ((146, (12,)), (106, (8, 4)), (0, (4, 4, 4)), (0, (2, 2, 2, 2, 2, 2)))
_ENDLESS = 10_000


def print_judgement(
    console: Console, benchmark: Benchmark, judged: Sequence[SpaceJudgement]
) -> None:
    """Print findings and a table per space."""
    for line in benchmark_lines(benchmark.name, benchmark.kind):
        console.print(line, markup=False, soft_wrap=True)
    for space in judged:
        console.print()
        for table in _tables(space, console):
            console.print(table)
        for line in (*wording.findings(space), *wording.sharing_lines(space)):
            console.print(line, markup=False)
        for line in (*wording.power_lines(space), *space.notes, *wording.reasons(space)):
            console.print(f"note: {line}", markup=False)


def _tables(space: SpaceJudgement, console: Console) -> list[Table]:
    """One table, or several where it would be wider than the console."""
    reference = wording.main_reference(space)
    tables: list[Table] = []
    for least, sizes in _TABLES:
        if console.width < least:
            continue
        ends = list(accumulate(sizes))
        parts = [range(end - size, end) for end, size in zip(ends, sizes, strict=True)]
        tables = [_table(space, reference, part) for part in parts]
        if all(_fits(table, console) for table in tables):
            break
    tables[0].title = f"Space {space.space}: final cells against the random policy"
    tables[-1].caption = (
        "Mean test accuracy in % (mean ± deviation over seeds). A: probability to be "
        f"better than a draw from the {reference}, and than random search with the same seconds, "
        "with its 95 % interval below; p: of the mean quantile, "
        "after Holm. Difference: of the mean "
        "accuracy from that of a draw, in points; p, same: two one-sided t-tests that it is less "
        "than the margin. Published: (r/r_max)^n, "
        "uniform on 0 to 1 by chance. Best of n: that the best of n new runs beats "
        "the best of n draws."
    )
    return tables


def _fits(table: Table, console: Console) -> bool:
    # Asked of a console without a width, which would cut the answer to it.
    wide = console.options.update(width=_ENDLESS)
    return Measurement.get(console, wide, table).maximum <= console.width


def _table(space: SpaceJudgement, reference: str, part: range) -> Table:
    table = Table(title_justify="left", caption_justify="left")
    table.add_column("method", no_wrap=True)
    for index in part:
        table.add_column(_COLUMNS[index], justify="right", no_wrap=True)
    for method in sorted(space.methods, key=lambda one: -_mean(one)):
        name, *values = _row(method, reference)
        table.add_row(name, *(values[index] for index in part))
    return table


def _mean(method: Judgement) -> float:
    return getattr(method.description, "mean", float("-inf"))


def _row(method: Judgement, reference: str) -> list[str]:
    described = method.description
    surpass = method.comparisons[UNIQUE].surpass
    drawn = method.comparisons[reference].surpass
    return [
        method.finals.method,
        wording.runs(method),
        wording.spread(method),
        *(
            wording.points(getattr(described, name)) if hasattr(described, name) else wording.NONE
            for name in ("greatest", "least")
        ),
        *_tested(method.comparisons[reference]),
        _stacked(wording.difference(method.comparisons[reference].difference)),
        wording.same(method.comparisons[reference]),
        wording.NONE if surpass is None else wording.chance(surpass.published),
        wording.NONE if drawn is None else wording.chance(drawn.best_of_n),
        *_tested(method.comparisons[EQUAL_BUDGET]),
    ]


def _tested(comparison: Comparison) -> list[str]:
    shown = _stacked(wording.superiority(comparison.superiority))
    return [shown, wording.p_value(comparison.p_rank_holm)]


def _stacked(found: str) -> str:
    """A figure with its interval below."""
    value, _, interval = found.rstrip("]").partition(" [")
    return "\n".join([value, *([interval.replace(", ", "–")] * bool(interval))])
