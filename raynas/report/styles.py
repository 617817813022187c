"""One colour, dash and symbol per method, the same in every figure.

The colours keep apart under the common colour vision deficiencies (after Okabe and Ito 2008), and
dashes and symbols tell the methods apart without colour. Each colour has a variant for dark pages.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from raynas.labels import base_method
from raynas.tuned import is_tuned

EXACT = "exact-random-search"


@dataclass(frozen=True, slots=True)
class Style:
    """How one method looks.

    Attributes:
        name: what to call it on the page.
        light: colour on white.
        dark: colour on a dark page.
        dash: Plotly dash name.
        symbol: Plotly symbol name.
        dashes: the dash as on-off lengths in line widths, empty for a solid line.
        marker: the symbol's Matplotlib name.
    """

    name: str
    light: str
    dark: str
    dash: str
    symbol: str
    dashes: tuple[float, ...]
    marker: str


_SOLID: tuple[float, ...] = ()
_DASH = (5.0, 2.5)
_DOT = (1.2, 1.8)
_DASHDOT = (5.0, 2.0, 1.2, 2.0)
_LONGDASH = (9.0, 2.5)
_LONGDASHDOT = (9.0, 2.0, 1.2, 2.0)

STYLES = {
    "rs": Style("Random search", "#6f6f6f", "#b4b4b4", "dash", "cross", _DASH, "P"),
    "re": Style("Regularized evolution", "#0b62a8", "#5aa9f0", "solid", "circle", _SOLID, "o"),
    "ls": Style("Local search", "#2596be", "#7fd6f2", "dash", "square", _DASH, "s"),
    "reinforce": Style("REINFORCE", "#b3478f", "#e58cc7", "dashdot", "diamond", _DASHDOT, "D"),
    "tpe": Style("TPE", "#00845f", "#3cc79b", "solid", "triangle-up", _SOLID, "^"),
    "smac": Style("SMAC", "#d1491b", "#ff8a5c", "solid", "x", _SOLID, "X"),
    "smac3": Style("SMAC3 package", "#8c4a2f", "#c99a7f", "dash", "star", _DASH, "*"),
    "hb": Style("Hyperband", "#c98a00", "#f2be4b", "longdash", "triangle-down", _LONGDASH, "v"),
    "bohb": Style("BOHB", "#3d2f8f", "#a79bff", "longdashdot", "hexagon", _LONGDASHDOT, "h"),
    "darts": Style("DARTS (1st order)", "#9e1b32", "#ff7b8f", "solid", "circle", _SOLID, "o"),
    "darts2": Style("DARTS (2nd order)", "#dd6b9a", "#ffb0cf", "dash", "square", _DASH, "s"),
    "gdas": Style("GDAS", "#4d7a1f", "#a9d66f", "solid", "triangle-up", _SOLID, "^"),
    "pc_darts": Style("PC-DARTS", "#005f73", "#66c2cf", "longdash", "diamond", _LONGDASH, "D"),
    "random_ws": Style("Random search WS", "#8a7350", "#cfbd97", "dashdot", "cross", _DASHDOT, "P"),
    EXACT: Style("Random search, exact", "#1c1c1c", "#f2f2f2", "dot", "line-ew", _DOT, "_"),
}
_TUNED: dict[str, Any] = {
    "dash": "longdashdot",
    "dashes": _LONGDASHDOT,
    "symbol": "star",
    "marker": "*",
}
_SPARE = [
    Style("", "#882255", "#d98aae", "solid", "pentagon", _SOLID, "p"),
    Style("", "#7b4ea3", "#c9a5ea", "dash", "bowtie", _DASH, "<"),
    Style("", "#7a6a00", "#d6c75a", "dashdot", "star-square", _DASHDOT, ">"),
    Style("", "#3f5f4f", "#9fc9b3", "longdash", "hourglass", _LONGDASH, "d"),
]


def styles(labels: Iterable[str]) -> dict[str, Style]:
    """The style of each label; a label is a method, or a method and a study: "rs · other".

    A method of a further study has its method's colour and a dotted line, one with tuned settings
    a dash of its own. A method that is not known has a spare style, by order of appearance.
    """
    spare: dict[str, Style] = {}
    found = {}
    for label in labels:
        full, _, study = label.partition(" · ")
        method = base_method(full)
        if method in STYLES:
            style = STYLES[method]
        else:
            template = _SPARE[len(spare) % len(_SPARE)]
            style = spare.setdefault(method, replace(template, name=method))
        if is_tuned(full):
            style = replace(style, name=f"{style.name}, tuned", **_TUNED)
        if study:
            style = replace(style, name=f"{style.name} · {study}", dash="dot", dashes=_DOT)
        found[label] = style
    return found


def as_json(found: dict[str, Style]) -> dict[str, Any]:
    """What the page's script needs of the styles."""
    return {label: {"light": style.light, "dark": style.dark} for label, style in found.items()}
