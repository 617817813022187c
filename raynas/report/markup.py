"""HTML from values; every text is escaped."""

from __future__ import annotations

from html import escape
from typing import Any


def tag(name: str, *children: str, **attributes: object) -> str:
    """An HTML element. Attribute values are escaped, children are HTML already."""
    listed = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{escape(str(value), quote=True)}"'
        for key, value in attributes.items()
    )
    return f"<{name}{listed}>{''.join(children)}</{name}>"


def text(value: object) -> str:
    """Anything as escaped text."""
    return escape(str(value))


def tree(value: Any) -> str:
    """Nested mappings and lists, readable: definition lists within definition lists."""
    if isinstance(value, dict):
        rows = [tag("div", tag("dt", text(k)), tag("dd", tree(v))) for k, v in value.items()]
        return tag("dl", *rows, class_="tree")
    if isinstance(value, list):
        if any(isinstance(item, dict | list) for item in value):
            return tag("ol", *(tag("li", tree(item)) for item in value), class_="tree")
        return text(_sequence(value))
    return text("–" if value is None else value)


def _sequence(values: list[Any]) -> str:
    """Long runs of consecutive numbers shortened: 0 … 499."""
    whole = len(values) > 12 and all(isinstance(v, int) for v in values)
    if whole and values == list(range(values[0], values[0] + len(values))):
        return f"{values[0]} … {values[-1]}"
    return ", ".join(map(str, values))
