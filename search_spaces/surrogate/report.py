"""The fidelity of a surrogate as Markdown tables."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


def fidelity_report(metadata: dict[str, Any]) -> str:
    """Markdown with one table each for accuracy, training time, non-chain cells and regret."""
    fidelity = metadata["fidelity"]
    parts = [
        "Smooth predictions against means of three runs (out of fold; accuracies below 0.7 at 36 "
        "and 0.8 at 108 epochs are set to these)",
        accuracy_table(fidelity),
        "Training time at 108 epochs",
        seconds_table(fidelity),
        "Predicted minus real on cells whose vertices do not lie on one chain",
        bias_table(fidelity),
        "Mean regret in percentage points, real / pseudo-repeats, after 10, 30, 100, 280 "
        "evaluations",
        regret_table(fidelity),
        "Three repeats on cells with real runs, real / pseudo",
        repeats_table(fidelity),
    ]
    return "\n\n".join(parts) + "\n"


def accuracy_table(fidelity: dict[str, Any]) -> str:
    """Rank correlation and errors per space, quantity and budget."""
    head = ["space", "quantity", "epochs", "cells", "Kendall tau", "Spearman", "R2", "MAE (pp)"]
    rows = [
        [space, score["quantity"], score["epochs"], score["cells"], *_scores(score)]
        for space, content in fidelity.items()
        for score in content["accuracy"]
    ]
    return _table(head, rows)


def _scores(score: dict[str, Any]) -> list[str]:
    if "r2" not in score:
        return ["-"] * 4
    ranks = [f"{score['kendall']:.3f}", f"{score['spearman']:.3f}", f"{score['r2']:.3f}"]
    return [*ranks, f"{100 * score['mae']:.2f}"]


def seconds_table(fidelity: dict[str, Any]) -> str:
    """Errors of the training time per space."""
    rows = []
    for space, content in fidelity.items():
        score = content["seconds"]
        if "r2" in score:
            error = f"{score['median_relative_error']:.1%}"
            rows.append(
                [space, score["cells"], f"{score['r2']:.4f}", f"{score['kendall']:.3f}", error]
            )
    return _table(["space", "cells", "R2", "Kendall tau", "median relative error"], rows)


def bias_table(fidelity: dict[str, Any]) -> str:
    """Median and mean error on cells off a chain, in percentage points."""
    rows = [
        [
            space,
            name.replace("_", " "),
            error["cells"],
            _points(error, "median"),
            _points(error, "mean"),
        ]
        for space, content in fidelity.items()
        for name, error in content["non_chain"].items()
    ]
    return _table(["space", "quantity", "cells", "median (pp)", "mean (pp)"], rows)


def _points(error: dict[str, Any], name: str) -> str:
    return f"{100 * error[name]:+.2f}" if name in error else "-"


def regret_table(fidelity: dict[str, Any]) -> str:
    """Regrets of random search and regularized evolution on the real and the pseudo table."""
    first = next(iter(fidelity.values()))["regret"]["evaluations"]
    rows = []
    for space, content in fidelity.items():
        regret = content["regret"]
        for method, real in regret["real"].items():
            pairs = zip(real, regret["pseudo"][method], strict=True)
            cells = [f"{100 * a:.3f} / {100 * b:.3f}" for a, b in pairs]
            rows.append([space, method.replace("_", " "), *cells])
    return _table(["space", "method", *map(str, first)], rows)


def repeats_table(fidelity: dict[str, Any]) -> str:
    """Spread and failures of real runs and pseudo-repeats."""
    names = ("median_sd", "failed_runs", "cells_with_failure")
    rows = [
        [space, entry["quantity"], entry["epochs"]]
        + [f"{entry[f'real_{name}']:.4f} / {entry[f'pseudo_{name}']:.4f}" for name in names]
        for space, content in fidelity.items()
        for entry in content["repeats"]
    ]
    head = ["space", "quantity", "epochs", "median SD", "failed runs", "cells with a failed run"]
    return _table(head, rows)


def _table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(map(str, line)) + " |" for line in lines)
