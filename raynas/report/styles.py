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


#: Dashes and symbols of a method's settings, after its own; the dash of tuned ones is not in it.
_LINES = (
    ("solid", _SOLID, "circle", "o"),
    ("dash", _DASH, "square", "s"),
    ("dashdot", _DASHDOT, "diamond", "D"),
    ("longdash", _LONGDASH, "triangle-up", "^"),
)
#: How far the colour of a setting goes towards the page's ink (below 0: towards the page).
_SHADES = (0.0, 0.45, -0.35)


def styles(labels: Iterable[str]) -> dict[str, Style]:
    """The style of each label: "rs", of a further study "rs · other", of a setting "darts (a=1)".

    A method of a further study has its method's colour and a dotted line, one with tuned settings
    a dash of its own. Settings of a method have shades of its colour and other dashes, the first
    that appears, or the method as it is, its own. A method that is not known has a spare style, by
    order of appearance.
    """
    labels = list(dict.fromkeys(labels))
    numbers = _numbers(labels)
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
        elif full != method:
            style = _varied(style, numbers[full], full.removeprefix(method))
        if study:
            style = replace(style, name=f"{style.name} · {study}", dash="dot", dashes=_DOT)
        found[label] = style
    return found


def _numbers(labels: Iterable[str]) -> dict[str, int]:
    """The place of each label among those of its method, whatever the study; its own is first."""
    known = dict.fromkeys(label.partition(" · ")[0] for label in labels)
    counts: dict[str, int] = {}
    numbers = {}
    for full in sorted((full for full in known if not is_tuned(full)), key=_has_settings):
        method = base_method(full)
        numbers[full] = counts.get(method, 0)
        counts[method] = numbers[full] + 1
    return numbers


def _has_settings(full: str) -> bool:
    return full != base_method(full)


def _varied(style: Style, number: int, words: str) -> Style:
    """A method's style for its setting of that number; twelve of them differ."""
    own = (style.dash, style.dashes, style.symbol, style.marker)
    others = [line for line in _LINES if line[0] != style.dash][:3]
    dash, dashes, symbol, marker = [own, *others][number % 4]
    shade = _SHADES[number % len(_SHADES)]
    ink, page = ("#000000", "#ffffff") if shade > 0 else ("#ffffff", "#000000")
    return Style(
        f"{style.name}{words}",
        _mixed(style.light, ink, abs(shade)),
        _mixed(style.dark, page, abs(shade)),
        dash,
        symbol,
        dashes,
        marker,
    )


def _mixed(colour: str, other: str, share: float) -> str:
    """A colour with a share of another one; both as "#rrggbb"."""
    pairs = [(int(colour[at : at + 2], 16), int(other[at : at + 2], 16)) for at in (1, 3, 5)]
    return "#" + "".join(f"{round(a + share * (b - a)):02x}" for a, b in pairs)


def as_json(found: dict[str, Style]) -> dict[str, Any]:
    """What the page's script needs of the styles."""
    return {label: {"light": style.light, "dark": style.dark} for label, style in found.items()}
