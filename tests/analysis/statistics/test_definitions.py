"""Every public function says what it rests on."""

from __future__ import annotations

import inspect
import re

import pytest

from raynas.analysis import statistics

FUNCTIONS = [name for name in statistics.__all__ if inspect.isfunction(getattr(statistics, name))]


@pytest.mark.parametrize("name", [*FUNCTIONS, "TwoWay"])
def test_docstrings_say_what_is_assumed(name: str) -> None:
    said = inspect.getdoc(getattr(statistics, name)) or ""
    assert re.search(r"assumes(\s+[^\s.;]+){3}", said), f"{name} does not say what it assumes"
