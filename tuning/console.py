"""What a sweep shows on the console: live progress, then a table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text

from raynas.live import LiveDisplay

if TYPE_CHECKING:
    from tuning.evaluation import Evaluation
    from tuning.finals import Finals
    from tuning.progress import Best, SweepProgress
    from tuning.spaces import Hyperparameter

_LINES_APART = 10


class LiveSweep(LiveDisplay):
    """How far a sweep is, what runs, and the best so far.

    Where the output is no terminal, a plain line is printed for every tenth evaluation.

    Args:
        console: where to.
        prefix: what to begin each headline with.
    """

    def __init__(self, console: Console, prefix: str = "") -> None:
        self._live = Live(console=console, refresh_per_second=4, transient=True)
        super().__init__(console, self._live)
        self._prefix = prefix
        self._shown = 0

    def __reduce__(self) -> tuple[object, ...]:
        """Tune keeps a copy of its searcher on disk; the console has no place there."""
        return (type(None), ())

    def on_progress(self, progress: SweepProgress) -> None:
        """Show a new state; called by the sweep."""
        if self._console.is_terminal:
            self._live.update(progress_table(progress, self._prefix))
        elif progress.finished >= self._shown + _LINES_APART:
            self._shown = progress.finished
            self._console.print(_headline(progress, self._prefix), highlight=False)


def progress_table(progress: SweepProgress, prefix: str = "") -> Table:
    """The state as a small table."""
    table = Table(box=None, pad_edge=False, title=_headline(progress, prefix), title_justify="left")
    for name in ("running", "configuration", "bracket", "rung", "epochs"):
        table.add_column(name, justify="left" if name == "running" else "right")
    for evaluation in progress.running:
        table.add_row(*_running(evaluation))
    return table


def _running(evaluation: Evaluation) -> tuple[str, ...]:
    begun = evaluation.previous_epochs
    epochs = f"{begun} → {evaluation.epochs}" if begun else str(evaluation.epochs)
    kind = "model" if evaluation.configuration.model_based else "random"
    number = evaluation.configuration.number
    name = f"{number} (default)" if number == 0 else f"{number} ({kind})"
    numbers = evaluation.number, name, evaluation.bracket, evaluation.rung, epochs
    return tuple(map(str, numbers))


def _headline(progress: SweepProgress, prefix: str) -> Text:
    planned = progress.planned_evaluations
    of = "" if planned is None else f" of {planned:,}"
    share = progress.epochs / max(progress.planned_epochs, 1)
    parts = [f"{progress.finished:,}{of} evaluations ({share:.0%} of the epochs)"]
    if progress.failed:
        parts.append(f"{progress.failed} failed")
    parts.append(f"{len(progress.running)} running")
    if progress.best is not None:
        parts.append(f"best {_best(progress.best)}")
    return Text(prefix + ", ".join(parts))


def _best(best: Best) -> str:
    evaluation = best.evaluation
    return (
        f"{100 * best.validation_error:.2f} % after {evaluation.epochs} epochs "
        f"(configuration {evaluation.configuration.number})"
    )


def closing_table(
    axes: Sequence[Hyperparameter],
    default: dict[str, Any] | None,
    best: dict[str, Any] | None,
    finals: Finals | None = None,
) -> Table:
    """The best configuration beside the default one.

    Args:
        axes: the hyperparameters.
        default: row of the default configuration at its largest budget.
        best: row of the chosen one; None if every evaluation failed.
        finals: what chose it; None if the error in the sweep did.
    """
    table = Table(title="The configuration that was chosen", title_justify="left")
    table.add_column("")
    table.add_column("default", justify="right")
    table.add_column("tuned", justify="right")
    for axis in axes:
        values = [_value(row, axis.name) for row in (default, best)]
        table.add_row(axis.name, *values)
    table.add_section()
    for name in ("epochs", "validation_error", "test_error", "one_shot_validation_error"):
        table.add_row(name.replace("_", " "), *(_value(row, name) for row in (default, best)))
    if finals is not None:
        means = (finals.default.mean, finals.chosen.mean)
        name = f"validation error, {finals.seeds} new seeds"
        table.add_section()
        table.add_row(name, *(f"{100 * mean:.2f} %" for mean in means))
    return table


def _value(row: dict[str, Any] | None, name: str) -> str:
    value = None if row is None else row[name]
    if value is None:
        return "-"
    if name.endswith("_error"):
        return f"{100 * value:.2f} %"
    return f"{value:.4g}"
