from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from search_spaces.errors import UserError
from search_spaces.table_errors import TableFileError
from search_spaces.tfrecord import masked_crc, read_blocks
from tests.support.official_table import record, write_records

SAME_FILE = settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=60
)


def bitwise_crc(data: bytes) -> int:
    """CRC-32C by its definition: reflected polynomial 0x82F63B78, one bit at a time."""
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


def unmasked(masked: int) -> int:
    rotated = (masked - 0xA282EAD8) & 0xFFFFFFFF
    return (rotated >> 17 | rotated << 15) & 0xFFFFFFFF


def read_all(path: Path, block_bytes: int = 1 << 20) -> tuple[list[bytes], list[int]]:
    payloads, offsets = [], []
    for block in read_blocks(path, block_bytes=block_bytes):
        assert block.first_row == len(payloads)
        payloads += block.payloads
        offsets += block.offsets.tolist()
    return payloads, offsets


def test_crc_of_the_standard_check_string():
    assert bitwise_crc(b"123456789") == 0xE3069283
    assert unmasked(masked_crc(b"123456789")) == 0xE3069283


@pytest.mark.parametrize(
    ("data", "crc"),
    [  # RFC 3720, appendix B.4
        (bytes(32), 0x8A9136AA),
        (b"\xff" * 32, 0x62A8AB43),
        (bytes(range(32)), 0x46DD794E),
        (bytes(reversed(range(32))), 0x113FDB5C),
    ],
)
def test_crc_of_the_vectors_of_iscsi(data, crc):
    assert unmasked(masked_crc(data)) == crc


@given(st.binary(max_size=200))
def test_crc_is_the_bitwise_one(data):
    assert unmasked(masked_crc(data)) == bitwise_crc(data)


@SAME_FILE
@given(st.lists(st.binary(max_size=80), min_size=1, max_size=12), st.integers(1, 300))
def test_records_come_back_whatever_the_block_size(tmp_path, payloads, block_bytes):
    path = write_records(tmp_path / "file", payloads)
    found, offsets = read_all(path, block_bytes)
    assert found == payloads
    content = path.read_bytes()
    for payload, offset in zip(payloads, offsets, strict=True):
        assert content[offset:].startswith(record(payload))


def test_observer_sees_every_byte(tmp_path):
    path = write_records(tmp_path / "file", [b"one", b"two" * 100])
    seen: list[bytes] = []
    list(read_blocks(path, observe=seen.append, block_bytes=7))
    assert b"".join(seen) == path.read_bytes()


PAYLOADS = [b"first", b"", b"the third payload", b"x" * 40]
RECORDS = [record(payload) for payload in PAYLOADS]
STARTS = [sum(map(len, RECORDS[:row])) for row in range(len(RECORDS) + 1)]
CONTENT = b"".join(RECORDS)


@SAME_FILE
@given(st.integers(0, len(CONTENT) - 1), st.integers(1, 255), st.sampled_from([1, 13, 40, 1 << 20]))
def test_any_flipped_byte_is_found_in_its_record(tmp_path, place, change, block_bytes):
    damaged = bytearray(CONTENT)
    damaged[place] ^= change
    (tmp_path / "file").write_bytes(damaged)
    row = max(row for row in range(4) if STARTS[row] <= place)
    with pytest.raises(TableFileError, match=rf"row {row} at byte offset {STARTS[row]}: ") as info:
        read_all(tmp_path / "file", block_bytes)
    assert str(tmp_path / "file") in str(info.value)


@pytest.mark.parametrize("length", [n for n in range(len(CONTENT)) if n not in STARTS])
def test_any_cut_inside_a_record_is_found(tmp_path, length):
    (tmp_path / "file").write_bytes(CONTENT[:length])
    row = max(row for row in range(4) if STARTS[row] <= length)
    with pytest.raises(TableFileError, match=rf"row {row} at byte offset {STARTS[row]}: .*trunc"):
        read_all(tmp_path / "file")


def test_records_before_the_damage_are_yielded_intact(tmp_path):
    (tmp_path / "file").write_bytes(CONTENT[:-1])
    blocks = read_blocks(tmp_path / "file", block_bytes=30)
    payloads = []
    with pytest.raises(TableFileError):
        for block in blocks:
            payloads += block.payloads
    assert payloads == PAYLOADS[:3]


def test_empty_file(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(TableFileError, match="empty"):
        read_all(tmp_path / "file")


def test_other_file_kind_is_named_as_such(tmp_path):
    (tmp_path / "file").write_text("module_hash,epochs\n" * 10)
    with pytest.raises(TableFileError, match=r"row 0 at byte offset 0: .*no TFRecord file"):
        read_all(tmp_path / "file")


def test_overlong_record_is_refused_without_reading_it(tmp_path):
    path = write_records(tmp_path / "file", [b"ok", bytes(2 << 20)])
    with pytest.raises(TableFileError, match=f"row 1 at byte offset {len(record(b'ok'))}: .*long"):
        read_all(path)


def test_missing_file(tmp_path):
    with pytest.raises(UserError, match="No such file"):
        read_all(tmp_path / "absent")
