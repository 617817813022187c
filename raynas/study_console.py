"""What `python -m raynas.study` shows on the console: what runs, progress, and the table."""

from __future__ import annotations

from statistics import fmean
from typing import TYPE_CHECKING, Any

from rich.markup import escape
from rich.table import Table

from raynas.labels import base_method, benchmark_lines
from raynas.report.wording import counted

if TYPE_CHECKING:
    import pyarrow as pa

    from raynas.execution.progress import ProgressListener
    from raynas.study_request import Begun

_WIDE = 116


def opening(begun: Begun) -> str:
    """What is about to run, a few lines."""
    plan, manifest = begun.plan, begun.study.manifest
    assert plan.searches is not None
    methods = list(dict.fromkeys(one.method for one in begun.studied))
    settings = list(dict.fromkeys(one.setting for one in begun.studied))
    epochs = sorted({one.epochs for one in begun.studied})
    spaces = f"{'spaces' if len(plan.spaces) > 1 else 'space'} {', '.join(plan.spaces)}"
    benchmark = manifest["benchmark"]
    lines = benchmark_lines(benchmark["name"], benchmark["kind"])
    lines += [f"note: {note}" for note in begun.notes]
    lines.append(
        f"{begun.grid.name}: {counted(len(settings), 'setting')}, "
        f"{counted(len(methods), 'method')}, {spaces}, "
        f"{counted(len(plan.searches.seeds), 'seed')}: {counted(len(plan.runs()), 'run')} of "
        f"{' or '.join(map(str, epochs))} epoch{'s' * (epochs != [1])}"
    )
    return "\n".join(lines)


class ByMethod:
    """Adds up the progress of a method's settings: one line for each method and space.

    Attributes:
        pairs: (method, space) of the lines.
        methods: the methods.
    """

    def __init__(self, begun: Begun) -> None:
        """Know what there will be."""
        labels = begun.plan.pairs()
        self.pairs = list(dict.fromkeys((base_method(label), space) for label, space in labels))
        self.methods = tuple(dict.fromkeys(method for method, _ in self.pairs))
        self._seen: dict[tuple[str, str], tuple[int, int, float | None]] = {}
        self._expected = {
            pair: sum((base_method(label), space) == pair for label, space in labels)
            for pair in self.pairs
        }
        self._listener: ProgressListener | None = None

    def telling(self, listener: ProgressListener) -> ByMethod:
        """The same, telling a listener."""
        self._listener = listener
        return self

    def on_progress(
        self, method: str, space: str, done: int, total: int, error: float | None
    ) -> None:
        """Take in the state of one setting."""
        self._seen[method, space] = (done, total, error)
        pair = base_method(method), space
        here = [state for (m, s), state in self._seen.items() if (base_method(m), s) == pair]
        if self._listener is None or len(here) < self._expected[pair]:
            return  # the total is not known yet
        errors = [error for *_, error in here if error is not None]
        self._listener.on_progress(
            *pair,
            sum(done for done, *_ in here),
            sum(total for _, total, _ in here),
            fmean(errors) if errors else None,
        )


def result_tables(sensitivity: pa.Table, width: int) -> list[Table]:
    """The closing table of each space.

    Args:
        sensitivity: the content of `sensitivity.parquet`.
        width: columns of the console; a narrow one gets intervals on lines of their own.
    """
    rows = sensitivity.to_pylist()
    return [
        _space_table(space, [row for row in rows if row["space"] == space], width)
        for space in dict.fromkeys(row["space"] for row in rows)
    ]


def _space_table(space: str, rows: list[dict[str, Any]], width: int) -> Table:
    table = Table(
        title=f"Space {space}: mean final test regret in percentage points, "
        f"{counted(rows[0]['runs'], 'run')} each, 95 % bootstrap intervals",
        title_justify="left",
        caption="* the default; difference from it; p by Holm's correction over the settings of a "
        "method; one-shot: validation error of the shared weights in percent.",
        caption_justify="left",
    )
    table.add_column("method")
    table.add_column(_parts(rows[0]["setting"], 0), no_wrap=True)
    for name in ("test regret", "difference", "p", "one-shot", "failed"):
        table.add_column(name, justify="right")
    for method in dict.fromkeys(row["method"] for row in rows):
        table.add_section()
        for row in (row for row in rows if row["method"] == method):
            table.add_row(*_line(row, width))
    return table


def _line(row: dict[str, Any], width: int) -> list[str]:
    return [
        row["method"],
        escape(_parts(row["setting"], 2)) + (" *" if row["default"] else ""),
        _interval(row, "test_regret", width),
        "" if row["default"] else _interval(row, "difference", width),
        "" if row["p_holm"] is None else f"{row['p_holm']:.2f}",
        _interval(row, "one_shot_error", width, decimals=1),
        str(row["failed"] or ""),
    ]


def _parts(setting: str, place: int) -> str:
    """Of "a=1, b=off" the names (0) or the values (2)."""
    return ", ".join(part.partition("=")[place] for part in setting.split(", "))


def _interval(row: dict[str, Any], name: str, width: int, decimals: int = 3) -> str:
    if row[name] is None:
        return "-"
    low, high = row[f"{name}_low"], row[f"{name}_high"]
    shown = f"{100 * row[name]:.{decimals}f}"
    if low is None:
        return shown
    between = " " if width >= _WIDE else "\n"
    return f"{shown}{between}\\[{100 * low:.{decimals}f}, {100 * high:.{decimals}f}]"
