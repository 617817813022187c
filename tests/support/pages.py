"""What tests look for in a page."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path

from raynas.report.content import contents
from raynas.report.page import page as make_page
from raynas.report.studies import merge, read_study


class Outline(HTMLParser):
    """Addresses, scripts and visible text of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.addresses: list[str] = []
        self.text = ""
        self.open: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.open.append(tag)
        self.addresses += [v or "" for k, v in attributes if k in ("src", "href", "srcset")]

    def handle_endtag(self, tag: str) -> None:
        if tag in self.open:
            while self.open.pop() != tag:
                pass

    def handle_data(self, data: str) -> None:
        if not {"script", "style"} & set(self.open):
            self.text += data


def report_data(page: str) -> dict:
    found = re.search(r'<script id="report-data" type="application/json">(.*?)</script>', page)
    assert found
    return json.loads(found[1])


def page_of(*studies: Path) -> str:
    """The page alone, without the static figures."""
    merged = merge([read_study(study) for study in studies])
    return make_page(merged, contents(merged))
