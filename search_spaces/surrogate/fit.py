"""Fits the surrogate from end to end."""

from __future__ import annotations

from pathlib import Path

from search_spaces.surrogate.assembly import assemble
from search_spaces.surrogate.fitting import Report, predict_out_of_fold, require_libraries
from search_spaces.surrogate.measurements import read_measurements
from search_spaces.surrogate.settings import FitSettings
from search_spaces.surrogate.shipped import Shipped, write_shipped


def fit_surrogate(
    data: Path,
    out: Path,
    settings: FitSettings,
    report: Report,
    checkpoints: Path | None = None,
) -> Shipped:
    """Reads measured figures, fits, and writes the surrogate's file.

    Args:
        data: folder of partial tables, or a store written by `python -m search_spaces.convert`.
        out: the file to write.
        settings: see `FitSettings`.
        report: called with one line of progress at a time.
        checkpoints: see `predict_out_of_fold`.

    Raises:
        UserError: if the data cannot be read, or a fitting library is missing.
    """
    require_libraries()
    measured = read_measurements(data)
    predicted = predict_out_of_fold(measured, settings, report, checkpoints)
    shipped = assemble(measured, predicted, settings, report)
    write_shipped(out, shipped)
    return shipped
