from __future__ import annotations

import base64
import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from search_spaces.encoded_text import decode_base64
from search_spaces.official_rows import EPOCHS, parse_rows
from search_spaces.table_errors import RowError
from tests.support.official_table import (
    INCEPTION_LIKE,
    Row,
    model_metrics,
    payload,
    rows_of,
    some_cells,
)

ROWS = [row for cell in some_cells(12) for row in rows_of(cell, EPOCHS)]


def check(parsed, rows: list[Row]) -> None:
    assert [digest.tobytes().hex() for digest in parsed.hashes] == [r.module_hash for r in rows]
    assert [EPOCHS[budget] for budget in parsed.budgets] == [r.epochs for r in rows]
    assert parsed.parameters.tolist() == [r.parameters for r in rows]
    for index, row in enumerate(rows):
        start, stop = parsed.adjacency[index]
        assert parsed.text[start:stop].decode() == row.adjacency
        start, stop = parsed.ops[index]
        assert parsed.text[start:stop].decode() == row.operations
        for found, entry in zip(parsed.figures[index], row.evaluations[1:], strict=True):
            assert found.tolist() == [
                entry.training_time,
                entry.train_accuracy,
                entry.validation_accuracy,
                entry.test_accuracy,
            ]


def test_rows_come_back():
    check(parse_rows([payload(row) for row in ROWS]), ROWS)


@pytest.mark.parametrize("path", ["", "a", "ab", "abc", "/cns/model.ckpt-16848"])
def test_any_padding_of_base64(path):
    rows = [row for cell in some_cells(3) for row in rows_of(cell, (4, 108), 2, path)]
    check(parse_rows([payload(row) for row in rows]), rows)


def restyled(content: bytes, style: str) -> bytes:
    row = json.loads(content)
    return {
        "compact": json.dumps(row, separators=(",", ":")),
        "indented": json.dumps(row, indent=1),
        "escaped": content.decode().replace("conv", "\\u0063onv").replace("/", "\\/"),
        "spaced": f" {json.dumps(row)}\n",
        "official": content.decode(),
    }[style].encode()


@settings(deadline=None, max_examples=30)
@given(
    st.lists(
        st.sampled_from(["compact", "indented", "escaped", "spaced", "official"]),
        min_size=1,
        max_size=len(ROWS),
    )
)
def test_any_json_style_is_read(styles):
    rows = ROWS[: len(styles)]
    check(
        parse_rows(
            [restyled(payload(row), style) for row, style in zip(rows, styles, strict=True)]
        ),
        rows,
    )


def test_hashes_that_end_in_zero_bytes():
    rows = [ROWS[0], ROWS[1]]
    rows = [Row(**{**vars(row), "module_hash": "ab" * 8 + "00" * 8}) for row in rows]
    check(parse_rows([payload(row) for row in rows]), rows)


@settings(deadline=None)
@given(st.binary(min_size=1, max_size=60))
def test_base64_is_the_standard_one(data):
    text = base64.b64encode(data)
    decoded = decode_base64(np.frombuffer(text, np.uint8)[None].copy(), text.count(b"="))
    assert decoded.tobytes() == data


GOOD = json.loads(payload(rows_of(INCEPTION_LIKE)[0]))


def changed(place: int, value: object) -> bytes:
    row = list(GOOD)
    row[place] = value
    return json.dumps(row).encode()


METRICS = GOOD[4]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "not a JSON text"),
        (b"[]", "not a JSON list of"),
        (b"\xff\xfe", "not a JSON text"),
        (b"[" * 100_000, "not a JSON text"),
        (b'{"a": 1}', "not a JSON list of"),
        (json.dumps(GOOD[:4]).encode(), "not a JSON list of"),
        (json.dumps([*GOOD, 1]).encode(), "not a JSON list of"),
        (changed(0, 7), "not a JSON list of"),
        (changed(0, "abc"), "'abc' is not 32"),
        (changed(0, "g" * 32), "is not 32 hexadecimal"),
        (changed(0, "A" * 32), "is not 32 hexadecimal"),
        (changed(1, 5), "5 epochs"),
        (changed(1, 36.0), "not a JSON list of"),
        (changed(1, True), "not a JSON list of"),
        (payload(rows_of(INCEPTION_LIKE)[0]).replace(b" 108,", b" 004,"), "not a JSON text"),
        (changed(3, 'a"b'), "quotation marks"),
        (changed(4, ""), "no base64 text: 0 characters"),
        (changed(4, METRICS[:-1]), "no base64 text"),
        (changed(4, METRICS[:-4] + "===="), "no base64 text"),
        (changed(4, "=" + METRICS[1:]), "no base64 text"),
        (changed(4, METRICS[:9] + "=" + METRICS[10:]), "no base64 text"),
        (changed(4, METRICS[:9] + "-" + METRICS[10:]), "no base64 text"),
        (changed(4, METRICS[:-4]), "metrics end inside"),
        (changed(4, base64.b64encode(b"\x10\x05").decode()), "0 evaluations"),
    ],
)
def test_bad_rows_are_named(content, reason):
    good = payload(rows_of(INCEPTION_LIKE)[1])
    with pytest.raises(RowError, match=reason) as info:
        parse_rows([good, good, content, good])
    assert info.value.index == 2
    with pytest.raises(RowError, match=reason):
        parse_rows([content])


@settings(deadline=None, max_examples=150)
@given(st.data())
def test_damage_is_an_error_or_still_a_row(data):
    """Whatever the bytes are, nothing but a RowError comes out."""
    content = bytearray(payload(rows_of(INCEPTION_LIKE)[0]))
    for _ in range(data.draw(st.integers(1, 3))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    try:
        parse_rows([bytes(content)])
    except RowError as error:
        assert error.index == 0


def test_metrics_round_trip_through_the_support_writer():
    row = rows_of(INCEPTION_LIKE)[0]
    assert base64.b64decode(json.loads(payload(row))[4]) == model_metrics(row)
