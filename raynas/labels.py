"""What methods and benchmarks are called wherever they are named."""

from __future__ import annotations


def labelled(method: str, words: str) -> str:
    """A method and what is special about it, for instance "darts (tuned)"."""
    return f"{method} ({words})"


def base_method(label: str) -> str:
    """The method behind a label, which may be the method's own name."""
    return label.partition(" (")[0]


#: What to know about benchmarks of a kind before their figures are believed.
_CAUTIONS = {
    "surrogate": "predictions, not measurements; `python -m search_spaces.fetch nasbench101` gets "
    "the measured table",
    "synthetic": "made up for testing",
}


def benchmark_lines(name: str, kind: str) -> list[str]:
    """Which benchmark it is, and a line on what its figures are not."""
    caution = _CAUTIONS.get(kind)
    return [f"benchmark: {name}"] + ([] if caution is None else [f"  {caution}"])
