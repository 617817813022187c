"""What a method is called in a study: its name, or its name and what is special about it."""

from __future__ import annotations


def labelled(method: str, words: str) -> str:
    """A method and what is special about it, for instance "darts (tuned)"."""
    return f"{method} ({words})"


def base_method(label: str) -> str:
    """The method behind a label, which may be the method's own name."""
    return label.partition(" (")[0]
