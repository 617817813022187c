from __future__ import annotations

import numpy as np
import pytest

from raynas.execution.lookup import TableLookup
from search_spaces.benchmark import BUDGETS
from search_spaces.space import Space
from search_spaces.table import Table


@pytest.mark.parametrize("repeat", [0, 1, 2, -1])
@pytest.mark.parametrize("epochs", BUDGETS)
def test_same_numbers_as_the_table(space: Space, table: Table, epochs: int, repeat: int) -> None:
    lookup = TableLookup(table)
    which = "mean" if repeat < 0 else repeat
    for vector in space.sample(np.random.default_rng(1), 50):
        row = int(space.rows([vector])[0])
        outcome = lookup(tuple(vector.tolist()), epochs, repeat)
        assert outcome.row == row and outcome.failure is None
        assert outcome.validation_error == table.validation_error(row, epochs, which)
        assert outcome.test_error == table.test_error(row, epochs, which)
        assert outcome.seconds == table.training_seconds(row, epochs, which)


def test_what_cannot_be_looked_up_is_a_failure(space: Space, table: Table) -> None:
    lookup = TableLookup(table)
    vector = tuple(space.sample(np.random.default_rng(1), 1)[0].tolist())
    assert "5 epochs" in str(lookup(vector, 5, 0).failure)
    outside = lookup((9, *vector[1:]), 108, 0)
    assert outside.row == -1 and "out of range" in str(outside.failure)


def test_an_invalid_vector_of_a_space_with_holes(
    space: Space, table: Table, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(type(space), "rows", lambda *_: np.array([-1]))
    outcome = TableLookup(table)((0,) * len(space.cardinalities), 108, 0)
    assert outcome.row == -1 and "is no cell of space 1" in str(outcome.failure)
