"""What the page's script needs to show one search at one epoch: numbers and distinct drawings."""

from __future__ import annotations

import re
from typing import Any

import numpy as np

from raynas.analysis.searches import Choice, SearchRun, centred, choices, entropy, taken
from raynas.report.cell_drawing import OPERATION_LOOKS, CellDrawing, drawing
from raynas.report.content import SpaceContent
from search_spaces.spaces import load_space

Data = dict[str, Any]
_OPERATIONS = list(OPERATION_LOOKS)


def explorer_data(content: SpaceContent, identifier: str) -> Data:
    """Every search of a space, epoch by epoch.

    Runs refer to the drawings of `cells` by number, so that each distinct cell is held once.
    """
    decisions = choices(content.name)
    runs = [run for members in content.searches.values() for run in members]
    cells = {name: i for i, name in enumerate(dict.fromkeys(h for r in runs for h in r.hashes))}
    return {
        "id": identifier,
        "choices": [_choice(choice) for choice in decisions],
        "runs": [_run(content, run, decisions, cells) for run in runs],
        "cells": [_cell(content, name) for name in cells],
        "operations": [
            {"label": label, "fill": fill, "white": white}
            for label, fill, white in OPERATION_LOOKS.values()
        ],
    }


def option_label(option: str) -> str:
    """An operation's short name; parents are named already."""
    return OPERATION_LOOKS[option][0] if option in OPERATION_LOOKS else option


def _choice(choice: Choice) -> Data:
    return {
        "label": choice.label,
        "kind": choice.kind,
        "vertex": choice.vertex,
        "options": [option_label(option) for option in choice.options],
    }


def _run(
    content: SpaceContent, run: SearchRun, decisions: list[Choice], cells: dict[str, int]
) -> Data:
    return {
        "method": run.method,
        "name": content.styles[run.method].name,
        "seed": run.seed,
        "device": run.device,
        "epochs": run.epochs.tolist(),
        "cells": [cells[name] for name in run.hashes],
        "seconds": _rounded(run.seconds),
        "accuracy": _rounded(100 * (1 - run.one_shot_error)),
        "validation": _rounded(100 * run.validation_regret),
        "test": _rounded(100 * run.test_regret),
        # one list per choice, in it one per option, in it one number per epoch
        "alphas": [
            [_rounded(column, 3) for column in centred(run, choice).T]
            for choice in (decisions if run.alphas else [])
        ],
        # one list per choice, in it one number per epoch whose bits are the options taken: rounded
        # parameters cannot tell
        "taken": [_bits(taken(run, choice)) for choice in (decisions if run.alphas else [])],
        "entropy": [_rounded(entropy(run, c), 5) for c in (decisions if run.alphas else [])],
    }


def _cell(content: SpaceContent, name: str) -> Data:
    space = load_space(content.name)
    cell = space.cell(space.row_of_hash(name)).prune()
    drawn = drawing(cell)
    links = zip(*(end.tolist() for end in cell.matrix.nonzero()), strict=True)
    return {
        "hash": name,
        "box": [round(value) for value in drawn.view_box],
        "vertices": _vertices(drawn),
        "paths": [_whole(path) for path in drawn.paths],
        "links": " ".join(f"{tail}-{head}" for tail, head in links),
    }


def _vertices(drawn: CellDrawing) -> list[list[int]]:
    """Operation, x and y of each vertex."""
    pairs = zip(drawn.operations, drawn.places, strict=True)
    return [[_OPERATIONS.index(op), round(x), round(y)] for op, (x, y) in pairs]


def _bits(flags: np.ndarray) -> list[int]:
    """The rows of flags (n, options) as numbers; the first option is the lowest bit."""
    found: list[int] = (flags @ (1 << np.arange(flags.shape[1]))).tolist()
    return found


def _whole(path: str) -> str:
    """A path in whole pixels, which takes half the space."""
    return re.sub(r"-?\d+\.\d+", lambda found: str(round(float(found[0]))), path)


def _rounded(values: np.ndarray, places: int = 5) -> list[float | None]:
    """Some significant digits; null for what is not a number."""
    return [float(f"{v:.{places}g}") if np.isfinite(v) else None for v in values]
